"""Plain text for labels, tooltips, menus and titles, whatever it looks like.

Qt guesses whether text is HTML, and loads the files that it names: a file or category named `<img src=...>` would
freeze the window for good. So labels are PlainLabels and tooltips go through `tooltip`; a test forbids others.
"""

from __future__ import annotations

import re
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QWidget

from core.text import escaped


class PlainLabel(QLabel):
    """A label that shows its text as plain text."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def setText(self, text: str) -> None:
        super().setText(shown(text))


class OwnWords(QLabel):
    """A label with the app's own HTML; text from outside must not be part of it."""

    def __init__(self, html: str) -> None:
        super().__init__(html)
        self.setTextFormat(Qt.TextFormat.RichText)


class HasToolTip(Protocol):
    """A widget, an action, or an item of a list."""

    def setToolTip(self, text: str, /) -> None: ...


def shown(text: str) -> str:
    """Escape characters that Qt cannot show: control characters and lone surrogates."""
    return escaped(text, keep="\n\t")


def tooltip(text: str) -> str:
    """Convert text so that a tooltip shows it as plain text."""
    text = shown(text)
    return GuiQt.convertFromPlainText(text) if GuiQt.mightBeRichText(text) else text


def set_tooltip(on: HasToolTip, text: str) -> None:
    """Set the tooltip of a widget, an action or an item."""
    on.setToolTip(tooltip(text))


def set_title(window: QWidget, text: str) -> None:
    """Set the title of a window; Qt replaces an unescaped [*] in it."""
    window.setWindowTitle(in_one_line(text).replace("[*]", "[*][*]"))


def menu_text(text: str) -> str:
    """Escape text for a menu or a button, where & marks a mnemonic and a tab separates the shortcut."""
    return in_one_line(text).replace("&", "&&")


def without_mnemonic(title: str) -> str:
    """Return a menu's own title as plain words: without its &, and without the `(&O)` of languages such as Chinese."""
    return re.sub(r"\s?\(&\w\)", "", title).replace("&", "")


def in_one_line(text: str) -> str:
    """Replace line breaks and tabs by spaces."""
    return " ".join(shown(text).split()) if any(char in text for char in "\n\t") else shown(text)
