"""The rows of the menu Help."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from boxrefine_gui.actions.menus import HELP
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.help import About, show_once
from boxrefine_gui.dialogs.manual import Manual
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets.action_row import ActionRow
from core import log
from core.errors import StorageError
from core.translation import tr


def help_rows(
    parts: Parts, *, window: QWidget, ask: Ask, choose_keys: Callable[[], None], take_tour: Callable[[], None]
) -> list[ActionRow]:
    """Return the rows for keys, the log and the About dialog; the action table sets the call of the first row."""

    def show_log() -> None:
        parts.files.run(_log_to_show, on_done=partial(_show_log, parts, ask))

    return [
        ActionRow("tour", tr("&Take the tour"), take_tour, menu=HELP, icon="tour"),
        ActionRow("shortcuts", tr("&Keyboard and mouse"), lambda: None, ("F1",), HELP, "keyboard"),
        ActionRow("manual", tr("&Manual"), lambda: show_once(window.findChild(Manual) or Manual(window)), menu=HELP),
        ActionRow("keys", tr("&Choose other keys…"), choose_keys, menu=HELP),
        ActionRow("show_log", tr("Show &log"), show_log, menu=HELP, starts_group=True),
        ActionRow(
            "about", tr("&About BoxRefine"), lambda: show_once(window.findChild(About) or About(window)), menu=HELP
        ),
    ]


def _log_to_show() -> Path:
    """Files lane: return the log, or its folder if there is no log yet. Raises StorageError if neither exists."""
    path = log.log_path()
    found = next((place for place in (path, path.parent) if os.path.exists(place)), None)  # noqa: PTH110 - no folder raises
    if found is None:
        raise StorageError(_cannot_be_written(path, log.trouble() or ""))
    return found


def _cannot_be_written(path: Path, why: str) -> str:
    if not why:
        return tr("The log {path} could not be written: make its folder, or name one by BOXREFINE_LOG.", path=path)
    return tr(
        "The log {path} could not be written ({why}): make its folder, or name one by BOXREFINE_LOG.",
        path=path,
        why=why,
    )


def _show_log(parts: Parts, ask: Ask, path: Path) -> None:
    if not ask.show(path):
        parts.session.tell(tr("The log is {path}; this system has no program that shows it.", path=path))
