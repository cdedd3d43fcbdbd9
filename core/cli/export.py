"""Write a project's accepted boxes as COCO, YOLO or Pascal VOC.

examples:
  boxrefine export harbour/boxrefine.sqlite --format coco --out export
  boxrefine export harbour --format yolo --out export --overwrite

Other files of the folder stay; without --overwrite nothing is written where one of the export's own is there already.
Boxes that nobody has said yes to yet are left out; --unchecked writes them as they are.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from core.cli.terminal import complain, summarise, watch
from core.errors import BadInputError
from core.formats import EXPORTERS

if TYPE_CHECKING:
    from core.records import Dataset


FORMATS_HELP = "; ".join(f"{name}: {exporter.title}, {exporter.description}" for name, exporter in EXPORTERS.items())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT, --format, --outlines, --unchecked, --out and --overwrite."""
    parser.add_argument("project", metavar="PROJECT", type=Path, help="a project file, or the folder that holds one")
    parser.add_argument("--format", choices=tuple(EXPORTERS), required=True, help=FORMATS_HELP)
    parser.add_argument("--outlines", action="store_true", help="write the outlines of HQ-SAM's masks too (COCO)")
    parser.add_argument("--unchecked", action="store_true", help="write boxes that nobody has said yes to yet, too")
    parser.add_argument("--checked", action="store_true", help=argparse.SUPPRESS)  # the default by now
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder to write to")
    parser.add_argument("--overwrite", action="store_true", help="replace files of the same names that are in DIR")


def run(options: argparse.Namespace) -> int:
    """Read the project, export it, say what was written."""
    from core import formats

    whole = read_dataset(options.project)
    dataset = whole if options.unchecked else whole.accepted()
    if not options.overwrite:
        refuse_to_replace(formats.files_there(dataset, format=options.format, out=options.out), out=options.out)
    written = watch(
        formats.export(dataset, format=options.format, out=options.out, outlines=options.outlines), unit="image"
    )
    left_out = len(whole.corrections) - len(dataset.corrections)
    if left_out:
        boxes = "1 box is" if left_out == 1 else f"{left_out} boxes are"
        complain(f"{boxes} left out, because nobody has said yes to them yet: --unchecked writes them, too.")
    summarise(
        {
            "images": written.images,
            "boxes": written.boxes,
            "left_out": left_out,
            "format": options.format,
            "path": str(written.path),
        },
    )
    return 0


def refuse_to_replace(there: Sequence[PurePosixPath], *, out: Path) -> None:
    """Raises BadInputError where files are there that an export would replace."""
    if there:
        more = len(there) - 1
        others = f", and {more} more {'file' if more == 1 else 'files'} of this export" if more else ""
        raise BadInputError(
            f"{out / there[0]} is there already{others}: choose another folder, or add --overwrite to replace."
        )


def read_dataset(project: Path) -> Dataset:
    """All records of the project at `project` or in that folder. Raises KnownError where there is none."""
    from core.store.project_store import ProjectStore, project_path_for

    store = ProjectStore.open(project_path_for(project) if project.is_dir() else project)
    try:
        return store.dataset()
    finally:
        store.close()
