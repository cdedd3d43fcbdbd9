"""The grid of crops of a review: a cell for each box, keys for verdicts, and the box before while Space is held."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLineF, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHeaderView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from boxrefine_gui.dialogs.review_model import CELL, Cell, Index, ReviewModel
from boxrefine_gui.inference.crops import Crop
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.empty_hint import paint_empty_hint
from core.geometry import Box
from core.reviews import ReviewItem, Verdict
from core.translation import tr

_AIR = 6
_LINE = 22
_SIGN = 20
CELLS = {"small": 132, "medium": 200, "large": 320}
"""Sizes of cells: the side of a crop on the screen, in pixels without scaling."""

ONE = "one"
"""The size that fills the grid with one cell."""

_LARGEST_SIDE = 1600


class CropDelegate(QStyledItemDelegate):
    """Paints a cell: the crop with the box, its category, and signs for verdict and comment."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.shows_before = False
        self.colors: dict[int, str] = {}

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell: Cell | None = index.data(CELL)
        if cell is None:
            return
        area: QRect = option.rect.adjusted(_AIR, _AIR, -_AIR, -_AIR)
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if is_selected:
            painter.fillRect(option.rect.adjusted(1, 1, -1, -1), option.palette.highlight())
        role = option.palette.highlightedText() if is_selected else option.palette.text()
        picture = area.adjusted(0, 0, 0, -_LINE)
        line = QRect(area.left(), picture.bottom() + 1, area.width(), _LINE)
        painter.fillRect(picture, theme.canvas_ground())
        if cell.item is None:
            _tell(painter, picture, tr("deleted"))
        elif cell.crop is not None and cell.crop.pixmap is None:
            _tell(painter, picture, tr("cannot be read"))
        elif cell.crop is not None:
            self._paint_crop(painter, picture, cell.item, cell.crop)
        if cell.item is not None:
            painter.setPen(role.color())
            words = self._line(cell)
            elided = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), elided)
            _paint_sign(painter, picture.topRight(), cell.item.verdict)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(option.palette.accent().color(), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(option.rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def _line(self, cell: Cell) -> str:
        assert cell.item is not None
        comment = f"“{cell.item.comment}”" if cell.item.comment else ""
        before = tr("before") if self.shows_before else ""
        return "  ".join(filter(None, [before, cell.category, comment]))

    def _paint_crop(self, painter: QPainter, area: QRect, item: ReviewItem, crop: Crop) -> None:
        pixmap, region = crop.pixmap, crop.region
        assert pixmap is not None
        size = QSize(round(region.width), round(region.height)).scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRect(QPoint(0, 0), size)
        place.moveCenter(area.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(place, pixmap)
        scale = place.width() / region.width
        box = item.before if self.shows_before else item.box
        on_screen = _on_screen(box, region, scale, place.topLeft())
        painter.setClipRect(area)
        color = theme.DRAWN if self.shows_before else theme.category_color(item.category_id, self.colors)
        dashed = self.shows_before or not item.confirmed
        for pen in (QPen(theme.HALO, 4), QPen(color, 2, Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine)):
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(on_screen)
        if not self.shows_before:
            painter.setPen(QPen(theme.DOUBTFUL, 3))
            for edge in item.doubtful:
                painter.drawLine(_edge(on_screen, edge))
        painter.setClipping(False)


class ReviewGrid(QTableView):
    """The grid; its keys work while it has the focus."""

    found = Signal(object)  # Verdict, or None: the selected boxes are wrong
    opened = Signal()
    comment_wanted = Signal()
    history_wanted = Signal()

    def __init__(self, model: ReviewModel) -> None:
        super().__init__()
        self._boxes = model
        self._hint = ""
        self.size_name = "medium"
        self.painter = CropDelegate(self)
        self.setItemDelegate(self.painter)
        self.setModel(model)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.hide()
            header.setMinimumSectionSize(1)
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # so that cells keep their width
        self.setAccessibleName(tr("Boxes of the review"))
        model.touched.connect(self.viewport().update)
        self.activated.connect(lambda _: self.opened.emit())
        self.set_size("medium")

    def show_hint(self, words: str) -> None:
        """Show why there are no cells."""
        self._hint = words
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._hint and self._boxes.boxes == 0:
            paint_empty_hint(self, self._hint)

    def set_size(self, name: str) -> None:
        """Set the size of the cells: one of CELLS, or ONE."""
        self.size_name = name
        self._fit()

    @property
    def places(self) -> list[int]:
        """The places of the selected boxes, or that of the current one, in their order."""
        chosen = sorted(map(self._boxes.place, self.selectionModel().selectedIndexes()))
        return chosen or ([self.place] if self.place >= 0 else [])

    @property
    def place(self) -> int:
        """The place of the current box; -1 without one."""
        return self._boxes.place(self.currentIndex())

    def go(self, place: int) -> None:
        """Make a box the current and only selected one."""
        if 0 <= place < self._boxes.boxes:
            self.setCurrentIndex(self._boxes.at(place))

    def show_before(self, shows: bool) -> None:
        """Show the boxes as they were before, or as they are."""
        if shows != self.painter.shows_before:
            self.painter.shows_before = shows
            self.viewport().update()

    def event(self, event: QEvent) -> bool:
        """Keep the keys of the grid from shortcuts of the window."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, place = event.key(), self.place
        plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
        if plain and key in _VERDICTS:
            if not event.isAutoRepeat():
                self.found.emit(_VERDICTS[Qt.Key(key)])
        elif plain and key == Qt.Key.Key_Space:
            self.show_before(True)
        elif plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
        elif plain and key == Qt.Key.Key_C:
            self.comment_wanted.emit()
        elif plain and key == Qt.Key.Key_H:
            self.history_wanted.emit()
        elif plain and key in _STEPS:  # also over the end of a line
            self.go(place + _STEPS[Qt.Key(key)])
        elif plain and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.go(0 if key == Qt.Key.Key_Home else self._boxes.boxes - 1)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.show_before(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.show_before(False)
        super().focusOutEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        """Size the cells so that they fill the lines; the current box stays in view."""
        room, place = self.viewport().size(), self.place
        if self.size_name == ONE:
            columns, height = 1, max(room.height(), 64)
        else:
            side = CELLS[self.size_name]
            columns, height = max(1, room.width() // side), side + _LINE
        width = max(room.width() // columns, 64)
        self._boxes.side = min(round(max(width, height) * self.devicePixelRatioF()), _LARGEST_SIDE)
        self.horizontalHeader().setDefaultSectionSize(width)
        self.verticalHeader().setDefaultSectionSize(height)
        if columns != self._boxes.columns:
            self._boxes.set_columns(columns)
            self.go(place)
        self.scrollTo(self.currentIndex())


_VERDICTS = {Qt.Key.Key_1: Verdict.GOOD, Qt.Key.Key_2: Verdict.FIX, Qt.Key.Key_3: None, Qt.Key.Key_Delete: None}
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_OWN = {*_VERDICTS, *_STEPS, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_C, Qt.Key.Key_H}


def _is_own(event: QKeyEvent) -> bool:
    plain = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier == Qt.KeyboardModifier.NoModifier
    return plain and event.key() in _OWN


def _on_screen(box: Box, region: Box, scale: float, corner: QPoint) -> QRectF:
    return QRectF(
        corner.x() + (box.x1 - region.x1) * scale,
        corner.y() + (box.y1 - region.y1) * scale,
        box.width * scale,
        box.height * scale,
    )


def _edge(box: QRectF, edge: int) -> QLineF:
    """An edge of a box: 0 left, 1 top, 2 right, 3 bottom."""
    start = box.topLeft() if edge < 2 else box.bottomRight()
    return QLineF(start, box.bottomLeft() if edge in (0, 3) else box.topRight())


def _tell(painter: QPainter, area: QRect, words: str) -> None:
    color = QColor("#C9CDD3" if theme.is_dark() else "#4B525B")
    painter.setPen(color)
    painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter), words)


def _paint_sign(painter: QPainter, corner: QPoint, verdict: Verdict) -> None:
    """A check mark for a good box, an exclamation mark for one to fix, on a plate at the corner."""
    if verdict is Verdict.NONE:
        return
    plate = QRect(corner.x() - _SIGN - 3, corner.y() + 4, _SIGN, _SIGN)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor("#FFFFFF"), 1.5))
    painter.setBrush(theme.DONE if verdict is Verdict.GOOD else theme.FLAG)
    painter.drawEllipse(plate)
    painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), "✓" if verdict is Verdict.GOOD else "!")
