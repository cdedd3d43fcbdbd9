"""The verb `import`: bring boxes of other programs into a project."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.folder_project import open_folder
from core.cli.terminal import complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError
from core.formats.parquet import is_parquet
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.formats.importers.found import FoundBoxes
    from core.progress import Job
    from core.records import ImageRecord
    from core.store.project_store import ProjectStore

HELP = VerbHelp(
    tr("Bring boxes of other programs and detectors into a project, as boxes to check in the window."),
    tr("""\
COCO, YOLO, Pascal VOC, LabelMe, CVAT, CSV, Label Studio, Open Images, KITTI, CreateML, VIA, Supervisely and Datumaro
are told apart by what is in the files; --via datumaro converts others, such as Cityscapes, for which uv and the network
are needed.

The pictures of the folder and of all folders below it are added to its project first, which is made if there is none.
Boxes find their pictures by their names. Importing a file twice adds its boxes once, and existing boxes stay as they
are. In a window that is opened afterwards, undo takes the whole import back."""),
    """
    boxrefine import harbour --boxes coarse.json
    boxrefine import harbour/boxrefine.sqlite --boxes yolo-export
    boxrefine import harbour --boxes Annotations --voc-origin 0
    boxrefine import harbour --boxes gtFine --via datumaro --format cityscapes
    """,  # untranslated: commands
)


_MOST_NAMES = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT, --boxes, --new-project, --voc-origin, --via and --format."""
    project = tr("a folder of pictures, whose project is made if it has none, or a project file")
    boxes = tr("file or folder to take boxes from")
    new = tr("make a project in the folder even if a folder above or below has one")
    parser.add_argument("project", metavar="PROJECT", type=Path, help=project)
    parser.add_argument("--boxes", metavar="PATH", type=Path, required=True, help=boxes)
    parser.add_argument("--new-project", action="store_true", help=new)
    origin = tr("number of the first pixel in Pascal VOC, instead of what the files show")
    parser.add_argument("--voc-origin", type=int, choices=(0, 1), help=origin)
    parser.add_argument("--via", choices=("datumaro",), help=tr("convert with another program first"))
    parser.add_argument("--format", metavar="NAME", help=tr("the format by datumaro's name, instead of detecting it"))


def run(options: argparse.Namespace) -> int:
    """Import the usable boxes, report the others on stderr; return 2 where something was left out."""
    from core.store.project_store import ProjectStore

    added = unreadable = 0
    if options.project.is_dir():
        store, added, unreadable = open_folder(options.project, beside_others=options.new_project)
    else:
        store = ProjectStore.open(options.project)
    with closing(store):
        if not options.via and options.boxes.is_file() and is_parquet(options.boxes):
            return import_table(store, options.boxes, added=added, unreadable=unreadable)
        found = watch(_job(options, store.images(), store.path.absolute().parent), unit=tr("box"))
        for problem in found.problems:
            complain(problem)
        if found.missing:
            complain(describe_missing(found.missing, options.boxes))
        for note in found.notes:
            complain(note)
        before = {category.name for category in store.categories()}
        new, _ = store.import_boxes(
            found.boxes, file=options.boxes.name, categories=found.categories, sources=found.sources
        )
        added_categories = [category.name for category in store.categories() if category.name not in before]
    if before and added_categories:
        complain(describe_new_categories(added_categories, options.boxes))
    held = len(found.boxes) - new
    boxes = {"boxes": new, "held_already": held, "missing": len(found.missing), "unusable": found.defects.total}
    images = {"new_images": added, "unreadable_images": unreadable}
    summarize({**images, "new_categories": len(added_categories), **boxes})
    return 2 if found.defects.total or found.missing or unreadable else 0


def import_table(store: ProjectStore, path: Path, *, added: int, unreadable: int) -> int:
    """Import a Parquet table group by group; report and summarize as for other files."""
    from core.formats.importers.parquet_reader import TableParts

    table = watch(TableParts.find(path, store.images(), folder=store.path.absolute().parent), unit=tr("box"))
    before = {category.name for category in store.categories()}
    job = store.import_parts(table.parts(), total=table.total, file=path.name, categories=table.categories)
    new, _ = watch(job, unit=tr("box"))
    for problem in table.defects.sentences():
        complain(problem)
    if table.missing:
        complain(describe_missing(table.missing, path))
    added_categories = [category.name for category in store.categories() if category.name not in before]
    if before and added_categories:
        complain(describe_new_categories(added_categories, path))
    unusable = table.defects.total
    boxes = {"boxes": new, "held_already": table.usable - new, "missing": len(table.missing), "unusable": unusable}
    images = {"new_images": added, "unreadable_images": unreadable}
    summarize({**images, "new_categories": len(added_categories), **boxes})
    return 2 if unusable or table.missing or unreadable else 0


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


def describe_new_categories(names: Sequence[str], boxes: Path) -> str:
    """Compose a sentence on categories of the file `boxes` that the project did not have."""
    first = ", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else "")
    return tr_plural(
        "{file} brings a category that the project did not have: {names}.",
        "{file} brings {count} categories that the project did not have: {names}.",
        len(names),
        file=boxes,
        names=first,
    )


def describe_missing(missing: list[str], boxes: Path) -> str:
    """Compose a sentence on pictures of the file `boxes` that the project does not hold."""
    return tr_plural(
        "The project does not hold the picture {first} of {file}: put it into the project's folder.",
        "The project does not hold {count} pictures of {file}, the first is {first}: put them into the "
        "project's folder.",
        len(missing),
        first=missing[0],
        file=boxes,
    )
