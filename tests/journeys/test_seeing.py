"""The story of a look at a box: hidden while a key is held, in other tones, without panels, and all of it next time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import load_settings, settings_path
from tests.journeys.desktop import Desktop, until
from tests.journeys.real_window import DRAGS, NEEDS_A_DESKTOP, boxes, quit_app

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long]

COLOR, INVERTED = (200, 40, 90), (55, 215, 165)
BOX_COLOR = (230, 159, 0)  # of the first category
SIZE = (1400, 900)


def seen(screen: Desktop) -> NDArray[np.uint8]:
    """The screen as RGB."""
    command = ["import", "-silent", "-window", "root", "-depth", "8", "rgb:-"]
    shot = subprocess.run(command, env=screen.environment, capture_output=True, check=True).stdout
    return np.frombuffer(shot, np.uint8).reshape(SIZE[1], SIZE[0], 3)


def count(screen: Desktop, color: tuple[int, int, int], *, columns: slice = slice(None)) -> int:
    """How many pixels of the screen have a color."""
    return int((seen(screen)[:, columns] == color).all(axis=2).sum())


def test_a_box_is_looked_at_and_the_window_comes_back_as_it_was(screen: Desktop, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    picture = folder / "plain.png"
    cv2.imwrite(str(picture), np.full((600, 800, 3), COLOR[::-1], np.uint8))
    before = picture.read_bytes()
    middle = slice(300, 950)  # of the screen, without the panels
    with screen.app(folder) as process:
        screen.window("plain")
        until(lambda: count(screen, COLOR) > 100_000, "the picture")
        screen.drag(*DRAGS[0])
        screen.key("Return")
        until(lambda: boxes(folder) == 1 and count(screen, BOX_COLOR, columns=middle) > 500, "the box")
        screen.xdotool("keydown", "h")
        until(lambda: count(screen, BOX_COLOR, columns=middle) == 0, "no box while H is held")
        screen.xdotool("keyup", "h")
        until(lambda: count(screen, BOX_COLOR, columns=middle) > 500, "the box again")
        narrow = count(screen, COLOR)
        screen.key("j")
        until(
            lambda: count(screen, INVERTED) > 100_000 and count(screen, COLOR, columns=middle) == 0,
            "the inverted picture",
        )
        screen.key("F12")
        until(lambda: count(screen, INVERTED) > narrow * 1.2, "a larger picture without the panels")
        screen.key("alt+End")
        until(lambda: count(screen, COLOR) > narrow * 1.2, "the picture as it is")
        quit_app(screen, process)
    assert load_settings(settings_path()).hidden_panels == ("left", "right")
    assert picture.read_bytes() == before and boxes(folder) == 1
    with screen.app(folder) as process:
        screen.window("plain")
        until(lambda: count(screen, COLOR) > narrow * 1.2, "the window as it was left")
        screen.key("F12")
        until(lambda: 100_000 < count(screen, COLOR) < narrow * 1.1, "the panels")
        quit_app(screen, process)
