"""The keys dialog: all actions with their keys, and a field for a new key with its current owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.widgets.action_row import ActionRow, readable
from boxrefine_gui.widgets.keys import Chosen, normal, owner_of, with_chosen
from boxrefine_gui.widgets.plain_text import PlainLabel, set_title, without_mnemonic
from core.translation import tr

_SIZE = (620, 560)
_AIR = 40
_ID = Qt.ItemDataRole.UserRole


class KeysDialog(QDialog):
    """Passes all choices of the user to `on_chosen` after each change; new keys work at once."""

    def __init__(
        self, parent: QWidget, rows: Sequence[ActionRow], chosen: Chosen, *, on_chosen: Callable[[Chosen], None]
    ) -> None:
        super().__init__(parent)
        self._rows = rows
        self._chosen = dict(chosen)
        self._on_chosen = on_chosen
        set_title(self, tr("Keys"))
        self.resize(min(_SIZE[0], parent.width() - _AIR), min(_SIZE[1], parent.height() - _AIR))
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Find an action or a key"))
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(tr("Find an action or a key"))
        self.list = self._make_list()
        self.edit = QKeySequenceEdit()
        self.edit.setMaximumSequenceLength(1)
        self.edit.setAccessibleName(tr("New key"))
        self.sentence = PlainLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setAccessibleName(tr("What the key does now"))
        self.assign_button = self._button(tr("Give this key"), self.assign)
        self.remove_button = self._button(tr("No key"), self.remove)
        self.own_button = self._button(tr("Its own key"), self.give_own)
        self.all_own_button = self._button(tr("All their own keys"), self.give_all_own)
        self._arrange()
        self.search.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(self._other_action)
        self.edit.keySequenceChanged.connect(self._show_owner)
        self._fill()

    def _make_list(self) -> QTreeWidget:
        rows = QTreeWidget()
        rows.setHeaderLabels([tr("Action"), tr("Menu"), tr("Keys")])
        rows.setRootIsDecorated(False)
        rows.setUniformRowHeights(True)
        rows.setAllColumnsShowFocus(True)
        rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        rows.setAccessibleName(tr("Actions and their keys"))
        rows.setStyleSheet("QTreeWidget::item { padding: 3px 8px 3px 2px; }")
        for row in self._rows:
            item = QTreeWidgetItem([row.words, without_mnemonic(row.menu), ""])
            item.setData(0, _ID, row.id)
            rows.addTopLevelItem(item)
        rows.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        rows.header().setStretchLastSection(False)
        for column in (1, 2):
            rows.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        return rows

    def _arrange(self) -> None:
        new, buttons = QHBoxLayout(), QHBoxLayout()
        label = PlainLabel(tr("&New key"))
        label.setBuddy(self.edit)
        for widget in (label, self.edit, self.assign_button):
            new.addWidget(widget)
        new.setStretchFactor(self.edit, 1)
        for button in (self.remove_button, self.own_button, self.all_own_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self._button(tr("Close"), self.reject))
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.list, 1)
        layout.addLayout(new)
        layout.addWidget(self.sentence)
        layout.addLayout(buttons)

    def _button(self, text: str, call: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)  # Return can be chosen as a key
        button.clicked.connect(lambda: call())
        return button

    # The choices

    def choose(self, id: str) -> None:
        """Select an action."""
        for place in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(place)
            if item is not None and item.data(0, _ID) == id:
                self.list.setCurrentItem(item)

    def assign(self) -> None:
        """Give the selected action the new key, and take it from its owner."""
        row, key = self._row, self._key
        if row is None or not key:
            return
        owner = owner_of(key, self._now, but=row.id)
        if isinstance(owner, str):
            return
        if owner is not None:
            self._chosen[owner.id] = tuple(held for held in owner.keys if normal(held) != key)
        self._chosen[row.id] = (key,)
        self._changed()

    def remove(self) -> None:
        """Take all keys from the selected action."""
        if self._row is not None:
            self._chosen[self._row.id] = ()
            self._changed()

    def give_own(self) -> None:
        """Give the selected action its default keys, except those that the user gave to others."""
        if self._row is not None:
            self._chosen.pop(self._row.id, None)
            self._changed()

    def give_all_own(self) -> None:
        """Give all actions their default keys."""
        self._chosen.clear()
        self._changed()

    @property
    def _row(self) -> ActionRow | None:
        item = self.list.currentItem()
        return next((row for row in self._now if item is not None and row.id == item.data(0, _ID)), None)

    @property
    def _key(self) -> str:
        return normal(self.edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    @property
    def _now(self) -> list[ActionRow]:
        return with_chosen(self._rows, self._chosen)[0]

    def _changed(self) -> None:
        self._on_chosen(dict(self._chosen))
        self.edit.clear()
        self._fill()

    # The display

    def _fill(self) -> None:
        for place, row in enumerate(self._now):
            item = self.list.topLevelItem(place)
            if item is not None:
                item.setText(2, keys_text(row.keys))
                font = item.font(2)
                font.setBold(row.id in self._chosen)
                item.setFont(2, font)
        self._filter()
        self._show_owner()

    def _filter(self) -> None:
        wanted = self.search.text().casefold()
        for place in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(place)
            if item is not None:
                item.setHidden(not any(wanted in item.text(column).casefold() for column in range(3)))

    def _other_action(self) -> None:
        self.edit.clear()
        self._show_owner()

    def _show_owner(self) -> None:
        row, key = self._row, self._key
        for button in (self.remove_button, self.own_button):
            button.setEnabled(row is not None)
        self.all_own_button.setEnabled(bool(self._chosen))
        self.edit.setEnabled(row is not None)
        owner = owner_of(key, self._now, but=row.id) if row is not None and key else None
        self.assign_button.setEnabled(bool(key) and row is not None and not isinstance(owner, str))
        self.assign_button.setText(tr("Take this key") if isinstance(owner, ActionRow) else tr("Give this key"))
        self.sentence.setText(self._words(row, key, owner))

    def _words(self, row: ActionRow | None, key: str, owner: ActionRow | str | None) -> str:
        if row is None:
            return tr("Choose an action in the list.")
        if not key:
            return tr("Click into the field and press the new key of “{action}”.", action=row.words)
        shown = readable(key)
        if isinstance(owner, str):
            return tr("{key} belongs to the canvas, for moving and going through boxes: choose another one.", key=shown)
        if owner is not None:
            return tr("{key} is the key of “{action}”, which would lose it.", key=shown, action=owner.words)
        return tr("{key} is free.", key=shown)


def keys_text(keys: Sequence[str]) -> str:
    """The keys of an action for the user."""
    shown = [readable(key) for key in keys] or [""]
    return reduce(lambda before, key: tr("{key} or {other}", key=before, other=key), shown)
