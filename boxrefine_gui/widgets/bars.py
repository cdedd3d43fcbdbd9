"""The menus and the toolbar, made from the rows of the action table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QMenuBar, QToolBar, QToolButton

from boxrefine_gui.widgets.action_row import ActionRow
from core.translation import tr

_ICON = QSize(20, 20)


def fill_menus(
    bar: QMenuBar, rows: Iterable[ActionRow], actions: Mapping[str, QAction], *, after: Mapping[str, QMenu]
) -> None:
    """Add a menu for each title of the rows, with its submenus; `after`: id of a row -> a menu that follows it."""
    menus: dict[tuple[str, str], QMenu] = {}
    for row in rows:
        if not row.menu:
            continue
        top = menus.get((row.menu, "")) or menus.setdefault((row.menu, ""), bar.addMenu(row.menu))
        into = top
        if row.submenu:
            if (row.menu, row.submenu) not in menus:
                if row.starts_group:
                    top.addSeparator()
                menus[row.menu, row.submenu] = top.addMenu(row.submenu)
            into = menus[row.menu, row.submenu]
        if row.starts_group and into.actions():
            into.addSeparator()
        into.addAction(actions[row.id])
        if row.id in after:
            into.addMenu(after[row.id])


def make_toolbar(rows: Iterable[ActionRow], actions: Mapping[str, QAction]) -> QToolBar:
    """Make the toolbar, with a line between the rows of different menus."""
    bar = QToolBar(tr("Tools"))
    bar.setMovable(False)
    bar.setIconSize(_ICON)
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    before: ActionRow | None = None
    for row in rows:
        if row.in_toolbar:
            if before is not None and before.menu != row.menu:
                bar.addSeparator()
            bar.addAction(actions[row.id])
            _label_button(bar, actions[row.id], row.toolbar_text)
            before = row
    return bar


def _label_button(bar: QToolBar, action: QAction, text: str) -> None:
    """Show a text next to the icon of a toolbar button."""
    button = bar.widgetForAction(action)
    if text and isinstance(button, QToolButton):
        action.setIconText(text)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
