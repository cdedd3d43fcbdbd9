"""The same story told to the real program: a process, an X display, a mouse and a keyboard."""

from __future__ import annotations

import os
from pathlib import Path

from pycocotools.coco import COCO

from tests.journeys.desktop import Desktop, soon, until
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


def test_three_boxes_by_real_mouse_and_keyboard(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        draw_three(screen, folder)
        undo_and_redo(screen, folder)
        relabel_the_first(screen, folder)
        drag_the_first_category_down(screen, folder)
        export_coco(screen, folder)
        quit_app(screen, process)
    before = dataset(folder)
    assert [correction.category_id for correction in before.corrections] == [2, 1, 1]

    with screen.app(folder) as process:
        screen.window("astronaut.png")
        until(lambda: dataset(folder) == before, "the same boxes")
        until(lambda: is_deleted(screen, folder), "the first box to be shown, selected and deleted")
        quit_app(screen, process)


def draw_three(screen: Desktop, folder: Path) -> None:
    for count, (start, end) in enumerate(DRAGS, start=1):
        screen.drag(start, end)
        screen.key("Return")
        until(lambda count=count: boxes(folder) == count, f"box {count}")
    for correction in dataset(folder).corrections:
        assert (correction.refined is not None) == HAS_MODEL
        assert correction.seconds > 0
        if HAS_MODEL:
            assert correction.accepted == correction.refined
            assert correction.accepted != correction.drawn


def undo_and_redo(screen: Desktop, folder: Path) -> None:
    screen.key("ctrl+z", "ctrl+z")
    until(lambda: boxes(folder) == 1, "two boxes undone")
    screen.key("ctrl+shift+z", "ctrl+y")
    until(lambda: boxes(folder) == 3, "two boxes redone")


def relabel_the_first(screen: Desktop, folder: Path) -> None:
    screen.xdotool("mousemove", 1150, 436, "click", 1)
    screen.xdotool("type", "person")
    screen.key("Return")
    until(lambda: len(dataset(folder).categories) == 2, "a second category")
    click_on_the_first(screen)
    screen.key("2")
    until(lambda: dataset(folder).corrections[0].category_id == 2, "the first box relabelled")


def drag_the_first_category_down(screen: Desktop, folder: Path) -> None:
    screen.drag((1110, 89), (1110, 150))
    until(lambda: [category.id for category in dataset(folder).categories] == [2, 1], "the categories in another order")


def is_deleted(screen: Desktop, folder: Path) -> bool:
    """A click selects the first box if it is shown, and only then Delete takes it away."""
    click_on_the_first(screen)
    screen.key("Delete")
    return soon(lambda: boxes(folder) == 2, 2)


def export_coco(screen: Desktop, folder: Path) -> None:
    screen.key("ctrl+e")
    screen.window("^Export$")
    screen.key("Return")
    out = folder / "boxrefine-export"
    until(lambda: list(out.glob("*.json")), "the export")
    (document,) = out.glob("*.json")
    coco = COCO(os.fspath(document))
    assert len(coco.getAnnIds()) == 3
    assert len(coco.getImgIds()) == 1  # the other one is untouched
    screen.window("astronaut.png")
