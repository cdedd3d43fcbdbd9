"""Suggestions in a project: boxes to check that nobody drew, what is said to them, and the heads that found them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from core.errors import BadInputError
from core.geometry import Box
from core.head_records import HeadRecord, PictureLabels, may_replace
from core.records import Correction, DrawnBox, ImportedBox, Origin
from core.store.head_log import MOST_HEADS, head_in_use
from core.store.project_check import check_project
from core.store.project_repair import repair_project
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, fill, titles

FIRST, SECOND, THIRD = Box(10, 10, 40, 40), Box(60, 10, 90, 40), Box(60, 60, 90, 90)
ENCODER = "light-1"


def tight(found: Box) -> Box:
    return Box(found.x1 + 2, found.y1 + 2, found.x2 - 2, found.y2 - 2)


def suggested(found: Box, category: str = "cat", *, head: str = "head-1", probability: float = 0.83) -> ImportedBox:
    box = tight(found)
    origin = Origin("", found, head, probability)
    correction = Correction(
        0, 0, drawn=found, accepted=box, refined=box, edge_confidence=(0.9,) * 4, score=0.8,
        encoder=ENCODER, refiner="shipped-1", origin=origin, confirmed=False,
    )  # fmt: skip
    return ImportedBox(category, correction)


@pytest.fixture
def put(store: ProjectStore) -> list[Correction]:
    """Two suggestions on image 1."""
    store.suggest(1, [suggested(FIRST), suggested(SECOND)])
    return store.corrections(1)


def test_a_suggestion_is_a_box_to_check_that_nobody_has_accepted(store: ProjectStore, put: list[Correction]) -> None:
    assert [entry.accepted for entry in put] == [tight(FIRST), tight(SECOND)]
    assert [entry.origin for entry in put] == [Origin("", box, "head-1", 0.83) for box in (FIRST, SECOND)]
    assert all(entry.is_suggestion and not entry.was_accepted for entry in put)
    assert (store.to_check(), store.unaccepted()) == ({1: 2}, {1: 2})
    assert store.dataset().accepted().corrections == ()
    assert titles(store) == ("Add category dog", None), "what comes by itself is no step"


def test_on_request_they_are_one_undo_step(store: ProjectStore) -> None:
    store.suggest(1, [suggested(FIRST), suggested(SECOND)], only=["cat"], undoable=True)
    assert titles(store) == ("Suggest 2 boxes", None)
    store.undo()
    assert store.corrections(1) == []
    store.redo()
    assert len(store.corrections(1)) == 2


def test_a_newer_head_replaces_what_nobody_has_reviewed_and_nothing_else(
    store: ProjectStore, put: list[Correction]
) -> None:
    store.confirm([put[0].id], take=True)
    drawn, _ = store.accept(CORRECTION)
    store.suggest(1, [suggested(THIRD, head="head-2")])
    now = {entry.id: entry for entry in store.corrections(1)}
    assert now.keys() >= {put[0].id, drawn.id} and put[1].id not in now
    assert [entry.drawn for entry in now.values() if entry.is_suggestion] == [THIRD]


def test_the_same_suggestion_stays_the_same_box(store: ProjectStore, put: list[Correction]) -> None:
    store.suggest(1, [suggested(SECOND), suggested(THIRD)])
    now = store.corrections(1)
    assert [entry.id for entry in now][0] == put[1].id
    assert {entry.drawn for entry in now} == {SECOND, THIRD}


def test_only_the_categories_that_were_asked_for_are_replaced(store: ProjectStore, put: list[Correction]) -> None:
    store.suggest(1, [suggested(THIRD, "dog")], only=["dog"])
    assert {entry.drawn for entry in store.corrections(1)} == {FIRST, SECOND, THIRD}
    store.suggest(1, [suggested(THIRD, "gone")])
    assert store.corrections(1) == []


def test_nothing_is_suggested_over_a_box_that_came_meanwhile(store: ProjectStore) -> None:
    store.accept(replace(CORRECTION, image_id=1, category_id=1, accepted=tight(FIRST)))
    kept = replace(CORRECTION, image_id=1, category_id=1, drawn=SECOND, accepted=SECOND, confirmed=False)
    store.keep_drawn(DrawnBox("key", kept))
    store.suggest(1, [suggested(FIRST), suggested(SECOND), suggested(FIRST, "dog"), suggested(THIRD)])
    assert [entry.drawn for entry in store.corrections(1) if entry.is_suggestion] == [THIRD]


def test_deleting_a_suggestion_rejects_it_for_good(store: ProjectStore, put: list[Correction]) -> None:
    store.delete([put[0].id])
    assert store.labels_of([1])[1].rejected == ((FIRST, "cat"),)
    store.suggest(1, [suggested(FIRST, head="head-2"), suggested(SECOND, head="head-2")])
    assert [entry.drawn for entry in store.corrections(1)] == [SECOND]
    store.undo()
    assert store.labels_of([1])[1].rejected == ()
    assert put[0].id in {entry.id for entry in store.corrections(1)}
    store.redo()
    assert store.labels_of([1])[1].rejected == ((FIRST, "cat"),)


def test_deleting_any_other_box_rejects_nothing(store: ProjectStore, put: list[Correction]) -> None:
    drawn, _ = store.accept(CORRECTION)
    store.confirm([put[0].id], take=True)
    store.delete([put[0].id, drawn.id])
    assert store.labels_of([1, drawn.image_id])[1].rejected == ()


def test_the_rest_is_rejected_as_one_step(store: ProjectStore, put: list[Correction]) -> None:
    store.confirm([put[0].id], take=True)
    store.reject_suggestions(1)
    assert titles(store)[0] == "Reject a suggestion"
    assert [entry.id for entry in store.corrections(1)] == [put[0].id]
    store.undo()
    assert store.corrections(1)[1] == put[1]


def test_refinements_of_the_folder_are_accepted_without_suggestions(store: ProjectStore, put: list[Correction]) -> None:
    store.confirm_proposals()
    store.withdraw_proposals()
    assert store.corrections(1) == put


def test_removing_them_all_says_nothing_about_them(store: ProjectStore, put: list[Correction]) -> None:
    store.confirm([put[1].id], take=True)
    store.remove_suggestions()
    assert [entry.id for entry in store.corrections(1)] == [put[1].id]
    assert store.labels_of([1])[1].rejected == ()
    assert titles(store)[0] == "Accept box"


def test_a_category_takes_its_rejected_boxes_along(store: ProjectStore, put: list[Correction]) -> None:
    store.delete([put[0].id])
    store.merge_category(1, into=2)
    assert store.labels_of([1])[1].rejected == ((FIRST, "dog"),)
    store.undo()
    assert store.labels_of([1])[1].rejected == ((FIRST, "cat"),)
    store.delete_category(1)
    assert store.labels_of([1])[1].rejected == ()
    store.undo()
    assert store.labels_of([1])[1].rejected == ((FIRST, "cat"),)


def test_labels_are_what_the_user_has_said(store: ProjectStore, put: list[Correction]) -> None:
    store.confirm([put[0].id], take=True)
    store.accept(replace(CORRECTION, image_id=2, category_id=2, accepted=THIRD))
    store.mark([2], done=True)
    assert store.labels_of([1, 2]) == {
        1: PictureLabels(1, ((tight(FIRST), "cat"),)),
        2: PictureLabels(2, ((THIRD, "dog"),), done=True),
    }
    assert set(store.labelled_images(most=9)) == {1, 2}
    assert store.labelled_images(most=1) == [2], "the latest change first"
    context = store.suggestion_context(1)
    assert context.known == ((tight(FIRST), "cat"),), "a suggestion to check is not known"


def test_heads_have_a_lineage_and_a_way_back(store: ProjectStore) -> None:
    first = store.add_head(HeadRecord("head-1", ENCODER, data={"boxes": 9}), b"one")
    second = store.add_head(HeadRecord("head-2", ENCODER, parent="head-1"), b"two")
    store.add_head(HeadRecord("head-3", ENCODER, parent="head-2", promoted=False), b"three")
    store.add_head(HeadRecord("other", "another-encoder"), b"four")
    assert [head.identity for head in store.heads(ENCODER)] == ["head-1", "head-2", "head-3"]
    assert head_in_use(store.heads(ENCODER)) == second and store.head_weights(second.id) == b"two"
    store.pin_head(first.id, encoder=ENCODER)
    store.add_head(HeadRecord("head-4", ENCODER, parent="head-1"), b"five")
    assert head_in_use(store.heads(ENCODER)) == replace(first, pinned=True)
    store.pin_head(None, encoder=ENCODER)
    used = head_in_use(store.heads(ENCODER))
    assert used is not None and used.identity == "head-4"
    with pytest.raises(BadInputError, match="no head 99"):
        store.pin_head(99, encoder=ENCODER)
    assert store.head_weights(99) == b""


def test_old_heads_are_dropped_but_not_the_one_in_use(store: ProjectStore) -> None:
    first = store.add_head(HeadRecord("head-0", ENCODER), b"0")
    store.pin_head(first.id, encoder=ENCODER)
    for number in range(MOST_HEADS + 3):
        store.add_head(HeadRecord(f"head-{number + 1}", ENCODER), b"x")
    heads = store.heads(ENCODER)
    assert len(heads) == MOST_HEADS + 1
    assert heads[0].id == first.id and heads[-1].identity == f"head-{MOST_HEADS + 3}"


@pytest.mark.parametrize(
    ("now", "before", "may"), [(0.9, 0.95, True), (0.7, 0.75, False), (0.7, 0.6, True), (0.79, 0.9, False)]
)
def test_the_gate_keeps_precision(now: float, before: float, may: bool) -> None:
    assert may_replace({"precision": now}, {"precision": before}, wanted=0.8) is may


def test_a_first_head_has_no_precision_to_keep() -> None:
    assert may_replace({"precision": 0.5}, {}, wanted=0.8)


def test_check_and_repair_know_heads_and_rejected_boxes(project_path: Path) -> None:
    with closing(ProjectStore.create(project_path)) as store:
        fill(store)
        store.suggest(1, [suggested(FIRST), suggested(SECOND)])
        store.delete([entry.id for entry in store.corrections(1)])
        store.add_head(HeadRecord("head-1", ENCODER), b"one")
        store.add_head(HeadRecord("head-2", ENCODER), b"two")
    assert check_project(project_path) == []
    with closing(Database(project_path, execute_plugins=False)) as db:
        db.execute("UPDATE rejected_boxes SET box = '[1, 2' WHERE id = 1")
        db.execute("UPDATE heads SET figures = 'none' WHERE id = 1")
        db.conn.commit()
    assert [finding.table for finding in check_project(project_path)] == ["rejected_boxes", "heads"]
    with closing(ProjectStore.open(project_path)) as store:
        assert store.labels_of([1])[1].rejected == ((SECOND, "cat"),)
        assert [head.identity for head in store.heads(ENCODER)] == ["head-2"]
    repair_project(project_path)
    assert check_project(project_path) == []
    with closing(ProjectStore.open(project_path)) as store:
        assert store.labels_of([1])[1].rejected == ((SECOND, "cat"),)
        assert store.head_weights(2) == b"two"
