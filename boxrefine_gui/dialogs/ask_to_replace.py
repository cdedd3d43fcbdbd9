"""The question before an export replaces files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from PySide6.QtWidgets import QWidget

from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations.exporting import NOT_EXPORTED, ExportChoice
from boxrefine_gui.state.session import Session
from core.translation import tr, tr_plural

_NAMED = 3


def ask_to_replace(
    window: QWidget, session: Session, choice: ExportChoice, held: Sequence[PurePosixPath], go_on: Callable[[], None]
) -> None:
    """Ask whether an export may replace the files `held` in its folder; Return and Escape cancel it."""
    Question(
        window,
        title=tr("Replace files?"),
        text=_name_files(held, choice.out),
        more=tr_plural(
            "Exporting replaces it; what it replaces cannot be brought back.",
            "Exporting replaces them; what it replaces cannot be brought back.",
            len(held),
        ),
        yes=tr("Replace"),
        no=tr("Cancel"),
        on_yes=go_on,
        on_no=partial(session.tell, NOT_EXPORTED),
    )


def _name_files(held: Sequence[PurePosixPath], folder: Path) -> str:
    """A sentence with the first names, and how many more there are."""
    names, more = ", ".join(str(name) for name in held[:_NAMED]), len(held) - _NAMED
    if more > 0:
        return tr_plural(
            "{names} and {count} more file are in {folder} already.",
            "{names} and {count} more files are in {folder} already.",
            more,
            names=names,
            folder=folder,
        )
    return tr_plural(
        "{names} is in {folder} already.", "{names} are in {folder} already.", len(held), names=names, folder=folder
    )
