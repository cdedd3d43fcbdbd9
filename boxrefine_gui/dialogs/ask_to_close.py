"""Questions before the window closes: teaching is running, drawn boxes are not accepted, or the project is a copy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.state.teaching_state import TeachingState
from core.translation import tr, tr_plural


def ask_to_close(window: QWidget, teaching: TeachingState, *, close: Callable[[], None]) -> None:
    """Ask whether closing may end teaching, once however often the window is closed; Return and Escape keep it open."""
    if _is_asked(window, "teaching_goes_on"):
        return
    under_way = tr("Teaching is under way.")
    how_far = under_way if teaching.percent is None else tr("Teaching is {percent} % done.", percent=teaching.percent)
    Question(
        window,
        title=tr("Teaching goes on"),
        text=how_far,
        more=tr("Closing the window ends it without a taught refiner. Nothing that you labelled is lost."),
        yes=tr("Close anyway"),
        no=tr("Keep open"),
        on_yes=close,
    ).setObjectName("teaching_goes_on")


def ask_about_drawn(window: QWidget, drawn: int, *, unwritten: int, close: Callable[[], None]) -> None:
    """Ask once whether to close although `drawn` boxes are not accepted; Return and Escape keep the window open.

    `unwritten` of them are not in the project's file, because it could not be written.
    """
    if _is_asked(window, "drawn_boxes"):
        return
    Question(
        window,
        title=tr("Drawn boxes"),
        text=tr_plural("{count} drawn box is not accepted yet.", "{count} drawn boxes are not accepted yet.", drawn),
        more=_what_becomes_of(drawn, unwritten=unwritten),
        yes=tr("Close anyway"),
        no=tr("Keep open"),
        on_yes=close,
    ).setObjectName("drawn_boxes")


def ask_about_copy(window: QWidget, copy: Path, *, close: Callable[[], None]) -> None:
    """Name the copy that holds the work, and ask once whether to close; Return and Escape keep the window open."""
    if _is_asked(window, "project_is_copy"):
        return
    Question(
        window,
        title=tr("The project is a copy"),
        text=tr("The project's file was deleted, moved or replaced, or is read-only, and the work went on in a copy."),
        more=tr(
            "It is kept as {copy}, and opens again from File, Open recent. What is at the old place lacks this work: "
            "File, Save project elsewhere puts the copy where you want it.",
            copy=copy,
        ),
        yes=tr("Close anyway"),
        no=tr("Keep open"),
        on_yes=close,
    ).setObjectName("project_is_copy")


def _what_becomes_of(drawn: int, *, unwritten: int) -> str:
    if unwritten:
        return tr_plural(
            "{count} of {drawn} could not be written to the project, and closing loses it: make room there, "
            "or save the project elsewhere first.",
            "{count} of {drawn} could not be written to the project, and closing loses them: make room there, "
            "or save the project elsewhere first.",
            unwritten,
            drawn=drawn,
        )
    return tr_plural(
        "It is kept in the project: hollow numbers in the list of images show where. Exports leave it out.",
        "They are kept in the project: hollow numbers in the list of images show where. Exports leave them out.",
        drawn,
    )


def _is_asked(window: QWidget, name: str) -> bool:
    """Whether the question of this object name is shown already; if so, it comes to the front."""
    question = window.findChild(Question, name)
    if question is not None:
        question.activateWindow()
    return question is not None
