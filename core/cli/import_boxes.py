"""Bring boxes of COCO, YOLO, Pascal VOC or LabelMe into a project, as boxes to check in the window.

Pictures are found by their names. Importing a file twice doubles nothing, and nothing that the project holds is
changed; in a window that is opened afterwards, undo takes the whole import back.

examples:
  boxrefine import harbour --boxes coarse.json
  boxrefine import harbour/boxrefine.sqlite --boxes yolo-export
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from core.cli.terminal import complain, summarise, watch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PROJECT and --boxes."""
    parser.add_argument("project", metavar="PROJECT", type=Path, help="a project file, or the folder that holds one")
    parser.add_argument("--boxes", metavar="PATH", type=Path, required=True, help="file or folder to take boxes from")


def run(options: argparse.Namespace) -> int:
    """Import what can be, name what cannot; 2 where something was left out."""
    from core.formats.importing import find_boxes
    from core.store.project_store import ProjectStore, project_path_for

    path = project_path_for(options.project) if options.project.is_dir() else options.project
    with closing(ProjectStore.open(path)) as store:
        job = find_boxes(options.boxes, store.images(), folder=path.absolute().parent)
        found = watch(job, unit="box")
        for problem in found.problems:
            complain(problem)
        if found.missing:
            complain(missing_pictures(found.missing, options.boxes))
        new, _ = store.import_boxes(found.boxes, file=options.boxes.name)
    held = len(found.boxes) - new
    summarise({"boxes": new, "held_already": held, "missing": len(found.missing), "unusable": len(found.problems)})
    return 2 if found.problems or found.missing else 0


def missing_pictures(missing: list[str], boxes: Path) -> str:
    """A sentence on pictures of a file that the project does not hold."""
    if len(missing) == 1:
        return f"The project does not hold the picture {missing[0]} of {boxes}: open its folder in the window first."
    first = f"the first is {missing[0]}"
    return f"The project does not hold {len(missing)} pictures of {boxes}, {first}: open their folder in the window."
