"""The question before a folder gets a project although one above or below it has one already."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QMessageBox, QPushButton, QWidget

from boxrefine_gui.state.doing import SecondProject
from boxrefine_gui.widgets.plain_text import set_title, shown
from core.translation import tr, tr_plural


class SecondProjectBox(QMessageBox):
    """Opens when it is created. Return opens the other project, Escape opens nothing."""

    def __init__(self, parent: QWidget, question: SecondProject) -> None:
        super().__init__(parent)
        self._question = question
        set_title(self, tr("There is a project already"))
        self.setText(shown(_what_is_there(question)))
        self.setInformativeText(shown(_what_follows(question)))
        for label in self.findChildren(QLabel):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextFormat(Qt.TextFormat.PlainText)  # file names may look like HTML
        self.setIcon(QMessageBox.Icon.Question)
        self.other_button = QPushButton(tr("&Open that project"))
        self.new_button = QPushButton(tr("&Make a new one"))
        self.cancel_button = QPushButton(tr("Cancel"))
        self.addButton(self.other_button, QMessageBox.ButtonRole.AcceptRole)
        self.addButton(self.new_button, QMessageBox.ButtonRole.DestructiveRole)
        self.addButton(self.cancel_button, QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.other_button)
        self.setEscapeButton(self.cancel_button)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.finished.connect(self._answered)
        self.open()

    def _answered(self) -> None:
        if self.clickedButton() is self.other_button:
            self._question.open_other()
        elif self.clickedButton() is self.new_button:
            self._question.make_new()


def ask_second_project(window: QWidget, question: SecondProject) -> None:
    """Ask whether to open the other project, to make a second one, or neither."""
    SecondProjectBox(window, question)


def _what_is_there(question: SecondProject) -> str:
    other = question.others[0].parent
    if question.is_above:
        return tr("The folder {folder} is part of {other}, which has a project.", folder=question.folder, other=other)
    return tr_plural(
        "The folder {folder} has no project, but {other} in it has one.",
        "The folder {folder} has no project, but {count} folders in it have one, as {other}.",
        len(question.others),
        folder=question.folder,
        other=_within(other, question.folder),
    )


def _what_follows(question: SecondProject) -> str:
    if question.is_above:
        return tr("A new project has none of its boxes, and each of the two keeps its own from then on.")
    return tr("A new project of the whole folder has none of those boxes: export them there, and import them here.")


def _within(folder: Path, above: Path) -> Path:
    return folder.relative_to(above) if folder.is_relative_to(above) else folder
