"""The dialog that divides a project: among whom, into which folder, and what becomes of the pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.operations.sharing import ShareChoice
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title, set_tooltip
from core.errors import KnownError
from core.formats.choices import COPY, HARDLINK, LINK, NONE
from core.translation import tr

_MOST_TWICE = 100


class ShareDialog(QDialog):
    """Passes the choice to `on_chosen`; `out` is the folder that it starts with."""

    def __init__(self, parent: QWidget, *, ask: Ask, out: Path, on_chosen: Callable[[ShareChoice], None]) -> None:
        super().__init__(parent)
        self._ask, self._on_chosen = ask, on_chosen
        set_title(self, tr("Divide into shares"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        told = PlainLabel(
            tr(
                "Each share is a project of its own. Send it to the person; File, Merge projects brings the work back. "
                "This project stays as it is."
            )
        )
        told.setWordWrap(True)
        layout.addWidget(told)
        self.people = QLineEdit("2")
        self.people.setPlaceholderText(tr("anna, ben, chris; or a number"))
        self.overlap = QSpinBox()
        self.overlap.setRange(0, _MOST_TWICE)
        self.overlap.setSuffix(" %")
        set_tooltip(
            self.overlap, tr("A second person labels this part of each share, too, and the merge compares them.")
        )
        self.pictures = QComboBox()
        self.pictures.addItem(tr("Stay where they are"), NONE)
        self.pictures.addItem(tr("Are copied"), COPY)
        self.pictures.addItem(tr("Are linked"), LINK)
        self.pictures.addItem(tr("Are hard links"), HARDLINK)
        self.folder = QLineEdit(str(out))
        self.problem = PlainLabel()
        self.problem.setWordWrap(True)
        layout.addLayout(self._rows())
        layout.addWidget(self.problem)
        self.divide_button = QPushButton(tr("Divide"))
        layout.addWidget(self._buttons())
        self.people.textChanged.connect(self._check)
        self.folder.textChanged.connect(self._check)
        self._check()
        self.divide_button.setDefault(True)
        self.people.selectAll()
        self.people.setFocus()

    def accept(self) -> None:
        super().accept()
        pictures = str(self.pictures.currentData())
        self._on_chosen(ShareChoice(self._people(), self._out, self.overlap.value() / 100, pictures))

    @property
    def _out(self) -> Path:
        return Path(self.folder.text().strip())

    def _people(self) -> list[str]:
        from core.merging.shares import people_in

        return people_in(self.people.text())

    def _rows(self) -> QFormLayout:
        rows = QFormLayout()
        rows.setHorizontalSpacing(scale.LARGE)
        folder = QHBoxLayout()
        browse = QPushButton(tr("Browse…"))
        browse.setAutoDefault(False)  # else Return browses, whatever has the focus
        browse.clicked.connect(self._browse)
        folder.addWidget(self.folder)
        folder.addWidget(browse)
        for title, field in (
            (tr("&People"), self.people),
            (tr("&Twice"), self.overlap),
            (tr("P&ictures"), self.pictures),
        ):
            rows.addRow(self._label(title, field), field)
        rows.addRow(self._label(tr("&Folder"), self.folder), folder)
        return rows

    def _label(self, title: str, field: QWidget) -> PlainLabel:
        label = PlainLabel(title)
        label.setBuddy(field)
        field.setAccessibleName(title.replace("&", ""))
        return label

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        cancel = QPushButton(tr("Cancel"))
        cancel.setAutoDefault(False)
        buttons.addButton(cancel, QDialogButtonBox.ButtonRole.RejectRole)
        buttons.addButton(self.divide_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _browse(self) -> None:
        chosen = self._ask.folder(self, title=tr("Folder of the shares"), start=self._out)
        if chosen is not None:
            self.folder.setText(str(chosen))

    def _check(self) -> None:
        from core.merging.shares import check_people

        problem = ""
        try:
            check_people(self._people(), self._out)
        except KnownError as error:
            problem = str(error)
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.divide_button.setEnabled(not problem and bool(self.folder.text().strip()))
