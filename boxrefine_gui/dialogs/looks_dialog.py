"""The looks dialog: lines, names and aids, which are settings, and the tones of the picture, for this session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.settings_check import RANGES
from core.tones import AS_IT_IS, MOST, Channel
from core.translation import tr

_LEAST_SLIDER, _VALUE_WIDTH = 200, 64


class LooksDialog(QDialog):
    """Stays open beside the picture, which follows each slider at once; settings are saved when a slider is let go."""

    def __init__(self, parent: QWidget, parts: Parts) -> None:
        super().__init__(parent)
        self._parts = parts
        set_title(self, tr("Lines, names and tones"))
        self.sliders: dict[str, QSlider] = {}
        self._values: dict[str, PlainLabel] = {}
        self.switches = {name: QCheckBox(title) for name, title in _switches().items()}
        self.inverted = QCheckBox(tr("In&verted"))
        self.channel = QComboBox()
        for channel, title in _channels().items():
            self.channel.addItem(title, channel)
        self.channel.setAccessibleName(tr("Channels"))
        self.as_it_is = QPushButton(tr("The picture as it &is"))
        self._arrange()
        self._listen()
        self._show()

    # Layout

    def _arrange(self) -> None:
        boxes, picture = QGroupBox(tr("Boxes")), QGroupBox(tr("Picture, until BoxRefine is closed"))
        grid = QGridLayout(boxes)
        for name, title in _settings().items():
            low, high = RANGES[name]
            self._add_slider(grid, name, title, int(low), int(high), self._move_setting)
            self.sliders[name].sliderReleased.connect(self._save)
        for switch in self.switches.values():
            grid.addWidget(switch, grid.rowCount(), 0, 1, 3)
        grid = QGridLayout(picture)
        for name, title in _tones().items():
            self._add_slider(grid, name, title, -MOST, MOST, self._move_tone)
        row = QHBoxLayout()
        for widget in (self.channel, self.inverted):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.as_it_is)
        grid.addLayout(row, grid.rowCount(), 0, 1, 3)
        close = QPushButton(tr("Close"))
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(boxes)
        layout.addWidget(picture)
        layout.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)

    def _add_slider(
        self, grid: QGridLayout, name: str, title: str, low: int, high: int, moved: Callable[[str, int], None]
    ) -> None:
        slider, value, label = QSlider(Qt.Orientation.Horizontal), PlainLabel(), PlainLabel(title)
        slider.setRange(low, high)
        slider.setPageStep(max((high - low) // 10, 1))
        slider.setMinimumWidth(_LEAST_SLIDER)
        slider.setAccessibleName(title.replace("&", ""))
        slider.valueChanged.connect(partial(moved, name))
        label.setBuddy(slider)
        value.setMinimumWidth(_VALUE_WIDTH)
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = grid.rowCount()
        for column, widget in enumerate((label, slider, value)):
            grid.addWidget(widget, row, column)
        grid.setColumnStretch(1, 1)
        self.sliders[name], self._values[name] = slider, value

    def _listen(self) -> None:
        session = self._parts.session
        session.settings_changed.connect(self._show)
        session.tones_changed.connect(self._show)
        for name, switch in self.switches.items():
            switch.toggled.connect(partial(self._switch, name))
        self.inverted.toggled.connect(lambda inverted: session.set_tones(replace(session.tones, inverted=inverted)))
        self.channel.activated.connect(self._choose_channel)
        self.as_it_is.clicked.connect(partial(session.set_tones, AS_IT_IS))

    # What the user chooses

    def _move_setting(self, name: str, value: int) -> None:
        session = self._parts.session
        changed: dict[str, Any] = {name: value}
        session.set_settings(replace(session.settings, **changed))
        if not self.sliders[name].isSliderDown():  # a key or a click moves it by one step
            self._save()

    def _save(self) -> None:
        choose_settings(self._parts, self._parts.session.settings)

    def _switch(self, name: str, is_on: bool) -> None:
        changed: dict[str, Any] = {name: is_on}
        choose_settings(self._parts, replace(self._parts.session.settings, **changed))

    def _move_tone(self, name: str, value: int) -> None:
        session = self._parts.session
        changed: dict[str, Any] = {name: value}
        session.set_tones(replace(session.tones, **changed))

    def _choose_channel(self) -> None:
        session = self._parts.session
        session.set_tones(replace(session.tones, channel=Channel(self.channel.currentData())))

    # What is shown

    def _show(self) -> None:
        settings, tones = self._parts.session.settings, self._parts.session.tones
        for name, slider in self.sliders.items():
            value = getattr(settings if name in _settings() else tones, name)
            with QSignalBlocker(slider):
                slider.setValue(value)
            self._values[name].setText(_value_words(name, value))
        for switch_name, switch in self.switches.items():
            with QSignalBlocker(switch):
                switch.setChecked(getattr(settings, switch_name))
        with QSignalBlocker(self.inverted):
            self.inverted.setChecked(tones.inverted)
        self.channel.setCurrentIndex(self.channel.findData(tones.channel))
        self.as_it_is.setEnabled(tones != AS_IT_IS)


def _settings() -> Mapping[str, str]:
    return {
        "line_width": tr("&Line width"),
        "fill_opacity": tr("&Fill of stored boxes"),
        "name_size": tr("&Size of names"),
    }


def _tones() -> Mapping[str, str]:
    return {"brightness": tr("&Brightness"), "contrast": tr("&Contrast"), "gamma": tr("&Gamma")}


def _switches() -> Mapping[str, str]:
    return {
        "crosshair": tr("C&rosshair through the pointer"),
        "loupe": tr("Loup&e at the edge that you drag"),
        "minimap": tr("Minima&p above 200 %"),
    }


def _channels() -> Mapping[Channel, str]:
    return {
        Channel.ALL: tr("All channels"),
        Channel.RED: tr("Red channel"),
        Channel.GREEN: tr("Green channel"),
        Channel.BLUE: tr("Blue channel"),
    }


def _value_words(name: str, value: int) -> str:
    if name == "line_width":
        return tr("{count} px", count=value)
    if name in ("fill_opacity", "name_size"):
        return f"{value} %"
    return f"{value:+d}" if value else "0"
