"""The audit: findings on the labels of the project as a list, each of which opens its picture or is repaired."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from boxrefine_gui.dialogs.audit_model import AuditModel
from boxrefine_gui.operations import auditing, reviewing
from boxrefine_gui.operations.job import LongJob
from boxrefine_gui.operations.parts import JobWatcher, Parts
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title
from core.geometry import Box
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.audit.auditing import Audit
    from core.audit.finding import AuditFinding

_WIDTH, _HEIGHT, _AIR = 980, 560, 40
_KIND_WIDTH, _PICTURE_WIDTH, _SENTENCE_WIDTH = 190, 200, 460


class AuditDialog(QDialog):
    """A window beside the main one; it looks through the project when it is opened, and on F5."""

    def __init__(self, parent: QWidget, parts: Parts, watch: Callable[[], JobWatcher]) -> None:
        super().__init__(parent)
        self._window, self._parts, self._watch = parent, parts, watch
        self._job: LongJob | None = None
        self._boxes: dict[int, Box] = {}
        self._asked = 0
        set_title(self, tr("Audit of labels"))
        self.setWindowFlag(Qt.WindowType.WindowMaximizeButtonHint, True)
        self.resize(min(_WIDTH, parent.width() - _AIR), min(_HEIGHT, parent.height() - _AIR))
        self.model = AuditModel()
        self.kind = QComboBox()
        self.kind.setAccessibleName(tr("Kind of finding"))
        self.list = _FindingList(self)
        self.line = PlainLabel()
        self.line.setWordWrap(True)
        self.repair_button = _button(tr("&Repair (R)"), self.repair)
        self.ignore_button = _button(tr("&Ignore (I)"), self.ignore)
        self.show_button = _button(tr("&Show (Return)"), self.open_finding)
        self.again = _button(tr("&Audit again (F5)"), self.audit)
        self._arrange_widgets()
        self.kind.currentIndexChanged.connect(self._choose_kind)
        self.kind.activated.connect(lambda _: self.list.setFocus())
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._show_state())
        self.list.activated.connect(lambda _: self.open_finding())
        parts.session.project_changed.connect(self.reject)
        for keys, undo in ((QKeySequence.StandardKey.Undo, True), (QKeySequence.StandardKey.Redo, False)):
            QShortcut(keys, self).activated.connect(partial(reviewing.travel, parts, undo=undo))
        QShortcut(QKeySequence("F5"), self).activated.connect(self.audit)  # untranslated: a key
        self.finished.connect(lambda _: self._cancel())
        self.audit()
        self.list.setFocus()

    def _arrange_widgets(self) -> None:
        below = QHBoxLayout()
        below.addWidget(self.line, 1)
        for button in (self.show_button, self.repair_button, self.ignore_button, self.again):
            below.addWidget(button)
        below.addWidget(_button(tr("Close"), self.reject))
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(self.kind)
        layout.addWidget(self.list, 1)
        layout.addLayout(below)

    @property
    def is_ready(self) -> bool:
        """Whether no audit goes on."""
        return self._job is None

    @property
    def chosen(self) -> list[AuditFinding]:
        """The selected findings, from the top."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedRows())
        return [self.model.rows[row] for row in rows]

    # What the user does

    def audit(self) -> None:
        """Look through the project again."""
        if self._job is not None:
            return
        self.model.show_all([])
        self._job = auditing.audit_project(self._parts, watch=self._watch, on_done=self._take, on_end=self._ended)
        self._show_state()

    def repair(self) -> None:
        """Repair the selected findings as one undo step; those without a repair stay."""
        wanted = [finding for finding in self.chosen if finding.can_repair]
        if wanted:
            auditing.repair(self._parts, wanted, self._boxes, on_done=partial(self._repaired, wanted))

    def ignore(self) -> None:
        """Hide the selected findings until the next audit."""
        self._remove(self.chosen)

    def open_finding(self) -> None:
        """Show the picture of the first selected finding in the main window, and select its box."""
        finding = next(iter(self.chosen), None)
        if finding is not None and finding.image_id:
            reviewing.show_box(self._parts, finding.image_id, finding.correction_id)
            self._window.activateWindow()

    # What comes of it

    def _take(self, found: Audit) -> None:
        if isValid(self):
            self._boxes = {entry.id: entry.accepted for entry in found.dataset.corrections}
            self._asked = found.answered
            self.model.show_all(found.findings)
            self._fill_kinds()
            self._select(0)

    def _ended(self) -> None:
        if isValid(self):
            self._job = None
            self._show_state()

    def _repaired(self, findings: list[AuditFinding], moved: Mapping[int, Box]) -> None:
        if isValid(self):
            self._boxes |= moved
            self._remove(findings)

    def _remove(self, findings: list[AuditFinding]) -> None:
        row = min((index.row() for index in self.list.selectionModel().selectedRows()), default=0)
        self.model.remove(findings)
        self._fill_kinds()
        self._select(row)

    def _select(self, row: int) -> None:
        row = min(row, self.model.rowCount() - 1)
        if row >= 0:
            self.list.setCurrentIndex(self.model.index(row, 0))
        self._show_state()

    def _choose_kind(self) -> None:
        from core.audit.finding import Kind

        chosen = self.kind.currentData()  # a text: Qt takes the kinds for such
        self.model.show_kind(None if chosen is None else Kind(chosen))
        self._select(0)

    def _fill_kinds(self) -> None:
        from core.audit.finding import TITLES, Kind

        counts, chosen = self.model.counts, self.model.kind
        with QSignalBlocker(self.kind):
            self.kind.clear()
            self.kind.addItem(tr("All kinds ({count})", count=sum(counts.values())), None)
            for kind in Kind:
                if counts[kind]:
                    self.kind.addItem(f"{TITLES[kind]} ({counts[kind]})", kind)
            place = self.kind.findData(chosen) if chosen is not None else 0
            self.kind.setCurrentIndex(max(place, 0))
        if place < 0:
            self.model.show_kind(None)

    def _show_state(self) -> None:
        chosen = self.chosen
        self.repair_button.setEnabled(any(finding.can_repair for finding in chosen))
        self.ignore_button.setEnabled(bool(chosen))
        self.show_button.setEnabled(bool(chosen) and chosen[0].image_id != 0)
        self.again.setEnabled(self.is_ready)
        self.line.setText(self._words(chosen))

    def _words(self, chosen: list[AuditFinding]) -> str:
        if not self.is_ready:
            return tr("The labels are looked through. The list of jobs in the main window has Cancel.")
        if chosen:
            return chosen[0].sentence
        if self.model.counts:
            return tr("Choose a finding.")
        return tr_plural(
            "Nothing is found, or left. The refiner was asked about {count} box.",
            "Nothing is found, or left. The refiner was asked about {count} boxes.",
            self._asked,
        )

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()


class _FindingList(QTreeView):
    """The findings; it keeps its own keys from shortcuts of the dialog."""

    def __init__(self, dialog: AuditDialog) -> None:
        super().__init__()
        self._dialog = dialog
        self.setModel(dialog.model)
        self.setStyleSheet(scale.ROWS)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setAccessibleName(tr("Findings"))
        for column, width in enumerate((_KIND_WIDTH, _PICTURE_WIDTH, _SENTENCE_WIDTH)):
            self.setColumnWidth(column, width)
        self.header().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.header().setStretchLastSection(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        calls = {Qt.Key.Key_R: self._dialog.repair, Qt.Key.Key_I: self._dialog.ignore}
        call = calls.get(Qt.Key(event.key())) if plain else None
        if call is None:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            call()


def _button(title: str, call: Callable[[], object]) -> QPushButton:
    button = QPushButton(title)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _: call())
    return button
