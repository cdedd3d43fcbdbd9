"""Operations on several selected boxes of the open image; call them on the GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from boxrefine_gui.inference.refine_image import RefineImageRequest
from boxrefine_gui.operations import drawing
from boxrefine_gui.operations.box_verbs import NO_MODEL_YET, Parts
from boxrefine_gui.operations.clauses import sentence_of
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.state.project_view import StoreView
from core.records import Correction
from core.translation import tr, tr_plural

_GROUP = "refine_chosen"
_AT_ONCE = 1


def toggle(parts: Parts, correction_id: int | None) -> None:
    """Take a box into the selection, or out of it."""
    session = parts.session
    if correction_id is None:
        return
    drawing.go_on(parts)
    chosen = [entry.id for entry in session.selection]
    if correction_id in chosen:
        chosen.remove(correction_id)
        session.select(chosen[-1] if chosen else None, chosen)
    else:
        session.select(correction_id, chosen)


def select_all(parts: Parts) -> None:
    """Select every stored box of the open image."""
    session = parts.session
    drawing.go_on(parts)
    ids = [entry.id for entry in session.pickable]
    if not ids:
        session.tell(tr("There is no box on this image to select."))
        return
    session.select(session.selected_id if session.selected_id in ids else ids[0], ids)


def confirm(parts: Parts, *, take: bool) -> None:
    """Accept the unreviewed boxes among the selected ones, and end the doubts of the others, as one undo step."""
    session = parts.session
    ids = [
        entry.id for entry in session.selection if not entry.confirmed or entry.doubtful or session.is_to_fix(entry.id)
    ]
    if ids:
        parts.store.write(lambda project: project.confirm(ids, take=take), on_done=session.apply)
    else:
        session.tell(tr("The selected boxes are accepted already."))


def refine_chosen(parts: Parts) -> None:
    """Refine the selected boxes, as they are now, as one undo step."""
    session = parts.session
    if session.models is None or session.image is None:
        session.tell(NO_MODEL_YET)
        return
    seen = session.selection
    asked = [replace(entry, drawn=session.box_of(entry)) for entry in seen]
    names = {category.id: category.name for category in session.categories}
    parts.encode.run(
        RefineImageRequest(session.models, session.image, asked, names, session.margins),
        on_done=partial(_store, parts, seen),
        on_error=session.report,
        priority=_AT_ONCE,
        group=_GROUP,
        activity=Activity(ActivityKind.REFINING, session.image.path.name),
    )


def _store(parts: Parts, seen: Sequence[Correction], answers: list[Correction]) -> None:
    pairs = list(zip(seen, answers, strict=True))
    parts.store.write(lambda project: project.refine_all(pairs), on_done=partial(_refined, parts, seen))


def _refined(parts: Parts, seen: Sequence[Correction], view: StoreView) -> None:
    session = parts.session
    session.apply(view)
    proposed = sum(not entry.confirmed for entry in seen)
    refined = len(seen) - proposed
    key = session.keys.get("undo", "")
    session.tell(
        sentence_of(
            [
                tr_plural("{count} box is refined", "{count} boxes are refined", refined) if refined else "",
                tr_plural("{count} refinement is proposed", "{count} refinements are proposed", proposed)
                if proposed
                else "",
                tr("{key} takes it back", key=key) if key else "",
            ]
        )
    )
