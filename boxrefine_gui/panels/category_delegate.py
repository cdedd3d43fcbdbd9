"""Paints a row of categories: color, key, name, signs for hidden and locked boxes, and the number of boxes."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.plain_text import in_one_line

Index = QModelIndex | QPersistentModelIndex

KEY_ROLE = Qt.ItemDataRole.UserRole + 1  # str: its key
COUNT_ROLE = Qt.ItemDataRole.UserRole + 2  # str: the number of its boxes
COLOR_ROLE = Qt.ItemDataRole.UserRole + 4  # QColor
SIGNS_ROLE = Qt.ItemDataRole.UserRole + 3  # tuple of Signs
_MARGIN, _APART, _ABOVE = 6, 6, 4
_SIGN_SIDE = 16
_FAINT = 0.4


class Sign(Enum):
    """What the list shows of a category's boxes on the canvas; the values are names of icons."""

    SOLO = "solo"
    LOCKED = "locked"
    HIDDEN = "hidden"


_OFFERED = {Sign.LOCKED: "unlocked", Sign.HIDDEN: "shown"}
"""Signs of the row under the mouse that a click sets, and the icons for what is so far."""


class CategoryDelegate(QStyledItemDelegate):
    """Paints names as plain text, cut to the room that is left; `offers` shows signs under the mouse to click at."""

    def __init__(self, parent: QObject | None = None, *, offers: bool = False) -> None:
        super().__init__(parent)
        self._offers = offers
        self._icons: dict[tuple[str, int], QPixmap] = {}

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, max(option.fontMetrics.height(), theme.SWATCH_SIDE) + 2 * _ABOVE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        # Not initStyleOption, which asks the model for an icon, and takes as long as all the rest.
        style = option.widget.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        painter.save()
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        ink, faint = option.palette.color(role), option.palette.color(QPalette.ColorRole.PlaceholderText)
        faint = ink if is_selected else faint
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        left, right = option.rect.left() + _MARGIN, self._count_rect(option, index).left()
        if (color := index.data(COLOR_ROLE)) is not None:
            side = theme.SWATCH_SIDE
            painter.fillRect(QRect(left, option.rect.center().y() - side // 2, side, side), color)
            left += side + _APART
        if (key := index.data(KEY_ROLE)) is not None:
            width = option.fontMetrics.horizontalAdvance("W")
            painter.setPen(faint)
            painter.drawText(QRect(left, option.rect.top(), width, option.rect.height()), middle, str(key))
            left += width + _APART
        signs = index.data(SIGNS_ROLE) or ()
        for sign, rect in self.sign_rects(option, index).items():
            name = sign.value if sign in signs else _OFFERED[sign]
            painter.setOpacity(1.0 if sign in signs else _FAINT)
            painter.drawPixmap(rect, self._icon(name, painter.device().devicePixelRatio()))
            right = min(right, rect.left())
        painter.setOpacity(1.0)
        painter.setPen(faint)
        painter.drawText(self._count_rect(option, index), middle, str(index.data(COUNT_ROLE) or ""))
        painter.setPen(faint if Sign.HIDDEN in signs else ink)
        name = in_one_line(str(index.data(Qt.ItemDataRole.EditRole)))
        name = option.fontMetrics.elidedText(name, Qt.TextElideMode.ElideRight, right - _APART - left)
        painter.drawText(QRect(left, option.rect.top(), right - left, option.rect.height()), middle, name)
        painter.restore()

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Put the field over all but the color."""
        editor.setGeometry(option.rect.adjusted(_MARGIN + theme.SWATCH_SIDE + _APART, 0, 0, 0))

    def sign_rects(self, option: QStyleOptionViewItem, index: Index) -> dict[Sign, QRect]:
        """Where the signs of a row are painted, those too that a click there would set."""
        signs = index.data(SIGNS_ROLE) or ()
        is_hovered = self._offers and bool(option.state & QStyle.StateFlag.State_MouseOver)
        right, rects = self._count_rect(option, index).left() - _APART, {}
        for sign in (Sign.HIDDEN, Sign.LOCKED, Sign.SOLO):
            if sign in signs or (is_hovered and sign in _OFFERED):
                top = option.rect.center().y() - _SIGN_SIDE // 2
                rects[sign] = QRect(right - _SIGN_SIDE, top, _SIGN_SIDE, _SIGN_SIDE)
            if sign in signs or sign in _OFFERED:  # a sign keeps its place whatever else is shown
                right -= _SIGN_SIDE + 3 if self._offers or sign in signs else 0
        return rects

    def _count_rect(self, option: QStyleOptionViewItem, index: Index) -> QRect:
        count = str(index.data(COUNT_ROLE) or "")
        width = QFontMetrics(QFont(option.font)).horizontalAdvance(count)
        return option.rect.adjusted(option.rect.width() - _MARGIN - width, 0, -_MARGIN, 0)

    def _icon(self, name: str, ratio: float) -> QPixmap:
        """An icon in the text color of the scheme, drawn once."""
        key = name, theme.icon_color().rgba()
        if key not in self._icons:
            self._icons[key] = theme.icon(name).pixmap(QSize(_SIGN_SIDE, _SIGN_SIDE), ratio)
        return self._icons[key]
