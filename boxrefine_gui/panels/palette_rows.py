"""The rows of the command palette: what matches a text, and how a row is painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from boxrefine_gui.panels.category_data import key_of
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.action_row import ActionRow, readable
from boxrefine_gui.widgets.elided_name import elided_name
from boxrefine_gui.widgets.picture_name import picture_name
from boxrefine_gui.widgets.plain_text import in_one_line, tooltip, without_mnemonic
from core.categories import Category
from core.name_search import NameSearch
from core.records import ImageRecord
from core.translation import tr, tr_plural

Index = QModelIndex | QPersistentModelIndex

ENTRY_ROLE = Qt.ItemDataRole.UserRole + 1  # PaletteEntry
MOST_PICTURES = 50
_MOST_NAMES = 20
"""Commands and categories that are listed for a text; those of an empty text are all listed."""

_MARGIN, _APART, _ABOVE = 6, 6, 4
_LONG_KEY = "Ctrl+Shift+O"  # as long as keys of commands are, for a column of them in each language
_TICK = "✓ "


class Kind(Enum):
    """What a row stands for."""

    COMMAND = "command"
    CATEGORY = "category"
    PICTURE = "picture"
    MORE = "more"
    """The pictures that are not listed."""


@dataclass(frozen=True)
class PaletteEntry:
    """A row.

    id: the number of a command, or the id of a category or a picture
    place: words on where it belongs, such as the menu; key: the key that does the same
    """

    kind: Kind
    id: int
    title: str
    place: str = ""
    key: str = ""
    is_enabled: bool = True
    color: QColor | None = None


class PaletteModel(QAbstractListModel):
    """Commands and categories, which are found at once, and below them pictures, which follow."""

    def __init__(self, session: Session, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self._session, self._actions = session, actions
        self._rows: Sequence[ActionRow] = ()
        self._categories: dict[int, Category] = {}
        self._search = NameSearch(())
        self._found: list[int] = []
        self._pictures: list[PaletteEntry] = []

    def set_rows(self, rows: Sequence[ActionRow]) -> None:
        """Take over the commands with their present keys and titles, and the categories, for the next searches."""
        self._rows = rows
        self._categories = {category.id: category for category in self._session.categories}
        # Categories have ids above 0, so commands get those below.
        commands = [(-1 - number, self._title_of(row)) for number, row in enumerate(rows)]
        names = [(category.id, category.name) for category in self._session.categories]
        self._search = NameSearch([*commands, *names])  # without keys of categories: a digit means a picture

    def search(self, text: str, recent: Sequence[str]) -> None:
        """List the commands and categories that match a text; `recent`: ids of commands, the last one first.

        A number alone is that of a picture: commands such as “Minimap above 200 %” are no match.
        """
        numbers = {row.id: -1 - number for number, row in enumerate(self._rows)}
        first = [numbers[id] for id in recent if id in numbers]
        text = text.strip()
        self.beginResetModel()
        self._found = self._search.find(text, [*first, *(self._session.recent_categories if text else ())])
        if text:
            del self._found[0 if text.isdecimal() else _MOST_NAMES :]
        self._pictures = []
        self.endResetModel()

    def add_pictures(self, images: Sequence[ImageRecord], count: int) -> None:
        """List the first pictures that match below the rest; `count`: how many match in all."""
        if not images:
            return
        entries = [self._picture(image) for image in images]
        if count > len(images):
            words = tr_plural(
                "{count} more picture: type more of its name",
                "{count} more pictures: type more of the name",
                count - len(images),
            )
            entries.append(PaletteEntry(Kind.MORE, 0, words, is_enabled=False))
        self.beginInsertRows(QModelIndex(), len(self._found), len(self._found) + len(entries) - 1)
        self._pictures = entries
        self.endInsertRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else len(self._found) + len(self._pictures)

    def entry(self, row: int) -> PaletteEntry | None:
        """What a row stands for; None if there is no such row."""
        if not 0 <= row < self.rowCount():
            return None
        if row >= len(self._found):
            return self._pictures[row - len(self._found)]
        id = self._found[row]
        return self._command(-1 - id) if id < 0 else self._category(self._categories[id])

    def command(self, number: int) -> ActionRow:
        """The action of a command."""
        return self._rows[number]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.entry(index.row())
        if entry is None:
            return None
        if role == ENTRY_ROLE:
            return entry
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return entry.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(entry.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            unless = "" if entry.is_enabled or entry.kind is Kind.MORE else tr("not possible now")
            return ", ".join(text for text in (entry.title, entry.place, entry.key, unless) if text)
        return None

    def _title_of(self, row: ActionRow) -> str:
        return without_mnemonic(self._actions[row.id].text()).rstrip("…")

    def _command(self, number: int) -> PaletteEntry:
        row = self._rows[number]
        action = self._actions[row.id]
        title = (_TICK if action.isCheckable() and action.isChecked() else "") + self._title_of(row)
        key = readable(row.keys[0]) if row.keys else ""
        return PaletteEntry(Kind.COMMAND, number, title, without_mnemonic(row.menu), key, action.isEnabled())

    def _category(self, category: Category) -> PaletteEntry:
        color = theme.category_color(category.id, self._session.colors)
        key = key_of(self._session, category.id)
        return PaletteEntry(Kind.CATEGORY, category.id, category.name, tr("Category"), key, color=color)

    def _picture(self, image: ImageRecord) -> PaletteEntry:
        number, name = (self._session.row_of(image.id) or 0) + 1, picture_name(self._session, image)
        return PaletteEntry(Kind.PICTURE, image.id, name, tr("Picture {number:,}", number=number))


class PaletteDelegate(QStyledItemDelegate):
    """Paints the color of a category, the title, and at the right the place and the key."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(0, max(option.fontMetrics.height(), theme.SWATCH_SIDE) + 2 * _ABOVE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = index.data(ENTRY_ROLE)
        option.widget.style().drawPrimitive(
            QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget
        )
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        group = QPalette.ColorGroup.Active if entry.is_enabled else QPalette.ColorGroup.Disabled
        ink, faint = option.palette.color(group, role), option.palette.color(QPalette.ColorRole.PlaceholderText)
        faint = ink if is_selected or not entry.is_enabled else faint
        rect, metrics, side = option.rect, option.fontMetrics, theme.SWATCH_SIDE
        left, right = rect.left() + _MARGIN, rect.right() - _MARGIN
        if entry.color is not None:
            painter.fillRect(QRect(left, rect.center().y() - side // 2, side, side), entry.color)
        left += side + _APART
        width = max(metrics.horizontalAdvance(text) for text in (readable(_LONG_KEY), entry.key))
        painter.setPen(faint)
        for text, end in ((entry.key, right), (entry.place, right - width - _APART)):
            room = QRect(left, rect.top(), end - left, rect.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        right -= width + metrics.horizontalAdvance(entry.place) + 2 * _APART
        painter.setPen(ink)
        title = elided_name(metrics, in_one_line(entry.title), right - left)
        painter.drawText(QRect(left, rect.top(), right - left, rect.height()), Qt.AlignmentFlag.AlignVCenter, title)
