"""The verb `import`: bring boxes of other programs into a project."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import PROJECT_HELP
from core.cli.terminal import complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.formats.importers.found import FoundBoxes
    from core.progress import Job
    from core.records import ImageRecord

HELP = VerbHelp(
    tr("Bring boxes of other programs and detectors into a project, as boxes to check in the window."),
    tr("""\
COCO, YOLO, Pascal VOC, LabelMe, CVAT, CSV, Label Studio, Open Images, KITTI, CreateML, VIA, Supervisely and Datumaro
are told apart by what is in the files; --via datumaro converts others, such as Cityscapes, for which uv and the network
are needed.

Pictures are found by their names. Importing a file twice adds its boxes once, and existing boxes stay as they are. In
a window that is opened afterwards, undo takes the whole import back."""),
    """
    boxrefine import harbour --boxes coarse.json
    boxrefine import harbour/boxrefine.sqlite --boxes yolo-export
    boxrefine import harbour --boxes Annotations --voc-origin 0
    boxrefine import harbour --boxes gtFine --via datumaro --format cityscapes
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT, --boxes, --voc-origin, --via and --format."""
    boxes = tr("file or folder to take boxes from")
    parser.add_argument("project", metavar="PROJECT", type=Path, help=PROJECT_HELP)
    parser.add_argument("--boxes", metavar="PATH", type=Path, required=True, help=boxes)
    origin = tr("number of the first pixel in Pascal VOC, instead of what the files show")
    parser.add_argument("--voc-origin", type=int, choices=(0, 1), help=origin)
    parser.add_argument("--via", choices=("datumaro",), help=tr("convert with another program first"))
    parser.add_argument("--format", metavar="NAME", help=tr("the format by datumaro's name, instead of detecting it"))


def run(options: argparse.Namespace) -> int:
    """Import the usable boxes, report the others on stderr; return 2 where something was left out."""
    from core.store.project_store import ProjectStore, project_path_for

    path = project_path_for(options.project) if options.project.is_dir() else options.project
    with closing(ProjectStore.open(path)) as store:
        found = watch(_job(options, store.images(), path.absolute().parent), unit=tr("box"))
        for problem in found.problems:
            complain(problem)
        if found.missing:
            complain(describe_missing(found.missing, options.boxes))
        for note in found.notes:
            complain(note)
        new, _ = store.import_boxes(found.boxes, file=options.boxes.name, categories=found.categories)
    held = len(found.boxes) - new
    summarize({"boxes": new, "held_already": held, "missing": len(found.missing), "unusable": found.defects.total})
    return 2 if found.defects.total or found.missing else 0


def _job(options: argparse.Namespace, images: Sequence[ImageRecord], folder: Path) -> Job[FoundBoxes]:
    """The import that the options ask for. Raises BadInputError if they contradict each other."""
    from core.formats.importers.via_datumaro import find_boxes_via_datumaro
    from core.formats.importing import find_boxes

    if options.via:
        if options.voc_origin is not None:
            raise BadInputError(tr("datumaro decides on the first pixel itself: leave out --voc-origin or --via."))
        return find_boxes_via_datumaro(options.boxes, images, folder=folder, format=options.format or "")
    if options.format:
        raise BadInputError(tr("--format names a format of datumaro: give --via datumaro with it, or leave it out."))
    return find_boxes(options.boxes, images, folder=folder, voc_origin=options.voc_origin)


def describe_missing(missing: list[str], boxes: Path) -> str:
    """Compose a sentence on pictures of the file `boxes` that the project does not hold."""
    return tr_plural(
        "The project does not hold the picture {first} of {file}: open its folder in the window first.",
        "The project does not hold {count} pictures of {file}, the first is {first}: open their folder in the window.",
        len(missing),
        first=missing[0],
        file=boxes,
    )
