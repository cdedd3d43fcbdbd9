"""The manual: the pages of resources/docs that a user reads, in a window with a list of them and a search."""

from __future__ import annotations

import os

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QKeySequence, QShortcut, QTextCursor
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.widgets import scale
from core.resources import RESOURCES
from core.translation import tr

DOCS = RESOURCES / "docs"
PAGES = {
    "labelling": tr("Labelling"),
    "datasets": tr("Datasets"),
    "suggestions": tr("Suggestions"),
    "review": tr("Review"),
    "keys": tr("Keyboard and mouse"),
    "fine-tuning": tr("Fine-tuning"),
    "encoders-and-cache": tr("Encoders and feature cache"),
    "errors": tr("Errors and what to do"),
    "glossary": tr("Glossary"),
    "headless": tr("Command line"),
    "beyond-one-machine": tr("Beyond one machine"),
    "python": tr("Python"),
    "benchmarks": tr("Benchmarks"),
}
"""Name of a page's file -> its title in the list, in the order in which a user needs them."""
_SIZE, _MARGIN = QSize(980, 720), QSize(40, 60)


class Manual(QDialog):
    """Shows the pages; links between them work, other links open in the user's browser."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Manual"))
        self.resize(_SIZE.boundedTo(parent.size() - _MARGIN))
        self._shown = ""
        self.pages = QListWidget()
        self.pages.setAccessibleName(tr("Pages"))
        self.text = QTextBrowser()
        self.text.setAccessibleName(tr("Page"))
        self.text.setOpenExternalLinks(True)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search this page: Return finds the next place"))
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(tr("Search this page"))
        self.search.returnPressed.connect(self._find_next)
        self._fill_list()
        self.pages.currentItemChanged.connect(self._show_chosen)
        self.text.sourceChanged.connect(self._mark_shown)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        self._lay_out()
        self.pages.setCurrentRow(0)

    def _lay_out(self) -> None:
        page = QWidget()
        column = QVBoxLayout(page)
        scale.margins(column, scale.NONE)
        column.addWidget(self.search)
        column.addWidget(self.text)
        halves = QSplitter()
        halves.addWidget(self.pages)
        halves.addWidget(page)
        halves.setStretchFactor(1, 1)
        halves.setSizes([220, 760])
        layout = QHBoxLayout(self)
        layout.addWidget(halves)
        self.pages.setFocus()

    def _fill_list(self) -> None:
        for name, title in PAGES.items():
            path = DOCS / f"{name}.md"
            if os.path.exists(path):  # noqa: PTH110 - no folder raises
                item = QListWidgetItem(title)
                item.setData(Qt.ItemDataRole.UserRole, path.as_posix())
                self.pages.addItem(item)

    def _show_chosen(self, item: QListWidgetItem | None) -> None:
        if item is not None and item.data(Qt.ItemDataRole.UserRole) != self._shown:
            self.text.setSource(QUrl.fromLocalFile(item.data(Qt.ItemDataRole.UserRole)))

    def _mark_shown(self, source: QUrl) -> None:
        """Choose the page in the list that a link led to. Qt emits this before `text.source()` changes."""
        self._shown = source.toLocalFile()
        for row in range(self.pages.count()):
            if self.pages.item(row).data(Qt.ItemDataRole.UserRole) == self._shown:
                self.pages.setCurrentRow(row)

    def _find_next(self) -> None:
        if not self.text.find(self.search.text()):
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.text.find(self.search.text())
