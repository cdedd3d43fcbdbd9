"""A real window: everything is done from the command palette, and the preferences are changed and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.settings import Settings, load_settings, settings_path
from core.store.project_store import PROJECT_FILE_NAME
from tests.journeys.desktop import Desktop, soon, until
from tests.journeys.real_window import DRAGS, NEEDS_A_DESKTOP, SLOW_S, boxes, dataset, quit_app

pytestmark = [*NEEDS_A_DESKTOP, pytest.mark.long]


def run(screen: Desktop, text: str, key: str = "ctrl+k") -> None:
    """Type into the palette and choose the first row."""
    screen.key(key)
    screen.xdotool("type", text)
    screen.key("Return")


def settings() -> Settings:
    return load_settings(settings_path())


def draws(screen: Desktop, folder: Path) -> bool:
    """Whether a drag and a command of the palette store a box: the picture is shown then."""
    screen.drag(*DRAGS[0])
    run(screen, "accept the drawn")
    return soon(lambda: boxes(folder) > 0, SLOW_S)


def test_the_palette_runs_commands_and_opens_pictures(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        until(lambda: (folder / PROJECT_FILE_NAME).exists() and len(dataset(folder).images) > 1, "the project")
        until(lambda: draws(screen, folder), "a box accepted from the palette")
        second = sorted(image.path.name for image in dataset(folder).images)[1]
        run(screen, "2", key="ctrl+shift+p")
        screen.window(second)
        run(screen, "show names")
        until(lambda: not settings().show_names, "the names switched off")
        until(lambda: settings().recent_commands[:1] == ("show_names",), "the recent command kept")
        run(screen, "quit")
        assert process.wait(60) == 0


def test_preferences_are_changed_without_a_mouse_and_hold_after_a_restart(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as process:
        window = screen.window("astronaut.png")
        until(lambda: (folder / PROJECT_FILE_NAME).exists() and dataset(folder).images, "the project")
        screen.key("ctrl+comma")
        screen.window("Preferences")
        screen.xdotool("type", "least_drag")
        screen.key("Tab", "Tab", "Up", "Up", "Return")  # over the list of pages to the number
        until(lambda: settings().least_drag == 8, "the shortest drag")
        screen.xdotool("windowfocus", "--sync", window)
        screen.key("ctrl+comma")
        screen.window("Preferences")
        screen.xdotool("type", "least_drag")
        screen.key("Tab", "Tab", "Up", "Escape")
        screen.xdotool("windowfocus", "--sync", window)
        quit_app(screen, process)
    assert settings().least_drag == 8
    with screen.app(folder) as process:
        screen.window("astronaut.png")
        quit_app(screen, process)
    assert settings().least_drag == 8
