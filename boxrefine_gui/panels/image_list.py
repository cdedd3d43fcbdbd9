"""The image list: a lazy model over the session's images, and how one row is painted."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.operations.box_verbs import Parts
from boxrefine_gui.panels.thumbnails import Thumbnails
from boxrefine_gui.state.project_view import MANY_IMAGES
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.plain_text import in_one_line, tooltip
from core.records import Changes, ImageRecord
from core.translation import tr, tr_plural

_ROW_HEIGHT = 60
_PICTURE = QSize(64, 48)
_MARGIN = 6
_LEAST_WIDTH = 100  # rows are as wide as the list if it is wider
_BADGE = QSize(22, 18)
BATCH = 500
ALL_ROWS = -1

Index = QModelIndex | QPersistentModelIndex


ROW = Qt.ItemDataRole.UserRole + 1
"""The role of a row's `Row`."""


@dataclass(frozen=True)
class Row:
    """What a row shows besides its thumbnail, under one role: each call from C++ to Python takes time."""

    name: str
    size: tuple[int, int]
    count: int
    to_check: int
    problem: str | None
    is_missing: bool
    drawn: int = 0
    doubtful: int = 0

    @property
    def left(self) -> int:
        """How many boxes are not accepted yet."""
        return self.to_check + self.drawn

    @property
    def badge(self) -> int:
        """The number in the badge: boxes that are not accepted yet, or all boxes if all are accepted."""
        return self.left or self.count

    @property
    def waits(self) -> str:
        """The boxes that are not accepted yet, as a text; empty if there are none."""
        to_check = tr_plural(
            "{to_check} of its {count} box to check",
            "{to_check} of its {count} boxes to check",
            self.count,
            to_check=self.to_check,
        )
        drawn = tr_plural("{count} drawn box not accepted", "{count} drawn boxes not accepted", self.drawn)
        return ", ".join([to_check] * (self.to_check > 0) + [drawn] * (self.drawn > 0))

    @property
    def doubts(self) -> str:
        """How many boxes were accepted with an edge in doubt, as a text; empty if there are none."""
        words = tr_plural("{count} box with an edge in doubt", "{count} boxes with an edge in doubt", self.doubtful)
        return words if self.doubtful else ""

    @property
    def description(self) -> str:
        """The row as a text for screen readers."""
        if self.problem:
            return f"{self.name}, {self.problem}"
        boxes = tr_plural("{count} box", "{count} boxes", self.count)
        to_check = tr("{count} to check", count=self.to_check)
        drawn = [tr("{count} not accepted", count=self.drawn)] if self.drawn else []
        return ", ".join([self.name, boxes, to_check, *drawn, *filter(None, [self.doubts])])


class ImageListModel(QAbstractListModel):
    """The session's images; rows are computed when they become visible.

    A changed row keeps its size, so the model emits `touched` instead of dataChanged, after which a list view lays out
    all rows again.
    """

    touched = Signal(int)  # a row, or ALL_ROWS

    def __init__(self, session: Session, lane: QueueLane) -> None:
        super().__init__()
        self._session = session
        self._thumbnails = Thumbnails(lane, self._thumbnail_ready)
        self._shown = 0
        self._project = session.project_path
        session.changed.connect(self._changed)
        session.left_changed.connect(self._touch)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else self._shown

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        record = self._session.images[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return in_one_line(record.path.name)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._thumbnails.of(record.id, record.path)
        row = self._row(record)
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [row.problem] if row.problem else [str(record.path), row.waits, row.doubts]
            return tooltip("\n".join(filter(None, lines)))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.description
        return row if role == ROW else None

    def _row(self, record: ImageRecord) -> Row:
        session = self._session
        return Row(
            in_one_line(record.path.name),
            (record.width, record.height),
            count=session.counts.get(record.id, 0),
            to_check=session.to_check.get(record.id, 0),
            drawn=session.drawn_on(record.id),
            doubtful=session.doubtful.get(record.id, 0),
            problem=session.problems.get(record.id),
            is_missing=record.id in session.missing,
        )

    @property
    def thumbnails_read(self) -> int:
        """How many thumbnails were requested."""
        return self._thumbnails.wishes

    def _thumbnail_ready(self, image_id: int) -> None:
        self._touch(image_id)

    def _touch(self, image_id: int) -> None:
        row = self._session.row_of(image_id)
        if row is not None and row < self._shown:
            self.touched.emit(row)

    def _changed(self, changes: Changes) -> None:
        if changes.images:
            self._images_changed()
        if len(changes.image_ids) > MANY_IMAGES:
            self.touched.emit(ALL_ROWS)
            return
        for image_id in changes.image_ids:
            self._touch(image_id)

    def _images_changed(self) -> None:
        count = len(self._session.images)
        self._thumbnails.retry()
        self.touched.emit(ALL_ROWS)
        if self._session.project_path == self._project and count >= self._shown:
            if count > self._shown:
                self.beginInsertRows(QModelIndex(), self._shown, count - 1)
                self._shown = count
                self.endInsertRows()
            return
        self._thumbnails.forget()
        self.beginResetModel()
        self._project, self._shown = self._session.project_path, count
        self.endResetModel()


class ImageDelegate(QStyledItemDelegate):
    """Paints a row: thumbnail, name, size, and a badge with the number of boxes, or of those not accepted yet.

    A dot at the badge means doubt.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(_LEAST_WIDTH, _ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Let the style paint the selection only: initStyleOption would read roles that are not shown."""
        painter.save()
        option.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        area: QRect = option.rect.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        palette: QPalette = option.palette
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        row: Row = index.data(ROW)
        _paint_picture(painter, area, index.data(Qt.ItemDataRole.DecorationRole), palette)
        room = area.adjusted(_PICTURE.width() + _MARGIN + 2, 0, 0, 0)
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        _paint_text(painter, room, row, palette.color(role))
        if row.badge:
            place = badge_place(painter.fontMetrics(), area, row)
            _paint_badge(painter, place, row.badge, is_open=bool(row.left))
            if row.doubtful:
                _paint_doubt(painter, place, palette.color(QPalette.ColorRole.Base))
        painter.restore()


def badge_place(metrics: QFontMetrics, area: QRect, row: Row) -> QRect:
    """The rectangle of the badge: at the end of the row, or on the thumbnail if the text leaves no room."""
    width = max(metrics.horizontalAdvance(str(row.badge)) + 12, _BADGE.width())
    room = area.width() - _PICTURE.width() - _MARGIN - 2 - width
    right = area.right() if room > metrics.horizontalAdvance(_second_line(row)) else area.left() + _PICTURE.width()
    return QRect(right - width, area.bottom() - _BADGE.height(), width, _BADGE.height())


def _second_line(row: Row) -> str:
    if row.problem:
        return tr("gone, boxes are kept") if row.is_missing else tr("cannot be read")
    return f"{row.size[0]} × {row.size[1]}"


def _paint_picture(painter: QPainter, area: QRect, pixmap: QPixmap | None, palette: QPalette) -> None:
    frame = QRect(area.topLeft(), _PICTURE)
    if pixmap is None:
        painter.fillRect(frame, palette.color(QPalette.ColorRole.Mid))
        return
    fitted = pixmap.size().scaled(_PICTURE, Qt.AspectRatioMode.KeepAspectRatio)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    place = QRect(frame.topLeft(), fitted)
    place.moveCenter(frame.center())
    painter.drawPixmap(place, pixmap)


def _paint_badge(painter: QPainter, place: QRect, count: int, *, is_open: bool) -> None:
    """The number of boxes; hollow if some are not accepted yet."""
    plate = QRectF(place)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.TO_CHECK, 2.0) if is_open else Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#101215") if is_open else QColor("#0B62A8"))
    painter.drawRoundedRect(plate.adjusted(1, 1, -1, -1) if is_open else plate, 9, 9)
    painter.setPen(theme.TO_CHECK if is_open else QColor("#FFFFFF"))
    painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), str(count))


def _paint_doubt(painter: QPainter, badge: QRect, ground: QColor) -> None:
    """A dot at the corner of the badge: a box was accepted with an edge in doubt."""
    painter.setPen(QPen(ground, 1.5))
    painter.setBrush(theme.DOUBTFUL)
    painter.drawEllipse(QRectF(badge).topRight() + QPointF(-2.0, 2.0), 4.5, 4.5)


def _paint_text(painter: QPainter, room: QRect, row: Row, color: QColor) -> None:
    metrics = QFontMetrics(painter.font())
    name = metrics.elidedText(row.name, Qt.TextElideMode.ElideMiddle, room.width())
    top = QRect(room.left(), room.top() + 2, room.width(), metrics.height())
    painter.setPen(color)
    painter.drawText(top, int(Qt.AlignmentFlag.AlignLeft), name)
    painter.setPen(theme.problem_color() if row.problem else _fade(color))
    below = metrics.elidedText(_second_line(row), Qt.TextElideMode.ElideRight, room.width())
    painter.drawText(top.translated(0, metrics.height() + 4), int(Qt.AlignmentFlag.AlignLeft), below)


def _fade(color: QColor) -> QColor:
    faded = QColor(color)
    faded.setAlpha(170)
    return faded


class ImageList(QListView):
    """The images of the project; choosing a row opens it."""

    def __init__(self, parts: Parts, lane: QueueLane) -> None:
        super().__init__()
        self._parts = parts
        self._images = ImageListModel(parts.session, lane)
        self.setModel(self._images)
        self.setItemDelegate(ImageDelegate(self))
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)  # else Qt lays out all rows of a large project at once
        self.setBatchSize(BATCH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(tr("Images"))
        self._is_seeking = False
        self._images.touched.connect(self._repaint)
        self.verticalScrollBar().rangeChanged.connect(self._seek)
        self.selectionModel().currentChanged.connect(self._chosen)
        parts.session.image_changed.connect(self._show_open)
        parts.session.changed.connect(self._show_open)

    @property
    def thumbnails_read(self) -> int:
        """How many thumbnails were requested."""
        return self._images.thumbnails_read

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Move to the last row; Qt moves only to the last row that it has laid out so far."""
        if action == QAbstractItemView.CursorAction.MoveEnd:
            return self._images.index(self._images.rowCount() - 1)
        return super().moveCursor(action, modifiers)

    def _repaint(self, row: int) -> None:
        if row == ALL_ROWS:
            self.viewport().update()
        else:
            self.update(self._images.index(row))

    def _chosen(self, current: QModelIndex) -> None:
        self._is_seeking = True
        self._seek()
        images = self._parts.session.images
        if current.isValid() and current.row() < len(images):
            box_verbs.show_image(self._parts, images[current.row()].id)

    def _show_open(self) -> None:
        """Select the open image and repaint its row alone: painting all rows takes as long as the picture."""
        row = self._parts.session.row
        if row is None or row >= self._images.rowCount():
            return
        self._repaint(row)  # its problem may be gone
        if row != self.currentIndex().row():
            self.setCurrentIndex(self._images.index(row))
            self._is_seeking = True
            self._seek()

    def _seek(self) -> None:
        """Scroll to the open image; a long list must lay out its row first, so this may take several calls."""
        if self._is_seeking:
            self.scrollTo(self.currentIndex())
            self._is_seeking = not self.viewport().rect().contains(self.visualRect(self.currentIndex()).center())
