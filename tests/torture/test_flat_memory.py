"""Scripted work in the real window: drawing, accepting, undoing and going on take no memory that is not given back."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, build
from boxrefine_gui.operations import box_verbs
from core.geometry import Box
from tests.gui.conftest import end
from tests.gui.driving import ScriptedAsk, accept, draw, ready, settled
from tests.gui.fakes import FakeModels, sample_like_pictures

STATUS = Path("/proc/self/statm")

pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(not STATUS.exists(), reason="this system does not tell how much memory a process has"),
]

WARM_UP = 100
"""Boxes until every path has run, the lists are as long as they get and caches are full."""

PER_ROUND = 15
"""Boxes a round: some 2,400 rounds are an hour of work."""

MOST_MIB = 40.0
"""Undo steps and records of what was stored; a leak of pictures or features would be hundreds."""


@pytest.fixture
def app(qtbot: QtBot, tmp_path: Path) -> Iterator[App]:
    models = FakeModels()
    app = build(load_models=models, ask=ScriptedAsk())
    app.window.show()
    app.open(sample_like_pictures(tmp_path / "pictures"))
    ready(qtbot, app)
    yield app
    models.open_all()
    end(app)


def resident_mib() -> float:
    """The memory that this process holds."""
    gc.collect()
    return int(STATUS.read_text("utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024**2


def work(qtbot: QtBot, app: App, *, boxes: int) -> None:
    """Draw and accept, take every second box back, and go through the images."""
    images = app.session.images
    for number in range(boxes):
        left = 10.0 + number % 60
        draw(qtbot, app, Box(left, 20.0, left + 70.0, 100.0))
        accept(qtbot, app)
        if number % 2:
            box_verbs.undo(app.parts)
            settled(qtbot, app)
        if number % 7 == 6:
            box_verbs.show_image(app.parts, images[number % len(images)].id)
            ready(qtbot, app)


def test_memory_stays_flat_while_boxes_are_drawn(qtbot: QtBot, app: App, rounds: int) -> None:
    work(qtbot, app, boxes=WARM_UP)
    before = resident_mib()
    work(qtbot, app, boxes=PER_ROUND * rounds)
    assert resident_mib() - before < MOST_MIB
