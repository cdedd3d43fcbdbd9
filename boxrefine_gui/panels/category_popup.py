"""The categories at the cursor: type a part of a name, Return gives the category to the box at hand."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QPointF, QRect, QStringListModel, Qt
from PySide6.QtWidgets import QWidget

from boxrefine_gui.lanes.timers import timer
from boxrefine_gui.operations import box_verbs
from boxrefine_gui.operations.box_verbs import Parts, short
from boxrefine_gui.operations.category_adding import CategoryAdding, Target, target_of
from boxrefine_gui.panels.category_data import category_data
from boxrefine_gui.panels.category_delegate import CategoryDelegate
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.search_popup import SearchPopup
from core.records import Category, Changes
from core.translation import tr

Index = QModelIndex | QPersistentModelIndex

_WIDTH, _ROWS = 280, 9
_BESIDE = 14


class FoundModel(QStringListModel):
    """The categories that match what is typed, and a row that adds a new one.

    Qt asks for the number of rows again for each row that it lays out; its own list answers that in no time.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._found: list[Category] = []
        self._new = self._near = ""

    def flags(self, index: Index) -> Qt.ItemFlag:
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if index.row() < len(self._found):
            return category_data(self._session, self._found[index.row()], role)
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        if self._near:
            return tr("Create “{name}”? There is “{other}”.", name=short(self._new), other=short(self._near))
        return tr("Create “{name}”", name=short(self._new))

    def search(self, text: str) -> None:
        """Show what matches a text."""
        session, text = self._session, text.strip()
        search, known = session.category_search, {category.id: category for category in session.categories}
        self._found = [known[id] for id in search.find(text, session.recent_categories)]
        self._new = text if text and search.same(text) is None else ""
        near = search.near(text) if self._new else None
        self._near = known[near].name if near is not None else ""
        self.setStringList([category.name for category in self._found] + [self._new] * bool(self._new))

    def id_of(self, row: int) -> int | None:
        """The category in a row; None for the row that adds one."""
        return self._found[row].id if 0 <= row < len(self._found) else None

    def row_of(self, category_id: int | None) -> int:
        """The row of a category, or of None, which adds one; the first one if it is not found."""
        if category_id is None and self._new:
            return len(self._found)
        return next((row for row, entry in enumerate(self._found) if entry.id == category_id), 0)


class CategoryPopup(SearchPopup):
    """The categories over the canvas, where the drawn box goes on snapping."""

    def __init__(
        self,
        parts: Parts,
        adding: CategoryAdding,
        window: QWidget,
        *,
        canvas: QWidget,
        cursor_at: Callable[[], QPointF],
    ) -> None:
        """`cursor_at` returns the last point of the mouse on the canvas."""
        self._found = FoundModel(parts.session)
        super().__init__(window, self._found, canvas=canvas, rows=_ROWS)
        self._parts, self._adding, self._cursor_at = parts, adding, cursor_at
        self._target = Target()
        self.describe(
            line=tr("Name of the category"), rows=tr("Matching categories"), delegate=CategoryDelegate(self.view)
        )
        self._ask = timer(0, self._ask_after_a_drag)
        self._listen()

    def _listen(self) -> None:
        session = self._parts.session
        session.changed.connect(self._changed)
        session.released.connect(self._ask.start)
        for signal in (session.image_changed, session.project_changed):
            signal.connect(self.close_unchanged)
        for signal in (session.drawn_changed, session.selection_changed):
            signal.connect(self._close_without_target)

    def open(self) -> None:
        """Show the pop-up at the cursor, for the drawn box, the selected one, or the next ones."""
        session = self._parts.session
        if session.project_path is None:
            return
        self._target = target_of(session)
        self.line.setPlaceholderText(self._whose_category())
        self.show_empty()

    def choose(self, row: int) -> None:
        """Give the category of a row to the box; the row that adds one adds it first."""
        if not 0 <= row < self._found.rowCount():
            return
        id, name = self._found.id_of(row), self.line.text().strip()
        self.close_unchanged()
        if id is None:
            self._adding.add(name)
        else:
            self._parts.session.use_category(id)
            box_verbs.choose_category(self._parts, id)

    def search(self, text: str) -> None:
        """List the categories that match a text."""
        self._found.search(text)

    def _changed(self, changes: Changes) -> None:
        """Follow categories that are added or deleted meanwhile."""
        if self.isHidden():
            return
        if changes.categories:
            at = self._found.id_of(self.view.currentIndex().row())
            self.search_from_top(self.line.text())
            self.view.setCurrentIndex(self._found.index(self._found.row_of(at)))
        self._close_without_target()

    def _close_without_target(self) -> None:
        if not self.isHidden() and target_of(self._parts.session) != self._target:
            self.close_unchanged()

    def _whose_category(self) -> str:
        if self._target.key:
            return tr("Category of the drawn box")
        return tr("Category of the next boxes") if self._target.id is None else tr("Category of the selected box")

    def _ask_after_a_drag(self) -> None:
        """Open after a drag if the user wants that; a box that is accepted at once has its category already."""
        session = self._parts.session
        draft = session.draft
        if session.settings.ask_category and draft is not None and draft.again is None and not draft.is_held:
            self.open()

    def place(self) -> None:
        """Put the pop-up beside the cursor, inside the window."""
        window = self.window()
        rows = min(max(self._found.rowCount(), 2), _ROWS)
        room = QRect(QPoint(0, 0), window.size()).adjusted(8, 8, -8, -8)
        width, height = min(_WIDTH, room.width()), min(self.height_of(rows), room.height())
        at = self._canvas.mapTo(window, self._cursor_at().toPoint())
        left = at.x() + _BESIDE if at.x() + _BESIDE + width <= room.right() else at.x() - _BESIDE - width
        top = at.y() + _BESIDE if at.y() + _BESIDE + height <= room.bottom() else at.y() - _BESIDE - height
        left = min(max(left, room.left()), room.right() - width + 1)
        self.setGeometry(left, min(max(top, room.top()), room.bottom() - height + 1), width, height)
