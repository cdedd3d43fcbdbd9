"""The words on the canvas: how to begin, what a drawn box waits for, and why there is no picture."""

from __future__ import annotations

from boxrefine_gui.session import Draft, Session
from core.records import Correction


def why_no_picture(session: Session) -> str:
    """What stands in the place of the picture."""
    if session.image is None:
        is_empty = session.project_path is None and not session.scan
        return "Open a folder of pictures: Ctrl+O, or drop it here." if is_empty else ""
    return session.problems.get(session.image.id, "")


def first_steps(session: Session) -> str:
    """How it goes, for as long as nobody has done it in this project."""
    is_begun = any(session.counts.values()) or session.draft is not None or session.storing or session.waiting
    if is_begun or session.picture is None:
        return ""
    accept = "letting go accepts it" if session.settings.auto_accept else "Return accepts it, Esc discards it"
    return f"Drag a box over an object; {accept}.   F1: all keys"


def words_beside(draft: Draft, session: Session, *, is_dragging: bool) -> str:
    """What goes on with the drawn box, and once the hand rests, which key does what."""
    is_waiting = session.models is not None and session.features is None and not draft.plain
    words = ["preparing the picture"] if is_waiting else []
    if not is_dragging:
        as_drawn = ", as drawn" if draft.plain or session.models is None else ""
        words += [
            f"Return: accept{_as_what(draft, session)}{as_drawn}",
            "Esc: discard" if draft.again is None else "Esc: keep it as it was",
        ]
    return "     ".join(words)


def words_to_check(correction: Correction) -> str:
    """Which keys say yes or no to a stored box that nobody has said yes to."""
    if correction.proposal is None:
        return "Return: good as it is     R: refine it     Del: delete it"
    return "Return: take the blue     K: keep the dashed     R: refine again"


def _as_what(draft: Draft, session: Session) -> str:
    """What the drawn box will be labelled as, if accepting it labels it at all."""
    if draft.again is not None:
        return ""
    return next((f" as {entry.name}" for entry in session.categories if entry.id == session.category_id), "")
