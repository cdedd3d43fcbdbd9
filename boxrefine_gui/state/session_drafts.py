"""The part of the session that is about drawn boxes: the one in hand, those that wait, those on their way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boxrefine_gui.state.draft import NOBODY, Draft
from boxrefine_gui.state.session_state import SessionState
from core.geometry import Box
from core.records import Correction, Refinement

if TYPE_CHECKING:
    from core.refiner.protocol import Refiner


class SessionDrafts(SessionState):
    """Changes what is drawn, and says so."""

    def start_draft(
        self, drawn: Box, *, pressed_at: float, plain: bool = False, again: Correction | None = None, held: bool = False
    ) -> None:
        """A new drawn box on the open image; `held`: the hand goes on drawing it. One that is there waits."""
        if self.image is None:
            return
        self._drafts += 1
        before = self.draft if self.draft is not None and self.draft.again is None else None
        if before is not None:
            self.left.add(before)
        self.replaced, self.taken_back, self.discarded = before, None, None
        if again is None and self.selected_id is not None:
            self.select(None)  # keys and clicks mean the new box from here on
        self.draft = Draft(
            self._drafts,
            self.image.id,
            drawn,
            pressed_at,
            plain,
            again=again,
            category_id=self.category_id or 0,
            is_held=held,
        )
        self.drawn_changed.emit()

    def select(self, correction_id: int | None) -> None:
        """Select a box of the open image, or none."""
        self.selected_id, self.chosen_edge = correction_id, None
        self.selection_changed.emit()

    def set_drawn(self, drawn: Box, *, plain: bool) -> None:
        """The drawn box while it is dragged; its last refinement stays in view until a newer one comes."""
        if self.draft is not None:
            self.draft = replace(self.draft, drawn=drawn, plain=plain, is_current=False, nudged=None)
            self.drawn_changed.emit()

    def release_draft(self) -> Draft | None:
        """The hand has let go of the drawn box; gives what was drawn before it."""
        replaced, self.replaced = self.replaced, None
        if self.draft is not None:
            self.draft = replace(self.draft, is_held=False)
            self.released.emit()
            self.left_changed.emit(self.draft.image_id)
        return replaced

    def set_refinement(self, refinement: Refinement, *, is_current: bool) -> None:
        """The answer to the drawn box, or (not `is_current`) to what it was a moment ago."""
        if self.draft is not None:
            self.draft = replace(self.draft, refinement=refinement, is_current=is_current, made_by=self.model_names)
            self.refinement_changed.emit()

    def set_nudged(self, box: Box) -> None:
        """The draft as the user changed it by hand."""
        if self.draft is not None:
            self.draft = replace(self.draft, nudged=box, was_left=False)
            self.refinement_changed.emit()

    def take_draft(self) -> Draft | None:
        """The draft, which is then no longer on the canvas."""
        draft, self.draft, self.replaced = self.draft, None, None
        self.drawn_changed.emit()
        if draft is not None:
            self.left_changed.emit(draft.image_id)
        return draft

    def put_back(self, draft: Draft) -> None:
        """A draft that could not be stored, or was left for another, is on the canvas again."""
        self.draft, self.replaced = draft, None
        self.left.unsettle(draft.key)
        self.drawn_changed.emit()
        self.left_changed.emit(draft.image_id)

    def leave_draft(self) -> None:
        """The drawn box waits on its image until somebody comes back to it."""
        draft = self.draft
        if draft is not None and draft.again is None:
            self.left.add(draft)
        self.take_draft()

    def settle_draft(self, draft: Draft) -> None:
        """It is on its way to being an accepted box, or discarded."""
        self.left.settle(draft.key)
        self._settled_drafts = max(self._settled_drafts, draft.number)

    @property
    def drew_last(self) -> bool:
        """Whether the drawn box is the newest work on the canvas, so that undo means it and nothing stored."""
        draft = self.draft
        return draft is not None and (draft.again is not None or draft.number > self._settled_drafts)

    def drawn_on(self, image_id: int) -> int:
        """How many boxes are drawn on an image and not accepted."""
        return self.left.count(image_id, elsewhere=len(self._in_hand(image_id)))

    @property
    def drawn_count(self) -> int:
        """How many boxes of the project are drawn and not accepted."""
        images = self.left.images() | {draft.image_id for draft in (*self.waiting, self.draft) if draft is not None}
        return sum(self.drawn_on(image_id) for image_id in images)

    def _put_away_settled(self, image_id: int, keys: set[str]) -> None:
        """The file has `keys`: where it had the drawn box in hand and has it no more, another window settled that."""
        draft = self.draft
        if draft is not None and draft.image_id == image_id and draft.key in self.left.in_file - keys:
            self.left.settle(draft.key)
            self.take_draft()

    def _in_hand(self, image_id: int) -> list[Draft]:
        drafts = [*self.waiting, *([self.draft] if self.draft is not None and not self.draft.is_held else [])]
        return [draft for draft in drafts if draft.image_id == image_id and draft.again is None]

    def set_pending(
        self,
        *,
        waiting: tuple[Draft, ...] | None = None,
        storing: tuple[Correction, ...] | None = None,
        moving: dict[int, Box] | None = None,
    ) -> None:
        """Boxes on their way to the store."""
        self.waiting = self.waiting if waiting is None else waiting
        self.storing = self.storing if storing is None else storing
        self.moving = self.moving if moving is None else moving
        self.pending_changed.emit()

    def set_looking(self, drafts: frozenset[int], stored: frozenset[int]) -> None:
        """Numbers of drafts and ids of accepted boxes that may still get another answer."""
        if (drafts, stored) != (self.looking, self.looking_stored):
            self.looking, self.looking_stored = drafts, stored
            self.look_changed.emit()

    def category_of(self, draft: Draft) -> int | None:
        """What a drawn box will be labelled as; None while there is no category."""
        if draft.again is not None:
            return draft.again.category_id
        known = {category.id for category in self.categories}
        return draft.category_id if draft.category_id in known else self.category_id

    @property
    def model_names(self) -> tuple[str, str]:
        """What identifies the encoder and the refiner in use; empty without a model."""
        return (self.models.encoder_identity, self.models.refiner_identity) if self.models is not None else NOBODY

    def refiner_for(self, draft: Draft) -> Refiner | None:
        """The refiner to ask about a drawn box: a taught one minds the category."""
        if self.models is None:
            return None
        wanted = self.category_of(draft)
        name = next((category.name for category in self.categories if category.id == wanted), None)
        return self.models.for_category(self.models.refiner, name)
