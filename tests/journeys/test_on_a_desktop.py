"""The same story told to the real program: a process, an X display, a mouse and a keyboard."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pycocotools.coco import COCO

from core.records import Dataset
from core.resources import RESOURCES
from core.sample_project import pictures_folder
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.journeys.desktop import Desktop, desktop, missing_tools, soon, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_tools()), reason=missing_tools() or "all there"),
]

DRAGS = (((470, 160), (710, 420)), ((760, 120), (930, 520)), ((660, 540), (990, 790)))
SLOW_S = 10.0
HAS_MODEL = (RESOURCES / "weights" / "light" / "refiner.safetensors").exists()


@pytest.fixture
def screen() -> Iterator[Desktop]:
    with desktop() as screen:
        yield screen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two real pictures in a folder with a space and an umlaut in its name."""
    folder = tmp_path / "meine Bilder ü"
    folder.mkdir()
    for name in ("astronaut.png", "coffee.png"):
        shutil.copy(pictures_folder() / name, folder / name)
    return folder


def dataset(folder: Path) -> Dataset:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        return store.dataset()


def boxes(folder: Path) -> int:
    return len(dataset(folder).corrections) if (folder / PROJECT_FILE_NAME).exists() else 0


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


def wait_for_the_model(screen: Desktop, folder: Path) -> None:
    """Draw until a box comes back refined; before the model is there, boxes are stored as drawn."""

    def is_refined() -> bool:
        screen.drag(*DRAGS[0])
        screen.key("Return")
        if not soon(lambda: boxes(folder) > 0, SLOW_S):
            return False  # the picture was not shown yet
        refined = dataset(folder).corrections[0].refined is not None
        until(is_empty, "the first box undone")
        return refined or not HAS_MODEL

    def is_empty() -> bool:
        """One box for each undo: on a busy machine a drag may have been slower than the patience with it."""
        if boxes(folder) > 0:
            screen.key("ctrl+z")
        return soon(lambda: boxes(folder) == 0, SLOW_S)

    until(lambda: (folder / PROJECT_FILE_NAME).exists() and dataset(folder).images, "the project")
    until(is_refined, "a refined box")


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


def click_on_the_first(screen: Desktop) -> None:
    (left, top), (right, bottom) = DRAGS[0]
    screen.xdotool("mousemove", (left + right) // 2, (top + bottom) // 2, "click", 1)


def export_coco(screen: Desktop, folder: Path) -> None:
    screen.key("ctrl+e")
    screen.window("^Export$")
    screen.key("Return")
    out = folder / "boxrefine-export"
    until(lambda: list(out.glob("*.json")), "the export")
    (document,) = out.glob("*.json")
    coco = COCO(os.fspath(document))
    assert len(coco.getAnnIds()) == 3
    assert len(coco.getImgIds()) == 2
    screen.window("astronaut.png")


def quit_app(screen: Desktop, process: subprocess.Popen[bytes]) -> None:
    screen.key("ctrl+q")
    assert process.wait(60) == 0
