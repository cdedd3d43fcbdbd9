"""Brightness, contrast, gamma, inversion and channels: by keys and sliders, for the canvas alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.looks_dialog import LooksDialog
from boxrefine_gui.inference import toning
from boxrefine_gui.inference.toning import in_tones
from boxrefine_gui.state.session_state import CanvasPicture
from core.settings import load_settings, settings_path
from core.tones import AS_IT_IS, Channel, Tones
from tests.gui.driving import ready
from tests.gui.fakes import FakeModels

ALT, PLAIN, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
COLOR = (200, 100, 40)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two pictures of one color."""
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in ("1.png", "2.png"):
        cv2.imwrite(str(folder / name), np.full((150, 200, 3), COLOR[::-1], np.uint8))
    return folder


def middle(app: App) -> tuple[int, int, int]:
    """The color in the middle of the canvas."""
    canvas = app.window.canvas
    color = canvas.grab().toImage().pixelColor(canvas.width() // 2, canvas.height() // 2)
    return color.red(), color.green(), color.blue()


def toned(qtbot: QtBot, app: App) -> tuple[int, int, int]:
    """The same once the tones are shown."""
    qtbot.waitUntil(lambda: app.pictures.is_idle and app.session.shown_picture is not None)
    return middle(app)


def press(qtbot: QtBot, app: App, key: Qt.Key, modifiers: Qt.KeyboardModifier = PLAIN) -> None:
    qtbot.keyClick(app.window.canvas, key, modifiers)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Qt.Key.Key_Up, Tones(brightness=10)),
        (Qt.Key.Key_Down, Tones(brightness=-10)),
        (Qt.Key.Key_Right, Tones(contrast=10)),
        (Qt.Key.Key_Left, Tones(contrast=-10)),
        (Qt.Key.Key_PageUp, Tones(gamma=10)),
        (Qt.Key.Key_PageDown, Tones(gamma=-10)),
    ],
)
def test_a_key_changes_a_tone_and_another_one_ends_it(qtbot: QtBot, app: App, key: Qt.Key, expected: Tones) -> None:
    view = app.window.canvas.view
    press(qtbot, app, key, ALT)
    assert app.session.tones == expected and app.window.canvas.view == view
    assert toned(qtbot, app) == tuple(expected.curve[value] for value in COLOR) != COLOR
    press(qtbot, app, Qt.Key.Key_End, ALT)
    assert app.session.tones == AS_IT_IS and app.session.toned is None and middle(app) == COLOR


def test_a_tone_stops_at_its_end(qtbot: QtBot, app: App) -> None:
    for _ in range(12):
        press(qtbot, app, Qt.Key.Key_Up, ALT)
    assert app.session.tones.brightness == 100


def test_j_inverts_and_shift_j_goes_through_the_channels(qtbot: QtBot, app: App) -> None:
    press(qtbot, app, Qt.Key.Key_J)
    assert toned(qtbot, app) == tuple(255 - value for value in COLOR)
    assert app.window.action_by_id["invert"].isChecked()
    press(qtbot, app, Qt.Key.Key_J)
    for value in COLOR:
        press(qtbot, app, Qt.Key.Key_J, SHIFT)
        assert toned(qtbot, app) == (value, value, value)
    press(qtbot, app, Qt.Key.Key_J, SHIFT)
    assert app.session.tones == AS_IT_IS and middle(app) == COLOR


def test_the_next_picture_has_the_tones_and_is_never_shown_without(qtbot: QtBot, app: App) -> None:
    press(qtbot, app, Qt.Key.Key_J)
    seen: list[tuple[int, int, int]] = []
    app.session.picture_changed.connect(lambda: seen.append(middle(app)))
    press(qtbot, app, Qt.Key.Key_D)
    ready(qtbot, app)
    assert toned(qtbot, app) == tuple(255 - value for value in COLOR)
    assert seen and COLOR not in seen


def test_encoding_and_the_stored_picture_know_nothing_of_tones(
    qtbot: QtBot, app: App, models: FakeModels, pictures: Path
) -> None:
    before = (pictures / "2.png").read_bytes()
    press(qtbot, app, Qt.Key.Key_J)
    press(qtbot, app, Qt.Key.Key_D)
    ready(qtbot, app)
    toned(qtbot, app)
    assert models.encoder.pictures and set(models.encoder.pictures) == {COLOR[0]}
    assert (pictures / "2.png").read_bytes() == before
    assert app.session.picture is not None
    assert app.session.picture.levels[0].pixelColor(5, 5) == QColor(*COLOR)


def test_every_level_is_toned_and_the_source_stays(qtbot: QtBot) -> None:
    levels = tuple(toning.QImage(side, side, toning.QImage.Format.Format_RGB32) for side in (64, 32))
    for level in levels:
        level.fill(QColor(*COLOR))
    found = in_tones(CanvasPicture(7, levels, (1, 2)), Tones(inverted=True, channel=Channel.GREEN))
    assert [level.size() for level in found.levels] == [level.size() for level in levels]
    assert {level.pixelColor(3, 3).getRgb() for level in found.levels} == {(155, 155, 155, 255)}
    assert levels[0].pixelColor(3, 3) == QColor(*COLOR) and (found.image_id, found.stamp) == (7, (1, 2))


class TestDeepPictures:
    """Values of 16 bits: most from 10,000 to 20,000, and a few far above, which 8 bits show in the same white."""

    @pytest.fixture
    def pictures(self, tmp_path: Path) -> Path:
        folder = tmp_path / "deep"
        folder.mkdir()
        values = np.tile(np.linspace(10_000, 20_000, 200), (150, 1)).astype(np.uint16)
        values[70:80, 60:80], values[70:80, 120:140] = 15_012, 15_024  # a third of a step of 8 bits
        values[0, 0], values[0, 1:3] = 24_000, 29_000
        cv2.imwrite(str(folder / "1.png"), values)
        cv2.imwrite(str(folder / "2.png"), (values // 256).astype(np.uint8))
        return folder

    def shown(self, qtbot: QtBot, app: App, tones: Tones) -> QImage:
        app.session.set_tones(tones)
        qtbot.waitUntil(lambda: app.pictures.is_idle and app.session.shown_picture is not None)
        assert app.session.shown_picture is not None
        return app.session.shown_picture.levels[0]

    def test_contrast_brings_forth_what_8_bits_have_lost(self, qtbot: QtBot, app: App) -> None:
        as_it_is = self.shown(qtbot, app, AS_IT_IS)
        assert as_it_is.pixelColor(70, 75) == as_it_is.pixelColor(130, 75)
        image = self.shown(qtbot, app, Tones(contrast=100))
        low, high = image.pixelColor(70, 75).red(), image.pixelColor(130, 75).red()
        assert 1 <= high - low <= 4 and 100 < low < 156

    def test_brightness_brings_forth_what_is_beyond_white(self, qtbot: QtBot, app: App) -> None:
        as_it_is = self.shown(qtbot, app, AS_IT_IS)
        assert as_it_is.pixelColor(0, 0).red() == as_it_is.pixelColor(1, 0).red() == 255
        image = self.shown(qtbot, app, Tones(brightness=-100))
        assert image.pixelColor(0, 0).red() < image.pixelColor(1, 0).red() - 80
        assert image.pixelColor(199, 100).red() <= 1

    def test_small_tones_look_almost_as_the_picture_is(self, qtbot: QtBot, app: App) -> None:
        before, after = self.shown(qtbot, app, AS_IT_IS), self.shown(qtbot, app, Tones(gamma=1))
        for x in range(3, 200, 14):
            assert abs(before.pixelColor(x, 30).red() - after.pixelColor(x, 30).red()) <= 3

    def test_the_encoder_gets_the_8_bits_and_the_values_are_given_back(
        self, qtbot: QtBot, app: App, models: FakeModels
    ) -> None:
        self.shown(qtbot, app, Tones(brightness=-100))
        assert models.encoder.pictures[0] == 255
        assert app._toning._deep._values is not None
        self.shown(qtbot, app, AS_IT_IS)
        assert app._toning._deep._values is None

    def test_a_file_that_was_replaced_is_shown_by_its_8_bits(self, qtbot: QtBot, app: App, pictures: Path) -> None:
        (pictures / "1.png").write_bytes((pictures / "2.png").read_bytes())
        image = self.shown(qtbot, app, Tones(inverted=True))
        assert image.pixelColor(1, 0).red() == 0 and app._toning._deep._values is None


# The dialog


@pytest.fixture
def dialog(app: App) -> LooksDialog:
    app.window.action_by_id["looks"].trigger()
    (found,) = app.window.findChildren(LooksDialog)
    assert isinstance(found, LooksDialog)
    return found


def test_its_sliders_change_tones_and_follow_the_keys(qtbot: QtBot, app: App, dialog: LooksDialog) -> None:
    dialog.sliders["brightness"].setValue(20)
    dialog.inverted.click()
    dialog.channel.setCurrentIndex(dialog.channel.findData(Channel.BLUE))
    dialog.channel.activated.emit(dialog.channel.currentIndex())
    assert app.session.tones == Tones(brightness=20, inverted=True, channel=Channel.BLUE)
    value = 255 - (COLOR[2] + 51)
    assert toned(qtbot, app) == (value, value, value)
    app.window.action_by_id["darker"].trigger()
    assert dialog.sliders["brightness"].value() == 10
    dialog.as_it_is.click()
    assert app.session.tones == AS_IT_IS and dialog.sliders["brightness"].value() == 0
    assert not dialog.inverted.isChecked() and dialog.channel.currentData() == Channel.ALL
    assert not dialog.as_it_is.isEnabled()


def test_tones_end_with_the_session_and_are_no_setting(qtbot: QtBot, app: App, dialog: LooksDialog) -> None:
    dialog.sliders["line_width"].setValue(4)
    dialog.sliders["gamma"].setValue(40)
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).line_width == 4
    assert "gamma" not in settings_path().read_text()


def test_settings_are_saved_when_a_slider_is_let_go(qtbot: QtBot, app: App, dialog: LooksDialog) -> None:
    slider = dialog.sliders["fill_opacity"]
    slider.setSliderDown(True)
    slider.setValue(30)
    assert app.session.settings.fill_opacity == 30
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).fill_opacity == 0
    slider.setSliderDown(False)
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).fill_opacity == 30


def test_the_crosshair_has_a_switch_there(app: App, dialog: LooksDialog) -> None:
    dialog.switches["crosshair"].click()
    assert not app.session.settings.crosshair
    app.window.action_by_id["crosshair"].trigger()
    assert dialog.switches["crosshair"].isChecked()
