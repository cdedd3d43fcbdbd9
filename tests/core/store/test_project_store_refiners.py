"""The lineage of refiners in a project: stored, chosen, rolled back, and whole after an older version."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadInputError
from core.records import RefinerRecord, VerdictKind
from core.store.project_store import ProjectStore

ENCODER = "light-0123"


def record(store: ProjectStore, name: str, *, promoted: bool = True) -> RefinerRecord:
    return RefinerRecord(
        folder=store.path.parent / "boxrefine-refiners" / name,
        identity=f"box-{name}",
        encoder=ENCODER,
        parent="box-shipped",
        promoted=promoted,
        verdict=VerdictKind.BETTER if promoted else VerdictKind.CHANCE,
        data={"boxes": 50.0},
        config={"epochs": 8},
        figures={"iou_before": 0.8, "iou_after": 0.9},
    )


def test_a_promoted_refiner_is_in_use_at_once_and_comes_back_whole(store: ProjectStore) -> None:
    assert store.chosen_refiner(ENCODER) is None
    wanted = record(store, "one")
    stored = store.add_refiner(wanted)
    assert store.refiners() == [stored]
    assert replace(stored, id=0, created="") == wanted
    assert store.chosen_refiner(ENCODER) == stored
    assert store.chosen_refiner("vit_b-4567") is None


def test_one_that_is_not_better_is_kept_but_not_used(store: ProjectStore) -> None:
    first = store.add_refiner(record(store, "one"))
    store.add_refiner(record(store, "two", promoted=False))
    assert store.chosen_refiner(ENCODER) == first
    assert [entry.promoted for entry in store.refiners()] == [True, False]


def test_one_goes_back_to_any_earlier_refiner_and_to_the_shipped_one(store: ProjectStore) -> None:
    first, second = store.add_refiner(record(store, "one")), store.add_refiner(record(store, "two"))
    assert store.chosen_refiner(ENCODER) == second
    store.choose_refiner(first.id, encoder=ENCODER)
    assert store.chosen_refiner(ENCODER) == first
    store.choose_refiner(None, encoder=ENCODER)
    assert store.chosen_refiner(ENCODER) is None


def test_the_choice_survives_closing(store: ProjectStore) -> None:
    first = store.add_refiner(record(store, "one"))
    store.close()
    again = ProjectStore.open(store.path)
    assert again.chosen_refiner(ENCODER) == first
    again.close()


def test_a_refiner_of_another_encoder_cannot_be_chosen(store: ProjectStore) -> None:
    first = store.add_refiner(record(store, "one"))
    with pytest.raises(BadInputError, match="has no refiner 1 for vit_b-4567"):
        store.choose_refiner(first.id, encoder="vit_b-4567")


def test_undo_leaves_refiners_alone(store: ProjectStore) -> None:
    stored = store.add_refiner(record(store, "one"))
    while store.undo().anything:
        pass
    assert store.refiners() == [stored]


def test_folders_inside_the_projects_move_with_it(store: ProjectStore, tmp_path: Path) -> None:
    store.add_refiner(record(store, "one"))
    store.close()
    moved = tmp_path / "elsewhere"
    store.path.parent.rename(moved)
    again = ProjectStore.open(moved / store.path.name)
    assert again.refiners()[0].folder == moved / "boxrefine-refiners" / "one"
    again.close()


def test_a_project_of_before_there_were_refiners_gets_the_tables(store: ProjectStore) -> None:
    store.close()
    db = sqlite3.connect(store.path)
    db.executescript("DROP TABLE refiner_choices; DROP TABLE refiners;")
    db.execute("ALTER TABLE undo_steps DROP COLUMN parameters")
    db.execute("ALTER TABLE undo_steps RENAME COLUMN kind TO title")
    db.execute("DELETE FROM _sqlite_migrations WHERE name IN ('m003_refiners', 'm008_no_sentences')")
    db.commit()
    db.close()
    again = ProjectStore.open(store.path)
    assert again.refiners() == [] and len(again.images()) == 2
    again.close()
