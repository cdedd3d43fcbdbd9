"""A question with two answers, the harmless one being the default; it does not block the window's work."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget

from boxrefine_gui.widgets.plain_text import set_title, shown


def _nothing() -> None: ...


class Question(QMessageBox):
    """Shows itself at once; `yes` and `no` are the words on its buttons, Return and Escape mean no."""

    def __init__(
        self,
        parent: QWidget,
        *,
        title: str,
        text: str,
        more: str,
        yes: str,
        no: str,
        on_yes: Callable[[], None],
        on_no: Callable[[], None] = _nothing,
    ) -> None:
        super().__init__(parent)
        self._on_yes, self._on_no = on_yes, on_no
        set_title(self, title)
        self.setText(shown(text))
        self.setInformativeText(shown(more))
        for label in self.findChildren(QLabel):  # Qt's own property leaves the second sentence as it was
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextFormat(Qt.TextFormat.PlainText)  # names of files may look like HTML
        self.setIcon(QMessageBox.Icon.Question)
        self.yes_button, self.no_button = QPushButton(yes), QPushButton(no)
        self.addButton(self.yes_button, QMessageBox.ButtonRole.AcceptRole)
        self.addButton(self.no_button, QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.no_button)
        self.setEscapeButton(self.no_button)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.finished.connect(self._answered)
        self.open()

    def _answered(self) -> None:
        if self.clickedButton() is self.yes_button:
            self._on_yes()
        else:
            self._on_no()
