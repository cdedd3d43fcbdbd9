"""Deleting: what goes can come back whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, title, titles


def test_deleted_corrections_come_back_as_they_were(store: ProjectStore) -> None:
    stored, _ = store.accept_all([CORRECTION, replace(CORRECTION, image_id=2), CORRECTION])
    changes = store.delete([1, 2])
    assert changes.image_ids == {1, 2}
    assert title(changes.step) == "Delete 2 boxes"
    assert list(store.dataset().corrections) == stored[2:]
    store.undo()
    assert list(store.dataset().corrections) == stored


def test_an_unknown_id_leaves_all_there(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    with pytest.raises(BadInputError, match="no box with the id 4"):
        store.delete([1, 4])
    assert store.counts() == {1: 1}


def test_deleting_nothing_is_no_step(store: ProjectStore) -> None:
    assert not store.delete([]).anything
    assert titles(store) == ("Add category dog", None)
