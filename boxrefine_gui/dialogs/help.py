"""Windows that tell something: the shortcuts, and what this app is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from boxrefine_gui.widgets.plain_text import OwnWords

Shortcuts = Mapping[str, Sequence[tuple[str, str]]]
"""Heading -> rows of (keys, what they do)."""

COLOURS = (
    "The dashed white box is what you drew, the blue one its refinement. Pink dashes mark edges that the refiner is "
    "not sure of. Accepted boxes have the colours of their categories; everything accepted is stored at once. "
    "A stored box with a dashed line is still to check: it was imported, or a blue refinement is proposed for it."
)
_SIZE, _AIR = QSize(620, 640), QSize(40, 60)


class ShortcutHelp(QDialog):
    """All keys and gestures, from the same table that makes them work."""

    def __init__(self, parent: QWidget, shortcuts: Shortcuts) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard and mouse")
        self.resize(_SIZE.boundedTo(parent.size() - _AIR))
        self.text = QTextBrowser()
        self.text.setHtml(_page(shortcuts))
        self.text.setAccessibleName("Shortcuts")
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(_close_button(self))


class About(QDialog):
    """Name, version, licence."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("About BoxRefine")
        label = OwnWords(
            f"<h3>BoxRefine {escape(app_version())}</h3>"
            "<p>Drag a careless box, get a tight one.</p>"
            "<p>Pictures and boxes stay on this computer.<br>"
            "Apache License 2.0. Built with Qt, PyTorch and HQ-SAM.</p>"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 18, 24, 18)
        layout.addWidget(label)
        layout.addWidget(_close_button(self))


def show_once(dialog: QDialog) -> None:
    """Show a window that may be shown already: it comes to the front, and goes for good when it is closed."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
    dialog.activateWindow()


def app_version() -> str:
    """The installed version."""
    try:
        return version("boxrefine")
    except PackageNotFoundError:
        return "(not installed)"


def _close_button(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox()
    buttons.addButton(QPushButton("Close"), QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    return buttons


def _page(shortcuts: Shortcuts) -> str:
    parts = [f"<p>{escape(COLOURS)}</p>"]
    for heading, rows in shortcuts.items():
        lines = "".join(
            f"<tr><td width='190'><b>{escape(keys)}</b></td><td>{escape(meaning)}</td></tr>" for keys, meaning in rows
        )
        parts.append(f"<h3>{escape(heading)}</h3><table cellpadding='3'>{lines}</table>")
    return "".join(parts)
