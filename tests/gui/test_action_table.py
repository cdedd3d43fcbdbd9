"""The action table: each row has an id and keys that no other row has."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar

from boxrefine_gui.actions.menus import MOST_ROWS
from boxrefine_gui.app import App
from tests.gui.screenshots import DIALOGS


def test_every_row_of_the_action_table_has_its_own_key(closed_app: App) -> None:
    rows_of: dict[str, list[str]] = {}
    for row in closed_app.window.rows:
        for key in row.keys:
            rows_of.setdefault(key, []).append(row.id)
    shared = {key: ids for key, ids in rows_of.items() if len(ids) > 1}
    assert shared == {}, "give one of these rows of boxrefine_gui/actions/ another key"


def test_every_row_of_the_action_table_has_its_own_id(closed_app: App) -> None:
    ids = [row.id for row in closed_app.window.rows]
    shared = {id for id in ids if ids.count(id) > 1}
    assert shared == set(), "give one of these rows of boxrefine_gui/actions/ another id, or its action is lost"


def test_menus_can_be_read_at_a_glance(closed_app: App) -> None:
    for name, actions in menus_of(closed_app.window.menuBar()):
        rows = [action for action in actions if not action.isSeparator()]
        assert len(rows) <= MOST_ROWS, f"put rows of {name} into a submenu in boxrefine_gui/actions/menus.py"


def test_every_row_with_a_menu_stands_in_it_or_in_a_submenu(closed_app: App) -> None:
    shown = [action.objectName() for _, actions in menus_of(closed_app.window.menuBar()) for action in actions]
    for row in closed_app.window.rows:
        assert shown.count(row.id) == (1 if row.menu else 0), row.id


def menus_of(menu: QMenuBar | QMenu) -> Iterator[tuple[str, list[QAction]]]:
    """The menus with their rows, submenus too."""
    for action in menu.actions():
        inner = QMenu.menuInAction(action)
        if inner is not None:
            yield action.text(), inner.actions()
            yield from menus_of(inner)


def test_screenshots_are_taken_of_actions_that_there_are(closed_app: App) -> None:
    assert set(DIALOGS) <= set(closed_app.window.action_by_id)
