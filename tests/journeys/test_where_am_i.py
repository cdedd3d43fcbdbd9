"""The story of a day with many pictures: done and next, a flag, a search, a filter, and all of it the next day."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from core.marks import Mark
from core.settings import load_settings, settings_path
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.gui.fakes import sample_like_pictures
from tests.journeys.desktop import Desktop, until
from tests.journeys.real_window import NEEDS_A_DESKTOP, dataset, quit_app

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long]

NAMES = tuple(f"frame_{number:04}.png" for number in range(1, 13))


def marks(folder: Path) -> dict[int, Mark]:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        return store.marks()


def test_a_day_with_many_pictures_goes_on_where_it_was_left(screen: Desktop, tmp_path: Path) -> None:
    folder = sample_like_pictures(tmp_path / "frames", NAMES)
    with screen.app(folder) as process:
        screen.window("frame_0001")
        until(lambda: (folder / PROJECT_FILE_NAME).exists() and len(dataset(folder).images) == 12, "the project")
        screen.key("w")
        screen.window("frame_0002")
        screen.key("w")
        screen.window("frame_0003")
        until(lambda: marks(folder) == {1: Mark(True), 2: Mark(True)}, "two images done")
        flag(screen, folder)
        find(screen)
        only_untouched(screen)
        screen.key("w")
        screen.window("frame_0008")
        screen.key("a")
        screen.window("frame_0006")  # the one between has left the list
        screen.key("ctrl+z")
        screen.window("frame_0007")
        until(lambda: set(marks(folder)) == {1, 2, 3}, "the last mark undone")
        quit_app(screen, process)
    assert dataset(folder).empty == {1, 2}

    with screen.app(folder) as process:
        screen.window("frame_0007")
        screen.key("ctrl+u")
        screen.window("frame_0003")
        screen.key("a")  # it is the first of its list
        screen.key("d")
        screen.window("frame_0004")
        quit_app(screen, process)


def flag(screen: Desktop, folder: Path) -> None:
    screen.key("q")
    screen.window("^Flag image$")
    screen.xdotool("type", "blurred, a dog?")
    screen.key("Return")
    until(lambda: marks(folder).get(3) == Mark(flag="blurred, a dog?"), "the flag")
    screen.window("frame_0003")


def find(screen: Desktop) -> None:
    screen.key("ctrl+f")
    screen.xdotool("type", "7")
    screen.key("Return")
    screen.window("frame_0007")
    screen.key("ctrl+f", "Escape")


def only_untouched(screen: Desktop) -> None:
    screen.key("ctrl+shift+f", "Down", "Down", "Return")
    until(lambda: "untouched added 0" in load_settings(settings_path()).lists.values(), "the filter kept")
