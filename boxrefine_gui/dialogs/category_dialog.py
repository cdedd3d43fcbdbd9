"""Dialogs before a category is deleted or merged: they ask what happens to its boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.widgets import scale, theme
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title, shown
from core.records import Category
from core.translation import tr

Index = QModelIndex | QPersistentModelIndex
_WIDTH = 440
_LETTERS = 16
Role = QDialogButtonBox.ButtonRole


@dataclass(frozen=True)
class CategoryQuestion:
    """The content of a dialog.

    name: the category, in quotes; sentence: how many boxes it has
    others: the categories that can take its boxes; into: the id of the preselected one; colors: by id
    """

    name: str
    sentence: str
    others: Sequence[Category]
    into: int | None = None
    colors: Mapping[int, str] = field(default_factory=dict)


class _Others(QAbstractListModel):
    """The other categories of a question; thousands of items of a combo box would take a tenth of a second."""

    def __init__(self, question: CategoryQuestion, parent: QObject) -> None:
        super().__init__(parent)
        self._question = question

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self._question.others)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        category = self._question.others[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return shown(category.name)
        if role == Qt.ItemDataRole.DecorationRole:
            return theme.swatch(category.id, self._question.colors)
        return category.id if role == Qt.ItemDataRole.UserRole else None


class _CategoryDialog(QDialog):
    """A sentence, a list of the other categories, and buttons."""

    def __init__(self, parent: QWidget, question: CategoryQuestion, *, title: str, label: str) -> None:
        super().__init__(parent)
        set_title(self, title)
        self.setMinimumWidth(_WIDTH)
        self.sentence = PlainLabel(question.sentence)
        self.sentence.setWordWrap(True)
        self.others = QComboBox()
        self.others.setAccessibleName(tr("The other categories"))
        self.others.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.others.setMinimumContentsLength(_LETTERS)
        self.others.setModel(_Others(question, self.others))
        ids = [category.id for category in question.others]
        self.others.setCurrentIndex(ids.index(question.into) if question.into in ids else 0)
        self.label = PlainLabel(label)
        self.label.setBuddy(self.others)
        row = QHBoxLayout()
        row.addWidget(self.label)
        row.addWidget(self.others, 1)
        self.buttons = QDialogButtonBox()
        self.cancel = self.add_button(tr("Cancel"), Role.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(self.sentence)
        layout.addLayout(row)
        layout.addWidget(self.buttons)

    def add_button(self, text: str, role: QDialogButtonBox.ButtonRole) -> QPushButton:
        """Add a button. Return presses it if it has the focus, else the default button."""
        button = QPushButton(text)
        self.buttons.addButton(button, role)
        return button

    @property
    def chosen(self) -> int:
        """The id of the category that takes the boxes."""
        return int(self.others.currentData())


class DeleteCategoryDialog(_CategoryDialog):
    """Asks whether the boxes of a deleted category move or are deleted; Return cancels, which changes nothing."""

    def __init__(
        self,
        parent: QWidget,
        question: CategoryQuestion,
        *,
        on_move: Callable[[int], None],
        on_delete: Callable[[], None],
    ) -> None:
        super().__init__(parent, question, title=tr("Delete {category}", category=question.name), label=tr("&Move to"))
        self._on_move, self._on_delete = on_move, on_delete
        self.move_button = self.add_button(tr("Move and delete"), Role.AcceptRole)
        self.delete_button = self.add_button(tr("Delete the boxes too"), Role.DestructiveRole)
        self.delete_button.clicked.connect(self._delete)
        for widget in (self.label, self.others, self.move_button):
            widget.setVisible(bool(question.others))
        self.cancel.setDefault(True)
        self.cancel.setFocus()

    def accept(self) -> None:
        super().accept()
        self._on_move(self.chosen)

    def _delete(self) -> None:
        self.reject()
        self._on_delete()


class MergeCategoryDialog(_CategoryDialog):
    """Asks which category takes all boxes of a category, which is then removed."""

    def __init__(self, parent: QWidget, question: CategoryQuestion, *, on_merge: Callable[[int], None]) -> None:
        super().__init__(
            parent, question, title=tr("Merge {category}", category=question.name), label=tr("&Merge it into")
        )
        self._on_merge = on_merge
        self.merge_button = self.add_button(tr("Merge"), Role.AcceptRole)
        self.merge_button.setDefault(True)
        self.others.setFocus()

    def accept(self) -> None:
        super().accept()
        self._on_merge(self.chosen)
