"""Operations that change the edges of stored boxes; call them on the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.operations.parts import Parts
from boxrefine_gui.state.project_view import StoreView
from boxrefine_gui.state.session import Session
from core.geometry import Box
from core.records import Changes

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore


def move(parts: Parts, moved: Mapping[int, Box], *, run: str = "") -> None:
    """Change the edges of stored boxes (id -> box), not their drawn and refined ones.

    Moves of one `run` are one undo step.
    """
    change_edges(parts, moved, lambda project: project.move_all(moved, run))


def change_edges(parts: Parts, moved: Mapping[int, Box], write: Callable[[ProjectStore], Changes]) -> None:
    """Show stored boxes with new edges at once, and `write` them; show the old edges again if that fails."""
    session = parts.session
    session.set_pending(moving={**session.moving, **moved})
    parts.store.write(
        write,
        on_done=partial(_moved, session, moved),
        on_error=partial(_not_moved, session, moved),
    )


def _moved(session: Session, moved: Mapping[int, Box], view: StoreView) -> None:
    # A box that the user has moved again stays where it is shown now.
    left = {key: to for key, to in session.moving.items() if moved.get(key) != to}
    if left != session.moving:
        session.set_pending(moving=left)
    session.apply(view)


def _not_moved(session: Session, moved: Mapping[int, Box], error: Exception) -> None:
    session.set_pending(moving={key: to for key, to in session.moving.items() if key not in moved})
    session.report(error)
