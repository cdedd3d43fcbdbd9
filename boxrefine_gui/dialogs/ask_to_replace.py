"""The question before an export replaces files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePosixPath

from PySide6.QtWidgets import QWidget

from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations.exporting import NOT_EXPORTED, ExportChoice
from boxrefine_gui.state.session import Session

_NAMED = 3


def ask_to_replace(
    window: QWidget, session: Session, choice: ExportChoice, held: Sequence[PurePosixPath], go_on: Callable[[], None]
) -> None:
    """Name the folder and what is in it already; Return and Escape leave all as it is."""
    Question(
        window,
        title="Replace files?",
        text=f"{words_on(held)} in {choice.out} already.",
        more=f"Exporting replaces {'it' if len(held) == 1 else 'them'}; what it replaces cannot be brought back.",
        yes="Replace",
        no="Cancel",
        on_yes=go_on,
        on_no=partial(session.tell, NOT_EXPORTED),
    )


def words_on(held: Sequence[PurePosixPath]) -> str:
    """The first names, and how many more there are, with their verb."""
    named, more = ", ".join(str(name) for name in held[:_NAMED]), len(held) - _NAMED
    others = f" and {more} more {'file' if more == 1 else 'files'}" if more > 0 else ""
    return f"{named}{others} {'is' if len(held) == 1 else 'are'}"
