"""What stories of the real window share: what they need, where they draw, and how they look into the project."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from core.records import Dataset
from core.resources import RESOURCES
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.journeys.desktop import Desktop, missing_tools, soon, until

NEEDS_A_DESKTOP = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_tools()), reason=missing_tools() or "all there"),
]

DRAGS = (((470, 160), (710, 420)), ((760, 120), (930, 520)), ((660, 540), (990, 790)))
SLOW_S = 10.0
HAS_MODEL = (RESOURCES / "weights" / "light" / "refiner.safetensors").exists()


def dataset(folder: Path) -> Dataset:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        return store.dataset()


def boxes(folder: Path) -> int:
    return len(dataset(folder).corrections) if (folder / PROJECT_FILE_NAME).exists() else 0


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


def click_on_the_first(screen: Desktop) -> None:
    (left, top), (right, bottom) = DRAGS[0]
    screen.xdotool("mousemove", (left + right) // 2, (top + bottom) // 2, "click", 1)


def quit_app(screen: Desktop, process: subprocess.Popen[bytes]) -> None:
    screen.key("ctrl+q")
    assert process.wait(60) == 0
