"""The history of a box: its versions, when and by whom they came, and a way back to each."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from boxrefine_gui.operations import reviewing
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, in_one_line, set_title
from core.records import Changes, Step, StepKind
from core.reviews import DRAWN, EARLIER, IMPORTED, NOW, REFINED, SUGGESTED, TWIN, Version
from core.translation import tr
from core.wording import step_title

_WIDTH, _HEIGHT = 760, 320
_AIR = 40


class HistoryDialog(QDialog):
    """Follows the changes of the box while it is shown."""

    def __init__(self, parent: QWidget, parts: Parts, correction_id: int) -> None:
        super().__init__(parent)
        self._parts, self._id = parts, correction_id
        self.versions: list[Version] = []
        set_title(self, tr("History of a box"))
        self.resize(min(_WIDTH, parent.width() - _AIR), min(_HEIGHT, parent.height() - _AIR))
        self.rows = QTreeWidget()
        self.rows.setStyleSheet(scale.ROWS)
        self.rows.setHeaderLabels([tr("What"), tr("Box"), tr("Category"), tr("When"), tr("By"), tr("Refined by")])
        self.rows.setRootIsDecorated(False)
        self.rows.setUniformRowHeights(True)
        self.rows.setAccessibleName(tr("Versions of the box"))
        self.rows.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.rows.currentItemChanged.connect(lambda *_: self._show_button())
        self.rows.itemActivated.connect(lambda *_: self.go_back())
        self.sentence = PlainLabel(tr("Reading the project…"))
        self.back = QPushButton(tr("&Go back to it"))
        self.back.setAutoDefault(False)
        self.back.clicked.connect(self.go_back)
        close = QPushButton(tr("Close"))
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        below = QHBoxLayout()
        below.addWidget(self.sentence, 1)
        below.addWidget(self.back)
        below.addWidget(close)
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addWidget(self.rows)
        layout.addLayout(below)
        parts.session.changed.connect(self._changed)
        parts.session.project_changed.connect(self.reject)
        self.read()

    def read(self) -> None:
        """Read the history again."""
        reviewing.read_history(self._parts, self._id, on_done=partial(_show, self))

    def show_versions(self, versions: list[Version]) -> None:
        """Show versions, the earliest first."""
        names = {category.id: in_one_line(category.name) for category in self._parts.session.categories}
        self.versions = versions
        self.rows.clear()
        last: QTreeWidgetItem | None = None
        for version in versions:
            maker = ", ".join(filter(None, (version.encoder, version.refiner)))
            if version.score is not None:
                maker = tr("{maker} (score {score})", maker=maker, score=f"{version.score:.2f}")
            cells = [_kind(version.kind), _numbers(version), names.get(version.category_id, tr("deleted"))]
            cells += [_when(version.when), in_one_line(version.by), in_one_line(maker)]
            last = QTreeWidgetItem(cells)
            self.rows.addTopLevelItem(last)
        if last is not None:
            self.rows.setCurrentItem(last)
        self.sentence.setText("" if versions else tr("This box is deleted. Undo brings it back."))
        self._show_button()

    def go_back(self) -> None:
        """Make the chosen version the accepted box."""
        version = self._chosen
        if version is not None and self.back.isEnabled():
            reviewing.go_back(self._parts, self._id, version.box, version.category_id)

    @property
    def _chosen(self) -> Version | None:
        item = self.rows.currentItem()
        row = -1 if item is None else self.rows.indexOfTopLevelItem(item)
        return self.versions[row] if 0 <= row < len(self.versions) else None

    def _show_button(self) -> None:
        chosen, known = self._chosen, {category.id for category in self._parts.session.categories}
        is_other = chosen is not None and chosen.kind != NOW
        self.back.setEnabled(is_other and chosen is not None and chosen.category_id in known)

    def _changed(self, changes: Changes) -> None:
        if changes.image_ids or changes.categories:
            self.read()


def _show(dialog: HistoryDialog, versions: list[Version]) -> None:
    if isValid(dialog):  # else it was closed meanwhile, and is deleted
        dialog.show_versions(versions)


def _kind(kind: str) -> str:
    own = {
        DRAWN: tr("Drawn"),
        IMPORTED: tr("Imported"),
        SUGGESTED: tr("Suggested"),
        REFINED: tr("Refined"),
        EARLIER: tr("Earlier"),
        TWIN: tr("In a merged project"),
        NOW: tr("As it is now"),
        StepKind.IMPORT.value: tr("Imported"),
    }
    return own[kind] if kind in own else step_title(Step(StepKind(kind), 1))


def _numbers(version: Version) -> str:
    box = version.box
    return f"{box.x1:.0f}, {box.y1:.0f}   {box.width:.0f} × {box.height:.0f}"


def _when(moment: str) -> str:
    """A stored time in the time zone of this computer; empty if it is not known."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return ""
