"""The keys dialog: the key set, all actions with their keys, and a field for a new key with its current owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from boxrefine_gui.widgets import scale
from boxrefine_gui.widgets.action_row import ActionRow, readable
from boxrefine_gui.widgets.key_field import KeyField
from boxrefine_gui.widgets.key_sets import KEY_SETS, STANDARD, with_settings
from boxrefine_gui.widgets.keys import Chosen, normal, owner_of
from boxrefine_gui.widgets.mouse_keys import MOUSE_KEYS
from boxrefine_gui.widgets.plain_text import PlainLabel, menu_text, set_title, without_mnemonic
from core.settings import Settings
from core.translation import tr

MOST_KEYS = 6
"""So many keys of one action have room in menus and on the page of keys."""

_SIZE = (780, 600)
_AIR = 40
_ID = Qt.ItemDataRole.UserRole


class KeysDialog(QDialog):
    """Passes the key set and the choices of the user to `on_chosen` after each change; new keys work at once."""

    export_wanted = Signal()
    import_wanted = Signal()

    def __init__(
        self,
        parent: QWidget,
        rows: Sequence[ActionRow],
        settings: Settings,
        *,
        on_chosen: Callable[[str, Chosen], None],
    ) -> None:
        super().__init__(parent)
        self._rows = rows
        self._key_set, self._chosen = settings.key_set, dict(settings.keys)
        self._on_chosen = on_chosen
        set_title(self, tr("Keys"))
        self.resize(min(_SIZE[0], parent.width() - _AIR), min(_SIZE[1], parent.height() - _AIR))
        self.sets = QComboBox()
        self.sets.setAccessibleName(tr("Key set"))
        for name, entry in KEY_SETS.items():
            self.sets.addItem(entry.title, name)
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Find an action or a key"))
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName(tr("Find an action or a key"))
        self.list = self._make_list()
        self.edit = KeyField()
        self.edit.setAccessibleName(tr("New key"))
        self.sentence = PlainLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setAccessibleName(tr("What the key does now"))
        self.mouse_button = self._button(tr("Mouse button"), lambda: None)
        self.mouse_button.setMenu(self._mouse_menu())
        self.assign_button = self._button(tr("Only this key"), self.assign)
        self.add_button = self._button(tr("Add this key"), self.add)
        self.remove_button = self._button(tr("No key"), self.remove)
        self.remove_one_button = self._button(tr("Remove a key"), lambda: None)
        self._keys_menu = QMenu(self)
        self.remove_one_button.setMenu(self._keys_menu)
        self.own_button = self._button(tr("Its own key"), self.give_own)
        self.all_own_button = self._button(tr("All their own keys"), self.give_all_own)
        self._arrange()
        self.search.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(self._other_action)
        self.edit.key_changed.connect(self._show_owner)
        self.sets.activated.connect(self._choose_set)
        self._fill()
        self.search.setFocus()

    def _mouse_menu(self) -> QMenu:
        menu = QMenu(self)
        for name in MOUSE_KEYS:
            menu.addAction(readable(name)).triggered.connect(partial(self._take_mouse, name))
        return menu

    def _take_mouse(self, name: str, _: bool = False) -> None:
        self.edit.set_mouse(name)

    def _make_list(self) -> QTreeWidget:
        rows = QTreeWidget()
        rows.setHeaderLabels([tr("Action"), tr("Menu"), tr("Keys")])
        rows.setRootIsDecorated(False)
        rows.setUniformRowHeights(True)
        rows.setAllColumnsShowFocus(True)
        rows.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        rows.setAccessibleName(tr("Actions and their keys"))
        rows.setStyleSheet(scale.ROWS)
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
        top, new, buttons, files = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        name, label = PlainLabel(tr("Key &set")), PlainLabel(tr("&New key"))
        name.setBuddy(self.sets)
        label.setBuddy(self.edit)
        for above in (name, self.sets, self.search):
            top.addWidget(above)
        top.setStretchFactor(self.search, 1)
        for widget in (label, self.edit, self.mouse_button, self.assign_button, self.add_button):
            new.addWidget(widget)
        new.setStretchFactor(self.edit, 1)
        for button in (self.remove_one_button, self.remove_button, self.own_button, self.all_own_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for button in (
            self._button(tr("&Import…"), self.import_wanted.emit),
            self._button(tr("&Export…"), self.export_wanted.emit),
        ):
            files.addWidget(button)
        files.addStretch(1)
        files.addWidget(self._button(tr("Close"), self.reject))
        layout = QVBoxLayout(self)
        scale.around_dialog(layout)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addLayout(new)
        layout.addWidget(self.sentence)
        layout.addLayout(buttons)
        layout.addLayout(files)

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
        """Give the selected action the new key instead of those that it has, and take it from its owner."""
        self._give(keeps=False)

    def add(self) -> None:
        """Give the selected action the new key, too, and take it from its owner."""
        self._give(keeps=True)

    def _give(self, *, keeps: bool) -> None:
        row, key = self._row, self._key
        if row is None or not key:
            return
        owner = owner_of(key, self._now, but=row.id)
        if isinstance(owner, str):
            return
        if owner is not None:
            self._chosen[owner.id] = tuple(held for held in owner.keys if normal(held) != key)
        kept = tuple(held for held in row.keys if normal(held) != key) if keeps else ()
        self._chosen[row.id] = (*kept, key)
        self._changed()

    def remove(self) -> None:
        """Take all keys from the selected action."""
        if self._row is not None:
            self._chosen[self._row.id] = ()
            self._changed()

    def remove_one(self, key: str, _: bool = False) -> None:
        """Take one key from the selected action."""
        row = self._row
        if row is not None:
            self._chosen[row.id] = tuple(held for held in row.keys if held != key)
            self._changed()

    def show_settings(self, settings: Settings) -> None:
        """Show the keys of settings that were changed elsewhere."""
        self._key_set, self._chosen = settings.key_set, dict(settings.keys)
        self.edit.empty()
        self._fill()

    def say(self, sentence: str) -> None:
        """Show a sentence, until the next choice."""
        self.sentence.setText(sentence)

    def _choose_set(self) -> None:
        self._key_set = str(self.sets.currentData())
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
        return self.edit.key

    @property
    def _now(self) -> list[ActionRow]:
        return with_settings(self._rows, replace(Settings(), key_set=self._key_set, keys=self._kept))[0]

    @property
    def _kept(self) -> dict[str, tuple[str, ...]]:
        return {id: tuple(keys) for id, keys in self._chosen.items()}

    def _changed(self) -> None:
        self._on_chosen(self._key_set, self._kept)
        self.edit.empty()
        self._fill()

    # The display

    def _fill(self) -> None:
        self.sets.setCurrentIndex(max(self.sets.findData(self._key_set), self.sets.findData(STANDARD)))
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
        self.edit.empty()
        self._show_owner()

    def _show_owner(self) -> None:
        row, key = self._row, self._key
        for button in (self.remove_button, self.own_button, self.mouse_button):
            button.setEnabled(row is not None)
        self._keys_menu.clear()
        for held in row.keys if row is not None else ():
            self._keys_menu.addAction(menu_text(readable(held))).triggered.connect(partial(self.remove_one, held))
        self.remove_one_button.setEnabled(not self._keys_menu.isEmpty())
        self.all_own_button.setEnabled(bool(self._chosen))
        self.edit.setEnabled(row is not None)
        owner = owner_of(key, self._now, but=row.id) if row is not None and key else None
        may_have = bool(key) and row is not None and not isinstance(owner, str)
        self.assign_button.setEnabled(may_have)
        self.add_button.setEnabled(may_have and row is not None and 0 < len(row.keys) < MOST_KEYS)
        self.sentence.setText(self._words(row, key, owner))

    def _words(self, row: ActionRow | None, key: str, owner: ActionRow | str | None) -> str:
        if row is None:
            return tr("Choose an action in the list.")
        if not key:
            return tr(
                "Click into the field and press the new key of “{action}”, a mouse button, too.", action=row.words
            )
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
