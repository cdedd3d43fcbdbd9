"""The rows of the menu Help."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.dialogs.help import About, show_once
from boxrefine_gui.dialogs.manual import Manual
from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.widgets.action_row import ActionRow
from core import log
from core.errors import StorageError


def help_rows(parts: Parts, *, window: QWidget, ask: Ask, choose_keys: Callable[[], None]) -> list[ActionRow]:
    """Keys, the log, and what this app is; the action table gives the first row its call."""

    def show_log() -> None:
        parts.files.run(_log_to_show, on_done=partial(_show_log, parts, ask))

    return [
        ActionRow("shortcuts", "&Keyboard and mouse", lambda: None, ("F1",), "&Help", "keyboard"),
        ActionRow("manual", "&Manual", lambda: show_once(window.findChild(Manual) or Manual(window)), menu="&Help"),
        ActionRow("keys", "&Choose other keys…", choose_keys, menu="&Help"),
        ActionRow("show_log", "Show &log", show_log, menu="&Help", starts_group=True),
        ActionRow(
            "about", "&About BoxRefine", lambda: show_once(window.findChild(About) or About(window)), menu="&Help"
        ),
    ]


def _log_to_show() -> Path:
    """Files lane: the log, else the folder that it would be in. Raises StorageError where there is neither."""
    path = log.log_path()
    found = next((place for place in (path, path.parent) if os.path.exists(place)), None)  # noqa: PTH110 - no folder raises
    if found is None:
        why = f" ({log.trouble()})" if log.trouble() else ""
        raise StorageError(f"The log {path} could not be written{why}: make its folder, or name one by BOXREFINE_LOG.")
    return found


def _show_log(parts: Parts, ask: Ask, path: Path) -> None:
    if not ask.show(path):
        parts.session.tell(f"The log is {path}; this system has no program that shows it.")
