"""The words on the canvas: how to begin, what a drawn box waits for, and why there is no picture."""

from __future__ import annotations

from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.session import Session
from core.records import Correction

_AIR = "     "


def why_no_picture(session: Session) -> str:
    """What stands in the place of the picture."""
    if session.image is None:
        is_empty = session.project_path is None and session.scan is None
        key = session.keys.get("open_folder")
        return f"Open a folder of pictures: {key + ', or ' if key else ''}drop it here." if is_empty else ""
    return session.problems.get(session.image.id, "")


def first_steps(session: Session) -> str:
    """How it goes, for as long as nobody has done it in this project."""
    is_begun = any(session.counts.values()) or session.draft is not None or session.storing or session.drawn_count
    if is_begun or session.picture is None:
        return ""
    keys = session.keys
    if session.settings.auto_accept:
        then = "; letting go accepts it"
    elif keys.get("accept") and keys.get("discard"):
        then = f"; {keys['accept']} accepts it, {keys['discard']} discards it"
    else:
        then = ""
    return f"Drag a box over an object{then}.   {keys_and_words(session, ('shortcuts', 'all keys'))}"


def words_beside(draft: Draft, session: Session, *, is_dragging: bool) -> str:
    """What goes on with the drawn box, and once the hand rests, which key does what."""
    is_waiting = session.models is not None and session.features is None and not draft.plain
    words = ["preparing the picture"] if is_waiting else []
    words += ["looking closer"] if draft.number in session.looking else []
    if not is_dragging:
        as_drawn = ", as drawn" if draft.plain or session.models is None else ""
        what = keys_and_words(
            session,
            ("accept", f"accept{_as_what(draft, session)}{as_drawn}"),
            ("discard", "discard" if draft.again is None else "keep it as it was"),
        )
        words += [what] if what else []
    return _AIR.join(words)


def keys_and_words(session: Session, *actions: tuple[str, str]) -> str:
    """What keys do, for actions (id, words) that have one."""
    return _AIR.join(f"{session.keys[id]}: {words}" for id, words in actions if session.keys.get(id))


def words_to_check(correction: Correction, session: Session) -> str:
    """Which keys say yes or no to a stored box that nobody has said yes to."""
    if correction.proposal in (None, correction.accepted):  # there is one box to say yes to
        return keys_and_words(
            session, ("accept", "good as it is"), ("refine_again", "refine it"), ("delete", "delete it")
        )
    return keys_and_words(
        session, ("accept", "take the blue"), ("keep", "keep the dashed"), ("refine_again", "refine again")
    )


def _as_what(draft: Draft, session: Session) -> str:
    """What the drawn box will be labelled as, if accepting it labels it at all."""
    if draft.again is not None:
        return ""
    return next((f" as {entry.name}" for entry in session.categories if entry.id == session.category_of(draft)), "")
