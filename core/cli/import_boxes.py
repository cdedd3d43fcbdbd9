"""The verb `import`: bring boxes of other programs into a project."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from core.cli.folder_project import open_folder
from core.cli.terminal import complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.translation import tr, tr_plural

HELP = VerbHelp(
    tr("Bring boxes of other programs and detectors into a project, as boxes to check in the window."),
    tr("""\
The pictures of the folder and of all folders below it are added to its project first, which is made if there is none.
Boxes find their pictures by their names. Importing a file twice adds its boxes once, and existing boxes stay as they
are. In a window that is opened afterwards, undo takes the whole import back."""),
    """
    boxrefine import harbour --boxes coarse.json
    boxrefine import harbour/boxrefine.sqlite --boxes yolo-export
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT, --boxes and --new-project."""
    project = tr("a folder of pictures, whose project is made if it has none, or a project file")
    boxes = tr("file or folder to take boxes from")
    new = tr("make a project in the folder even if a folder above or below has one")
    parser.add_argument("project", metavar="PROJECT", type=Path, help=project)
    parser.add_argument("--boxes", metavar="PATH", type=Path, required=True, help=boxes)
    parser.add_argument("--new-project", action="store_true", help=new)


def run(options: argparse.Namespace) -> int:
    """Import the usable boxes, report the others on stderr; return 2 where something was left out."""
    from core.formats.importing import find_boxes
    from core.store.project_store import ProjectStore

    added = unreadable = 0
    if options.project.is_dir():
        store, added, unreadable = open_folder(options.project, beside_others=options.new_project)
    else:
        store = ProjectStore.open(options.project)
    with closing(store):
        job = find_boxes(options.boxes, store.images(), folder=store.path.absolute().parent)
        found = watch(job, unit=tr("box"))
        for problem in found.problems:
            complain(problem)
        if found.missing:
            complain(describe_missing(found.missing, options.boxes))
        for note in found.notes:
            complain(note)
        new, _ = store.import_boxes(
            found.boxes, file=options.boxes.name, categories=found.categories, sources=found.sources
        )
    held = len(found.boxes) - new
    boxes = {"boxes": new, "held_already": held, "missing": len(found.missing), "unusable": found.defects.total}
    summarize({"new_images": added, "unreadable_images": unreadable, **boxes})
    return 2 if found.defects.total or found.missing or unreadable else 0


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
