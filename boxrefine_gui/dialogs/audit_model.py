"""The findings of an audit as a table model: filtered by kind, without those that are ignored or repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from boxrefine_gui.widgets.plain_text import in_one_line, tooltip
from core.translation import tr

if TYPE_CHECKING:
    from core.audit.finding import AuditFinding, Kind

Index = QModelIndex | QPersistentModelIndex
COLUMNS = (tr("Kind"), tr("Picture"), tr("Finding"), tr("Severity"))
_KIND, _PICTURE, _SENTENCE, _SEVERITY = range(4)


class AuditModel(QAbstractTableModel):
    """Findings, the worst first."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[AuditFinding] = []
        self.kind: Kind | None = None
        self.rows: list[AuditFinding] = []

    @property
    def counts(self) -> Counter[Kind]:
        """How many findings of each kind are left."""
        return Counter(finding.kind for finding in self._all)

    def show_all(self, findings: Sequence[AuditFinding]) -> None:
        """Show other findings."""
        self._all = list(findings)
        self._fill()

    def show_kind(self, kind: Kind | None) -> None:
        """Show the findings of one kind; None: of all."""
        self.kind = kind
        self._fill()

    def remove(self, findings: Iterable[AuditFinding]) -> None:
        """Remove findings until the next audit."""
        gone = {id(finding) for finding in findings}
        self._all = [finding for finding in self._all if id(finding) not in gone]
        self._fill()

    def _fill(self) -> None:
        self.beginResetModel()
        self.rows = [finding for finding in self._all if self.kind is None or finding.kind is self.kind]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        from core.audit.finding import TITLES

        finding = self.rows[index.row()]
        cells = {
            _KIND: TITLES[finding.kind],
            _PICTURE: in_one_line(finding.picture),
            _SENTENCE: in_one_line(finding.sentence),
            _SEVERITY: f"{100 * finding.severity:.0f} %",
        }
        if role == Qt.ItemDataRole.DisplayRole:
            return cells[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(finding.sentence)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, cells.values()))
        return None
