"""The verbs of edges: giving stored boxes other ones.

All of them are called on the GUI thread; what runs on a lane is the function given to that lane.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.project_view import StoreView
from boxrefine_gui.state.session import Session
from core.geometry import Box
from core.records import Changes

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore


def move(parts: Parts, correction_id: int, box: Box, *, run: str = "") -> None:
    """Give a stored box other edges; what was drawn and refined stays with it. Moves of one `run` are one undo step."""
    change_edges(parts, correction_id, box, lambda project: project.move(correction_id, box, run))


def change_edges(parts: Parts, correction_id: int, box: Box, write: Callable[[ProjectStore], Changes]) -> None:
    """The box is shown there at once, and goes back if it cannot be stored."""
    session = parts.session
    session.set_pending(moving={**session.moving, correction_id: box})
    parts.store.write(
        write,
        on_done=partial(_moved, session, correction_id, box),
        on_error=partial(_not_moved, session, correction_id),
    )


def _moved(session: Session, correction_id: int, box: Box, view: StoreView) -> None:
    if session.moving.get(correction_id) == box:  # else it was moved on meanwhile
        session.set_pending(moving={key: to for key, to in session.moving.items() if key != correction_id})
    session.apply(view)


def _not_moved(session: Session, correction_id: int, error: Exception) -> None:
    session.set_pending(moving={key: to for key, to in session.moving.items() if key != correction_id})
    session.report(error)
