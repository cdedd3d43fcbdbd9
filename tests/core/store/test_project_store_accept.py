"""Accepting: a correction is stored with all that is known about it, or not at all."""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.records import Changes, Step, StepKind
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, titles


def test_an_accepted_correction_comes_back_as_it_was(store: ProjectStore) -> None:
    stored, changes = store.accept(CORRECTION)
    assert stored == replace(CORRECTION, id=1)
    assert store.corrections(1) == [stored]
    assert changes == Changes(Step(StepKind.ACCEPT, 1), image_ids=frozenset({1}))


def test_it_is_there_after_a_restart(store: ProjectStore, project_path: Path) -> None:
    stored, _ = store.accept(CORRECTION)
    other = ProjectStore.open(project_path)
    assert other.corrections(1) == [stored]
    other.close()


def test_a_box_drawn_without_the_model_has_no_refinement(store: ProjectStore) -> None:
    plain = replace(CORRECTION, refined=None, edge_confidence=None, score=None, encoder="", refiner="")
    stored, _ = store.accept(plain)
    assert store.corrections(1) == [stored]
    assert stored.refined is None


def test_many_are_accepted_as_one_step(store: ProjectStore) -> None:
    stored, changes = store.accept_all([CORRECTION, replace(CORRECTION, image_id=2, category_id=2)])
    assert [correction.id for correction in stored] == [1, 2]
    assert changes.image_ids == {1, 2}
    assert store.counts() == {1: 1, 2: 1}
    assert titles(store) == ("Accept 2 boxes", None)
    store.undo()
    assert store.counts() == {}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"image_id": 9}, "no image with the id 9"),
        ({"category_id": 9}, "no category with the id 9"),
        ({"drawn": Box(math.nan, 0, 1, 1)}, "not a number"),
        ({"accepted": Box(5, 5, 5, 9)}, "no area"),
        ({"refined": Box(0, 0, math.inf, 1)}, "not a number"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_stored(
    store: ProjectStore, wrong: dict[str, object], told: str
) -> None:
    with pytest.raises(BadInputError, match=told):
        store.accept_all([CORRECTION, replace(CORRECTION, **wrong)])  # type: ignore[arg-type]
    assert store.counts() == {}
    assert titles(store) == ("Add category dog", None)


def test_ids_are_never_given_again(store: ProjectStore, project_path: Path) -> None:
    store.accept(CORRECTION)
    store.undo()
    other = ProjectStore.open(project_path)
    stored, _ = other.accept(CORRECTION)
    other.close()
    assert stored.id == 2


def test_when_it_was_made_and_changed_is_kept(store: ProjectStore, project_path: Path) -> None:
    stored, _ = store.accept(CORRECTION)
    store.move(stored.id, Box(1, 2, 3, 4))
    with closing(sqlite3.connect(project_path)) as db:
        created, changed = db.execute("SELECT created, changed FROM corrections").fetchone()
    assert datetime.fromisoformat(created) <= datetime.fromisoformat(changed) <= datetime.now(UTC)
