"""ActionRow: the description of a user action, and the QAction that is made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.held_keys import HeldKeys, held_keys
from boxrefine_gui.widgets.mouse_keys import as_mouse_key, mouse_words
from boxrefine_gui.widgets.plain_text import set_tooltip, without_mnemonic
from core.translation import ENGLISH, language, tr


@dataclass(frozen=True)
class ActionRow:
    """A user action.

    title: its text in menus, with & before the mnemonic; menu: the title of its menu, empty if it has only keys
    submenu: the title of the menu within that, empty if it stands at the top
    on_canvas: its keys work only while the canvas has the focus
    enabled, checked, title_now: compute its state from the session
    repeats: a key that is held down calls it again and again
    one_of: of the rows with the same value, exactly one is checked; menus show them as radio buttons
    """

    id: str
    title: str
    call: Callable[[], None]
    keys: tuple[str, ...] = ()
    menu: str = ""
    icon: str = ""
    in_toolbar: bool = False
    toolbar_text: str = ""
    on_canvas: bool = False
    starts_group: bool = False
    enabled: Callable[[Session], bool] | None = None
    checked: Callable[[Session], bool] | None = None
    title_now: Callable[[Session], str] | None = None
    one_of: str = ""
    repeats: bool = True
    submenu: str = ""

    @property
    def words(self) -> str:
        """The title without mnemonic and ellipsis."""
        return without_mnemonic(self.title).rstrip("…")


def readable(key: str) -> str:
    """The name of a key for the user."""
    if words := mouse_words(as_mouse_key(key)):
        return words
    if language() != ENGLISH:  # as the menus have it, such as Strg+Z
        sequence = QKeySequence(key, QKeySequence.SequenceFormat.PortableText)
        return sequence.toString(QKeySequence.SequenceFormat.NativeText) or key
    names = {"PgDown": "Page Down", "PgUp": "Page Up", "Esc": "Escape", "Del": "Delete"}
    return {**names, "Ctrl++": "Ctrl +", "Ctrl+-": "Ctrl −"}.get(key, key)


def make_actions(rows: list[ActionRow], session: Session, *, window: QWidget, canvas: QWidget) -> dict[str, QAction]:
    """Make a QAction for each row; its state follows the session."""
    held = held_keys(canvas)
    actions = {row.id: _make_action(row, canvas if row.on_canvas else window, session, held) for row in rows}

    groups = {name: QActionGroup(window) for name in {row.one_of for row in rows if row.one_of}}
    for row in rows:
        if row.one_of:
            groups[row.one_of].addAction(actions[row.id])

    def refresh() -> None:
        if isValid(window):  # a signal may come from a lane after the window is gone
            for row in rows:
                _refresh(row, actions[row.id], session)

    for signal in (
        session.changed, session.image_changed, session.drawn_changed, session.selection_changed,
        session.settings_changed, session.models_changed, session.teaching_changed, session.tones_changed,
        session.sight_changed,
    ):  # fmt: skip
        signal.connect(refresh)
    refresh()
    return actions


def _make_action(row: ActionRow, owner: QWidget, session: Session, held: HeldKeys) -> QAction:
    def triggered() -> None:
        if row.repeats or not held.is_repeat:
            row.call()
        _refresh(row, action, session)  # Qt has toggled the mark even if the call changed nothing

    action = QAction(row.title, owner)
    action.setObjectName(row.id)
    if row.on_canvas:
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    action.setAutoRepeat(row.repeats)
    action.setCheckable(row.checked is not None)
    action.triggered.connect(triggered)
    owner.addAction(action)
    return action


def give_keys(rows: list[ActionRow], actions: dict[str, QAction]) -> None:
    """Give the actions the keys of their rows; mouse buttons are no shortcuts of Qt's: the canvas reports them."""
    for row in rows:
        actions[row.id].setShortcuts([])  # all first, because a key may move from one action to another
    for row in rows:
        actions[row.id].setShortcuts([QKeySequence(key) for key in row.keys if not as_mouse_key(key)])
        set_tooltip(
            actions[row.id],
            tr("{action} ({key})", action=row.words, key=readable(row.keys[0])) if row.keys else row.words,
        )


def _refresh(row: ActionRow, action: QAction, session: Session) -> None:
    if row.enabled is not None:
        action.setEnabled(row.enabled(session))
    if row.checked is not None:
        action.setChecked(row.checked(session))
    if row.title_now is not None:
        action.setText(row.title_now(session))


def draw_icons(rows: list[ActionRow], actions: dict[str, QAction]) -> None:
    """Give the actions their icons in the colors of the scheme."""
    for row in rows:
        if row.icon:
            actions[row.id].setIcon(theme.icon(row.icon))
