"""Large pictures are read into a file, and the canvas shows them in tiles."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.inference.image_loader import SPOOLED
from boxrefine_gui.operations.box_verbs import show_image
from core.geometry import Box
from core.pictures import spool
from core.settings import cache_folder
from core.tones import Tones
from tests.gui.driving import accept, draw, leave, ready, stored
from tests.gui.fakes import inset

SIDE, EACH = 2400, 100


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of more than two million pixels are large."""
    monkeypatch.setattr(spool, "LARGE", 2_000_000)
    monkeypatch.setattr(spool, "COARSEST", 300)


def color_of(x: float, y: float) -> tuple[int, int, int]:
    """The color of the square at a pixel."""
    return int(x // EACH) * 10, int(y // EACH) * 10, 60


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two large pictures of colored squares and a small one."""
    folder = tmp_path / "large"
    folder.mkdir()
    row, column = np.indices((SIDE // EACH, SIDE // EACH))
    squares = np.stack([np.full_like(row, 60), row * 10, column * 10], axis=2).astype(np.uint8)
    picture = cv2.resize(squares, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    for name in ("1.png", "3.png"):
        cv2.imwrite(str(folder / name), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    cv2.imwrite(str(folder / "2.png"), squares)
    return folder


def shown(app: App) -> QImage:
    leave(app.window.canvas)
    return app.window.canvas.grab().toImage()


def settled_tiles(qtbot: QtBot, app: App) -> QImage:
    """The canvas once all that is visible has come."""
    shown(app)
    qtbot.waitUntil(lambda: app.pictures.is_idle)
    return shown(app)


def at(app: App, image: QImage, x: float, y: float) -> tuple[int, int, int]:
    place = app.window.canvas.view.to_screen(Box(x, y, x, y)).topLeft().toPoint()
    color = QColor(image.pixelColor(place))
    return color.red(), color.green(), color.blue()


def zoom_at(app: App, scale: float, x: float, y: float) -> None:
    """Show a pixel in the middle of the canvas."""
    canvas = app.window.canvas
    middle = QPointF(canvas.width() / 2, canvas.height() / 2)
    canvas.zoom(scale / canvas.view.scale, middle)
    view = canvas.view
    canvas._pan(middle - QPointF(x * view.scale + view.left, y * view.scale + view.top))


def spooled(app: App) -> list[Path]:
    folder = cache_folder(app.session.settings) / SPOOLED
    return list(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])
def test_each_part_is_sharp_at_each_scale(qtbot: QtBot, app: App, scale: float) -> None:
    picture = app.session.picture
    assert picture is not None and picture.tiles is not None and picture.size.width() == SIDE
    assert max(picture.levels[0].width(), picture.levels[0].height()) <= 300
    for x, y in ((250.0, 350.0), (2350.0, 50.0), (1150.0, 2350.0)):
        zoom_at(app, scale, x, y)
        image = settled_tiles(qtbot, app)
        assert at(app, image, x, y) == color_of(x, y)
        if scale >= 1:  # the border of two squares is where it is in the picture
            edge = (x // EACH) * EACH
            assert at(app, image, edge + 1.5, y) == color_of(x, y)


def test_the_coarse_picture_is_there_until_the_tiles_are(qtbot: QtBot, app: App) -> None:
    gate = threading.Event()
    app.pictures.run(lambda: gate.wait(30), priority=-10)
    zoom_at(app, 2.0, 1250.0, 1250.0)
    coarse = shown(app)
    found = np.abs(np.subtract(at(app, coarse, 1250, 1250), color_of(1250, 1250)))
    assert found.max() <= 10, "the level below is painted, and not the ground"
    assert at(app, coarse, 1201, 1250) != color_of(1250, 1250), "its borders are blurred"
    gate.set()
    sharp = settled_tiles(qtbot, app)
    assert at(app, sharp, 1201.5, 1250) == color_of(1250, 1250)


def test_tiles_that_are_out_of_sight_are_asked_for_no_longer(app: App) -> None:
    gate = threading.Event()
    app.pictures.run(lambda: gate.wait(30), priority=-10)
    for x in range(200, 2200, 200):
        zoom_at(app, 3.0, x, 1200)
        shown(app)
    waiting = [entry for entry in app.pictures._waiting if entry.group == "tiles"]
    columns = app.window.canvas.width() / 3 / 512 + 2
    assert 0 < len(waiting) <= columns**2
    gate.set()


def test_boxes_are_drawn_and_stored_in_pixels_of_the_file(qtbot: QtBot, app: App) -> None:
    box = Box(300, 400, 900, 1100)
    draw(qtbot, app, box)
    accept(qtbot, app)
    (kept,) = stored(app)
    assert all(abs(a - b) < 0.1 for a, b in zip(kept.accepted, inset(box), strict=True))


def test_other_tones_apply_to_tiles(qtbot: QtBot, app: App) -> None:
    zoom_at(app, 1.0, 1250, 650)
    settled_tiles(qtbot, app)
    app.session.set_tones(Tones(inverted=True))
    qtbot.waitUntil(lambda: app.session.toned is not None)
    image = settled_tiles(qtbot, app)
    assert at(app, image, 1250, 650) == tuple(255 - value for value in color_of(1250, 650))


def test_only_one_large_picture_keeps_its_file_and_it_has_no_name(qtbot: QtBot, app: App) -> None:
    first = app.session.picture
    assert first is not None and first.tiles is not None
    spool_of_first = first.tiles._spool  # type: ignore[attr-defined]
    show_image(app.parts, app.session.images[1].id)
    ready(qtbot, app)
    assert app.session.picture is not None and app.session.picture.tiles is None
    qtbot.waitUntil(lambda: app.pictures.is_idle)
    assert spool_of_first.levels, "stepping back shows it at once"
    show_image(app.parts, app.session.images[2].id)
    ready(qtbot, app)
    qtbot.waitUntil(lambda: spool_of_first.levels == [])
    assert spooled(app) == []


@pytest.fixture
def slow(app: App, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Decoding a large picture waits after its first step until the event is set."""
    gate, halve = threading.Event(), spool._halve

    def waits(into: spool.Spool) -> Iterator[object]:
        for step in halve(into):
            gate.wait(0.02)
            yield step
        while not gate.is_set():
            gate.wait(0.02)
            yield spool.Progress(0, 0)

    monkeypatch.setattr(spool, "_halve", waits)
    yield gate
    gate.set()


def test_another_picture_cancels_one_that_is_being_read(qtbot: QtBot, app: App, slow: threading.Event) -> None:
    third = app.session.images[2]
    show_image(app.parts, third.id)
    qtbot.waitUntil(lambda: app.pictures._running is not None)
    show_image(app.parts, app.session.images[1].id)
    ready(qtbot, app)  # though the gate is still shut
    assert spooled(app) == []
    show_image(app.parts, third.id)
    slow.set()
    ready(qtbot, app)
    assert app.session.picture is not None and app.session.picture.image_id == third.id


def test_back_to_the_picture_whose_reading_was_cancelled(qtbot: QtBot, app: App, slow: threading.Event) -> None:
    third = app.session.images[2]
    show_image(app.parts, third.id)
    qtbot.waitUntil(lambda: app.pictures._running is not None)
    show_image(app.parts, app.session.images[1].id)
    show_image(app.parts, third.id)
    slow.set()
    ready(qtbot, app)
    assert app.session.picture is not None and app.session.picture.image_id == third.id
