"""Operations on the state of images: done, flagged with a note, and stepping by state."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain, filterfalse

from boxrefine_gui.operations.box_verbs import Parts, show_image
from boxrefine_gui.operations.drawing import go_on
from boxrefine_gui.state.session import Session
from core.marks import Mark
from core.records import ImageRecord
from core.translation import tr

ALL_DONE = tr("All images of this list are done.")
NONE_UNTOUCHED = tr("No image of this list is untouched.")
NO_PICTURE = tr("This picture cannot be read, so it cannot be marked.")


def mark_of(session: Session) -> Mark:
    """The mark of the open image."""
    return session.tally.marks.get(session.image.id, Mark()) if session.image is not None else Mark()


def done_and_next(parts: Parts) -> None:
    """Mark the open image as done, accept its drawn box as going on does, and open the next image that is not done."""
    session, image = parts.session, parts.session.image
    if image is None:
        return
    if _is_of_the_project(session, image):
        go_on(parts)
        parts.store.write(lambda project: project.mark([image.id], done=True), on_done=session.apply)
    _show(parts, _next(session, 1, but=session.tally.done, here=image.id), ALL_DONE)


def toggle_done(parts: Parts) -> None:
    """Mark the open image as done, or as not done if it is."""
    session, image = parts.session, parts.session.image
    if image is not None and _is_of_the_project(session, image):
        done = not mark_of(session).done
        parts.store.write(lambda project: project.mark([image.id], done=done), on_done=session.apply)


def flag(parts: Parts, image_id: int, note: str | None) -> None:
    """Flag an image with a note; None removes the flag."""
    parts.store.write(lambda project: project.flag(image_id, note), on_done=parts.session.apply)


def may_flag(session: Session) -> bool:
    """Whether the open image can be marked; a notice explains it if not."""
    return session.image is not None and _is_of_the_project(session, session.image)


def step_untouched(parts: Parts, step: int) -> None:
    """Open the next (+1) or previous (-1) untouched image of the list."""
    _show(parts, _next(parts.session, step, but=parts.session.tally.touched), NONE_UNTOUCHED)


def first_undone(parts: Parts) -> None:
    """Open the first image of the list that is not done."""
    session = parts.session
    _show(parts, _first(session.listed.ids(slice(None)), but=session.tally.done), ALL_DONE)


def _show(parts: Parts, image_id: int | None, otherwise: str) -> None:
    if image_id is not None:
        show_image(parts, image_id)
    else:
        parts.session.tell(otherwise)


def _next(session: Session, step: int, *, but: Collection[int], here: int = 0) -> int | None:
    """The id of the next image of the list in the direction of `step`; after its end, from the other end.

    Images with the ids `but` and `here` are passed over.
    """
    listed, row = session.listed, session.row
    if step > 0:
        start = 0 if row is None else listed.place_after(row)
        parts = [slice(start, None), slice(start)]
    else:
        start = session.place_before
        parts = [slice(start, None, -1), slice(None, start, -1)] if start >= 0 else [slice(None, None, -1)]
    ids = chain.from_iterable(map(listed.ids, parts))
    return _first(filter(here.__ne__, ids), but=but)


def _first(ids: Iterable[int], *, but: Collection[int]) -> int | None:
    """The first of the ids that is not among others, and that is no unreadable picture's.

    Without Python code for each id, because there may be 100,000.
    """
    return next((id for id in filterfalse(but.__contains__, ids) if id > 0), None)


def _is_of_the_project(session: Session, image: ImageRecord) -> bool:
    if image.id < 0:
        session.tell(NO_PICTURE)
    return image.id > 0
