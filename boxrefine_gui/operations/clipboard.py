"""Operations that copy boxes: by the clipboard, beside themselves, and from the previous image of the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import Parts, delete_selected
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.state.project_view import StoreView, read_touched
from core.copied_boxes import CopiedBox, CopiedBoxes, parse, place, text_of
from core.geometry import Box
from core.origins import Origin
from core.records import Correction, DrawnBy, ImageRecord, ImportedBox
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.store.project_store import ProjectStore

NOTHING_SELECTED = tr("No box is selected: click one, or drag a rubber band around several while Shift is down.")
NOTHING_COPIED = tr("The clipboard holds no boxes: select some, and copy them first.")
NO_PREVIOUS = tr("There is no image before this one in the list.")

_STEP = 0.015
"""How far pasted boxes move from equal ones, as a fraction of the image's longer side."""


def copy(parts: Parts) -> bool:
    """Copy the selected boxes to the clipboard; False if there is none."""
    copied = _selected(parts)
    if copied is None:
        return False
    QGuiApplication.clipboard().setText(text_of(copied))
    count = len(copied.boxes)
    parts.session.tell(tr_plural("{count} box is copied.", "{count} boxes are copied.", count))
    return True


def cut(parts: Parts) -> None:
    """Copy the selected boxes, and delete them."""
    if copy(parts):
        delete_selected(parts)


def paste(parts: Parts) -> None:
    """Add the boxes of the clipboard to the open image, and select them."""
    if parts.session.image is None:
        return
    parts.files.run(
        partial(parse, QGuiApplication.clipboard().text()),
        on_done=partial(_paste_copied, parts, parts.session.image),
        on_error=parts.session.report,
    )


def duplicate(parts: Parts) -> None:
    """Add the selected boxes a second time, a little beside, and select the new ones."""
    session = parts.session
    copied = _selected(parts)
    if copied is not None and session.image is not None:
        _paste_copied(parts, session.image, copied)


def copy_previous(parts: Parts, *, then: Callable[[frozenset[int]], None] | None = None) -> None:
    """Add the boxes of the previous image of the list, to check; `then` gets the ids of the new ones."""
    session = parts.session
    image, before = session.image, session.neighbor(-1)
    if image is None or image.id <= 0:
        return
    if before is None or before.id <= 0:
        session.tell(NO_PREVIOUS)
        return
    drawing.go_on(parts)
    parts.store.run(
        partial(_copy_in, image=image, before=before),
        on_done=partial(_copied_previous, parts, before.path.name, then),
    )


def _copy_in(
    project: ProjectStore, *, image: ImageRecord, before: ImageRecord
) -> tuple[int, frozenset[int], StoreView | None]:
    """The number of boxes there, the ids of the new ones here, and what changed."""
    names = {category.id: category.name for category in project.categories()}
    there = [entry for entry in project.corrections(before.id) if entry.was_accepted]
    found = place([entry.accepted for entry in there], taken=[], step=1.0, width=image.width, height=image.height)
    boxes = [
        _new(image, names[entry.category_id], box, copied_from=before.path.name)
        for entry, box in zip(there, found, strict=True)
        if box is not None and entry.category_id in names
    ]
    if not boxes:
        return len(there), frozenset(), None
    ids, changes = project.paste(boxes, only_new=True)
    return len(there), frozenset(ids), read_touched(project, changes)


def _copied_previous(
    parts: Parts,
    name: str,
    then: Callable[[frozenset[int]], None] | None,
    result: tuple[int, frozenset[int], StoreView | None],
) -> None:
    session, (there, ids, view) = parts.session, result
    if view is not None:
        session.apply(view)
    if not there:
        session.tell(tr("{picture} has no accepted box.", picture=name))
    elif not ids:
        session.tell(tr("The boxes of {picture} are on this image already.", picture=name))
    elif then is not None:
        then(ids)
    else:
        keys = [
            (session.keys.get("next_to_check"), tr("goes to the next one")),
            (session.keys.get("accept_all"), tr("accepts all")),
        ]
        count = tr_plural("{count} box to check", "{count} boxes to check", len(ids))
        session.tell(
            sentence_of(
                [
                    tr("{boxes} from {picture}", boxes=count, picture=name),
                    *(tr("{key} {what_it_does}", key=key, what_it_does=does) for key, does in keys if key),
                ]
            )
        )


def _selected(parts: Parts) -> CopiedBoxes | None:
    """The selected boxes, as they are shown; without one, a notice shows how to select."""
    session = parts.session
    if not session.selection or session.image is None:
        session.tell(NOTHING_SELECTED)
        return None
    names = {category.id: category.name for category in session.categories}
    boxes = tuple(CopiedBox(names.get(entry.category_id, ""), session.box_of(entry)) for entry in session.selection)
    return CopiedBoxes(session.image.path.name, boxes)


def _paste_copied(parts: Parts, image: ImageRecord, copied: CopiedBoxes | None) -> None:
    session = parts.session
    if session.image is None or session.image.id != image.id or image.id <= 0:
        return  # the user has gone on
    if copied is None:
        session.tell(NOTHING_COPIED)
        return
    drawing.go_on(parts)
    taken = [session.box_of(entry) for entry in session.corrections]
    parts.store.run(
        partial(_paste_in, image=image, copied=copied, taken=taken), on_done=partial(_pasted, parts, image, copied)
    )


def _paste_in(
    project: ProjectStore, *, image: ImageRecord, copied: CopiedBoxes, taken: Sequence[Box]
) -> tuple[list[int], StoreView | None]:
    """The ids of the pasted boxes and what changed; None if all lie outside the image."""
    found = place(
        [entry.box for entry in copied.boxes],
        taken=taken,
        step=max(4.0, round(_STEP * max(image.width, image.height))),
        width=image.width,
        height=image.height,
    )
    pairs = zip(copied.boxes, found, strict=True)
    boxes = [_new(image, entry.category, box) for entry, box in pairs if box is not None]
    if not boxes:
        return [], None
    ids, changes = project.paste(boxes)
    return ids, read_touched(project, changes)


def _pasted(parts: Parts, image: ImageRecord, copied: CopiedBoxes, result: tuple[list[int], StoreView | None]) -> None:
    session, (ids, view) = parts.session, result
    if view is None:
        session.tell(tr("The copied boxes lie outside this image, which is smaller than theirs."))
        return
    session.apply(view)
    if session.image is not None and session.image.id == image.id and session.draft is None:
        session.select(ids[0], ids)
    left_out = len(copied.boxes) - len(ids)
    if left_out:
        session.tell(
            tr_plural(
                "{count} copied box lies outside this image and is left out.",
                "{count} copied boxes lie outside this image and are left out.",
                left_out,
            )
        )


def _new(image: ImageRecord, category: str, box: Box, *, copied_from: str = "") -> ImportedBox:
    """A box to store: accepted, or to check if it is `copied_from` another picture."""
    origin = Origin(copied_from, box) if copied_from else None
    correction = Correction(
        image.id, 0, drawn=box, accepted=box, origin=origin, confirmed=origin is None, drawn_by=DrawnBy.COPIED
    )
    return ImportedBox(category, correction)
