"""The one door for text into labels, tooltips, menus and titles: whatever it looks like, it is plain text.

Qt guesses whether text is HTML, and then loads what it names: a file or category called `<img src=...>` would freeze
the window for good. So labels are PlainLabels, tooltips go through `tooltip`, and a test of the house forbids the rest.
"""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QWidget

from core.text import escaped


class PlainLabel(QLabel):
    """A label that takes its text for what it is."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(shown(text))


class OwnWords(QLabel):
    """A label with HTML of ours, in which nothing from outside stands."""

    def __init__(self, html: str) -> None:
        super().__init__(html)
        self.setTextFormat(Qt.TextFormat.RichText)


class HasToolTip(Protocol):
    """A widget, an action, or an item of a list."""

    def setToolTip(self, text: str, /) -> None: ...


def shown(text: str) -> str:
    """Text without characters that Qt cannot show: control characters and halves of surrogate pairs written out."""
    return escaped(text, keep="\n\t")


def tooltip(text: str) -> str:
    """What a tooltip must be given so that it shows this text."""
    text = shown(text)
    return GuiQt.convertFromPlainText(text) if GuiQt.mightBeRichText(text) else text


def set_tooltip(on: HasToolTip, text: str) -> None:
    """Give a widget, an action or an item its tooltip."""
    on.setToolTip(tooltip(text))


def set_title(window: QWidget, text: str) -> None:
    """Give a window its title, in which [*] would be a mark of Qt's."""
    window.setWindowTitle(in_one_line(text).replace("[*]", "[*][*]"))


def menu_text(text: str) -> str:
    """What a menu or a button must be given so that it shows this text: & would underline, a tab begin the key."""
    return in_one_line(text).replace("&", "&&")


def in_one_line(text: str) -> str:
    """Text with spaces for its line ends and tabs."""
    return " ".join(shown(text).split()) if any(char in text for char in "\n\t") else shown(text)
