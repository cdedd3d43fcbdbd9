"""The question before closing ends what is being taught."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.teaching_state import TeachingState

TITLE = "Teaching goes on"


def ask_to_close(window: QWidget, teaching: TeachingState, *, close: Callable[[], None]) -> None:
    """Ask once, however often the window is told to close; Return and Escape keep it open."""
    asked = next((shown for shown in window.findChildren(Question) if shown.windowTitle() == TITLE), None)
    if asked is not None:
        asked.activateWindow()
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
