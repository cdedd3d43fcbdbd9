"""The image list: a lazy model over the listed images, and its view."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QFocusEvent, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableView,
)

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.panels.image_row import BAND_HEIGHT, LEAST_WIDTH, ROW, ROW_HEIGHT, Band, ImageDelegate, Index, Row
from boxrefine_gui.panels.thumbnails import Thumbnails
from boxrefine_gui.state.project_view import MANY_IMAGES
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.empty_hint import paint_empty_hint
from boxrefine_gui.widgets.plain_text import in_one_line, tooltip
from core.listing import Order
from core.marks import Mark
from core.records import Changes, ImageRecord
from core.translation import tr

_NO_MARK = Mark()
NOTHING_LISTED = tr("No image is listed here. Choose another filter above, or search for something else.")
NOTHING_OPEN = tr("The images of the folder that you open stand here.")
ALL_ROWS = -1
_IN_FOLDERS = (Order.ADDED, Order.NAME)
"""Orders in which the images of a folder are together."""


class ImageListModel(QAbstractListModel):
    """The listed images; rows are computed when they become visible.

    A changed row keeps its size, so the model emits `touched` instead of dataChanged, after which a list view lays out
    all rows again.
    """

    touched = Signal(int)  # a row, or ALL_ROWS
    thumbnail_read = Signal()

    def __init__(self, session: Session, lane: QueueLane) -> None:
        super().__init__()
        self._session = session
        self._thumbnails = Thumbnails(lane, self._thumbnail_ready)
        self._shown = 0
        self.is_steady = True  # whether the rows are those of the list, and none is just coming or going
        self._end: Callable[[], None] = self.endResetModel
        self._starts: list[int] | None = None  # the places at which a folder begins; None if not worked out
        self._project = session.project_path
        session.changed.connect(self._changed)
        session.left_changed.connect(self._touch)
        session.listed.reset.connect(self._reset)
        session.listed.grows.connect(self._grows)
        session.listed.shrinks.connect(self._shrinks)
        session.listed.changed.connect(self._edited)
        session.folders_changed.connect(self._forget_starts)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else self._shown

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        record = self._session.listed[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return in_one_line(record.path.name)
        if role == Qt.ItemDataRole.DecorationRole:
            return self.thumbnail_of(record)
        row = self._row(record, index.row())
        if role == Qt.ItemDataRole.ToolTipRole:
            notes = [str(record.path), *filter(None, [row.waits, row.doubts]), *row.marks]
            return tooltip(row.problem or "\n".join(notes))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.description
        return row if role == ROW else None

    @property
    def starts(self) -> list[int]:
        """The places at which another folder begins; empty if there is one only, or if the order mixes them."""
        if self._starts is None:
            session = self._session
            is_grouped = session.folders.are_several and session.query.order in _IN_FOLDERS
            self._starts = session.folders.starts(session.listed.rows) if is_grouped else []
        return self._starts

    def _forget_starts(self) -> None:
        self._starts = None

    def _band(self, place: int) -> Band | None:
        """The header of the folder that begins at a place, None if none does."""
        starts, folders = self.starts, self._session.folders
        at = bisect_left(starts, place)
        if at == len(starts) or starts[at] != place:
            return None
        end = starts[at + 1] if at + 1 < len(starts) else self._shown
        number = folders.numbers[self._session.listed.row_at(place)]
        return Band(in_one_line(folders.names[number] or folders.base), folders.splits[number], end - place)

    def _folder(self, place: int) -> str:
        folders, row = self._session.folders, self._session.listed.row_at(place)
        if not folders.are_several or row >= len(folders.numbers):
            return ""
        return in_one_line(folders.names[folders.numbers[row]] or folders.base)

    def _row(self, record: ImageRecord, place: int) -> Row:
        session = self._session
        mark = session.tally.marks.get(record.id, _NO_MARK)
        return Row(
            in_one_line(record.path.name),
            (record.width, record.height),
            count=session.counts.get(record.id, 0),
            to_check=session.to_check.get(record.id, 0),
            drawn=session.drawn_on(record.id),
            doubtful=session.doubtful.get(record.id, 0),
            problem=session.problems.get(record.id),
            is_missing=record.id in session.missing,
            done=mark.done,
            flag=mark.flag,
            folder=self._folder(place),
            band=self._band(place),
        )

    @property
    def thumbnails_read(self) -> int:
        """How many thumbnails were requested."""
        return self._thumbnails.wishes

    def thumbnail_of(self, record: ImageRecord) -> QPixmap | None:
        """The thumbnail of an image; None until it is read, which `thumbnail_read` reports."""
        return self._thumbnails.of(record.id, record.path)

    def _thumbnail_ready(self, image_id: int) -> None:
        self._touch(image_id)
        self.thumbnail_read.emit()

    def _touch(self, image_id: int) -> None:
        place = self._session.listed.place_of(self._session.row_of(image_id))
        if place is not None and place < self._shown:
            self.touched.emit(place)

    def _changed(self, changes: Changes) -> None:
        touched = changes.image_ids | changes.marked_ids
        if changes.images:
            self._thumbnails.retry()
        if changes.images or changes.categories or len(touched) > MANY_IMAGES:
            self.touched.emit(ALL_ROWS)
            return
        for image_id in touched:
            self._touch(image_id)

    # Following the list

    def _reset(self) -> None:
        if self._session.project_path != self._project:
            self._project = self._session.project_path
            self._thumbnails.forget()
        self.is_steady = False
        self._forget_starts()
        self.beginResetModel()
        self._shown = len(self._session.listed)
        self.endResetModel()
        self.is_steady = True

    def _grows(self, first: int, last: int) -> None:
        self.is_steady = False
        self.beginInsertRows(QModelIndex(), first, last)
        self._end = self.endInsertRows

    def _shrinks(self, place: int) -> None:
        self.is_steady = False
        self.beginRemoveRows(QModelIndex(), place, place)
        self._end = self.endRemoveRows

    def _edited(self) -> None:
        self._shown = len(self._session.listed)
        self._forget_starts()
        self._end()
        self.is_steady = True


class ImageList(QTableView):
    """The listed images; choosing a row opens it.

    A table of one column, because a list view lays out all its rows again after each one that comes or goes.
    """

    typed = Signal(str)  # a letter, which begins a search

    def __init__(self, parts: Parts, lane: QueueLane) -> None:
        super().__init__()
        self._parts = parts
        self._is_entering = False
        self._banded: list[int] = []  # the places whose rows are higher, because a folder begins there
        self._images = ImageListModel(parts.session, lane)
        self.thumbnail_of = self._images.thumbnail_of
        self.thumbnail_read = self._images.thumbnail_read
        self.setModel(self._images)
        self.setItemDelegate(ImageDelegate(self))
        self._look_like_a_list()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(tr("Images"))
        self._images.touched.connect(self._repaint)
        self._images.rowsInserted.connect(self._rows_came)
        self._images.rowsRemoved.connect(self._rows_went)
        self.selectionModel().currentChanged.connect(self._chosen)
        parts.session.listed.reset.connect(self.scrollToTop)
        parts.session.image_changed.connect(self._show_open)
        parts.session.changed.connect(self._show_open)
        for signal in (parts.session.listed.reset, parts.session.listed.changed, parts.session.folders_changed):
            signal.connect(self._make_room)
            signal.connect(self._show_open)

    def _look_like_a_list(self) -> None:
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.horizontalHeader().hide()
        self.horizontalHeader().setMinimumSectionSize(LEAST_WIDTH)
        self.horizontalHeader().setStretchLastSection(True)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)

    @property
    def thumbnails_read(self) -> int:
        """How many thumbnails were requested."""
        return self._images.thumbnails_read

    def _make_room(self) -> None:
        """Make the rows higher at which a folder begins, for its name."""
        starts, header = self._images.starts, self.verticalHeader()
        before, after = set(self._banded), set(starts)
        self._banded = starts
        if before == after:
            return
        header.setUpdatesEnabled(False)  # else each change of a height lays out the rows again
        for place in before - after:
            if place < header.count():
                header.resizeSection(place, ROW_HEIGHT)
        for place in after - before:
            header.resizeSection(place, ROW_HEIGHT + BAND_HEIGHT)
        header.setUpdatesEnabled(True)

    def _rows_came(self, _: QModelIndex, first: int, last: int) -> None:
        """The heights of the rows below move with them."""
        count = last - first + 1
        self._banded = [place + count if place >= first else place for place in self._banded]

    def _rows_went(self, _: QModelIndex, first: int, last: int) -> None:
        count = last - first + 1
        kept = [place for place in self._banded if not first <= place <= last]
        self._banded = [place - count if place > last else place for place in kept]

    def offer(self, actions: Sequence[QAction]) -> None:
        """Offer actions on the open image in a context menu; the right button opens the image of its row first."""
        self.addActions(actions)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Move to the first or last row by Home and End, which a table moves to the first and last column."""
        if action == QAbstractItemView.CursorAction.MoveHome:
            return self._images.index(0)
        if action == QAbstractItemView.CursorAction.MoveEnd:
            return self._images.index(self._images.rowCount() - 1)
        return super().moveCursor(action, modifiers)

    def keyboardSearch(self, search: str) -> None:
        """Hand a typed letter to the search; Qt would read the names of all rows for it."""
        self.typed.emit(search)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Take the keyboard; without a current row, Qt makes the first one current, which would open its image."""
        self._is_entering = True
        super().focusInEvent(event)
        self._is_entering = False
        self._show_open()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        session = self._parts.session
        if self._images.rowCount() == 0 and session.scan is None:
            paint_empty_hint(self, NOTHING_LISTED if session.images else NOTHING_OPEN)

    def _repaint(self, row: int) -> None:
        if row == ALL_ROWS:
            self.viewport().update()
        else:
            self.update(self._images.index(row))

    def _chosen(self, current: QModelIndex) -> None:
        if self._is_entering:
            return
        self._follow()
        if self._images.is_steady and current.isValid() and current.row() < len(self._parts.session.listed):
            box_verbs.show_image(self._parts, self._parts.session.listed[current.row()].id)

    def _show_open(self) -> None:
        """Select the open image and repaint its row alone: painting all rows takes as long as the picture."""
        place = self._parts.session.place
        if not self._images.is_steady or (place is not None and place >= self._images.rowCount()):
            return
        if place is None:
            if self.currentIndex().isValid():
                self.setCurrentIndex(QModelIndex())
            return
        self._repaint(place)  # its problem may be gone
        if place != self.currentIndex().row():
            self.setCurrentIndex(self._images.index(place))
        self._follow()

    def _follow(self) -> None:
        """Keep the current row in view, and the row below it: that is where the user goes next."""
        row = self.currentIndex().row()
        if row >= 0:
            for shown in (min(row + 1, self._images.rowCount() - 1), row):
                self.scrollTo(self._images.index(shown))
