"""Proposals: kept beside boxes that nobody corrected, taken, refused or withdrawn, never put over anybody's work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.records import Correction
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, title, titles
from tests.core.store.test_project_store_import import BOX, imported

TIGHT = Box(12, 22, 58, 68)
PLAIN = Correction(image_id=2, category_id=1, drawn=BOX, accepted=BOX, seconds=3.0)


def answer(asked: Correction) -> Correction:
    """The correction as it is proposed."""
    confidence = (0.9, 0.8, 0.7, 0.1)
    return replace(asked, refined=TIGHT, edge_confidence=confidence, score=0.9, encoder="light-1", refiner="shipped-1")


@pytest.fixture
def asked(store: ProjectStore) -> list[Correction]:
    """An imported box on image 1 and one drawn without a model on image 2."""
    store.import_boxes([imported()], file="coarse.json")
    store.accept(PLAIN)
    return [*store.never_refined(1), *store.never_refined(2)]


def propose(store: ProjectStore, asked: list[Correction], *, undoable: bool = True) -> list[Correction]:
    """What is stored once the answers are proposed."""
    store.propose([answer(correction) for correction in asked], undoable=undoable)
    return [*store.corrections(1), *store.corrections(2)]


def test_boxes_that_were_refined_or_moved_are_not_asked_about(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    moved, _ = store.accept(PLAIN)
    store.move(moved.id, Box(11, 21, 60, 70))
    assert store.never_refined_images() == []
    store.accept(PLAIN)
    assert store.never_refined_images() == [2]
    assert [correction.id for correction in store.never_refined(2)] == [3]


def test_a_proposal_leaves_the_box_as_it_was(store: ProjectStore, asked: list[Correction]) -> None:
    stored = propose(store, asked)
    assert [correction.accepted for correction in stored] == [BOX, BOX]
    assert [correction.proposal for correction in stored] == [TIGHT, TIGHT]
    assert stored[0].origin == asked[0].origin
    assert stored[1].seconds == 3.0
    assert store.to_check() == {1: 1, 2: 1}
    assert store.never_refined_images() == []


def test_an_undoable_proposal_is_one_step(store: ProjectStore, asked: list[Correction]) -> None:
    stored = propose(store, asked)
    assert titles(store) == ("Propose 2 refinements", None)
    store.undo()
    assert [*store.corrections(1), *store.corrections(2)] == asked
    store.redo()
    assert [*store.corrections(1), *store.corrections(2)] == stored


def test_one_in_the_background_leaves_undo_and_redo_to_the_hand(store: ProjectStore, asked: list[Correction]) -> None:
    store.accept(CORRECTION)
    store.undo()
    before = store.undo_steps()
    assert title(before[1]) == "Accept box"
    propose(store, asked, undoable=False)
    assert store.undo_steps() == before
    store.redo()
    assert store.counts() == {1: 2, 2: 1}
    assert store.to_check() == {1: 1, 2: 1}


@pytest.mark.parametrize("undoable", [True, False])
def test_a_box_that_changed_while_it_was_asked_about_keeps_its_change(
    store: ProjectStore, asked: list[Correction], undoable: bool
) -> None:
    store.move(asked[0].id, Box(5, 5, 50, 50))
    store.delete([asked[1].id])
    (held,) = propose(store, asked, undoable=undoable)
    assert (held.accepted, held.refined, held.confirmed) == (Box(5, 5, 50, 50), None, True)


@pytest.mark.parametrize(("take", "box"), [(True, TIGHT), (False, BOX)])
def test_yes_takes_the_proposal_and_no_keeps_the_box(
    store: ProjectStore, asked: list[Correction], take: bool, box: Box
) -> None:
    propose(store, asked)
    changes = store.confirm([correction.id for correction in asked], take=take)
    assert changes.image_ids == {1, 2}
    stored = [*store.corrections(1), *store.corrections(2)]
    assert [(correction.accepted, correction.refined) for correction in stored] == [(box, TIGHT)] * 2
    assert all(correction.confirmed for correction in stored)
    assert store.to_check() == {}
    assert store.never_refined_images() == []  # a refused proposal does not come back
    store.undo()
    assert store.to_check() == {1: 1, 2: 1}


def test_yes_to_an_imported_box_without_a_proposal_keeps_it(store: ProjectStore, asked: list[Correction]) -> None:
    store.confirm([asked[0].id], take=True)
    (held,) = store.corrections(1)
    assert (held.accepted, held.confirmed) == (BOX, True)
    assert store.never_refined_images() == [2]  # nobody is asked twice
    store.propose([answer(asked[0])], undoable=True)
    assert store.corrections(1) == [held]


def test_yes_to_all_means_the_proposals(store: ProjectStore, asked: list[Correction]) -> None:
    propose(store, asked[1:])
    left, _ = store.confirm_proposals()
    assert left == 0
    assert store.corrections(2)[0].accepted == TIGHT
    assert store.to_check() == {1: 1}
    assert title(store.undo_steps()[0]) == "Accept box"


def test_withdrawn_proposals_leave_things_as_they_were(store: ProjectStore, asked: list[Correction]) -> None:
    propose(store, asked, undoable=False)
    store.withdraw_proposals()
    assert [*store.corrections(1), *store.corrections(2)] == asked
    assert title(store.undo_steps()[0]) == "Discard all proposals"
    store.undo()
    assert store.to_check() == {1: 1, 2: 1}


def test_confirmed_boxes_are_left_alone(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    assert not store.confirm([stored.id], take=True).anything
    assert not store.confirm_proposals()[1].anything
    assert not store.withdraw_proposals().anything
    assert store.corrections(1) == [stored]


def test_moving_and_refining_by_hand_are_a_yes(store: ProjectStore, asked: list[Correction]) -> None:
    propose(store, asked)
    store.move(asked[0].id, Box(5, 5, 50, 50))
    store.refine(asked[1].id, CORRECTION)
    assert store.to_check() == {}


def test_an_unknown_box_is_refused(store: ProjectStore, asked: list[Correction]) -> None:
    with pytest.raises(BadInputError, match="no box with the id 77"):
        store.confirm([asked[0].id, 77], take=True)
    assert not store.corrections(1)[0].confirmed


@pytest.mark.parametrize(
    ("least_score", "least_edge", "taken"), [(0.9, 0.1, True), (0.91, 0.0, False), (0.0, 0.2, False)]
)
def test_yes_to_the_sure_ones_leaves_the_doubtful_ones(
    store: ProjectStore, asked: list[Correction], least_score: float, least_edge: float, taken: bool
) -> None:
    propose(store, asked)  # with a score of 0.9 and an edge of 0.1
    left, changes = store.confirm_proposals(least_score=least_score, least_edge=least_edge)
    assert (left, changes.anything) == ((0, True) if taken else (2, False))
    assert store.corrections(1)[0].confirmed == taken
