"""The boxes of a review as a list model: rows keep their places while boxes change, and deleted ones stay as such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from boxrefine_gui.inference.crops import Crop, Crops, Wish
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.plain_text import in_one_line, tooltip
from boxrefine_gui.widgets.verdict_words import verdict_words
from core.reviews import ReviewItem, Verdict
from core.translation import tr

Index = QModelIndex | QPersistentModelIndex
CELL = Qt.ItemDataRole.UserRole + 1
"""The role of a row's `Cell`."""


@dataclass(frozen=True)
class Cell:
    """What a row shows: the box, None if it was deleted meanwhile, its category and its crop, None if not cut yet."""

    item: ReviewItem | None
    category: str
    crop: Crop | None


class ReviewModel(QAbstractListModel):
    """The boxes of a review; `side` is the long side of the crops in pixels.

    Cells keep their size, so the model emits `touched` instead of dataChanged, after which a list view lays out all.
    """

    touched = Signal()

    def __init__(self, session: Session, lane: QueueLane) -> None:
        super().__init__()
        self._session = session
        self.side = 256
        self.crops = Crops(lane, self._crops_ready)
        self.items: dict[int, ReviewItem] = {}
        """All boxes of the project by id; the rows are some of them."""
        self._ids: list[int] = []
        self._names: dict[int, str] = {}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self._ids)

    def show_items(self, items: Sequence[ReviewItem]) -> None:
        """Show these boxes in this order."""
        self.beginResetModel()
        self._ids = [item.id for item in items]
        self._names = {category.id: in_one_line(category.name) for category in self._session.categories}
        self.endResetModel()

    def put(self, items: Mapping[int, ReviewItem], image_ids: frozenset[int] | None) -> None:
        """Take over the boxes of some images (None: of all), which have changed; the rows keep their places."""
        if image_ids is None:
            self.items = dict(items)
        else:
            for id in [id for id, item in self.items.items() if item.image_id in image_ids and id not in items]:
                del self.items[id]
            self.items.update(items)
        self._names = {category.id: in_one_line(category.name) for category in self._session.categories}
        self._crops_ready()

    def item(self, row: int) -> ReviewItem | None:
        """The box of a row; None if it was deleted, or there is no such row."""
        return self.items.get(self._ids[row]) if 0 <= row < len(self._ids) else None

    def row_of(self, correction_id: int) -> int | None:
        """The row of a box; None without one."""
        return self._ids.index(correction_id) if correction_id in self._ids else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.item(index.row())
        if role == CELL:
            return Cell(item, self._name(item), None if item is None else self._crop(item))
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.DisplayRole):
            return self.words(item)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip("\n".join(filter(None, [self.words(item), "" if item is None else item.comment])))
        return None

    def words(self, item: ReviewItem | None) -> str:
        """A box as a text: category, picture, and what is known of it."""
        if item is None:
            return tr("deleted")
        parts = [self._name(item), self._picture(item), *verdict_words(item.verdict)]
        parts += [] if item.confirmed else [tr("to check")]
        parts += [tr("in doubt")] if item.doubtful else []
        if item.by_hand:
            parts.append(tr("changed by hand ({percent} %)", percent=round(100 * item.change)))
        return ", ".join(filter(None, parts))

    def count(self, verdict: Verdict) -> int:
        """How many of the shown boxes have a verdict."""
        return sum(self.items[id].verdict is verdict for id in self._ids if id in self.items)

    def _name(self, item: ReviewItem | None) -> str:
        return "" if item is None else self._names.get(item.category_id, "")

    def _picture(self, item: ReviewItem) -> str:
        row = self._session.row_of(item.image_id)
        return "" if row is None else in_one_line(self._session.images[row].path.name)

    def _crop(self, item: ReviewItem) -> Crop | None:
        row = self._session.row_of(item.image_id)
        if row is None:
            return None
        return self.crops.of(Wish(self._session.images[row].path, item.box, item.before, self.side))

    def _crops_ready(self) -> None:
        self.touched.emit()
