"""The verb `import`: bring boxes of other programs into a project."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from core.cli.options import PROJECT_HELP
from core.cli.terminal import complain, summarize, watch
from core.cli.verb_help import VerbHelp
from core.translation import tr, tr_plural

HELP = VerbHelp(
    tr("Bring boxes of other programs and detectors into a project, as boxes to check in the window."),
    tr("""\
Pictures are found by their names. Importing a file twice adds its boxes once, and existing boxes stay as they are. In
a window that is opened afterwards, undo takes the whole import back."""),
    """
    boxrefine import harbour --boxes coarse.json
    boxrefine import harbour/boxrefine.sqlite --boxes yolo-export
    """,  # untranslated: commands
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add PROJECT and --boxes."""
    boxes = tr("file or folder to take boxes from")
    parser.add_argument("project", metavar="PROJECT", type=Path, help=PROJECT_HELP)
    parser.add_argument("--boxes", metavar="PATH", type=Path, required=True, help=boxes)


def run(options: argparse.Namespace) -> int:
    """Import the usable boxes, report the others on stderr; return 2 where something was left out."""
    from core.formats.importing import find_boxes
    from core.store.project_store import ProjectStore, project_path_for

    path = project_path_for(options.project) if options.project.is_dir() else options.project
    with closing(ProjectStore.open(path)) as store:
        job = find_boxes(options.boxes, store.images(), folder=path.absolute().parent)
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
    summarize({"boxes": new, "held_already": held, "missing": len(found.missing), "unusable": found.defects.total})
    return 2 if found.defects.total or found.missing else 0


def describe_missing(missing: list[str], boxes: Path) -> str:
    """Compose a sentence on pictures of the file `boxes` that the project does not hold."""
    return tr_plural(
        "The project does not hold the picture {first} of {file}: open its folder in the window first.",
        "The project does not hold {count} pictures of {file}, the first is {first}: open their folder in the window.",
        len(missing),
        first=missing[0],
        file=boxes,
    )
