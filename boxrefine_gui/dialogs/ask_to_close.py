"""The questions before closing ends what is being taught, leaves drawn boxes without a yes, or work in a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.state.teaching_state import TeachingState

TITLE = "Teaching goes on"
DRAWN_TITLE = "Drawn boxes"
RESCUED_TITLE = "The project is a copy"


def ask_to_close(window: QWidget, teaching: TeachingState, *, close: Callable[[], None]) -> None:
    """Ask once, however often the window is told to close; Return and Escape keep it open."""
    if _is_asked(window, TITLE):
        return
    how_far = "under way" if teaching.percent is None else f"{teaching.percent} % done"
    Question(
        window,
        title=TITLE,
        text=f"Teaching is {how_far}.",
        more="Closing the window ends it without a taught refiner. Nothing that you labelled is lost.",
        yes="Close anyway",
        no="Keep open",
        on_yes=close,
    )


def ask_about_drawn(window: QWidget, drawn: int, *, unwritten: int, close: Callable[[], None]) -> None:
    """Say how many drawn boxes wait for a yes, and ask once; Return and Escape keep the window open.

    `unwritten` of them are not in the project's file, because it could not be written.
    """
    if _is_asked(window, DRAWN_TITLE):
        return
    Question(
        window,
        title=DRAWN_TITLE,
        text=f"{not_accepted(drawn)}.",
        more=_what_becomes_of(drawn, unwritten=unwritten),
        yes="Close anyway",
        no="Keep open",
        on_yes=close,
    )


def ask_about_copy(window: QWidget, copy: Path, *, close: Callable[[], None]) -> None:
    """Say where the work is that went on in a copy, and ask once; Return and Escape keep the window open."""
    if _is_asked(window, RESCUED_TITLE):
        return
    Question(
        window,
        title=RESCUED_TITLE,
        text="The project's file was deleted, moved or replaced, and the work went on in a copy.",
        more=f"It is kept as {copy}, and opens again from File, Open recent. What is at the old place lacks this work: "
        "File, Save project elsewhere puts the copy where you want it.",
        yes="Close anyway",
        no="Keep open",
        on_yes=close,
    )


def not_accepted(drawn: int) -> str:
    """How many boxes are drawn and wait for a yes, as the beginning of a sentence."""
    return "1 drawn box is not accepted yet" if drawn == 1 else f"{drawn} drawn boxes are not accepted yet"


def _what_becomes_of(drawn: int, *, unwritten: int) -> str:
    if unwritten:
        them = "it" if unwritten == 1 else "them"
        return (
            f"{unwritten} of {drawn} could not be written to the project, and closing loses {them}: make room there, "
            "or save the project elsewhere first."
        )
    are, them = ("It is", "it") if drawn == 1 else ("They are", "them")
    return f"{are} kept in the project: hollow numbers in the list of images show where. Exports leave {them} out."


def _is_asked(window: QWidget, title: str) -> bool:
    """Whether the question is there already; it is then in front."""
    asked = next((shown for shown in window.findChildren(Question) if shown.windowTitle() == title), None)
    if asked is not None:
        asked.activateWindow()
    return asked is not None
