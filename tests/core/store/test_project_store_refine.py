"""Refining again: the correction tells what was drawn, proposed and accepted last, and undo knows what was before."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, titles

AGAIN = replace(
    CORRECTION,
    image_id=2,
    category_id=2,
    drawn=CORRECTION.accepted,
    refined=Box(15, 23, 98, 87),
    accepted=Box(15, 23, 98, 88),
    edge_confidence=(0.5, 0.6, 0.7, 0.8),
    score=0.95,
    refiner="taught-89abcdef",
    seconds=0.5,
    outline=((1.0, 2.0, 3.0, 4.0, 5.0, 6.0),),
)


def test_all_that_was_drawn_and_proposed_is_new_and_the_rest_stays(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    changes = store.refine(stored.id, AGAIN)
    wanted = replace(AGAIN, id=stored.id, image_id=1, category_id=1, seconds=CORRECTION.seconds + 0.5)
    assert store.corrections(1) == [wanted]
    assert changes.image_ids == {1}


def test_it_is_one_step_to_undo_and_redo(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    store.refine(stored.id, AGAIN)
    again = store.corrections(1)
    assert titles(store) == ("Refine box", None)
    store.undo()
    assert store.corrections(1) == [stored]
    store.redo()
    assert store.corrections(1) == again


def test_an_unknown_box_and_a_box_that_is_none_are_refused(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    with pytest.raises(BadInputError, match="no box with the id 7"):
        store.refine(7, AGAIN)
    with pytest.raises(BadInputError, match="not a number"):
        store.refine(stored.id, replace(AGAIN, refined=Box(1, 2, math.nan, 4)))
    assert store.corrections(1) == [stored]
