"""The verb `export`: write a project's accepted boxes in a format of other programs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from core.cli.options import PROJECT_HELP
from core.cli.terminal import complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.formats import EXPORTERS
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.records import Dataset

HELP = VerbHelp(
    tr("Write a project's accepted boxes as COCO, YOLO or Pascal VOC."),
    tr("""\
Other files of the folder stay; without --overwrite nothing is written where a file of the export exists already.
Boxes that you have not accepted yet are left out; --unchecked writes them as they are. Images without boxes are
negatives if you have marked them as done in the window; others are left out, because other programs would read them as
empty; --untouched lists them, too."""),
    """
    boxrefine export harbour/boxrefine.sqlite --format coco --out export
    boxrefine export harbour --format yolo --out export --overwrite
    """,  # untranslated: commands
)

FORMATS_HELP = "; ".join(f"{name}: {exporter.title}, {exporter.description}" for name, exporter in EXPORTERS.items())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT, --format, --outlines, --unchecked, --untouched, --out and --overwrite."""
    outlines = tr("write the outlines of HQ-SAM's masks too (COCO)")
    unchecked = tr("write boxes that are not accepted yet, too")
    untouched = tr("list images without boxes that are not marked as done, too")
    overwrite = tr("replace files of the same names that are in DIR")
    parser.add_argument("project", metavar="PROJECT", type=Path, help=PROJECT_HELP)
    parser.add_argument("--format", choices=tuple(EXPORTERS), required=True, help=FORMATS_HELP)
    parser.add_argument("--outlines", action="store_true", help=outlines)
    parser.add_argument("--unchecked", action="store_true", help=unchecked)
    parser.add_argument("--untouched", action="store_true", help=untouched)
    parser.add_argument("--checked", action="store_true", help=argparse.SUPPRESS)  # the default by now
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=tr("folder to write to"))
    parser.add_argument("--overwrite", action="store_true", help=overwrite)


def run(options: argparse.Namespace) -> int:
    """Read the project, export it, summarize the files written."""
    from core import formats

    whole = read_dataset(options.project)
    boxes = whole if options.unchecked else whole.accepted()
    dataset = boxes if options.untouched else boxes.labelled()
    if not options.overwrite:
        refuse_to_replace(formats.files_there(dataset, format=options.format, out=options.out), out=options.out)
    written = watch(
        formats.export(dataset, format=options.format, out=options.out, outlines=options.outlines), unit=tr("image")
    )
    left_out = len(whole.corrections) - len(dataset.corrections)
    images_left_out = len(whole.images) - len(dataset.images)
    if left_out:
        complain(
            tr_plural(
                "{count} box is left out, because it is not accepted yet: --unchecked writes it, too.",
                "{count} boxes are left out, because they are not accepted yet: --unchecked writes them, too.",
                left_out,
            )
        )
    if images_left_out:
        complain(
            tr_plural(
                "{count} image has no box to export and is not marked as done, so it is left out: --untouched lists "
                "it, too.",
                "{count} images have no box to export and are not marked as done, so they are left out: --untouched "
                "lists them, too.",
                images_left_out,
            )
        )
    summarize(
        {
            "images": written.images,
            "empty": written.images - written.boxed,
            "boxes": written.boxes,
            "left_out": left_out,
            "images_left_out": images_left_out,
            "format": options.format,
            "path": str(written.path),
        },
    )
    return 0


def refuse_to_replace(there: Sequence[PurePosixPath], *, out: Path) -> None:
    """Raise BadInputError where `out` holds the files `there`, which an export would replace."""
    if not there:
        return
    first, more = out / there[0], len(there) - 1
    if not more:
        raise BadInputError(
            tr("{file} is there already: choose another folder, or add --overwrite to replace.", file=first)
        )
    raise BadInputError(
        tr_plural(
            "{file} is there already, and {count} more file of this export: choose another folder, or add "
            "--overwrite to replace.",
            "{file} is there already, and {count} more files of this export: choose another folder, or add "
            "--overwrite to replace.",
            more,
            file=first,
        )
    )


def read_dataset(project: Path) -> Dataset:
    """Read all records of the project at `project` or in that folder. Raises KnownError where there is none."""
    from core.store.project_store import ProjectStore, project_path_for

    store = ProjectStore.open(project_path_for(project) if project.is_dir() else project)
    try:
        return store.dataset()
    finally:
        store.close()
