"""Moving: only the accepted box changes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, titles


def test_a_move_keeps_what_was_drawn_and_refined(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    changes = store.move(stored.id, Box(1, 2, 3, 4))
    assert store.corrections(1) == [replace(stored, accepted=Box(1, 2, 3, 4))]
    assert changes.image_ids == {1}
    assert titles(store) == ("Move box", None)


def test_a_move_to_the_same_place_is_no_step(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    assert not store.move(stored.id, stored.accepted).anything
    assert titles(store) == ("Accept box", None)


def test_an_unknown_box_cannot_be_moved(store: ProjectStore) -> None:
    with pytest.raises(BadInputError, match="no box with the id 7"):
        store.move(7, Box(1, 2, 3, 4))


def test_a_box_cannot_be_moved_to_nowhere(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    with pytest.raises(BadInputError, match="not a number"):
        store.move(stored.id, Box(1, 2, math.inf, 4))
    assert store.corrections(1) == [stored]
