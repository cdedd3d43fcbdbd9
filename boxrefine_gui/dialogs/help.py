"""Windows of the menu Help: the shortcuts, and About."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QTextBrowser, QVBoxLayout, QWidget

from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import OwnWords, set_title
from core.translation import tr

Shortcuts = Mapping[str, Sequence[tuple[str, str]]]
"""Heading -> rows of (keys, what they do)."""

COLORS = tr(
    "The dashed white box is what you drew, the blue one its refinement. Pink dashes mark edges that the refiner is "
    "not sure of. Accepted boxes have the colours of their categories; everything accepted is stored at once. "
    "A stored box with a dashed line is still to check: it was imported, or a blue refinement is proposed for it."
)
_SIZE, _AIR = QSize(620, 640), QSize(40, 60)


class ShortcutHelp(QDialog):
    """All keys and gestures, from the table that the actions are made of."""

    def __init__(self, parent: QWidget, shortcuts: Shortcuts) -> None:
        super().__init__(parent)
        set_title(self, tr("Keyboard and mouse"))
        self.resize(_SIZE.boundedTo(parent.size() - _AIR))
        self.text = QTextBrowser()
        self.text.setHtml(_page(shortcuts))
        self.text.setAccessibleName(tr("Shortcuts"))
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(self.text)
        layout.addWidget(_close_button(self))


class About(QDialog):
    """Name, version and license."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        set_title(self, tr("About BoxRefine"))
        lines = (
            tr("Drag a careless box, get a tight one."),
            tr("Pictures and boxes stay on this computer."),
            tr("Apache License 2.0. Built with Qt, PyTorch and HQ-SAM."),
        )
        motto, privacy, license = map(escape, lines)
        label = OwnWords(f"<h3>BoxRefine {escape(app_version())}</h3><p>{motto}</p><p>{privacy}<br>{license}</p>")
        layout = QVBoxLayout(self)
        scale.margins(layout, scale.WIDE, scale.LARGE)
        layout.addWidget(label)
        layout.addWidget(_close_button(self))


def show_once(dialog: QDialog) -> None:
    """Show a window, or bring it to the front if it is shown already; closing deletes it."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.show()
    dialog.activateWindow()


def app_version() -> str:
    """The installed version."""
    try:
        return version("boxrefine")
    except PackageNotFoundError:
        return tr("(not installed)")


def _close_button(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox()
    buttons.addButton(QPushButton(tr("Close")), QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.reject)
    return buttons


def _page(shortcuts: Shortcuts) -> str:
    parts = [f"<p>{escape(COLORS)}</p>"]
    for heading, rows in shortcuts.items():
        lines = "".join(
            f"<tr><td width='190'><b>{escape(keys)}</b></td><td>{escape(meaning)}</td></tr>"  # untranslated: HTML
            for keys, meaning in rows
        )
        table = f"<table cellpadding='3'>{lines}</table>"  # untranslated: HTML
        parts.append(f"<h3>{escape(heading)}</h3>{table}")
    return "".join(parts)
