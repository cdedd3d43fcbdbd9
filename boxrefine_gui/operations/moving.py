"""Operations that change the edges of stored boxes; call them on the GUI thread."""

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
    """Change the edges of a stored box, not its drawn and refined boxes. Moves of one `run` are one undo step."""
    change_edges(parts, correction_id, box, lambda project: project.move(correction_id, box, run))


def change_edges(parts: Parts, correction_id: int, box: Box, write: Callable[[ProjectStore], Changes]) -> None:
    """Show a stored box with new edges at once, and `write` them; show the old edges again if that fails."""
    session = parts.session
    session.set_pending(moving={**session.moving, correction_id: box})
    parts.store.write(
        write,
        on_done=partial(_moved, session, correction_id, box),
        on_error=partial(_not_moved, session, correction_id),
    )


def _moved(session: Session, correction_id: int, box: Box, view: StoreView) -> None:
    if session.moving.get(correction_id) == box:  # else the user has moved it again
        session.set_pending(moving={key: to for key, to in session.moving.items() if key != correction_id})
    session.apply(view)


def _not_moved(session: Session, correction_id: int, error: Exception) -> None:
    session.set_pending(moving={key: to for key, to in session.moving.items() if key != correction_id})
    session.report(error)
