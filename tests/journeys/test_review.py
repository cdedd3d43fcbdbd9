"""A real window: boxes are reviewed by keys, one is commented on, sent to be fixed, and brought back to a version."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from core.reviews import ReviewItem, Verdict
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.journeys.desktop import Desktop, until
from tests.journeys.real_window import DRAGS, NEEDS_A_DESKTOP, boxes, dataset, quit_app, wait_for_the_model

pytestmark = NEEDS_A_DESKTOP


def items(folder: Path) -> list[ReviewItem]:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        return store.review_items(1, 10**6)


def verdicts(folder: Path) -> list[Verdict]:
    return [item.verdict for item in items(folder)]


def test_boxes_are_reviewed_by_keys(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        for number, drag in enumerate(DRAGS):
            screen.drag(*drag)
            screen.key("Return")
            until(lambda least=number: boxes(folder) > least, "a box")
        screen.key("ctrl+shift+b")
        screen.window("Review boxes")
        screen.xdotool("keydown", "space")
        screen.xdotool("keyup", "space")
        screen.key("1")
        until(lambda: verdicts(folder)[0] is Verdict.GOOD, "the first box found good")
        screen.key("c")
        screen.xdotool("type", "too wide")
        screen.key("Return", "2")
        until(lambda: verdicts(folder)[1] is Verdict.FIX, "the second box to fix")
        assert items(folder)[1].comment == "too wide"
        screen.key("3")
        until(lambda: boxes(folder) == 2, "the third box deleted")
        screen.key("ctrl+z")
        until(lambda: boxes(folder) == 3, "and brought back")
        screen.escape("Review")
        fix_the_second(screen, folder)
        quit_app(screen, process)


def fix_the_second(screen: Desktop, folder: Path) -> None:
    """Go to the box to fix, move it, and go back to how it was refined."""
    before = items(folder)[1].box
    screen.window("astronaut.png")
    screen.key("ctrl+shift+n")
    screen.key("shift+Right")
    until(lambda: items(folder)[1].box != before, "the box moved")
    assert (verdicts(folder)[1], items(folder)[1].comment) == (Verdict.NONE, "too wide")
    screen.key("i")
    screen.window("History of a box")
    screen.key("Home", "Down", "Return")  # drawn, then refined
    refined = dataset(folder).corrections[1].refined
    until(lambda: items(folder)[1].box == (refined or before), "the refined box again")
    screen.escape("History of a box")
    screen.window("astronaut.png")
