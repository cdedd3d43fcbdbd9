"""Real mouse and keys: a kill loses no drawn box, no slip, letter or drag does what nobody meant."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from core.records import Correction, DrawnBox
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.journeys.desktop import Desktop, until
from tests.journeys.real_window import (
    DRAGS,
    HAS_MODEL,
    NEEDS_A_DESKTOP,
    boxes,
    click_on_the_first,
    dataset,
    quit_app,
    wait_for_the_model,
)

pytestmark = NEEDS_A_DESKTOP

INSIDE = ((540, 250), (630, 340))
SECOND_IMAGE = (100, 200)


def drawn(folder: Path) -> list[DrawnBox]:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        return store.drawn_boxes(1)


def only(folder: Path) -> Correction:
    (correction,) = dataset(folder).corrections
    return correction


def test_a_drawn_box_outlives_kill_9_and_closing_asks_about_it(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        screen.drag(*DRAGS[0])
        until(lambda: drawn(folder) and (drawn(folder)[0].correction.refined or not HAS_MODEL), "a kept box")
        kept = drawn(folder)[0].correction
        process.kill()
        process.wait(60)
    assert boxes(folder) == 0

    with screen.app(folder) as process:
        screen.window("astronaut.png")
        screen.key("ctrl+q")
        screen.window("^Drawn boxes$")
        screen.escape("^Drawn boxes$")
        screen.window("astronaut.png")

        def is_accepted() -> bool:
            screen.key("Return")
            return boxes(folder) == 1

        until(is_accepted, "the box that came back")
        quit_app(screen, process)
    assert only(folder).accepted == kept.accepted and only(folder).drawn == kept.drawn
    assert drawn(folder) == []


def test_drags_slips_letters_and_arrows_do_what_is_meant(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        screen.drag(*DRAGS[0])
        screen.key("Return")
        until(lambda: boxes(folder) == 1, "a box")
        first = only(folder)
        drag_inside(screen, folder, first)
        slip(screen, folder, first)
        type_in_a_list(screen, folder)
        nudge(screen, folder, first)
        quit_app(screen, process)


def drag_inside(screen: Desktop, folder: Path, first: Correction) -> None:
    """It draws in the selected box, and moves it with Shift alone."""
    click_on_the_first(screen)
    screen.drag(*INSIDE)
    until(lambda: len(drawn(folder)) == 1, "a box in the box")
    assert only(folder) == first
    screen.key("Escape")
    until(lambda: drawn(folder) == [], "the box in the box discarded")
    click_on_the_first(screen)
    screen.xdotool("keydown", "shift")
    screen.drag(*INSIDE)
    screen.xdotool("keyup", "shift")
    until(lambda: only(folder).accepted != first.accepted, "the box moved")
    screen.key("ctrl+z")
    until(lambda: only(folder).accepted == first.accepted, "the box moved back")


def slip(screen: Desktop, folder: Path, first: Correction) -> None:
    """Four pixels store nothing, also where letting go accepts."""
    screen.key("ctrl+Return")
    (x, y), _ = DRAGS[1]
    screen.drag((x, y), (x + 4, y + 4))
    screen.drag(*DRAGS[1])
    until(lambda: boxes(folder) == 2, "the second box")
    assert min(dataset(folder).corrections[1].drawn.width, dataset(folder).corrections[1].drawn.height) > 20
    screen.key("ctrl+z", "ctrl+Return")
    until(lambda: boxes(folder) == 1, "the second box undone")
    assert only(folder) == first and drawn(folder) == []


def type_in_a_list(screen: Desktop, folder: Path) -> None:
    """A searches for the astronaut, and S switches nothing off."""
    screen.xdotool("mousemove", *SECOND_IMAGE, "click", 1)
    screen.window("coffee.png")
    screen.xdotool("type", "as")
    screen.key("Return")
    screen.window("astronaut.png")
    screen.key("ctrl+f", "Escape")
    screen.drag(*DRAGS[1])
    screen.key("Return")
    until(lambda: boxes(folder) == 2, "a box that is drawn after letters were typed")
    assert (dataset(folder).corrections[1].refined is not None) == HAS_MODEL
    screen.key("ctrl+z")
    until(lambda: boxes(folder) == 1, "that box undone")


def nudge(screen: Desktop, folder: Path, first: Correction) -> None:
    """Five presses are one step."""
    click_on_the_first(screen)
    screen.key(*["Right"] * 5)
    until(lambda: abs(only(folder).accepted.x1 - first.accepted.x1 - 5) < 0.01, "the box five pixels further right")
    screen.key("ctrl+z")
    until(lambda: only(folder).accepted == first.accepted, "the box where it was")
