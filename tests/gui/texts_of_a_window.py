"""A process of its own that builds the window in the language of BOXREFINE_LANGUAGE and prints every text in it.

It prints a JSON object: `texts`, sorted, and `menus`, a list of entries for each menu of the menu bar.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QLabel,
    QLineEdit,
    QMenu,
    QMenuBar,
    QTextBrowser,
    QTreeWidget,
    QWidget,
)

from tests.gui.fakes import FakeModels


def texts_of(widget: QWidget) -> Iterator[str]:
    """What a widget and all in it show: words, tooltips, names for screen readers, and what empty fields ask for."""
    for each in [widget, *widget.findChildren(QWidget)]:
        yield from (each.windowTitle(), each.toolTip(), each.accessibleName(), each.accessibleDescription())
        if isinstance(each, QLabel | QAbstractButton):
            yield each.text()
        if isinstance(each, QLineEdit):
            yield each.placeholderText()
        if isinstance(each, QMenu):
            yield each.title()
        if isinstance(each, QTextBrowser) and not each.source().isValid():
            yield from each.toPlainText().splitlines()
        if isinstance(each, QTreeWidget):
            header = each.headerItem()
            yield from (header.text(column) for column in range(header.columnCount()))
    for action in widget.findChildren(QAction):
        yield from (action.text(), action.toolTip())


def entries_of(menu: QMenuBar | QMenu) -> Iterator[list[str]]:
    """The entries of a menu, and those of each submenu."""
    yield [action.text() for action in menu.actions()]
    for action in menu.actions():
        inner = QMenu.menuInAction(action)
        if inner is not None:
            yield from entries_of(inner)


def main(folder: Path) -> None:
    """Print the texts of the window and of the dialogs that its menus open, and the entries of its menus."""
    qt = QApplication(sys.argv[:1])
    from boxrefine_gui.app import build
    from boxrefine_gui.widgets.language import translate_qt
    from tests.gui.driving import ScriptedAsk

    translate_qt(qt)
    app = build(load_models=FakeModels(), ask=ScriptedAsk())
    app.window.show()
    app.open(folder)
    for name in ("shortcuts", "keys", "about", "models", "manual", "preferences"):
        action = app.window.findChild(QAction, name)
        if action is not None:
            action.trigger()
    found = {text for window in qt.topLevelWidgets() for text in texts_of(window) if text}
    menus = list(entries_of(app.window.menuBar()))
    sys.stdout.write(json.dumps({"texts": sorted(found), "menus": menus}))
    sys.stdout.flush()
    app.window.close()
    app.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
