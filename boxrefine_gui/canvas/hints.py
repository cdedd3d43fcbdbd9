"""Texts on the canvas: first steps, the state of the drawn box with the keys that act on it, and why it is empty."""

from __future__ import annotations

from boxrefine_gui.canvas.suggested import is_plain_suggestion
from boxrefine_gui.state.draft import Draft
from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.doubt_words import doubt_words
from core.records import Correction
from core.translation import tr, tr_plural

_AIR = "     "


def why_no_picture(session: Session) -> str:
    """The text in the place of the picture, when there is none."""
    if session.image is None:
        is_empty = session.project_path is None and session.scan is None
        key = session.keys.get("open_folder")
        if not is_empty:
            return ""
        if key:
            return tr("Open a folder of pictures: {key}, or drop it here.", key=key)
        return tr("Open a folder of pictures: drop it here.")
    return session.problems.get(session.image.id, "")


def first_steps(session: Session) -> str:
    """How to draw a box; empty once the project has one."""
    is_begun = any(session.counts.values()) or session.draft is not None or session.storing or session.drawn_count
    if is_begun or session.picture is None:
        return ""
    keys = session.keys
    by_clicks = {
        "two_clicks": tr("Click two opposite corners of an object."),
        "four_points": tr("Click the four outermost points of an object."),
    }
    if session.settings.draw_by in by_clicks:
        sentence = by_clicks[session.settings.draw_by]
    elif session.settings.auto_accept:
        sentence = tr("Drag a box over an object; letting go accepts it.")
    elif keys.get("accept") and keys.get("discard"):
        sentence = tr(
            "Drag a box over an object; {accept} accepts it, {discard} discards it.",
            accept=keys["accept"],
            discard=keys["discard"],
        )
    else:
        sentence = tr("Drag a box over an object.")
    return f"{sentence}   {keys_and_words(session, ('shortcuts', tr('all keys')))}"


def refinement_is_off(session: Session) -> str:
    """That boxes stay as drawn, with the key that changes it; empty while the refinement is on."""
    if session.snapping or session.picture is None:
        return ""
    key = session.keys.get("snapping")
    return tr("Refinement off ({key})", key=key) if key else tr("Refinement off")


def words_beside(draft: Draft, session: Session, *, is_dragging: bool) -> str:
    """The state of the drawn box, and the keys that act on it unless the mouse is dragging."""
    is_waiting = session.models is not None and session.features is None and not draft.plain
    words = [tr("preparing the picture")] if is_waiting else []
    words += [tr("looking closer")] if draft.number in session.looking else []
    if len(draft.candidates) > 1 and draft.answer is not None:
        number, count = draft.chosen + 1, len(draft.candidates)
        another = tr("another answer ({number} of {count})", number=number, count=count)
        words += filter(None, [keys_and_words(session, ("another_answer", another))])
    if not is_dragging:
        words += [tr("arrow keys: move, with Ctrl: size")] if draft.is_by_keys else []
        what = keys_and_words(
            session,
            ("accept", _what_accepting_does(draft, session)),
            *([("choose_category", tr("category"))] if draft.again is None else []),
            ("discard", tr("discard") if draft.again is None else tr("keep it as it was")),
        )
        words += [what] if what else []
    return _AIR.join(words)


def keys_and_words(session: Session, *actions: tuple[str, str]) -> str:
    """Name the keys of actions, given as (id, what it does); actions without a key are left out."""
    keys = [(session.keys.get(id), does) for id, does in actions]
    return _AIR.join(tr("{key}: {what_it_does}", key=key, what_it_does=does) for key, does in keys if key)


def words_to_check(correction: Correction, session: Session) -> str:
    """The keys that accept or reject a stored box that is still to check."""
    if is_plain_suggestion(correction) and correction.origin is not None:
        percent = tr("suggested, {percent} %", percent=round(100 * correction.origin.probability))
        keys = keys_and_words(session, ("accept", tr("accept")), ("delete", tr("reject it")))
        return _AIR.join(filter(None, (percent, keys)))
    if correction.proposal in (None, correction.accepted):  # there is only one box to accept
        return keys_and_words(
            session, ("accept", tr("good as it is")), ("refine_again", tr("refine it")), ("delete", tr("delete it"))
        )
    return keys_and_words(
        session, ("accept", tr("take the blue")), ("keep", tr("keep the dashed")), ("refine_again", tr("refine again"))
    )


def words_on_selection(session: Session) -> str:
    """How many boxes are selected, and the keys for all of them."""
    chosen = session.selection
    count = tr_plural("{count} box", "{count} boxes", len(chosen))
    to_check = any(not entry.confirmed for entry in chosen)
    keys = keys_and_words(
        session,
        *([("accept", tr("accept"))] if to_check else []),
        ("delete", tr("delete")),
        ("refine_again", tr("refine")),
        ("copy", tr("copy")),
    )
    return _AIR.join(filter(None, (count, keys)))


def words_in_doubt(correction: Correction, session: Session) -> str:
    """The doubtful edges of an accepted box, and the key that finds them right."""
    keys = keys_and_words(session, ("accept", tr("right as it is")), ("next_doubtful", tr("next in doubt")))
    return _AIR.join(filter(None, [doubt_words(correction.doubtful), keys]))


def _what_accepting_does(draft: Draft, session: Session) -> str:
    """Names the category, unless the box is a stored one that keeps its own, and whether the box stays as drawn."""
    id = session.category_of(draft) if draft.again is None else None
    category = next((entry.name for entry in session.categories if entry.id == id), "")
    if draft.plain or session.models is None:
        return tr("accept as {category}, as drawn", category=category) if category else tr("accept, as drawn")
    return tr("accept as {category}", category=category) if category else tr("accept")
