"""The verb `shards`: pack a labelled set into few files for training on several machines."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.arrow import load_pyarrow
from core.cli.options import check_folder, check_output
from core.cli.terminal import complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.translation import tr

PER_SHARD = 1000
HELP = VerbHelp(
    tr("Pack a labelled set into shards (tar files or Parquet tables) for training."),
    tr("""\
Shards are tar files as WebDataset reads them: each picture beside a JSON file of its boxes. With --format parquet they
are tables with the columns file_name, picture (its bytes) and annotations. `boxrefine train --shards` reads them in a
folder or in an object store, without unpacking, and `boxrefine pretrain` in the folders of its sets. Boxes of crowds
are left out. A shard is whole or not there."""),
    """
    boxrefine shards --images harbour --boxes true.json --out shards
    boxrefine shards --images harbour --boxes true.json --out shards --per-shard 5000
    boxrefine shards --images harbour --boxes true.json --out shards --format parquet
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the set, the folder and the size of shards."""
    pictures = tr("folder that file_name of --boxes is below")
    parser.add_argument("--images", metavar="DIR", type=Path, required=True, help=pictures)
    parser.add_argument("--boxes", metavar="GT.json", type=Path, required=True, help=tr("COCO file of true boxes"))
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=tr("folder to write to"))
    parser.add_argument("--format", choices=("tar", "parquet"), default="tar", help=tr("format of the shards"))
    each = tr("pictures of a shard (default: %(default)s)")
    parser.add_argument("--per-shard", metavar="N", type=int, default=PER_SHARD, help=each)


def run(options: argparse.Namespace) -> int:
    """Read, write, summarize; return 2 where entries of the file cannot be used."""
    from core.formats.exporters.coco import read_coco
    from core.formats.importers.coco_import import category_names
    from core.picture_folders import NamedPictures
    from core.shards.files import write_shards

    check_folder(options.images)
    check_output(options.out / "x")
    if options.format == "parquet":
        load_pyarrow()
    if options.per_shard < 1:
        raise BadInputError(tr("--per-shard must be 1 or more."))
    coco = read_coco(options.boxes)
    for problem in coco.problems:
        complain(problem)
    names, pictures = category_names(coco), NamedPictures(options.images)
    found, boxes = [], 0
    for id, notes in coco.by_image().items():
        image = coco.images[id]
        entries = [
            {"bbox": [box.x1, box.y1, box.width, box.height], "category": names[note.index] or "object"}
            for note in notes
            if not note.is_crowd
            for box in [note.box]
        ]
        boxes += len(entries)
        found.append((image.file_name, pictures.path_of(image.file_name), entries))
    shards = watch(
        write_shards(found, options.out, per_shard=options.per_shard, format=options.format), unit=tr("image")
    )
    summarize({"images": len(found), "boxes": boxes, "shards": shards, "out": str(options.out)})
    return 2 if coco.problems else 0
