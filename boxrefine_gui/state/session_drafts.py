"""SessionDrafts: the part of the session for drawn boxes (active, waiting, being stored)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from boxrefine_gui.state.draft import NO_MODELS, Draft
from boxrefine_gui.state.session_categories import SessionCategories
from core.geometry import Box
from core.records import Candidate, Correction, DrawnBy, Refinement

if TYPE_CHECKING:
    from core.refiner.margins import Margin
    from core.refiner.protocol import Refiner


class SessionDrafts(SessionCategories):
    """Changes drawn boxes and the selection, and emits signals."""

    def start_draft(
        self,
        drawn: Box,
        *,
        pressed_at: float,
        plain: bool = False,
        again: Correction | None = None,
        held: bool = False,
        drawn_by: DrawnBy = DrawnBy.DRAG,
    ) -> None:
        """Start a drawn box on the open image; `held`: the drag continues. A box that was active waits."""
        if self.image is None:
            return
        self._drafts += 1
        before = self.draft if self.draft is not None and self.draft.again is None else None
        if before is not None:
            self.left.add(before)
        self.replaced, self.taken_back, self.discarded = before, None, None
        alone = self.selected_id if again is None and not self.also_ids else None
        self.deselected = next((entry for entry in self.corrections if entry.id == alone), None)
        if self.also_ids or (again is None and (self.selected_id is not None or self.chosen_edge is not None)):
            # Keys and clicks apply to the new box from here on.
            self.select(None if again is None else again.id)
        self.draft = Draft(
            self._drafts,
            self.image.id,
            drawn,
            pressed_at,
            plain,
            again=again,
            category_id=self.category_id or 0,
            is_held=held,
            drawn_by=drawn_by,
        )
        self.drawn_changed.emit()

    def select(self, correction_id: int | None, also: Iterable[int] = ()) -> None:
        """Select a box of the open image and others besides, or none; not those of hidden or locked categories."""
        others = [id for id in also if self.can_pick(id)]
        if not self.can_pick(correction_id):
            correction_id = next(iter(others), None)
        self.selected_id, self.chosen_edge = correction_id, None
        self.also_ids = frozenset(others) - {correction_id} if correction_id is not None else frozenset()
        self.selection_changed.emit()

    def set_drawn(self, drawn: Box, *, plain: bool) -> None:
        """Update the drawn box during a drag; its last refinement stays visible until a newer one arrives."""
        if self.draft is not None:
            draft = replace(self.draft, candidates=(), chosen=0) if drawn != self.draft.drawn else self.draft
            self.draft = replace(draft, drawn=drawn, plain=plain, is_current=False, nudged=None)
            self.drawn_changed.emit()

    def hold_draft(self) -> None:
        """Begin to change the drawn box as a drag does, until `release_draft`."""
        if self.draft is not None:
            self.draft, self.replaced = replace(self.draft, is_held=True, was_left=False), None

    def release_draft(self) -> Draft | None:
        """End the drag; return the draft that was active before it."""
        replaced, self.replaced = self.replaced, None
        if self.draft is not None:
            self.draft = replace(self.draft, is_held=False)
            self.released.emit()
            self.left_changed.emit(self.draft.image_id)
        return replaced

    def set_refinement(self, refinement: Refinement, *, is_current: bool) -> None:
        """Set the refinement of the drawn box; not `is_current`: it belongs to an earlier state of the drag.

        The other candidates stay, and what the user chose among them, until new ones are computed.
        """
        if self.draft is not None:
            others = self.draft.candidates[1:] if self.draft.made_by == self.model_names else ()
            own = Candidate(refinement.box, 0.0, refinement.edge_confidence, refinement.score, refinement.margin)
            if others:
                own = replace(own, probability=self.draft.candidates[0].probability)
            self.draft = replace(
                self.draft,
                refinement=refinement,
                is_current=is_current,
                made_by=self.model_names,
                candidates=(own, *others) if others else (),
                chosen=self.draft.chosen if others else 0,
            )
            self.refinement_changed.emit()

    def set_candidates(self, candidates: tuple[Candidate, ...], *, chosen: int) -> None:
        """Set the candidates of the drawn box, its refinement first, and the row of the chosen one."""
        if self.draft is not None:
            is_other = chosen != self.draft.chosen
            self.draft = replace(self.draft, candidates=candidates, chosen=chosen)
            if is_other:
                self.refinement_changed.emit()
            self.candidates_changed.emit()

    def choose_candidate(self, row: int) -> None:
        """Take another candidate of the drawn box instead of the one that is shown, or of what the user made of it."""
        if self.draft is not None:
            self.draft = replace(self.draft, chosen=row, nudged=None, was_left=False)
            self.refinement_changed.emit()

    def set_nudged(self, box: Box) -> None:
        """Set the box as the user edited it."""
        if self.draft is not None:
            self.draft = replace(self.draft, nudged=box, was_left=False)
            self.refinement_changed.emit()

    def take_draft(self) -> Draft | None:
        """Remove the active draft from the canvas and return it."""
        draft, self.draft, self.replaced = self.draft, None, None
        self.drawn_changed.emit()
        if draft is not None:
            self.left_changed.emit(draft.image_id)
        return draft

    def put_back(self, draft: Draft) -> None:
        """Activate a draft that could not be stored, or that was waiting."""
        self.draft, self.replaced = draft, None
        self.left.unsettle(draft.key)
        self.drawn_changed.emit()
        self.left_changed.emit(draft.image_id)

    def leave_draft(self) -> None:
        """Let the active draft wait on its image; drop it if it refines a stored box."""
        draft = self.draft
        if draft is not None and draft.again is None:
            self.left.add(draft)
        self.take_draft()

    def settle_draft(self, draft: Draft) -> None:
        """Record that a draft is being stored as an accepted box, or was discarded."""
        self.left.settle(draft.key)
        self._settled_drafts = max(self._settled_drafts, draft.number)

    @property
    def drew_last(self) -> bool:
        """Whether the drawn box is newer than the last stored step, so that undo applies to it."""
        draft = self.draft
        return draft is not None and (draft.again is not None or draft.number > self._settled_drafts)

    def drawn_on(self, image_id: int) -> int:
        """Return the number of drawn boxes of an image that are not accepted."""
        return self.left.count(image_id, elsewhere=len(self._in_hand(image_id)))

    @property
    def drawn_count(self) -> int:
        """Number of the project's drawn boxes that are not accepted."""
        images = self.left.images() | {draft.image_id for draft in (*self.waiting, self.draft) if draft is not None}
        return sum(self.drawn_on(image_id) for image_id in images)

    def _put_away_settled(self, image_id: int, keys: set[str]) -> None:
        """Drop the active draft if the file, which has `keys` now, has lost it: another window has settled it."""
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
        """Set the boxes that are being stored; None leaves a value as it is."""
        self.waiting = self.waiting if waiting is None else waiting
        self.storing = self.storing if storing is None else storing
        self.moving = self.moving if moving is None else moving
        self.pending_changed.emit()

    def set_looking(self, drafts: frozenset[int], stored: frozenset[int]) -> None:
        """Set which boxes may still get another refinement: numbers of drafts, and ids of accepted boxes."""
        if (drafts, stored) != (self.looking, self.looking_stored):
            self.looking, self.looking_stored = drafts, stored
            self.look_changed.emit()

    def category_of(self, draft: Draft) -> int | None:
        """Return the category id that a drawn box will get; None while there is no category."""
        if draft.again is not None:
            return draft.again.category_id
        known = {category.id for category in self.categories}
        return draft.category_id if draft.category_id in known else self.category_id

    @property
    def model_names(self) -> tuple[str, str]:
        """Identities of the encoder and the refiner in use; empty without models."""
        return (self.models.encoder_identity, self.models.refiner_identity) if self.models is not None else NO_MODELS

    def refiner_for(self, draft: Draft) -> Refiner | None:
        """Return the refiner for a box as it was drawn; a taught one and margins depend on the category."""
        if self.models is None:
            return None
        name = self._category_name(draft)
        refiner = self.models.with_margins(self.models.refiner, self.margins)
        return self.models.for_drawing(self.models.for_category(refiner, name), draft.drawing)

    def margin_for(self, draft: Draft) -> Margin | None:
        """Return the margin that accepted boxes of a drawn box's category show, None without one."""
        return self.margins.get(self._category_name(draft) or "")

    def _category_name(self, draft: Draft) -> str | None:
        wanted = self.category_of(draft)
        return next((category.name for category in self.categories if category.id == wanted), None)
