"""The fields of the export dialog that few exports change: images, categories, splits, pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QComboBox, QFormLayout, QLineEdit, QWidget

from boxrefine_gui.operations.exporting import ExportChoice
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel
from core.errors import BadInputError
from core.formats.choices import COPY, HARDLINK, LINK, NONE
from core.formats.selection import Selection, parse_map
from core.formats.splitting import parse_fractions
from core.translation import tr

_DIVISIONS = ("0.8/0.1/0.1", "0.7/0.2/0.1", "0.8/0.2")


class ExportFields(QObject):
    """Rows for a form layout. `problem` is a sentence on what cannot be exported so, empty if all can."""

    changed = Signal()

    def __init__(self, last: ExportChoice, categories: Sequence[str]) -> None:
        super().__init__()
        self._categories = categories
        self.rows = QFormLayout()
        self.rows.setHorizontalSpacing(scale.LARGE)
        self.images, self.category, self.splits, self.pictures = (QComboBox() for _ in range(4))
        self.images.addItem(tr("All that have boxes or are done"), False)
        self.images.addItem(tr("Only those that are done"), True)
        self.category.addItem(tr("All"), "")
        for name in categories:
            self.category.addItem(name, name)
        self.splits.addItem(tr("As the folders are: train, val, test, or none"), "")
        for division in dict.fromkeys([*_DIVISIONS, *([last.splits] if _is_division(last.splits) else [])]):
            self.splits.addItem(_describe(division), division)
        self.pictures.addItem(tr("Stay where they are"), NONE)
        self.pictures.addItem(tr("Are copied"), COPY)
        self.pictures.addItem(tr("Are linked"), LINK)
        self.pictures.addItem(tr("Are hard links"), HARDLINK)
        self.renamed = QLineEdit()
        self.renamed.setPlaceholderText(tr("old=new, drop=NAME"))
        self.renamed.textChanged.connect(self._check)
        self.problem = PlainLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        for field, value in ((self.images, last.done), (self.splits, last.splits), (self.pictures, last.pictures)):
            field.setCurrentIndex(max(0, field.findData(value)))
        self._add(tr("&Images"), self.images)
        self._add(tr("&Category"), self.category)
        self._add(tr("&Rename"), self.renamed)
        self.rows.addRow(self.problem)
        self._add(tr("&Splits"), self.splits)
        self._add(tr("&Pictures"), self.pictures)

    def added_to(self, choice: ExportChoice) -> ExportChoice:
        """A copy of a choice with what the fields have."""
        return replace(
            choice,
            done=self.images.currentData(),
            category=self.category.currentData(),
            renamed=self.renamed.text().strip(),
            splits=self.splits.currentData(),
            pictures=self.pictures.currentData(),
        )

    def _add(self, title: str, field: QWidget) -> None:
        label = PlainLabel(title)
        label.setBuddy(field)
        field.setAccessibleName(title.replace("&", ""))
        self.rows.addRow(label, field)

    def _check(self) -> None:
        text = self.renamed.text().strip()
        self.problem.setText(self._problem_in(text) if text else "")
        self.problem.setVisible(bool(self.problem.text()))
        self.changed.emit()

    def _problem_in(self, text: str) -> str:
        try:
            found = parse_map([text], Selection())
        except BadInputError:
            return tr("Write pairs, separated by commas: old=new, or drop=NAME.")
        unknown = [name for name in (*found.renamed, *sorted(found.dropped)) if name not in self._categories]
        return tr("There is no category {name}.", name=f"“{unknown[0]}”") if unknown else ""


def _is_division(text: str) -> bool:
    try:
        return bool(text and parse_fractions(text))
    except BadInputError:
        return False


def _describe(division: str) -> str:
    """A division in words: `train 80 %, val 10 %, test 10 %`."""
    parts = parse_fractions(division).items()
    return ", ".join(f"{split} {round(100 * part)} %" for split, part in parts)  # untranslated: names of folders
