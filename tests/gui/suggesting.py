"""Windows with the fake kit for suggestions, and what their tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from core.features.cache.feature_cache import FeatureCache
from core.geometry import Box
from core.records import Correction
from tests.gui.driving import accept, draw, ready
from tests.gui.fake_suggest import FakeKit
from tests.gui.fakes import FakeModels, sample_like_pictures

DRAWN = Box(10, 10, 50, 50)
OTHERS = [Box(70 + x, 10 + y, 100 + x, 40 + y) for x in (0, 40, 80) for y in (0, 50)]
NAMES = tuple(f"{number:02}.png" for number in range(10))
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def kit(models: FakeModels, tmp_path: Path) -> FakeKit:
    """A kit that finds six objects in every picture, the last one less probably."""
    models.suggest = FakeKit()
    models.cache = FeatureCache(tmp_path / "cache")
    models.suggest.finds = [(box, "object", 0.9 if place < 5 else 0.5) for place, box in enumerate(OTHERS)]
    return models.suggest


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return sample_like_pictures(tmp_path / "pictures", NAMES)


@pytest.fixture
def suggesting(qtbot: QtBot, kit: FakeKit, app: App) -> App:
    """A window on ten pictures, with the category of the finds chosen."""
    app.heads._rest.setInterval(20)
    return app


def key(qtbot: QtBot, app: App, which: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window.canvas, which, modifier)


def drawn_and_accepted(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)


def suggested(app: App) -> list[Correction]:
    return [entry for entry in app.session.corrections if entry.is_suggestion]


def quiet(qtbot: QtBot, app: App) -> None:
    """Wait until all that comes by itself has come."""
    lanes = (app.store, app.suggest, app.learn, app.encode)
    qtbot.waitUntil(lambda: all(lane.is_idle for lane in lanes) and not app.heads._rest.isActive())


def told(app: App) -> list[str]:
    found: list[str] = []
    app.session.told.connect(lambda sentence, _: found.append(sentence))
    return found


def label_images(qtbot: QtBot, app: App, count: int) -> None:
    """Draw and accept one box on each of the first images, then open the next one."""
    for number in range(count):
        ready(qtbot, app)
        drawn_and_accepted(qtbot, app)
        if number < count - 1:
            app.window.action_by_id["next"].trigger()
