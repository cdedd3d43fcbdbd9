"""A row of the image list: what it shows, and how it is painted."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.elided_name import elided_name
from boxrefine_gui.widgets.plain_text import in_one_line
from core.translation import tr, tr_plural

ROW_HEIGHT = 60
LEAST_WIDTH = 100  # rows are as wide as the list if it is wider
_PICTURE = QSize(64, 48)
_MARGIN = 6
_BADGE = QSize(22, 18)

Index = QModelIndex | QPersistentModelIndex


BAND_HEIGHT = 24
"""Height of the name of a folder, above the first of its rows."""

ROW = Qt.ItemDataRole.UserRole + 1
"""The role of a row's `Row`."""


@dataclass(frozen=True)
class Band:
    """The header of a folder: its name, the split that it belongs to, and how many of its images follow."""

    name: str
    split: str
    count: int

    @property
    def words(self) -> str:
        """The header as a text."""
        return " · ".join([*filter(None, [self.split, self.place]), f"{self.count:,}"])

    @property
    def place(self) -> str:
        """The folder, unless it is called as its split."""
        return "" if self.name == self.split else self.name


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
    done: bool = False
    flag: str | None = None
    folder: str = ""
    band: Band | None = None

    @property
    def left(self) -> int:
        """How many boxes are not accepted yet."""
        return self.to_check + self.drawn

    @property
    def badge(self) -> int:
        """The number in the badge: boxes that are not accepted yet, or all boxes if all are accepted."""
        return self.left or self.count

    @property
    def badge_text(self) -> str:
        """The text of the badge; empty without one."""
        number = str(self.badge) if self.badge else ""
        return f"✓ {number}".strip() if self.done and not self.left else number

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
        place = [tr("folder {name}", name=self.folder)] if self.folder else []
        if self.problem:
            return ", ".join([self.name, self.problem, *place])
        boxes = tr_plural("{count} box", "{count} boxes", self.count)
        to_check = tr("{count} to check", count=self.to_check)
        drawn = [tr("{count} not accepted", count=self.drawn)] if self.drawn else []
        return ", ".join([self.name, boxes, to_check, *drawn, *filter(None, [self.doubts]), *self.marks, *place])

    @property
    def marks(self) -> list[str]:
        """What the user has marked, as texts."""
        done = [tr("done")] if self.done else []
        flag = [tr("flagged: {note}", note=in_one_line(self.flag)) if self.flag else tr("flagged")]
        return done + (flag if self.flag is not None else [])


class ImageDelegate(QStyledItemDelegate):
    """Paints a row: thumbnail, name, size, and a badge with the number of boxes, or of those not accepted yet.

    A dot at the badge means doubt.
    """

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(LEAST_WIDTH, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Let the style paint the selection only: initStyleOption would read roles that are not shown."""
        painter.save()
        row: Row = index.data(ROW)
        if row.band is not None:
            option = QStyleOptionViewItem(option)
            band = QRect(option.rect.topLeft(), QSize(option.rect.width(), BAND_HEIGHT))
            _paint_band(painter, band, row.band, option.palette)
            option.rect = option.rect.adjusted(0, BAND_HEIGHT, 0, 0)
        option.widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        area: QRect = option.rect.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        palette: QPalette = option.palette
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        _paint_picture(painter, area, index.data(Qt.ItemDataRole.DecorationRole), palette)
        room = area.adjusted(_PICTURE.width() + _MARGIN + 2, 0, 0, 0)
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        _paint_text(painter, room, row, palette.color(role))
        if row.flag is not None:
            _paint_flag(painter, area.topLeft())
        if row.badge_text:
            place = badge_place(painter.fontMetrics(), area, row)
            _paint_badge(painter, place, row)
            if row.doubtful:
                _paint_doubt(painter, place, palette.color(QPalette.ColorRole.Base))
        painter.restore()


def badge_place(metrics: QFontMetrics, area: QRect, row: Row) -> QRect:
    """The rectangle of the badge: at the end of the row, or on the thumbnail if the text leaves no room."""
    width = max(metrics.horizontalAdvance(row.badge_text) + 12, _BADGE.width())
    room = area.width() - _PICTURE.width() - _MARGIN - 2 - width
    right = area.right() if room > metrics.horizontalAdvance(_second_line(row)) else area.left() + _PICTURE.width()
    return QRect(right - width, area.bottom() - _BADGE.height(), width, _BADGE.height())


def _second_line(row: Row) -> str:
    if row.problem:
        return tr("gone, boxes are kept") if row.is_missing else tr("cannot be read")
    return in_one_line(row.flag) if row.flag else f"{row.size[0]} × {row.size[1]}"


def _paint_band(painter: QPainter, place: QRect, band: Band, palette: QPalette) -> None:
    """The name of a folder on a ground of its own: the split in bold, the folder, and the number of images."""
    painter.fillRect(place, palette.color(QPalette.ColorRole.AlternateBase))
    color, room = palette.color(QPalette.ColorRole.Text), place.adjusted(_MARGIN, 0, -_MARGIN, 0)
    plain, bold = QFont(painter.font()), QFont(painter.font())
    bold.setBold(True)
    count = f"{band.count:,}"
    painter.setPen(_fade(color))
    painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), count)
    room.setRight(room.right() - QFontMetrics(plain).horizontalAdvance(count) - _MARGIN)
    for text, font, ink in ((band.split, bold, color), (band.place, plain, _fade(color) if band.split else color)):
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(ink)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
        room.setLeft(room.left() + (metrics.horizontalAdvance(shown) + _MARGIN if shown else 0))
    painter.setFont(plain)


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


def _paint_badge(painter: QPainter, place: QRect, row: Row) -> None:
    """The number of boxes, with a check mark if the image is done; hollow if boxes are not accepted yet."""
    plate = QRectF(place)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.TO_CHECK, 2.0) if row.left else Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#101215") if row.left else theme.DONE if row.done else QColor("#0B62A8"))
    painter.drawRoundedRect(plate.adjusted(1, 1, -1, -1) if row.left else plate, 9, 9)
    painter.setPen(theme.TO_CHECK if row.left else QColor("#FFFFFF"))
    painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), row.badge_text)


def _paint_doubt(painter: QPainter, badge: QRect, ground: QColor) -> None:
    """A dot at the corner of the badge: a box was accepted with an edge in doubt."""
    painter.setPen(QPen(ground, 1.5))
    painter.setBrush(theme.DOUBTFUL)
    painter.drawEllipse(QRectF(badge).topRight() + QPointF(-2.0, 2.0), 4.5, 4.5)


def _paint_flag(painter: QPainter, corner: QPoint) -> None:
    """A pennant on the corner of the thumbnail, with a light border that sets it off from any picture."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor("#FFFFFF"), 1.2))
    painter.setBrush(theme.FLAG)
    painter.drawPolygon([corner + QPoint(*at) for at in ((0, 0), (15, 0), (10, 6), (15, 12), (0, 12))])


def _paint_text(painter: QPainter, room: QRect, row: Row, color: QColor) -> None:
    metrics = QFontMetrics(painter.font())
    name = elided_name(metrics, row.name, room.width())
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
