"""Golden pictures of the canvas: how each kind of box, sign and aid looks, in both schemes.

The picture is made here, and a font without outlines stands in for the system's, so that the goldens are the same on
each computer. `--update-golden` renews them; look at each one that changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QPointF
from PySide6.QtGui import QFont, QFontDatabase, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations.box_verbs import add_category, show_image
from boxrefine_gui.operations.learning_heads import LEAST_IMAGES
from boxrefine_gui.state.category_sight import CategorySight
from boxrefine_gui.state.level import Level
from boxrefine_gui.widgets import theme
from core.geometry import Box
from tests.gui.canvas.blank_font import FAMILY, blank_font
from tests.gui.driving import accept, click, draw, hover, leave, move, press, ready, release, settled
from tests.gui.fakes import FakeFinder, FakeModels
from tests.gui.suggesting import kit, label_images, suggesting
from tests.house.source_files import ROOT

__all__ = ["kit", "suggesting"]

GOLDEN = ROOT / "tests" / "golden" / "canvas"
SIZE, STRIP = (440, 330), 40
MEAN, MOST = 0.6, 40.0
"""Differences of 0..255 that are allowed: over the whole picture, and at one place of 3 x 3 pixels.

A line of one pixel that is missing changes its place by 85 or more, and one that is smoothed otherwise by less."""

FIRST, SECOND = Box(20, 20, 90, 80), Box(110, 60, 180, 130)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Ten equal pictures of a few plain shapes on a ramp."""
    folder = tmp_path / "shapes"
    folder.mkdir()
    across, down = np.meshgrid(np.linspace(60, 150, 200), np.linspace(0, 50, 150))
    picture = np.repeat((across + down)[..., None], 3, axis=2).astype(np.uint8)
    cv2.rectangle(picture, (24, 24), (86, 76), (60, 90, 190), -1)
    cv2.circle(picture, (145, 95), 33, (70, 160, 60), -1)
    cv2.rectangle(picture, (120, 20), (175, 45), (200, 190, 180), -1)
    for number in range(10):
        cv2.imwrite(str(folder / f"{number:02}.png"), picture)
    return folder


@pytest.fixture(scope="module")
def font() -> Iterator[QFont]:
    number = QFontDatabase.addApplicationFontFromData(QByteArray(blank_font()))
    assert QFontDatabase.applicationFontFamilies(number) == [FAMILY]
    made = QFont(FAMILY)
    made.setPixelSize(12)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    yield made
    QFontDatabase.removeApplicationFont(number)


@pytest.fixture(autouse=True)
def look(app: App) -> Iterator[None]:
    """The size of the goldens; afterwards, the colors as before."""
    before = app.session.settings.theme
    canvas, notices = app.window.canvas, app.window.notices
    canvas.setFixedSize(*SIZE)
    notices.setFixedWidth(SIZE[0])
    notices.setFixedHeight(STRIP)
    canvas.fit()
    leave(canvas)
    yield
    theme.apply(before)


def pixels(image: QImage) -> NDArray[np.uint8]:
    """(height, width, 3)."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : 3 * rgb.width()].reshape(rgb.height(), rgb.width(), 3).copy()


def differences(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[float, float]:
    """The mean difference of two pictures of one size, and the largest one of 3 x 3 pixels."""
    apart = np.abs(one.astype(np.float32) - other.astype(np.float32))
    return float(apart.mean()), float(cv2.blur(apart, (3, 3)).max())


@pytest.fixture
def compare(app: App, font: QFont, update_golden: bool, tmp_path: Path) -> Callable[..., None]:
    """Compare what is shown now with the goldens of this name, in both schemes."""

    def compare_with(name: str, widget: QWidget | None = None, schemes: tuple[str, ...] = ("light", "dark")) -> None:
        for scheme in schemes:
            theme.apply(scheme)
            shown = widget or app.window.canvas
            for part in (shown, *shown.findChildren(QWidget)):
                part.setFont(font)  # only now, because a change of the style sheet takes it away
            found = pixels(shown.grab().toImage())
            path = GOLDEN / f"{name}-{scheme}.png"
            if update_golden:
                cv2.imwrite(str(path), found[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
                continue
            golden = cv2.imread(str(path))
            assert golden is not None, f"{path} is missing: run this file with --update-golden, and look at it"
            cv2.imwrite(str(tmp_path / path.name), found[..., ::-1])
            assert found.shape == golden.shape, f"{tmp_path / path.name} has another size than {path}"
            mean, most = differences(found, np.asarray(golden[..., ::-1], np.uint8))
            assert mean <= MEAN and most <= MOST, (
                f"{tmp_path / path.name} differs from {path} by {mean:.2f} on average and {most:.0f} at most: "
                "look at both; --update-golden renews it"
            )

    return compare_with


Compare = Callable[..., None]


def keep(qtbot: QtBot, app: App, *boxes: Box) -> None:
    """Draw and accept boxes, and move the pointer away."""
    for box in boxes:
        draw(qtbot, app, box)
        accept(qtbot, app)
    leave(app.window.canvas)


def zoom_to(app: App, scale: float) -> None:
    canvas = app.window.canvas
    canvas.zoom(scale / canvas.view.scale, QPointF(SIZE[0] / 2, SIZE[1] / 2))


def test_a_missing_line_is_a_difference() -> None:
    whole = np.full((330, 440, 3), 120, np.uint8)
    lined, smoothed = whole.copy(), whole.copy()
    lined[40:90, 100] = 255
    smoothed[40:90, 100] = 150
    assert differences(whole, lined)[1] > MOST >= differences(whole, smoothed)[1]


def test_an_empty_picture(compare: Compare) -> None:
    compare("first-steps")


def test_a_box_that_is_dragged(qtbot: QtBot, app: App, compare: Compare) -> None:
    canvas = app.window.canvas
    press(canvas, (20, 20))
    for at in ((60, 50), (90, 80)):
        move(canvas, at)
    qtbot.waitUntil(lambda: app.session.draft is not None and app.session.draft.is_current)
    compare("dragged-with-crosshair")
    release(canvas, (90, 80))


def test_a_drawn_box_and_its_refinement_with_a_doubtful_edge(qtbot: QtBot, app: App, compare: Compare) -> None:
    draw(qtbot, app, FIRST)
    leave(app.window.canvas)
    compare("drawn-refined-doubtful")


def test_stored_boxes(qtbot: QtBot, app: App, compare: Compare) -> None:
    keep(qtbot, app, FIRST, SECOND)
    compare("stored")
    app.session.set_settings(replace(app.session.settings, fill_opacity=40, line_width=4))
    compare("stored-filled", schemes=("light",))


def test_the_selected_box(qtbot: QtBot, app: App, compare: Compare) -> None:
    keep(qtbot, app, FIRST, SECOND)
    click(app.window.canvas, (40, 40))
    leave(app.window.canvas)
    compare("selected")


def test_several_selected_boxes(qtbot: QtBot, app: App, compare: Compare) -> None:
    keep(qtbot, app, FIRST, SECOND)
    app.window.action_by_id["select_all"].trigger()
    compare("selected-several")


def test_hidden_boxes(qtbot: QtBot, app: App, compare: Compare) -> None:
    keep(qtbot, app, FIRST, SECOND)
    app.window.canvas.hiding.start()
    compare("hidden")
    app.window.canvas.hiding.end()


def test_a_category_alone_and_a_locked_one(qtbot: QtBot, app: App, compare: Compare) -> None:
    keep(qtbot, app, FIRST)
    first = app.session.corrections[0].category_id
    add_category(app.parts, "second")
    settled(qtbot, app)
    app.session.choose_category(next(entry.id for entry in app.session.categories if entry.id != first))
    keep(qtbot, app, SECOND)
    app.session.set_sight(CategorySight(locked=frozenset({first})))
    app.window.action_by_id["select_all"].trigger()
    compare("all-but-the-locked")
    app.session.set_sight(CategorySight(solo=first))
    compare("alone", schemes=("light",))


def test_the_loupe(qtbot: QtBot, app: App, compare: Compare) -> None:
    canvas = app.window.canvas
    keep(qtbot, app, FIRST)
    click(canvas, (40, 40))
    box = app.session.corrections[0].accepted
    edge = (box.x2, (box.y1 + box.y2) / 2)
    press(canvas, edge)
    for step in (4.0, 8.0):
        move(canvas, (edge[0] + step, edge[1]))
    assert canvas._scene.grip is not None
    compare("loupe")
    canvas.cancel_drag()
    release(canvas, edge)


def test_pixels_with_a_grid_and_the_minimap(qtbot: QtBot, app: App, compare: Compare) -> None:
    keep(qtbot, app, FIRST)
    zoom_to(app, 5.0)
    compare("squares-minimap")
    zoom_to(app, 20.0)
    compare("grid-minimap", schemes=("light",))


def test_the_sign_that_the_refinement_is_off(app: App, compare: Compare) -> None:
    app.window.action_by_id["snapping"].trigger()
    compare("refinement-off")


def test_other_tones(app: App, qtbot: QtBot, compare: Compare) -> None:
    app.window.action_by_id["invert"].trigger()
    qtbot.waitUntil(lambda: app.session.toned is not None)
    compare("inverted", schemes=("light",))


def test_the_blurred_preview(app: App, qtbot: QtBot, compare: Compare) -> None:
    preview, session = app.window.canvas.painting.preview, app.session
    preview._late.setInterval(0)
    image = session.images[-1]
    qtbot.waitUntil(lambda: preview.thumbnail_of(image) is not None)
    app.pictures.hold(above=-1)
    show_image(app.parts, image.id)
    qtbot.waitUntil(lambda: preview._is_late)
    assert session.picture is None
    compare("preview")
    app.pictures.release()
    ready(qtbot, app)


@pytest.mark.parametrize("level", [Level.INFO, Level.WARNING])
def test_the_strip_of_notices(app: App, compare: Compare, level: Level) -> None:
    app.window.notices.dismiss_all()
    app.session.tell("A sentence about something.", level)
    compare(f"notice-{level.name.lower()}", app.window.notices)


class TestCandidates:
    @pytest.fixture
    def models(self) -> FakeModels:
        models = FakeModels()
        models.finder = FakeFinder()
        return models

    def test_other_answers(self, qtbot: QtBot, app: App, compare: Compare) -> None:
        draw(qtbot, app, FIRST)
        qtbot.waitUntil(lambda: app.session.draft is not None and len(app.session.draft.candidates) == 3)
        leave(app.window.canvas)
        compare("candidates")


class TestSuggestions:
    @pytest.fixture
    def app(self, suggesting: App) -> App:
        return suggesting

    def test_suggestions(self, qtbot: QtBot, app: App, compare: Compare) -> None:
        label_images(qtbot, app, LEAST_IMAGES)
        following = app.session.images[LEAST_IMAGES]
        qtbot.waitUntil(lambda: app.session.to_check.get(following.id) == 5)
        show_image(app.parts, following.id)
        ready(qtbot, app)
        settled(qtbot, app)
        hover(app.window.canvas, (5, 5))
        leave(app.window.canvas)
        app.session.select(None)
        compare("suggestions")


def test_the_goldens_are_small_and_all_are_used() -> None:
    source = Path(__file__).read_text("utf-8")
    for path in GOLDEN.glob("*.png"):
        assert path.stat().st_size < 40_000, path
        assert f'"{path.stem.rsplit("-", 1)[0]}"' in source or path.name.startswith("notice-"), path
