"""Texts of the image list's filters and orders, and of the project's progress."""

from __future__ import annotations

from collections.abc import Mapping

from boxrefine_gui.state.session import Session
from boxrefine_gui.widgets.plain_text import in_one_line
from core.listing import Order, Query, Tab
from core.translation import tr, tr_plural

TABS: Mapping[Tab, str] = {
    Tab.ALL: tr("All images"),
    Tab.UNTOUCHED: tr("Untouched"),
    Tab.IN_WORK: tr("In work"),
    Tab.TO_CHECK: tr("To check"),
    Tab.DOUBTFUL: tr("Doubtful"),
    Tab.FLAGGED: tr("Flagged"),
    Tab.DONE: tr("Done"),
    Tab.EMPTY: tr("Done, without boxes"),
}

ORDERS: Mapping[Order, str] = {
    Order.ADDED: tr("As added"),
    Order.NAME: tr("Name"),
    Order.DOUBT: tr("Doubt"),
    Order.USEFUL: tr("Most useful to label next"),
    Order.DATE: tr("Changed last"),
    Order.BOXES: tr("Number of boxes"),
}


def query_words(query: Query, session: Session) -> str:
    """The filter in a few words; a search and the order are shown elsewhere."""
    parts = [TABS[query.tab]] if query.tab is not Tab.ALL or query.is_plain else []
    if query.category_id:
        names = {category.id: category.name for category in session.categories}
        parts.append(in_one_line(names.get(query.category_id, "")))
    if query.note is not None:
        parts.append(note_words(query.note))
    parts += [in_one_line(place) for place in (query.split, query.folder) if place]
    return ", ".join(parts) or TABS[Tab.ALL]


def note_words(note: str) -> str:
    """The note of a flag in quotes."""
    return tr("“{note}”", note=in_one_line(note)) if note else tr("no note")


def listed_words(session: Session, *, briefly: bool = False) -> str:
    """How many images are listed, of how many; `briefly` for a narrow panel."""
    if briefly and not session.listed.is_whole:
        return f"{len(session.listed):,}"
    if session.listed.is_whole:
        return f"{len(session.images):,}"
    return tr("{count:,} of {total:,}", count=len(session.listed), total=len(session.images))


def progress_words(session: Session) -> str:
    """How far the project is."""
    total = session.images_in(Tab.ALL)
    if not total:
        return ""
    boxes, to_check = sum(session.counts.values()), sum(session.to_check.values())
    parts = [
        tr("{done:,} of {total:,} done", done=session.images_in(Tab.DONE), total=total),
        tr_plural("{count:,} box", "{count:,} boxes", boxes),
    ]
    if to_check:
        parts.append(tr("{count:,} to check", count=to_check))
    return ", ".join(parts)
