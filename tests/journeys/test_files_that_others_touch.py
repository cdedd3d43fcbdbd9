"""Real windows and files that others touch: two windows on one project, a project that is deleted, an export again."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.journeys.desktop import Desktop, soon, until
from tests.journeys.real_window import DRAGS, NEEDS_A_DESKTOP, boxes, dataset, quit_app, wait_for_the_model

pytestmark = NEEDS_A_DESKTOP


def windows_of(screen: Desktop) -> set[str]:
    """The ids of all windows that show the first picture."""
    return set(screen.xdotool("search", "--onlyvisible", "--name", "astronaut.png").split())


def bring_up(screen: Desktop, window: str) -> None:
    """Put a window above the others, and give it the keyboard."""
    screen.xdotool("windowraise", window)
    screen.xdotool("windowfocus", "--sync", window)


def accept(screen: Desktop, number: int) -> None:
    screen.drag(*DRAGS[number])
    screen.key("Return")


def test_two_windows_keep_and_undo_their_own_boxes(screen: Desktop, folder: Path) -> None:
    with screen.app(folder) as first_process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        accept(screen, 0)
        until(lambda: boxes(folder) == 1, "the first window's box")
        first_box = dataset(folder).corrections[0]
        (first,) = windows_of(screen)
        with screen.app(folder) as second_process:
            until(lambda: len(windows_of(screen)) == 2, "a second window")
            (second,) = windows_of(screen) - {first}
            bring_up(screen, second)

            def draws() -> bool:
                accept(screen, 1)
                return soon(lambda: boxes(folder) == 2, 3)  # else its picture was not shown yet

            until(draws, "the second window's box")
            bring_up(screen, first)
            screen.key("ctrl+z")
            until(lambda: boxes(folder) == 1, "the first window's box undone")
            assert dataset(folder).corrections[0] != first_box
            bring_up(screen, second)
            screen.key("ctrl+z")
            until(lambda: boxes(folder) == 0, "the second window's box undone")
            quit_app(screen, second_process)
        bring_up(screen, first)
        quit_app(screen, first_process)


def test_work_goes_on_when_the_project_is_deleted_and_is_saved_elsewhere(
    screen: Desktop, folder: Path, tmp_path: Path
) -> None:
    screen.environment["XDG_DATA_HOME"] = str(tmp_path / "data")

    def rescued() -> int:
        """How many boxes the copy holds that the window made when its file went."""
        for path in (tmp_path / "data" / "boxrefine" / "rescued").rglob("*.sqlite"):
            with closing(ProjectStore.open(path)) as store:
                return len(store.dataset().corrections)
        return -1

    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        accept(screen, 0)
        until(lambda: boxes(folder) == 1, "a box")
        for path in folder.glob(f"{PROJECT_FILE_NAME}*"):
            path.unlink()
        until(lambda: rescued() == 1, "a copy with the box")
        accept(screen, 2)  # the sentence covers where the other one begins
        until(lambda: rescued() == 2, "the next box in the copy")
        elsewhere = tmp_path / "elsewhere.sqlite"
        screen.key("alt+f", "w")
        screen.window("Save the project elsewhere")
        screen.key("ctrl+a")
        screen.xdotool("type", str(elsewhere))
        screen.key("Return")
        until(elsewhere.exists, "the project saved elsewhere")
        screen.window("astronaut.png")

        def saved() -> int:
            with closing(ProjectStore.open(elsewhere)) as store:
                return len(store.dataset().corrections)

        accept(screen, 1)
        until(lambda: saved() == 3, "the box after that in the new file")
        quit_app(screen, process)
    assert not (folder / PROJECT_FILE_NAME).exists()


def test_an_export_again_asks_and_leaves_nothing_half_done(screen: Desktop, folder: Path) -> None:
    def exported() -> int:
        found = list(folder.rglob("annotations.json"))
        return len(json.loads(found[0].read_text("utf-8"))["annotations"]) if found else -1

    def export() -> None:
        screen.key("ctrl+e")
        screen.window("^Export$")
        screen.key("Return")

    with screen.app(folder) as process:
        screen.window("astronaut.png")
        wait_for_the_model(screen, folder)
        accept(screen, 0)
        until(lambda: boxes(folder) == 1, "a box")
        export()
        until(lambda: exported() == 1, "the export")
        screen.window("astronaut.png")
        accept(screen, 1)
        until(lambda: boxes(folder) == 2, "another box")
        export()
        screen.window("Replace files")
        screen.escape("Replace files")
        screen.window("astronaut.png")
        assert exported() == 1
        export()
        screen.window("Replace files")
        screen.key("Tab", "space")
        until(lambda: exported() == 2, "the export replaced")
        screen.window("astronaut.png")
        quit_app(screen, process)
    assert [path.name for path in folder.rglob(".*") if path.suffix in {".partial", ".lock"}] == []
