"""Drawn boxes that nobody has accepted: kept in the file, never taken for labelled work, gone when settled."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadInputError, NoLongerDrawnError, StorageError
from core.geometry import Box
from core.records import Correction, DrawnBox
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, folder_of_an_ordinary_user, titles

DRAWN = DrawnBox("first", replace(CORRECTION, confirmed=False))
BARE = DrawnBox("second", Correction(2, 0, Box(1, 2, 30, 40), Box(1, 2, 30, 40), confirmed=False), plain=True)
SEEN = replace(CORRECTION, accepted=Box(14.125, 22.1, 99.0, 88.0))
LATER = Box(16, 24, 97, 86)


def test_drawn_boxes_come_back_as_they_were_kept(store: ProjectStore, project_path: Path) -> None:
    store.keep_drawn(DRAWN)
    store.keep_drawn(BARE)
    with closing(ProjectStore.open(project_path)) as again:
        assert again.drawn_boxes(1) == [DRAWN]
        assert again.drawn_boxes(2) == [BARE]
        assert again.drawn_counts() == {1: 1, 2: 1}


def test_a_drawn_box_is_kept_anew_under_its_key_and_in_its_place(store: ProjectStore) -> None:
    changed = replace(DRAWN, correction=replace(DRAWN.correction, accepted=LATER))
    for box in (DRAWN, replace(DRAWN, key="other"), changed):
        store.keep_drawn(box)
    assert store.drawn_boxes(1) == [changed, replace(DRAWN, key="other")]


def test_no_export_count_or_undo_step_knows_of_drawn_boxes(store: ProjectStore) -> None:
    before = store.dataset(), store.counts(), store.to_check(), store.undo_steps(), store.never_refined_images()
    store.keep_drawn(DRAWN)
    store.keep_drawn(BARE)
    after = store.dataset(), store.counts(), store.to_check(), store.undo_steps(), store.never_refined_images()
    assert after == before


def test_accepting_settles_the_drawn_box_and_undo_takes_the_accepted_one_back(store: ProjectStore) -> None:
    store.keep_drawn(DRAWN)
    stored, _ = store.accept(CORRECTION, drawn=DRAWN.key)
    assert store.drawn_counts() == {}
    assert store.corrections(1) == [stored]
    store.undo()
    assert (store.corrections(1), store.drawn_counts()) == ([], {})


def test_what_cannot_be_accepted_stays_drawn(store: ProjectStore) -> None:
    store.keep_drawn(DRAWN)
    with pytest.raises(BadInputError, match="no category"):
        store.accept(replace(CORRECTION, category_id=9), drawn=DRAWN.key)
    assert store.drawn_boxes(1) == [DRAWN]


def test_a_box_that_was_settled_elsewhere_is_not_accepted_again(store: ProjectStore) -> None:
    store.keep_drawn(DRAWN)
    store.discard_drawn(DRAWN.key)
    with pytest.raises(NoLongerDrawnError, match="another window"):
        store.accept(CORRECTION, DRAWN.key, True)
    assert store.corrections(1) == []
    store.accept(CORRECTION, DRAWN.key)  # one that was never kept is stored all the same
    assert len(store.corrections(1)) == 1


def test_discarding_takes_one_away_and_twice_is_once(store: ProjectStore) -> None:
    store.keep_drawn(DRAWN)
    store.keep_drawn(BARE)
    for _ in range(2):
        store.discard_drawn(DRAWN.key)
    assert store.drawn_counts() == {2: 1}


def test_a_box_without_an_area_is_refused(store: ProjectStore) -> None:
    flat = replace(DRAWN, correction=replace(DRAWN.correction, drawn=Box(3, 3, 3, 9)))
    with pytest.raises(BadInputError, match="no area"):
        store.keep_drawn(flat)
    assert store.drawn_counts() == {}


def test_a_category_may_go_while_a_box_waits(store: ProjectStore) -> None:
    store.keep_drawn(DRAWN)
    store.delete_category(1)
    assert store.drawn_boxes(1) == [DRAWN]


def test_a_read_only_project_keeps_none_and_says_so() -> None:
    with folder_of_an_ordinary_user() as folder:
        path = folder / "boxrefine.sqlite"
        ProjectStore.create(path).close()
        path.chmod(0o400)
        with closing(ProjectStore.open(path)) as store:
            for write in (lambda: store.keep_drawn(DRAWN), lambda: store.discard_drawn("first")):
                with pytest.raises(StorageError, match="read-only"):
                    write()


def test_a_project_of_before_there_were_drawn_boxes_opens_and_its_undo_still_works(
    store: ProjectStore, project_path: Path
) -> None:
    store.accept(CORRECTION)
    store.close()
    with closing(sqlite3.connect(project_path)) as db, db:
        db.execute("DROP TABLE drawn_boxes")
        db.execute("ALTER TABLE undo_steps DROP COLUMN run")
        db.execute("DROP INDEX corrections_of_a_refiner")
        db.execute("DROP INDEX corrections_in_doubt")
        for column in ("margin", "choice", "doubtful", "drawn_by"):
            db.execute(f"ALTER TABLE corrections DROP COLUMN {column}")
        steps = ("m006_drawn_boxes", "m009_margins", "m011_choices", "m017_drawn_by")
        db.execute(f"DELETE FROM _sqlite_migrations WHERE name IN {steps}")
    with closing(ProjectStore.open(project_path)) as again:
        again.keep_drawn(DRAWN)
        again.undo()
        assert (again.corrections(1), again.drawn_boxes(1)) == ([], [DRAWN])


# Runs of moves


def moved(store: ProjectStore, right: Sequence[float], *, run: str) -> None:
    for edge in right:
        store.move(1, Box(10, 10, edge, 50), run=run)


def test_moves_of_one_run_are_one_step_and_redo_does_them_all(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    moved(store, (60, 61, 62), run="one")
    store.undo()
    assert store.corrections(1) == [stored]
    store.redo()
    assert store.corrections(1)[0].accepted == Box(10, 10, 62, 50)


def test_a_run_ends_at_another_run_and_at_any_other_step(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    moved(store, (60, 61), run="one")
    moved(store, (70, 71), run="two")
    store.relabel([1], 2)
    moved(store, (80,), run="two")
    found = []
    for _ in range(4):
        store.undo()
        found.append(store.corrections(1)[0].accepted.x2)
    assert found == [71, 71, 61, CORRECTION.accepted.x2]


def test_a_run_goes_on_in_a_new_step_after_an_undo(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    moved(store, (60, 61), run="one")
    store.undo()
    moved(store, (90,), run="one")
    store.undo()
    assert store.corrections(1)[0].accepted == CORRECTION.accepted
    assert titles(store) == ("Accept box", "Move box")


# Answers that come after a box was accepted


def later(stored: Correction) -> Correction:
    return replace(stored, refined=LATER, edge_confidence=(0.5, 0.5, 0.5, 0.5), score=0.95)


def test_a_later_answer_is_a_proposal_and_the_box_stays(store: ProjectStore) -> None:
    stored, _ = store.accept(SEEN)
    titles = store.undo_steps()
    store.propose_later_answer(stored, later(stored))
    (found,) = store.corrections(1)
    assert (found.accepted, found.proposal, found.confirmed) == (SEEN.accepted, LATER, False)
    assert store.undo_steps() == titles


@pytest.mark.parametrize(("take", "accepted"), [(True, LATER), (False, SEEN.accepted)])
def test_a_later_answer_is_taken_or_refused(store: ProjectStore, take: bool, accepted: Box) -> None:
    stored, _ = store.accept(SEEN)
    store.propose_later_answer(stored, later(stored))
    store.confirm([stored.id], take=take)
    (found,) = store.corrections(1)
    assert (found.accepted, found.confirmed) == (accepted, True)


def test_a_later_answer_is_withdrawn_with_the_other_proposals(store: ProjectStore) -> None:
    stored, _ = store.accept(SEEN)
    store.propose_later_answer(stored, later(stored))
    store.withdraw_proposals()
    (found,) = store.corrections(1)
    assert (found.accepted, found.refined, found.confirmed) == (SEEN.accepted, SEEN.refined, True)


@pytest.mark.parametrize("change", ["move", "delete"])
def test_a_later_answer_to_a_box_that_has_changed_is_dropped(store: ProjectStore, change: str) -> None:
    stored, _ = store.accept(SEEN)
    if change == "move":
        store.move(stored.id, Box(1, 1, 9, 9))
    else:
        store.delete([stored.id])
    before = store.corrections(1)
    assert not store.propose_later_answer(stored, later(stored)).anything
    assert store.corrections(1) == before
