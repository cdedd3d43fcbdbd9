"""Draft: a drawn box that nobody has accepted yet, as the window works with it, and as the project's file keeps it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from uuid import uuid4

from core.geometry import Box
from core.records import Correction, DrawnBox, Refinement

NOBODY = ("", "")
_SURE = (1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Draft:
    """A drawn box that is not accepted yet.

    `pressed_at` is time.monotonic() in seconds. `plain`: the user wants no refinement. `is_current`: the refinement
    answers this very drawn box and not one a moment ago. `made_by` names its encoder and refiner. `nudged` is what the
    user made of the refinement by hand. `again` is the stored correction whose accepted box is being refined once more.
    `key` is what the project's file knows it by. `category_id` is what it will be labelled as, 0 while there is no
    category. `is_held`: the hand is still drawing it. `was_left`: it has waited, and wants a yes of its own. Numbers
    below 0 are those of drafts that came from the file.
    """

    number: int
    image_id: int
    drawn: Box
    pressed_at: float
    plain: bool = False
    refinement: Refinement | None = None
    is_current: bool = False
    made_by: tuple[str, str] = NOBODY
    nudged: Box | None = None
    again: Correction | None = None
    key: str = field(default_factory=lambda: uuid4().hex)
    category_id: int = 0
    is_held: bool = False
    was_left: bool = False

    @property
    def answer(self) -> Refinement | None:
        """The refinement, where the user wants one."""
        return None if self.plain else self.refinement

    @property
    def box(self) -> Box:
        """What would be accepted now."""
        if self.nudged is not None:
            return self.nudged
        return self.answer.box if self.answer is not None else self.drawn


def correction_of(draft: Draft, *, category_id: int, seconds: float) -> Correction:
    """What is stored of a draft; without a refinement it says of no model that it helped."""
    correction = Correction(draft.image_id, category_id, drawn=draft.drawn, accepted=draft.box, seconds=seconds)
    if draft.answer is None:
        return correction
    encoder, refiner = draft.made_by
    return correction.with_answer(draft.answer, encoder=encoder, refiner=refiner)


def kept_form(draft: Draft) -> DrawnBox:
    """What the project's file keeps of a draft."""
    correction = correction_of(draft, category_id=draft.category_id, seconds=time.monotonic() - draft.pressed_at)
    return DrawnBox(draft.key, replace(correction, confirmed=False), draft.plain)


def from_file(box: DrawnBox, *, number: int) -> Draft:
    """The draft that was kept: its refinement answers its drawn box, and is not asked for again."""
    kept = box.correction
    answer = None
    if kept.refined is not None:
        answer = Refinement(kept.refined, kept.edge_confidence or _SURE, kept.score or 0.0, outline=kept.outline)
    untouched = answer.box if answer is not None and not box.plain else kept.drawn
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
    )
