"""A real window: categories are typed at the cursor, added ten in a row, get a key, and are hidden and shown again."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records import Category, Dataset
from core.store.project_store import PROJECT_FILE_NAME
from tests.journeys.desktop import Desktop, soon, until
from tests.journeys.real_window import DRAGS, NEEDS_A_DESKTOP, SLOW_S, boxes, click_on_the_first, dataset, quit_app

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long]

PLACES = (*DRAGS, ((350, 560), (420, 700)))
NEW = ("wheel", "door", "saddle", "axle", "window", "gear", "lamp", "fork", "rack", "bell")


def category(folder: Path, name: str) -> Category | None:
    return next((entry for entry in dataset(folder).categories if entry.name == name), None)


def labels(found: Dataset) -> list[str]:
    names = {entry.id: entry.name for entry in found.categories}
    return [names[box.category_id] for box in found.corrections]


def draw_as(screen: Desktop, folder: Path, number: int, typed: str, *keys: str) -> None:
    """Draw the next box, type at the cursor, choose with `keys`, and accept."""
    screen.drag(*PLACES[number])
    screen.key("c")
    screen.xdotool("type", typed)
    screen.key(*keys)
    screen.key("Return")
    until(lambda: boxes(folder) == number + 1, f"box {number + 1}")


def to_the_list(screen: Desktop) -> None:
    """From the canvas, which two steps of F6 lead to the list of categories."""
    screen.key("F6", "F6")


def test_the_category_is_at_the_hand(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        window = screen.window("astronaut.png")
        until(lambda: (folder / PROJECT_FILE_NAME).exists() and dataset(folder).images, "the project")
        until(lambda: boxes_can_be_drawn(screen, folder), "a picture to draw on")
        draw_as(screen, folder, 0, "dog", "Return")
        draw_as(screen, folder, 1, "dgo", "Return")  # the near one is first
        draw_as(screen, folder, 2, "dgo", "Down", "Return")  # create dgo? yes
        until(lambda: labels(dataset(folder)) == ["dog", "dog", "dgo"], "three labels")

        click_on_the_first(screen)
        screen.key("c")
        screen.xdotool("type", "object")
        screen.key("Return")
        until(lambda: labels(dataset(folder))[0] == "object", "the first box relabelled")

        to_the_list(screen)
        screen.key("Tab")
        for name in NEW:
            screen.xdotool("type", name)
            screen.key("Return")
        until(lambda: [entry.name for entry in dataset(folder).categories][-10:] == [*NEW], "ten names in a row")
        screen.key("Escape")
        assert boxes(folder) == 3

        give_the_last_a_key(screen, folder, window)
        hide_and_show_the_first(screen, folder)
        quit_app(screen, process)


def boxes_can_be_drawn(screen: Desktop, folder: Path) -> bool:
    """Whether a drag makes a box, which is taken back: the picture is shown then. Leaves the category object."""
    screen.drag(*DRAGS[0])
    screen.key("Return")
    if not soon(lambda: boxes(folder) > 0, SLOW_S):
        return False
    screen.key("ctrl+z")
    until(lambda: boxes(folder) == 0, "the first box undone")
    return True


def give_the_last_a_key(screen: Desktop, folder: Path, window: str) -> None:
    """The dialog of the list gives the category a letter, which relabels the selected box."""
    to_the_list(screen)
    screen.key("End", "alt+Return")
    screen.window("Colour and key")
    screen.xdotool("type", "v")
    screen.key("Return")
    until(lambda: (found := category(folder, NEW[-1])) is not None and found.key == "V", "the key V")
    screen.xdotool("windowfocus", "--sync", window)
    screen.key("Escape")
    click_on_the_first(screen)
    screen.key("v")
    until(lambda: labels(dataset(folder))[0] == NEW[-1], "the first box relabelled by its key")


def hide_and_show_the_first(screen: Desktop, folder: Path) -> None:
    """A hidden box cannot be deleted from the canvas; Shift+H shows it, and then it can."""
    to_the_list(screen)
    screen.key("End", "Menu", "Up", "Up", "Up", "Return", "Escape")
    click_on_the_first(screen)
    screen.key("Delete")
    draw_as(screen, folder, 3, "lamp", "Return")  # a write that comes after the key press
    assert labels(dataset(folder))[0] == NEW[-1]
    screen.key("shift+h")
    click_on_the_first(screen)
    screen.key("Delete")
    until(lambda: boxes(folder) == 3, "the shown box deleted")
