"""A question with two or three answers; the harmless one is the default."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget

from boxrefine_gui.widgets.plain_text import set_title, shown


def _nothing() -> None: ...


class Question(QMessageBox):
    """Opens when it is created. `yes` and `no` are the texts of its buttons; Return and Escape answer no.

    `other` is the text of a third button and what it does.
    """

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
        other: tuple[str, Callable[[], None]] | None = None,
    ) -> None:
        super().__init__(parent)
        self._on_yes, self._on_no = on_yes, on_no
        set_title(self, title)
        self.setText(shown(text))
        self.setInformativeText(shown(more))
        for label in self.findChildren(QLabel):  # setTextFormat below does not reach the informative text
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextFormat(Qt.TextFormat.PlainText)  # file names may look like HTML
        self.setIcon(QMessageBox.Icon.Question)
        self.yes_button, self.no_button = QPushButton(yes), QPushButton(no)
        self.addButton(self.yes_button, QMessageBox.ButtonRole.AcceptRole)
        self.other_button, self._on_other = None, _nothing
        if other is not None:
            self.other_button, self._on_other = QPushButton(other[0]), other[1]
            self.addButton(self.other_button, QMessageBox.ButtonRole.DestructiveRole)
        self.addButton(self.no_button, QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.no_button)
        self.setEscapeButton(self.no_button)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.finished.connect(self._answered)
        self.open()

    def _answered(self) -> None:
        if self.clickedButton() is self.yes_button:
            self._on_yes()
        elif self.other_button is not None and self.clickedButton() is self.other_button:
            self._on_other()
        else:
            self._on_no()
