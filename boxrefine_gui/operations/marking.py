"""Operations on the state of images: done, flagged with a note, and stepping by state."""

from __future__ import annotations

from collections.abc import Callable

from boxrefine_gui.operations.box_verbs import Parts, show_image
from boxrefine_gui.operations.drawing import go_on
from boxrefine_gui.state.session import Session
from core.listing import Tab, is_in
from core.records import ImageRecord, Mark
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
    wanted = _next(session, 1, lambda record: record.id != image.id and not _is_done(session, record))
    if wanted is not None:
        show_image(parts, wanted.id)
    else:
        session.tell(ALL_DONE)


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
    session = parts.session
    wanted = _next(session, step, lambda record: _is_untouched(session, record))
    if wanted is not None:
        show_image(parts, wanted.id)
    else:
        session.tell(NONE_UNTOUCHED)


def first_undone(parts: Parts) -> None:
    """Open the first image of the list that is not done."""
    session = parts.session
    wanted = next((record for record in session.listed if not _is_done(session, record)), None)
    if wanted is not None:
        show_image(parts, wanted.id)
    else:
        session.tell(ALL_DONE)


def _next(session: Session, step: int, is_wanted: Callable[[ImageRecord], bool]) -> ImageRecord | None:
    """The next image of the list that is wanted, in the direction of `step`; after its end, from the other end."""
    listed, row = session.listed, session.row
    if step > 0:
        start = 0 if row is None else listed.place_after(row)
        places = [range(start, len(listed)), range(start)]
    else:
        start = session.place_before
        places = [range(start, -1, -1), range(len(listed) - 1, start, -1)]
    found = (listed[place] for part in places for place in part)
    return next((record for record in found if is_wanted(record)), None)


def _is_done(session: Session, record: ImageRecord) -> bool:
    """Whether an image needs no more work; an unreadable picture can get none."""
    return record.id < 0 or is_in(Tab.DONE, session.tally.traits.get(record.id, 0))


def _is_untouched(session: Session, record: ImageRecord) -> bool:
    return record.id > 0 and is_in(Tab.UNTOUCHED, session.tally.traits.get(record.id, 0))


def _is_of_the_project(session: Session, image: ImageRecord) -> bool:
    if image.id < 0:
        session.tell(NO_PICTURE)
    return image.id > 0
