"""The boxes of a review as a table model: they keep their places while they change, and deleted ones stay as such."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from boxrefine_gui.inference.crops import Crop, Crops, Wish
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.picture_name import picture_name
from boxrefine_gui.widgets.plain_text import in_one_line, tooltip
from boxrefine_gui.widgets.verdict_words import verdict_words
from core.reviews import Arrangement, ReviewItem, Verdict
from core.translation import tr

Index = QModelIndex | QPersistentModelIndex
CELL = Qt.ItemDataRole.UserRole + 1
"""The role of a `Cell`; None behind the last box."""


@dataclass(frozen=True)
class Cell:
    """What a cell shows: the box, None if it was deleted meanwhile, its category and its crop, None if not cut yet."""

    item: ReviewItem | None
    category: str
    crop: Crop | None


class ReviewModel(QAbstractTableModel):
    """The boxes of a review, line by line; `side` is the long side of the crops in pixels.

    A table, because a list view lays out each of 100,000 boxes. Cells keep their size, so the model emits `touched`
    instead of dataChanged.
    """

    touched = Signal()

    def __init__(self, session: Session, lane: QueueLane) -> None:
        super().__init__()
        self._session = session
        self.side = 256
        self.columns = 1
        self.crops = Crops(lane, self.touched.emit)
        self.items: dict[int, ReviewItem] = {}
        """All boxes of the project by id; the cells show some of them."""
        self._on_image: dict[int, set[int]] = {}  # image id -> ids of its boxes
        self._read: tuple[dict[int, ReviewItem], dict[int, set[int]]] = {}, {}  # the same, of a read that goes on
        self._rows = Arrangement()
        self._counts: Counter[Verdict] = Counter()  # of the cells, for counting 100,000 takes long
        self._names: dict[int, str] = {}

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else -(-self.boxes // self.columns)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else self.columns

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) if self.place(index) >= 0 else Qt.ItemFlag.NoItemFlags

    @property
    def boxes(self) -> int:
        """How many boxes are shown."""
        return len(self._rows.ids)

    def place(self, index: Index) -> int:
        """The place of a cell among the boxes; -1 behind the last one."""
        place = index.row() * self.columns + index.column() if index.isValid() else -1
        return place if place < self.boxes else -1

    def at(self, place: int) -> QModelIndex:
        """The cell of a place."""
        return self.index(place // self.columns, place % self.columns)

    def set_columns(self, columns: int) -> None:
        """Show so many boxes in a line."""
        self.beginResetModel()
        self.columns = columns
        self.endResetModel()

    def show_rows(self, rows: Arrangement) -> None:
        """Show other boxes, or the same in another order."""
        self.beginResetModel()
        self._rows, self._counts = rows, Counter(rows.counts)
        self.endResetModel()

    def show_first(self, items: Sequence[ReviewItem], rows: Arrangement) -> None:
        """Show the first boxes that are read; `end` takes over all."""
        _add(items, self.items, self._on_image)
        self.show_rows(rows)

    def begin(self) -> None:
        """Begin to read all boxes; those that are known stay until `end`."""
        self._read = {}, {}

    def add(self, items: Sequence[ReviewItem]) -> None:
        """Add boxes that are read."""
        _add(items, *self._read)

    def end(self) -> None:
        """Take over the boxes that were added since `begin`; the cells keep their places."""
        self.items, self._on_image = self._read
        self._read = {}, {}
        self._counts = Counter(self.items[id].verdict for id in self._rows.ids if id in self.items)
        self.touched.emit()

    def put(self, items: Sequence[ReviewItem], image_ids: Iterable[int]) -> None:
        """Take over all boxes of some images, which have changed; the cells keep their places."""
        for image_id in image_ids:
            for id in self._on_image.pop(image_id, ()):
                self._count(self.items.pop(id), -1)
            for id in self._read[1].pop(image_id, ()):
                del self._read[0][id]
        _add(items, self.items, self._on_image)
        _add(items, *self._read)  # a read that goes on may have passed them
        for item in items:
            self._count(item, 1)
        self.touched.emit()

    def name_categories(self) -> None:
        """Take over the names of the categories."""
        self._names = {category.id: in_one_line(category.name) for category in self._session.categories}
        self.touched.emit()

    def _count(self, item: ReviewItem, step: int) -> None:
        if item.id in self._rows.known:
            self._counts[item.verdict] += step

    def item(self, place: int) -> ReviewItem | None:
        """The box at a place; None if it was deleted, or there is no such place."""
        return self.items.get(self._rows.ids[place]) if 0 <= place < self.boxes else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        place = self.place(index)
        if place < 0:
            return None
        item = self.item(place)
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
        return self._counts[verdict]

    def _name(self, item: ReviewItem | None) -> str:
        return "" if item is None else self._names.get(item.category_id, "")

    def _picture(self, item: ReviewItem) -> str:
        row = self._session.row_of(item.image_id)
        return "" if row is None else in_one_line(picture_name(self._session, self._session.images[row]))

    def _crop(self, item: ReviewItem) -> Crop | None:
        row = self._session.row_of(item.image_id)
        if row is None:
            return None
        return self.crops.of(Wish(self._session.images[row].path, item.box, item.before, self.side))


def _add(items: Iterable[ReviewItem], known: dict[int, ReviewItem], on_image: dict[int, set[int]]) -> None:
    for item in items:
        known[item.id] = item
        on_image.setdefault(item.image_id, set()).add(item.id)
