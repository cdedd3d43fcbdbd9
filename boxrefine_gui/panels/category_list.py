"""The category list: which label the next boxes get, adding and renaming without a dialog."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QVBoxLayout, QWidget

from boxrefine_gui import operations, theme
from boxrefine_gui.operations import Parts
from boxrefine_gui.panels.list_with_hint import ListWithHint
from core.records import Changes

Index = QModelIndex | QPersistentModelIndex


class CategoryModel(QAbstractListModel):
    """The session's categories; a changed name goes to the store, and is shown when the store has it."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._shown = len(parts.session.categories)
        parts.session.changed.connect(self._changed)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        return 0 if parent.isValid() else self._shown

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        category = self._parts.session.categories[index.row()]
        digit = f"{index.row() + 1}   " if index.row() < 9 else "     "
        if role == Qt.ItemDataRole.DisplayRole:
            return digit + category.name
        if role == Qt.ItemDataRole.EditRole:
            return category.name
        if role == Qt.ItemDataRole.DecorationRole:
            return theme.swatch(category.id)
        if role == Qt.ItemDataRole.ToolTipRole:
            key = f"; {index.row() + 1} chooses it" if index.row() < 9 else ""
            return f"{category.name}\nF2 or the right button to rename{key}"
        return None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        category = self._parts.session.categories[index.row()]
        name = str(value).strip()
        if name and name != category.name:
            operations.rename_category(self._parts, category.id, name)
        return False

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def _changed(self, changes: Changes) -> None:
        if changes.categories:
            self.beginResetModel()
            self._shown = len(self._parts.session.categories)
            self.endResetModel()


class CategoryList(QWidget):
    """The categories, and a line to add one."""

    left = Signal()  # the user is done here

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self._parts = parts
        self._model = CategoryModel(parts)
        first = operations.FIRST_CATEGORY
        self.view = ListWithHint(lambda: f"The first box makes the category “{first}”; or add yours below.")
        self.view.setModel(self._model)
        self.view.setAccessibleName("Categories")
        self.view.setTextElideMode(Qt.TextElideMode.ElideRight)
        # Not by a double click, whose first click has relabelled the selected box.
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.rename = QAction("Rename\tF2", self.view)
        self.rename.triggered.connect(lambda: self.view.edit(self.view.currentIndex()))
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.view.addAction(self.rename)
        self.new_name = QLineEdit()
        self.new_name.setPlaceholderText("Add a category")
        self.new_name.setAccessibleName("Name of a new category")
        self.new_name.setClearButtonEnabled(True)
        self.new_name.setToolTip("Type a name and press Return; a category that is there already is chosen")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.view)
        layout.addWidget(self.new_name)
        self.setFocusProxy(self.view)
        self.new_name.returnPressed.connect(self._add)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self.new_name, context=Qt.ShortcutContext.WidgetShortcut)
        escape.activated.connect(self._leave)
        self.view.clicked.connect(self._chosen)
        self.view.activated.connect(self._chosen)
        parts.session.category_changed.connect(self.show_chosen)
        parts.session.changed.connect(self.show_chosen)

    def _add(self) -> None:
        name = self.new_name.text().strip()
        if name:
            operations.add_category(self._parts, name)
        self._leave()

    def _leave(self) -> None:
        self.new_name.clear()
        self.left.emit()

    def _chosen(self, index: QModelIndex) -> None:
        operations.choose_category(self._parts, self._parts.session.categories[index.row()].id)
        self.show_chosen()

    def show_chosen(self) -> None:
        """Mark the category of the next boxes, wherever the arrow keys have been."""
        ids = [category.id for category in self._parts.session.categories]
        chosen = self._parts.session.category_id
        if chosen in ids and self._model.rowCount() == len(ids):
            self.view.setCurrentIndex(self._model.index(ids.index(chosen)))
