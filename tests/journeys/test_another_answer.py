"""A real window and the shipped model: X takes another answer to a box, which is stored with the choice and undone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from core.geometry import Box
from core.records import DrawnBox
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.journeys.desktop import Desktop, Point, until
from tests.journeys.real_window import DRAGS, HAS_MODEL, NEEDS_A_DESKTOP, boxes, dataset, quit_app, wait_for_the_model

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long, pytest.mark.skipif(not HAS_MODEL, reason="no refiner is shipped")]

FACE = Box(170, 10, 300, 200)
"""On the astronaut, in image pixels: the face, the head with the collar, or more of her."""


def drawn_boxes(folder: Path) -> list[DrawnBox]:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        return store.drawn_boxes(1)


def on_screen(screen: Desktop, folder: Path, box: Box) -> tuple[Point, Point]:
    """Where a box of the image is on the screen, told by one that is drawn and discarded."""
    screen.drag(*DRAGS[0])
    until(lambda: drawn_boxes(folder), "a drawn box in the project")
    (left, top), (right, _) = DRAGS[0]
    drawn = drawn_boxes(folder)[0].correction.drawn
    screen.key("Escape")
    until(lambda: not drawn_boxes(folder), "the box discarded")
    scale = (right - left) / drawn.width

    def place(x: float, y: float) -> Point:
        return round(left + (x - drawn.x1) * scale), round(top + (y - drawn.y1) * scale)

    return place(box.x1, box.y1), place(box.x2, box.y2)


def chosen(folder: Path) -> int | None:
    """The row of the chosen candidate of the drawn box, None while it has none."""
    drawn = drawn_boxes(folder)
    return drawn[0].correction.choice.chosen if drawn and drawn[0].correction.choice is not None else None


def test_another_answer_is_taken_accepted_and_undone(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        screen.drag(*on_screen(screen, folder, FACE))
        until(lambda: chosen(folder) == 0, "candidates of the drawn box")
        screen.key("x")
        until(lambda: chosen(folder) == 1, "the second candidate")
        screen.key("Return")
        until(lambda: boxes(folder) == 1, "the accepted box")
        [box] = dataset(folder).corrections
        assert box.choice is not None and box.choice.chosen == 1
        assert box.accepted == box.refined == box.choice.candidates[1].box
        assert box.drawn == pytest.approx(FACE, abs=2)
        screen.key("ctrl+z")
        until(lambda: boxes(folder) == 0, "the box undone by one step")
        quit_app(screen, process)
