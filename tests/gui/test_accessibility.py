"""Every control of the window and of its dialogs can be reached by keyboard and has a name for a screen reader."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QDialog,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from core.geometry import Box
from tests.gui.driving import accept, draw

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)
DIALOGS = ("shortcuts", "manual", "keys", "about", "models", "export", "flag", "pace")
"""Actions that open a dialog."""


def controls(root: QWidget) -> Iterator[QWidget]:
    """The visible controls, without the parts that Qt makes itself inside another control."""
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, CONTROLS) or not widget.isVisibleTo(root):
            continue
        is_part = widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar | QHeaderView)
        if not is_part and not isinstance(widget.parentWidget(), QAbstractSpinBox | QComboBox):
            yield widget


def name_of(widget: QWidget) -> str:
    """What a screen reader reads for a widget."""
    interface = QAccessible.queryAccessibleInterface(widget)
    return "" if interface is None else interface.text(QAccessible.Text.Name)


def described(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.objectName()!r} in {type(widget.parentWidget()).__name__}"


def nameless(root: QWidget) -> list[str]:
    return [described(widget) for widget in controls(root) if not name_of(widget).strip()]


def out_of_reach(root: QWidget) -> list[str]:
    """Controls that no key leads to; buttons of a toolbar have a menu entry with a key instead."""
    return [
        described(widget)
        for widget in controls(root)
        if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus and not isinstance(widget, QToolButton)
    ]


@pytest.fixture
def window(qtbot: QtBot, app: App) -> App:
    """A window with an accepted box, and the teaching panel open."""
    draw(qtbot, app, Box(20, 30, 100, 100))
    accept(qtbot, app)
    app.window.action_by_id["teach_panel"].trigger()
    app.window.category_popup.open()
    return app


def test_every_control_of_the_window_has_a_name(window: App) -> None:
    assert len(list(controls(window.window))) > 10
    assert nameless(window.window) == []


def test_every_control_of_the_window_is_within_reach_of_the_keyboard(window: App) -> None:
    window.window.category_popup.close()  # whose list the arrow keys of its line go through
    assert out_of_reach(window.window) == []


def test_every_action_has_words(window: App) -> None:
    assert [id for id, action in window.window.action_by_id.items() if not action.text().strip()] == []


@pytest.mark.parametrize("action", DIALOGS)
def test_every_control_of_a_dialog_has_a_name_and_is_within_reach(qtbot: QtBot, window: App, action: str) -> None:
    before = set(window.window.findChildren(QDialog))
    window.window.action_by_id[action].trigger()
    opened = [dialog for dialog in window.window.findChildren(QDialog) if dialog not in before and dialog.isVisible()]
    assert opened
    for dialog in opened:
        assert dialog.windowTitle().strip()
        assert nameless(dialog) == []
        assert out_of_reach(dialog) == []
        dialog.close()
