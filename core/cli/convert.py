"""The verb `convert`: annotation files of one format as those of another one, without a project and a model."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.terminal import complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.cli.writing import Writing, add_writing, figures_of
from core.errors import BadInputError
from core.formats import EXPORTERS
from core.formats.choices import LINK, NONE
from core.formats.parquet import PARQUET
from core.translation import tr, tr_plural

HELP = VerbHelp(
    tr("Convert annotation files of one format into those of another one."),
    tr("""\
Needs no project and no model. Sizes of pictures are those in the files; files without sizes, as those of YOLO, need
their pictures, which may be in a ZIP archive with them. Ids, attributes and other fields that the new format has a
place for are kept. Entries that cannot be used are reported on stderr; the exit code is then 2."""),
    """
    boxrefine convert instances.json --to yolo --out yolo --images pictures --pictures link
    boxrefine convert labels --to coco --out coco --images pictures --splits 0.8/0.2
    boxrefine convert roboflow.zip --to yolo --out yolo --pictures copy
    boxrefine convert Annotations --to csv --out csv --map boat=ship,drop=buoy
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add SRC, --to, --images, and what `add_writing` adds."""
    source, images = (
        tr("file, folder or ZIP archive to read"),
        tr("folder of the pictures, which are found by their names"),
    )
    parser.add_argument("source", metavar="SRC", type=Path, help=source)
    parser.add_argument("--to", choices=(*EXPORTERS, PARQUET), required=True, help=tr("format to write"))
    parser.add_argument("--images", metavar="DIR", type=Path, help=images)
    add_writing(parser)


def run(options: argparse.Namespace) -> int:
    """Read, write, summarize; return 2 where something was left out."""
    from core.cli.options import check_folder
    from core.formats.converting import read_files
    from core.formats.importers.archives import is_zip
    from core.formats.selection import Selection, parse_map, select

    if options.images is not None:
        check_folder(options.images)
    writing = Writing.of(options)
    chosen = parse_map(options.map, Selection(unchecked=True, untouched=True))
    of_archive = options.images is None and is_zip(options.source)
    if of_archive and writing.pictures == LINK:
        raise BadInputError(
            tr(
                "The pictures in {file} cannot be linked to: give --pictures copy, or unpack it and give its folder.",
                file=options.source,
            )
        )
    with_pictures = writing.pictures != NONE
    read = watch(read_files(options.source, images=options.images, with_pictures=with_pictures), unit=tr("image"))
    report_unread(read.problems, read.missing, read.notes, options.source)
    written = writing.write(select(read.dataset, chosen).dataset, format=options.to)
    summarize(
        {
            **figures_of(written, format=options.to),
            "missing": len(read.missing),
            "problems": len(read.problems),
            "path": str(written.path),
        }
    )
    return 2 if read.problems or read.missing else 0


def report_unread(problems: tuple[str, ...], missing: tuple[str, ...], notes: tuple[str, ...], source: Path) -> None:
    """Write what was not read of annotation files, and what was assumed, to stderr."""
    for sentence in (*problems, *notes):
        complain(sentence)
    if missing:
        complain(
            tr_plural(
                "The picture {first} of {file} is not there: give the folder of the pictures by --images.",
                "{count} pictures of {file} are not there, the first is {first}: give their folder by --images.",
                len(missing),
                first=missing[0],
                file=source,
            )
        )
