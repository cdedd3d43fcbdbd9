"""The style of the window: the focus is visible on every kind of control, and scroll bars are flat, in both schemes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QListView,
    QPushButton,
    QRadioButton,
    QSlider,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from boxrefine_gui.widgets import theme


def tool_button() -> QToolButton:
    button = QToolButton()
    button.setText("one")
    button.setAutoRaise(True)
    return button


def flat_button() -> QPushButton:
    button = QPushButton("one")
    button.setFlat(True)
    return button


def list_of_one() -> QListView:
    view = QListView()
    view.setModel(QStringListModel(["one"], view))
    view.setCurrentIndex(view.model().index(0, 0))
    return view


KINDS: tuple[Callable[[], QWidget], ...] = (
    lambda: QPushButton("one"), flat_button, tool_button, lambda: QCheckBox("one"), lambda: QRadioButton("one"),
    QComboBox, lambda: QLineEdit("one"), QSpinBox, lambda: QSlider(Qt.Orientation.Horizontal), list_of_one,
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("make", KINDS)
def test_the_focus_can_be_seen(qtbot: QtBot, qapp: QApplication, make: Callable[[], QWidget], scheme: str) -> None:
    theme.apply(scheme)
    window = QWidget()
    qtbot.addWidget(window)
    widget, other = make(), QPushButton("other")
    layout = QVBoxLayout(window)
    layout.addWidget(other)
    layout.addWidget(widget)
    window.show()
    window.activateWindow()
    other.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(other.hasFocus)
    before = widget.grab().toImage()
    qtbot.keyClick(other, Qt.Key.Key_Tab)
    qtbot.waitUntil(widget.hasFocus)
    after = widget.grab().toImage()
    changed = sum(
        before.pixelColor(x, y) != after.pixelColor(x, y) for x in range(after.width()) for y in range(after.height())
    )
    assert changed >= 20
    theme.apply("light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_scroll_bars_are_flat(qtbot: QtBot, qapp: QApplication, scheme: str) -> None:
    theme.apply(scheme)
    view = QListView()
    qtbot.addWidget(view)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    view.setModel(QStringListModel([str(number) for number in range(200)], view))
    view.resize(200, 200)
    view.show()
    bar = view.verticalScrollBar()
    shown = bar.grab().toImage()
    colors = {QColor(shown.pixelColor(shown.width() // 2, y)).name() for y in range(shown.height())}
    mid = QApplication.palette().mid().color().name()
    assert mid in colors and len(colors) <= 4 and bar.width() <= 12
    theme.apply("light")
