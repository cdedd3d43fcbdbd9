"""A real window: Space, a mouse button and the left hand accept; boxes are drawn by clicks, points and keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from core.records import Correction
from core.settings import Settings, save_settings, settings_path
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.journeys.desktop import Desktop, Point, soon, until
from tests.journeys.real_window import DRAGS, NEEDS_A_DESKTOP, boxes, dataset, quit_app, wait_for_the_model

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long]

BACK = 8
"""The number of a mouse's back button in X."""


@contextmanager
def window(screen: Desktop, folder: Path, settings: Settings) -> Iterator[None]:
    """The app with these settings; it is quit at the end."""
    save_settings(settings, settings_path())
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        yield
        quit_app(screen, process)


def drawn(folder: Path) -> int:
    """The drawn boxes in the project that are not accepted."""
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        return len(store.drawn_boxes(1))


def accepted(folder: Path, count: int) -> Correction:
    """Wait for so many accepted boxes; the last one."""
    until(lambda: boxes(folder) == count, f"{count} accepted boxes")
    return max(dataset(folder).corrections, key=lambda entry: entry.id)


def click(screen: Desktop, at: Point, button: int = 1) -> None:
    screen.xdotool("mousemove", *at, "click", button)


def test_space_and_a_mouse_button_accept(screen: Desktop, folder: Path) -> None:
    keys = {"accept": ("Space", "Mouse back", "Return")}
    with window(screen, folder, replace(Settings(), keys=keys, accept_when_going_on=False)):
        screen.drag(*DRAGS[0])
        screen.drag(*DRAGS[1])
        until(lambda: drawn(folder) == 2, "two drawn boxes")
        screen.xdotool("keydown", "space")  # X repeats a held key; it accepts one of both
        accepted(folder, 1)
        assert not soon(lambda: boxes(folder) > 1, 2)
        screen.xdotool("keyup", "space")
        screen.xdotool("click", BACK)
        accepted(folder, 2)

        screen.xdotool("mousemove", 1150, 436, "click", 1, "type", "a b")  # a name of a category
        screen.key("Return")
        until(lambda: [entry.name for entry in dataset(folder).categories][1:] == ["a b"], "a category with a space")
        assert boxes(folder) == 2


def test_a_left_hand_draws_by_clicks_and_keys(screen: Desktop, folder: Path) -> None:
    with window(screen, folder, replace(Settings(), key_set="left_hand", draw_by="two_clicks")):
        for corner in DRAGS[0]:
            click(screen, corner)
        until(lambda: drawn(folder) == 1, "a box by two clicks")
        screen.key("f")
        first = accepted(folder, 1)
        assert first.drawn.width > 50 and first.drawn.height > 50

        screen.xdotool("mousemove", 850, 540)
        screen.key("b", "Right", "ctrl+Right", "ctrl+Down")
        until(lambda: drawn(folder) == 1, "a box by keys")
        screen.key("space")
        second = accepted(folder, 2)
        width, height = first.accepted.width, first.accepted.height
        assert 1 <= second.drawn.width - width <= 6 and 1 <= second.drawn.height - height <= 6


def test_four_points_make_a_box(screen: Desktop, folder: Path) -> None:
    with window(screen, folder, replace(Settings(), draw_by="four_points")):
        (left, top), (right, bottom) = DRAGS[0]
        x, y = (left + right) // 2, (top + bottom) // 2
        for point in ((left, y), (x, top), (right + 9, y), (right, y), (x + 30, bottom)):
            click(screen, point)
            if point == (right + 9, y):
                screen.key("BackSpace")
        until(lambda: drawn(folder) == 1, "a box by four points")
        screen.key("space")
        box = accepted(folder, 1).drawn
        assert abs(box.width / box.height - (right - left) / (bottom - top)) < 0.01
