"""The questions about a category that goes: what becomes of its boxes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.records import Category

_WIDTH = 440
_LETTERS = 16
Role = QDialogButtonBox.ButtonRole


@dataclass(frozen=True)
class CategoryQuestion:
    """What is asked: `sentence` says of the category (`name`, in quotes) how many boxes it has.

    `others` may take its boxes, `into` is the one that is offered first.
    """

    name: str
    sentence: str
    others: Sequence[Category]
    into: int | None = None


class _CategoryDialog(QDialog):
    """A sentence, a list of the other categories, buttons; it does not block the window's work."""

    def __init__(self, parent: QWidget, question: CategoryQuestion, *, title: str, label: str) -> None:
        super().__init__(parent)
        set_title(self, title)
        self.setMinimumWidth(_WIDTH)
        self.sentence = PlainLabel(question.sentence)
        self.sentence.setWordWrap(True)
        self.others = QComboBox()
        self.others.setAccessibleName("The other categories")
        self.others.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.others.setMinimumContentsLength(_LETTERS)
        for category in question.others:
            self.others.addItem(theme.swatch(category.id), category.name, category.id)
        self.others.setCurrentIndex(max(self.others.findData(question.into), 0))
        self.label = PlainLabel(label)
        self.label.setBuddy(self.others)
        row = QHBoxLayout()
        row.addWidget(self.label)
        row.addWidget(self.others, 1)
        self.buttons = QDialogButtonBox()
        self.cancel = self.add_button("Cancel", Role.RejectRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(self.sentence)
        layout.addLayout(row)
        layout.addWidget(self.buttons)

    def add_button(self, text: str, role: QDialogButtonBox.ButtonRole) -> QPushButton:
        """A button that Return presses where it has the keyboard; elsewhere the default one has Return."""
        button = QPushButton(text)
        self.buttons.addButton(button, role)
        return button

    @property
    def chosen(self) -> int:
        """The id of the category that is to have the boxes."""
        return int(self.others.currentData())


class DeleteCategoryDialog(_CategoryDialog):
    """What becomes of a deleted category's boxes; Return cancels, which is the one answer that changes nothing."""

    def __init__(
        self,
        parent: QWidget,
        question: CategoryQuestion,
        *,
        on_move: Callable[[int], None],
        on_delete: Callable[[], None],
    ) -> None:
        super().__init__(parent, question, title=f"Delete {question.name}", label="&Move to")
        self._on_move, self._on_delete = on_move, on_delete
        self.move_button = self.add_button("Move and delete", Role.AcceptRole)
        self.delete_button = self.add_button("Delete the boxes too", Role.DestructiveRole)
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
    """Which category takes all boxes of one that then goes."""

    def __init__(self, parent: QWidget, question: CategoryQuestion, *, on_merge: Callable[[int], None]) -> None:
        super().__init__(parent, question, title=f"Merge {question.name}", label="&Merge it into")
        self._on_merge = on_merge
        self.merge_button = self.add_button("Merge", Role.AcceptRole)
        self.merge_button.setDefault(True)
        self.others.setFocus()

    def accept(self) -> None:
        super().accept()
        self._on_merge(self.chosen)
