"""The category list: chooses the label of the next boxes; adds, renames and moves categories."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from boxrefine_gui.operations import box_verbs, category_verbs
from boxrefine_gui.operations.box_verbs import Parts, short
from boxrefine_gui.operations.category_adding import CategoryAdding
from boxrefine_gui.panels.category_data import category_data, signs_of
from boxrefine_gui.panels.category_delegate import Sign
from boxrefine_gui.panels.category_view import CategoryView
from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.plain_text import PlainLabel, set_tooltip
from core.categories import same_name
from core.records import Changes
from core.text import LONGEST_NAME
from core.translation import tr

Index = QModelIndex | QPersistentModelIndex
_FROM_THE_START = Qt.MatchFlag.MatchStartsWith | Qt.MatchFlag.MatchWrap
_HOW_TO_ADD = tr(
    "Type a name and press Return, then the next one; a category that is there already is chosen. Escape leads back to "
    "the picture"
)


_TOGGLES = {
    Sign.HIDDEN: category_verbs.toggle_hidden,
    Sign.LOCKED: category_verbs.toggle_locked,
    Sign.SOLO: category_verbs.toggle_solo,
}


class CategoryModel(QAbstractListModel):
    """The session's categories; a changed name or order goes to the store, and is shown once it is stored."""

    restyled = Signal()  # other numbers and signs of the same categories, which need no new layout
    taken = Signal(int, object)  # ids: the category to rename, and the one that has the new name already

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._shown = len(parts.session.categories)
        parts.session.changed.connect(self._changed)
        parts.session.sight_changed.connect(self.restyled)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else self._shown

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        return category_data(self._parts.session, self._parts.session.categories[index.row()], role)

    def match(
        self, start: Index, role: int, value: object, hits: int = 1, flags: Qt.MatchFlag = _FROM_THE_START
    ) -> list[QModelIndex]:
        """Match typed letters with the names, without the digits before them."""
        wanted = Qt.ItemDataRole.EditRole if role == Qt.ItemDataRole.DisplayRole else role
        return super().match(start, wanted, value, hits, flags)

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        category = self._parts.session.categories[index.row()]
        name = str(value).strip()
        others = {entry.id: entry.name for entry in self._parts.session.categories if entry.id != category.id}
        other = same_name(name, others)
        if other is not None:
            self.taken.emit(category.id, other)
        elif name and name != category.name:
            box_verbs.rename_category(self._parts, category.id, name)
        return False

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled  # between rows, never onto one
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def moveRows(
        self, sourceParent: Index, sourceRow: int, count: int, destinationParent: Index, destinationChild: int
    ) -> bool:
        """Qt calls this after a drag: the row moves before row `destinationChild`."""
        categories = self._parts.session.categories
        if count != 1 or not 0 <= sourceRow < len(categories):
            return False
        row = destinationChild - 1 if destinationChild > sourceRow else destinationChild
        category_verbs.place_category(self._parts, categories[sourceRow].id, row)
        return True

    def _changed(self, changes: Changes) -> None:
        if changes.categories:
            self.beginResetModel()
            self._shown = len(self._parts.session.categories)
            self.endResetModel()
        else:
            self.restyled.emit()


class CategoryList(QWidget):
    """The categories, and a field to add one."""

    left = Signal()  # the focus should return to the canvas
    delete_wanted = Signal(int)
    merge_wanted = Signal(int, object)  # ids: the category to remove, and the one that takes its boxes, or None
    looks_wanted = Signal(int)  # the color and the key of a category are to be chosen

    def __init__(self, parts: Parts, adding: CategoryAdding) -> None:
        super().__init__()
        self._parts, self.adding = parts, adding
        self._model = CategoryModel(parts)
        self._at: tuple[int, int] | None = None  # id and row of the current category
        self._asked = ""  # the new name that is like an existing one, if the user was asked about it
        first = box_verbs.FIRST_CATEGORY
        self.view = CategoryView(
            lambda: tr("The first box makes the category “{name}”; or add yours below.", name=first)
        )
        self.view.setModel(self._model)
        self._make_actions()
        self.new_name = QLineEdit()
        self.new_name.setPlaceholderText(tr("Add a category"))
        self.new_name.setAccessibleName(tr("Name of a new category"))
        self.new_name.setClearButtonEnabled(True)
        self.new_name.setMaxLength(LONGEST_NAME)
        set_tooltip(self.new_name, _HOW_TO_ADD)
        self.question = PlainLabel()
        self.question.setWordWrap(True)
        self.question.hide()
        layout = QVBoxLayout(self)
        scale.margins(layout, scale.NONE)
        layout.setSpacing(scale.TIGHT)
        layout.addWidget(self.view)
        layout.addWidget(self.new_name)
        layout.addWidget(self.question)
        self.setFocusProxy(self.view)
        self.new_name.returnPressed.connect(self._add)
        self.new_name.textEdited.connect(self._unask)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self.new_name, context=Qt.ShortcutContext.WidgetShortcut)
        escape.activated.connect(self._leave)
        self._listen()

    def _make_actions(self) -> None:
        self.rename = self._action(tr("Rename"), "F2", lambda: self.view.edit(self.view.currentIndex()))
        self.move_up = self._action(tr("Move up"), "Alt+Up", lambda: self._step(-1))
        self.move_down = self._action(tr("Move down"), "Alt+Down", lambda: self._step(1))
        self.merge = self._action(tr("Merge into…"), "", self._merge)
        self.delete = self._action(tr("Delete"), "Del", self._delete)
        self._add_separator()
        self.looks = self._action(tr("Colour and key…"), "Alt+Return", self._look)
        self._add_separator()
        self.hide_boxes = self._action(tr("Hide its boxes"), "", lambda: self._toggle(Sign.HIDDEN), checkable=True)
        self.lock_boxes = self._action(tr("Lock its boxes"), "", lambda: self._toggle(Sign.LOCKED), checkable=True)
        self.show_alone = self._action(tr("Show only its boxes"), "", lambda: self._toggle(Sign.SOLO), checkable=True)
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _add_separator(self) -> None:
        separator = QAction(self.view)
        separator.setSeparator(True)
        self.view.addAction(separator)

    def _action(self, text: str, key: str, call: Callable[[], None], *, checkable: bool = False) -> QAction:
        """An action of the context menu, which shows `key`; the view handles the key itself."""
        action = QAction(f"{text}\t{key}" if key else text, self.view)
        action.setCheckable(checkable)
        action.triggered.connect(lambda: call())
        self.view.addAction(action)
        return action

    def _listen(self) -> None:
        session = self._parts.session
        self.view.clicked.connect(self._chosen)
        self.view.activated.connect(self._chosen)
        self.view.delete_pressed.connect(self._delete)
        self.view.step_pressed.connect(self._step)
        self.view.looks_wanted.connect(self._look)
        self.view.sign_clicked.connect(self._sign_clicked)
        session.sight_changed.connect(self._show_possible)
        self.view.drag_ended.connect(self.left)
        self.view.keyboard_left.connect(self.show_chosen)
        self.view.selectionModel().currentChanged.connect(self._now_at)
        self._model.taken.connect(self.merge_wanted)
        self._model.restyled.connect(self.view.viewport().update)
        session.category_changed.connect(self.show_chosen)
        session.changed.connect(self._changed)
        self._show_possible()

    def _add(self) -> None:
        """Add the category; the field keeps the focus for the next name until Escape.

        A name that is like an existing one is added only if Return is pressed again.
        """
        name, session = self.new_name.text().strip(), self._parts.session
        if not name:
            return
        near = session.category_search.near(name)
        if near is not None and self._asked != name:
            self._asked = name
            other, new = category_verbs.quoted(session, near), short(name)
            self.question.setText(tr("There is {category}. Return again adds “{name}”.", category=other, name=new))
            self.question.show()
            return
        self.new_name.clear()
        self._unask()
        self.adding.add(name, tells=True)

    def _unask(self) -> None:
        self._asked = ""
        self.question.hide()

    def _leave(self) -> None:
        self.new_name.clear()
        self._unask()
        self.left.emit()

    def _look(self) -> None:
        if self._current_id is not None:
            self.looks_wanted.emit(self._current_id)

    def _sign_clicked(self, row: int, sign: Sign) -> None:
        _TOGGLES[sign](self._parts, self._parts.session.categories[row].id)

    def _toggle(self, sign: Sign) -> None:
        if self._current_id is not None:
            _TOGGLES[sign](self._parts, self._current_id)

    def _chosen(self, index: QModelIndex) -> None:
        """Choose the clicked category; it stays the current row, which Delete acts on, while the view has focus."""
        category_id = self._parts.session.categories[index.row()].id
        self._parts.session.use_category(category_id)
        box_verbs.choose_category(self._parts, category_id, tells=True)

    @property
    def _current_id(self) -> int | None:
        row, categories = self.view.currentIndex().row(), self._parts.session.categories
        return categories[row].id if 0 <= row < len(categories) else None

    def _delete(self) -> None:
        if self._current_id is not None:
            self.delete_wanted.emit(self._current_id)

    def _merge(self) -> None:
        if self._current_id is not None:
            self.merge_wanted.emit(self._current_id, None)

    def _step(self, step: int) -> None:
        if self._current_id is not None:
            category_verbs.step_category(self._parts, self._current_id, step)

    def _now_at(self, index: QModelIndex) -> None:
        categories = self._parts.session.categories
        if index.isValid() and index.row() < len(categories):
            self._at = categories[index.row()].id, index.row()
        self._show_possible()

    def _changed(self) -> None:
        """Keep the current row on its category, or at its place; without the focus, mark the chosen category."""
        ids = [category.id for category in self._parts.session.categories]
        if self.view.window().focusWidget() is not self.view or self._at is None or not ids:
            self.show_chosen()
        else:
            id, row = self._at
            self.view.setCurrentIndex(self._model.index(ids.index(id) if id in ids else min(row, len(ids) - 1)))
        self._show_possible()

    def _show_possible(self) -> None:
        row, count = self.view.currentIndex().row(), self._model.rowCount()
        self.rename.setEnabled(row >= 0)
        self.delete.setEnabled(row >= 0)
        self.move_up.setEnabled(row > 0)
        self.move_down.setEnabled(0 <= row < count - 1)
        self.merge.setEnabled(row >= 0 and count > 1)
        id = self._current_id
        signs = () if id is None else signs_of(self._parts.session, id)
        ticks = {Sign.HIDDEN: self.hide_boxes, Sign.LOCKED: self.lock_boxes, Sign.SOLO: self.show_alone}
        for sign, action in ticks.items():
            action.setEnabled(id is not None)
            action.setChecked(sign in signs)
        self.looks.setEnabled(id is not None)

    def show_chosen(self) -> None:
        """Mark the category of the next boxes as the current row."""
        ids = [category.id for category in self._parts.session.categories]
        chosen = self._parts.session.category_id
        if chosen in ids and self._model.rowCount() == len(ids):
            self.view.setCurrentIndex(self._model.index(ids.index(chosen)))
