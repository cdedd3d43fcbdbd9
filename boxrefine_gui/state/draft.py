"""Draft: a drawn box that is not accepted yet, and its conversion to and from the form in the project file."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from uuid import uuid4

from core.geometry import Box
from core.records import Candidate, Choice, Correction, Drawing, DrawnBox, DrawnBy, Refinement

NO_MODELS = ("", "")
_SURE = (1.0, 1.0, 1.0, 1.0)
_DRAWINGS = {DrawnBy.FOUR_POINTS: Drawing.PLACED, DrawnBy.KEYS: Drawing.COARSE}


@dataclass(frozen=True)
class Draft:
    """A drawn box that is not accepted yet.

    `number` identifies the draft in this process; it is below 0 for drafts read from the project file. `drawn` is in
    image pixels. `pressed_at` is time.monotonic() in seconds. `plain`: the user wants no refinement. `is_current`: the
    refinement is for exactly this drawn box, not for an earlier state of the drag. `made_by` is the identity of its
    encoder and its refiner. `nudged` is the refinement as edited by the user. `again` is the stored correction that is
    being refined again. `key` identifies the draft in the project file. `category_id` is 0 while the project has no
    category. `is_held`: the user is still dragging. `was_left`: it was left waiting, so going on does not accept it.
    `candidates` are those of the refinement, which is the first; empty until they are computed. `chosen` is the row of
    the candidate that the user chose. `drawn_by` is how it was drawn.
    """

    number: int
    image_id: int
    drawn: Box
    pressed_at: float
    plain: bool = False
    refinement: Refinement | None = None
    is_current: bool = False
    made_by: tuple[str, str] = NO_MODELS
    nudged: Box | None = None
    again: Correction | None = None
    key: str = field(default_factory=lambda: uuid4().hex)
    category_id: int = 0
    is_held: bool = False
    was_left: bool = False
    candidates: tuple[Candidate, ...] = ()
    chosen: int = 0
    drawn_by: DrawnBy = DrawnBy.DRAG

    @property
    def drawing(self) -> Drawing:
        """How coarse the drawn box is, for the refiner."""
        return _DRAWINGS.get(self.drawn_by, Drawing.DRAG)

    @property
    def answer(self) -> Refinement | None:
        """The refinement, where the user wants one: the model's own, or the candidate that the user chose."""
        if self.plain or self.refinement is None or not self.chosen:
            return None if self.plain else self.refinement
        chosen = self.candidates[self.chosen]
        confidence = chosen.edge_confidence or self.refinement.edge_confidence
        score = self.refinement.score if chosen.score is None else chosen.score
        return Refinement(chosen.box, confidence, score, margin=chosen.margin)

    @property
    def is_by_keys(self) -> bool:
        """Whether the arrow keys change the drawn box, and not its refinement: until the user edits that."""
        return self.drawing is Drawing.COARSE and self.nudged is None and self.again is None

    @property
    def choice(self) -> Choice | None:
        """The candidates with the chosen one, if there are several."""
        return Choice(self.candidates, self.chosen) if len(self.candidates) > 1 and self.answer is not None else None

    @property
    def box(self) -> Box:
        """The box that would be accepted now."""
        if self.nudged is not None:
            return self.nudged
        return self.answer.box if self.answer is not None else self.drawn


def correction_of(draft: Draft, *, category_id: int, seconds: float) -> Correction:
    """Return the correction to store for a draft; without a refinement it names no model."""
    drawn_by = draft.again.drawn_by if draft.again is not None else draft.drawn_by
    correction = Correction(
        draft.image_id, category_id, drawn=draft.drawn, accepted=draft.box, seconds=seconds, drawn_by=drawn_by
    )
    if draft.answer is None:
        return correction
    encoder, refiner = draft.made_by
    answered = correction.with_answer(draft.answer, encoder=encoder, refiner=refiner)
    return replace(answered, choice=draft.choice).with_doubt()


def kept_form(draft: Draft) -> DrawnBox:
    """Return the form of a draft in the project file."""
    correction = correction_of(draft, category_id=draft.category_id, seconds=time.monotonic() - draft.pressed_at)
    return DrawnBox(draft.key, replace(correction, confirmed=False, doubtful=()), draft.plain)


def from_file(box: DrawnBox, *, number: int) -> Draft:
    """Return the draft for a box from the project file; a refinement that it has is current and not recomputed."""
    kept = box.correction
    answer = None
    if kept.refined is not None:
        confidence, score = kept.edge_confidence or _SURE, kept.score or 0.0
        answer = Refinement(kept.refined, confidence, score, outline=kept.outline, margin=kept.margin)
    untouched = answer.box if answer is not None and not box.plain else kept.drawn
    candidates, chosen = (kept.choice.candidates, kept.choice.chosen) if kept.choice is not None else ((), 0)
    if chosen:
        first = candidates[0]
        answer = Refinement(first.box, first.edge_confidence or _SURE, first.score or 0.0, margin=first.margin)
    return Draft(
        number,
        kept.image_id,
        kept.drawn,
        time.monotonic() - kept.seconds,
        plain=box.plain,
        refinement=answer,
        is_current=answer is not None,
        made_by=(kept.encoder, kept.refiner),
        nudged=None if kept.accepted == untouched else kept.accepted,
        key=box.key,
        category_id=kept.category_id,
        was_left=True,
        candidates=candidates,
        chosen=chosen,
        drawn_by=kept.drawn_by,
    )
