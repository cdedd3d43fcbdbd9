"""The open image comes first, then its neighbours, then the folder; a drag has the processor for itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import box_verbs
from core.errors import BadFileError, GpuError
from core.features.cache.feature_cache import FeatureCache
from core.features.encoding.encode_order import folder_order
from core.geometry import Box
from tests.gui.driving import draw, move, press, ready, release
from tests.gui.fakes import FakeModels

COUNT = 9


@pytest.fixture
def models(tmp_path: Path) -> Iterator[FakeModels]:
    """Fakes behind a real cache, which may prepare the whole folder."""
    models = FakeModels()
    models.cache = FeatureCache(tmp_path / "cache")
    models.reach = 100
    yield models
    models.cache.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Nine pictures, the first value of each telling which it is."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(COUNT):
        save(folder / f"{number}.png", value=number)
    return folder


def save(path: Path, *, value: int) -> None:
    Image.fromarray(np.full((60, 80, 3), value, np.uint8)).save(path)


def show(app: App, row: int) -> None:
    box_verbs.show_image(app.parts, app.session.images[row].id)


def test_the_neighbours_come_first_and_then_the_whole_folder(qtbot: QtBot, app: App, models: FakeModels) -> None:
    qtbot.waitUntil(lambda: models.encoder.calls == COUNT)
    assert models.encoder.pictures == [*range(4), *range(4, COUNT)]
    qtbot.waitUntil(lambda: app.session.readiness.ahead == COUNT - 1)
    assert f"next {COUNT - 1} images ready" in app.window.status.ready.text()
    assert "MB of memory" in app.window.status.ready.toolTip()


def test_the_folder_is_left_alone_if_the_user_says_so(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    closed_app.window.action_by_id["encode_folder"].trigger()
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    qtbot.waitUntil(lambda: models.encoder.calls == 4 and closed_app.encode.is_idle)
    assert models.encoder.pictures == [0, 1, 2, 3]
    closed_app.window.action_by_id["encode_folder"].trigger()
    qtbot.waitUntil(lambda: models.encoder.calls == COUNT)


def test_an_image_that_is_opened_while_the_folder_prepares_it_gets_its_features(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    closed_app.window.action_by_id["encode_folder"].trigger()
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    qtbot.waitUntil(lambda: models.encoder.calls == 4 and closed_app.encode.is_idle)
    models.encoder.gate.clear()
    closed_app.window.action_by_id["encode_folder"].trigger()
    qtbot.waitUntil(lambda: not closed_app.encode.is_idle)
    show(closed_app, 4)
    models.encoder.gate.set()
    ready(qtbot, closed_app)
    assert closed_app.session.row == 4


def test_a_jump_is_served_before_what_waits(qtbot: QtBot, app: App, models: FakeModels) -> None:
    qtbot.waitUntil(lambda: models.encoder.calls >= 1)
    models.encoder.gate.clear()
    before = models.encoder.calls
    show(app, COUNT - 1)
    models.encoder.gate.set()
    qtbot.waitUntil(lambda: COUNT - 1 in models.encoder.pictures)
    assert models.encoder.pictures.index(COUNT - 1) <= before + 1
    qtbot.waitUntil(lambda: models.encoder.calls == COUNT)
    assert len(set(models.encoder.pictures)) == COUNT


def test_nothing_is_encoded_twice_and_going_back_finds_features(qtbot: QtBot, app: App, models: FakeModels) -> None:
    qtbot.waitUntil(lambda: models.encoder.calls == COUNT)
    for row in (5, 2, 8, 0):
        shown = app.session.readiness.shown
        show(app, row)
        ready(qtbot, app)
        qtbot.waitUntil(lambda shown=shown: app.session.readiness.shown == shown + 1)
    assert models.encoder.calls == COUNT
    assert app.session.readiness.at_hand >= 4


def test_a_drag_holds_everything_but_the_open_image(qtbot: QtBot, app: App, models: FakeModels) -> None:
    qtbot.waitUntil(lambda: models.encoder.calls == COUNT)
    ran: list[str] = []
    canvas = app.window.canvas
    press(canvas, (10, 10))
    move(canvas, (30, 30))
    app.encode.run(lambda: ran.append("neighbour"), priority=2)
    app.encode.run(lambda: ran.append("open image"), priority=1)
    qtbot.waitUntil(lambda: ran == ["open image"])
    move(canvas, (50, 40))
    release(canvas, (50, 40))
    assert ran == ["open image"]
    qtbot.waitUntil(lambda: ran == ["open image", "neighbour"])


def test_a_picture_that_was_replaced_shows_its_new_pixels_and_features(
    qtbot: QtBot, app: App, models: FakeModels, pictures: Path
) -> None:
    qtbot.waitUntil(lambda: models.encoder.calls == COUNT)
    show(app, 1)
    ready(qtbot, app)
    save(pictures / "0.png", value=200)
    show(app, 0)
    qtbot.waitUntil(lambda: models.encoder.pictures[-1] == 200)

    def shown() -> int:
        picture = app.session.picture
        return picture.levels[0].pixelColor(0, 0).red() if picture is not None else -1

    qtbot.waitUntil(lambda: shown() == 200)
    assert app.session.features is not None


def test_stepping_by_key_finds_the_features_made_ahead(qtbot: QtBot, app: App, models: FakeModels) -> None:
    qtbot.waitUntil(lambda: models.encoder.calls == COUNT)
    before = app.session.readiness.shown  # a first picture that is in view before the models are there does not count
    for row in range(1, COUNT):
        qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
        assert app.session.row == row
        assert app.session.features is not None
        ready(qtbot, app)
        qtbot.waitUntil(lambda row=row: app.session.readiness.shown == before + row)
    assert app.session.readiness.at_hand >= COUNT - 1


def test_a_gpu_that_fails_leaves_the_work_to_the_cpu(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    models.device = "cuda"
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    assert closed_app.window.status.device.text() == "CUDA, fp32"
    models.encoder.fault = GpuError("The GPU failed (CUDA error): the CPU goes on, more slowly.")
    show(closed_app, COUNT - 1)
    qtbot.waitUntil(lambda: "the GPU failed" in closed_app.window.status.device.text())
    ready(qtbot, closed_app)
    assert "the CPU goes on" in closed_app.window.notices.sentence.text()
    assert closed_app.session.settings.device == "auto"
    draw(qtbot, closed_app, Box(5, 5, 50, 40))


@pytest.mark.parametrize(
    ("current", "total", "direction", "reach", "order"),
    [
        (0, 5, 1, 100, [1, 2, 3, 4]),
        (2, 6, 1, 100, [3, 4, 5, 1, 0]),
        (3, 6, -1, 100, [2, 1, 0, 4, 5]),
        (5, 100, 1, 5, [6, 7, 8, 4, 9]),
        (0, 1, 1, 100, []),
        (0, 9, 1, 0, []),
    ],
)
def test_the_folder_order_goes_outwards(current: int, total: int, direction: int, reach: int, order: list[int]) -> None:
    assert list(folder_order(current=current, total=total, direction=direction, reach=reach)) == order


def test_features_that_failed_while_the_file_was_away_are_asked_for_once_more(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    closed_app.window.action_by_id["encode_folder"].trigger()
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: models.encoder.calls == 4 and closed_app.encode.is_idle)
    models.encoder.fault = BadFileError("The picture does not exist: check the path.")
    show(closed_app, COUNT - 1)
    qtbot.waitUntil(lambda: models.encoder.fault is None)
    ready(qtbot, closed_app)
