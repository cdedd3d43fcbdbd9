"""The steps of the tour: what each asks for, and what shows that the user has done it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from boxrefine_gui.state.session import Session
from core.records import StepKind
from core.translation import tr


@dataclass(frozen=True)
class TourStep:
    """One step: `words` get the key of `action`, the id of a row of the action table.

    `is_done` reads from the session whether it is done; without it, triggering the action ends the step.
    """

    words: str
    action: str = ""
    is_done: Callable[[Session], bool] | None = None


STEPS = (
    TourStep(
        tr("Drag a careless box over an object: the blue box is what the refiner makes of it."),
        is_done=lambda session: session.draft is not None,
    ),
    TourStep(
        tr("Press {key} to accept it; every accepted box is stored at once."),
        "accept",
        lambda session: session.draft is None and bool(session.corrections),
    ),
    TourStep(
        tr("Click the box, and drag one of its handles: so you correct an edge."),
        is_done=lambda session: session.undo_steps[0] is not None and session.undo_steps[0].kind is StepKind.MOVE,
    ),
    TourStep(tr("Press {key} to undo that; every step can be undone, also tomorrow."), "undo"),
    TourStep(tr("Press {key}: BoxRefine looks for the other objects like it."), "suggest_rest"),
    TourStep(tr("Press {key}: this image is done, and the next one opens."), "done_next"),
    TourStep(tr("Press {key} to export the boxes in the format that you train with."), "export"),
)
