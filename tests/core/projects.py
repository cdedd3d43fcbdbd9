"""Parts that the tests of the store and of the formats share."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.geometry import Box
from core.records import Correction, NewImage, Step
from core.store.project_store import ProjectStore
from core.wording import step_title

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534

CORRECTION = Correction(
    image_id=1,
    category_id=1,
    drawn=Box(10.5, 20.25, 110.0, 90.0),
    accepted=Box(14.0, 22.1, 100.3, 88.0),
    refined=Box(14.125, 22.1, 99.0, 88.0),
    edge_confidence=(0.9, 0.8, 0.7, 0.1),
    score=0.87,
    encoder="light-0123abcd",
    refiner="shipped-4567cdef",
    seconds=1.75,
)


def fill(store: ProjectStore) -> None:
    """Two images and two categories."""
    folder = store.path.parent
    store.add_images([NewImage(folder / "eins.png", 640, 480), NewImage(folder / "unter" / "zwei ü.jpg", 100, 80)])
    store.add_category("cat")
    store.add_category("dog")


def title(step: Step | None) -> str | None:
    """What the undo menu calls a step."""
    return None if step is None else step_title(step)


def titles(store: ProjectStore) -> tuple[str | None, str | None]:
    """What undo and redo would play."""
    undo, redo = store.undo_steps()
    return title(undo), title(redo)


def python(script: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """A Python process that runs `script` with the repository on its path; its input is open until it is closed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@contextmanager
def folder_of_an_ordinary_user() -> Iterator[Path]:
    """A folder, and until its end no more rights than a user has (root may write everywhere)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        as_root = os.geteuid() == 0
        if as_root:
            os.chown(folder, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, 0)  # the real one too, for os.access() asks for that
        try:
            yield folder
        finally:
            folder.chmod(0o700)
            if as_root:
                os.setresuid(0, 0, 0)
