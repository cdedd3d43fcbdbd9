"""Reviews of boxes: verdicts and comments as undo steps, what ends them, who gave them, and the history of a box."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.origins import Origin
from core.records import Correction, ImportedBox, StepKind
from core.reviews import LONGEST_COMMENT, By, Review, ReviewItem, ReviewQuery, Verdict, Which, arranged, distance
from core.store.project_check import check_project
from core.store.project_repair import repair_project
from core.store.project_store import ProjectStore
from core.store.reviews import LONGEST_ANNOTATOR
from tests.core.damage import make_whole, spoil
from tests.core.old_projects import make_old
from tests.core.projects import CORRECTION, titles

PROPOSED = replace(CORRECTION, accepted=CORRECTION.drawn, confirmed=False)


def verdict(store: ProjectStore, id: int) -> Review | None:
    return next((found[id] for found in store.reviews_on([1, 2]).values() if id in found), None)


def item(store: ProjectStore, id: int) -> ReviewItem:
    (found,) = store.review_items(id, id)
    return found


def test_a_box_that_is_found_good_loses_its_doubt_and_undo_brings_it_back(store: ProjectStore) -> None:
    box, _ = store.accept(replace(CORRECTION, doubtful=(3,)))
    changes = store.find_good([box.id])
    assert (changes.image_ids, titles(store)) == ({1}, ("Find box good", None))
    assert store.corrections(1) == [replace(box, doubtful=())]
    found = verdict(store, box.id)
    assert found is not None and (found.verdict, found.by) == (Verdict.GOOD, store.annotator)
    assert store.undo().image_ids == {1}
    assert (store.corrections(1), verdict(store, box.id)) == ([box], None)
    store.redo()
    assert item(store, box.id).verdict is Verdict.GOOD


def test_what_is_to_check_is_accepted_with_its_proposal(store: ProjectStore) -> None:
    proposed, _ = store.accept(PROPOSED)
    assert item(store, proposed.id).box == CORRECTION.refined
    store.find_good([proposed.id])
    (good,) = store.corrections(1)
    assert (good.accepted, good.confirmed, good.doubtful) == (CORRECTION.refined, True, ())
    assert item(store, proposed.id).verdict is Verdict.GOOD


def test_a_mark_to_fix_is_counted_and_ends_when_the_box_is_moved_refined_or_accepted(store: ProjectStore) -> None:
    boxes, _ = store.accept_all([CORRECTION, CORRECTION, CORRECTION, PROPOSED])
    ids = [box.id for box in boxes]
    store.find_to_fix(ids)
    assert (store.to_fix(), titles(store)[0]) == ({1: 4}, "Mark 4 boxes to fix")
    store.comment(ids[0], "the tail is\n out")
    store.move(ids[0], Box(1, 2, 30, 40))
    assert verdict(store, ids[0]) == Review(Verdict.NONE, "the tail is out", store.annotator, _changed(store, ids[0]))
    store.refine(ids[1], replace(CORRECTION, accepted=Box(0, 0, 9, 9), refined=Box(0, 0, 9, 9)))
    store.confirm([ids[2]], take=False)
    store.confirm([ids[3]], take=True)
    assert store.to_fix() == {}
    for _ in range(4):
        store.undo()
    assert store.to_fix() == {1: 4}


def _changed(store: ProjectStore, id: int) -> str:
    found = verdict(store, id)
    assert found is not None
    return found.changed


def test_relabelling_keeps_a_verdict(store: ProjectStore) -> None:
    box, _ = store.accept(CORRECTION)
    store.find_good([box.id])
    store.relabel([box.id], 2)
    assert item(store, box.id).verdict is Verdict.GOOD


def test_a_review_goes_with_its_box_and_comes_back_with_it(store: ProjectStore, project_path: Path) -> None:
    box, _ = store.accept(CORRECTION)
    store.find_to_fix([box.id])
    store.comment(box.id, "blurred")
    store.delete([box.id])
    assert (store.to_fix(), store.reviews_on([1])) == ({}, {1: {}})
    store.undo()
    found = item(store, box.id)
    assert (found.verdict, found.comment) == (Verdict.FIX, "blurred")
    store.delete_category(1)
    assert store.to_fix() == {}
    store.undo()
    assert store.to_fix() == {1: 1}
    assert check_project(project_path) == []


def test_comments_are_one_line_and_undone(store: ProjectStore) -> None:
    box, _ = store.accept(CORRECTION)
    store.comment(box.id, "  is this\ta cat? ")
    assert (item(store, box.id).comment, titles(store)[0]) == ("is this a cat?", "Comment: is this a cat?")
    store.comment(box.id, "is this a cat?")
    assert titles(store)[0] == "Comment: is this a cat?"
    store.comment(box.id, "")
    assert (verdict(store, box.id), titles(store)[0]) == (None, "Remove comment")
    store.undo()
    assert item(store, box.id).comment == "is this a cat?"


def test_bad_reviews_are_refused_and_change_nothing(store: ProjectStore) -> None:
    box, _ = store.accept(CORRECTION)
    for refused in (
        lambda: store.comment(box.id, "x" * (LONGEST_COMMENT + 1)),
        lambda: store.comment(box.id, "a\x00b"),
        lambda: store.comment(99, "nobody"),
        lambda: store.find_good([box.id, 99]),
        lambda: store.find_to_fix([99]),
        lambda: store.go_back(box.id, Box(0, 0, 5, 5), 99),
        lambda: store.go_back(box.id, Box(0, 0, 0, 5), 1),
        lambda: store.name_annotator("x" * (LONGEST_ANNOTATOR + 1)),
    ):
        with pytest.raises(BadInputError):
            refused()
    assert (store.corrections(1), store.reviews_on([1]), titles(store)[0]) == ([box], {1: {}}, "Accept box")


def test_the_annotator_is_stored_with_what_the_opening_writes(store: ProjectStore, project_path: Path) -> None:
    box, _ = store.accept(CORRECTION)
    store.name_annotator("  Anna   Maria ")
    assert store.annotators()[item(store, box.id).writer] == "Anna Maria"
    with closing(ProjectStore.open(project_path)) as other:
        other.name_annotator("Ben")
        other.find_to_fix([box.id])
        found = verdict(other, box.id)
        assert found is not None and found.by == "Ben"
        assert item(other, box.id).writer == item(store, box.id).writer  # a verdict does not write the box
    store.name_annotator("")
    assert set(store.annotators().values()) == {"Ben", *filter(None, [store.annotator])}


def test_another_window_does_not_take_a_reviewed_box_away(store: ProjectStore, project_path: Path) -> None:
    box, _ = store.accept(CORRECTION)
    with closing(ProjectStore.open(project_path)) as other:
        other.find_to_fix([box.id])
        assert "stays, because another window has changed" in store.undo().note
        assert (store.to_fix(), len(store.corrections(1))) == ({1: 1}, 1)


def test_items_tell_what_a_box_was_made_from(store: ProjectStore) -> None:
    refined = CORRECTION.refined
    assert refined is not None
    (moved, kept, plain), _ = store.accept_all(
        [CORRECTION, replace(CORRECTION, accepted=refined), Correction(2, 2, Box(1, 1, 9, 9), Box(1, 1, 9, 9))]
    )
    first, second, third = store.review_items(1, 99)
    assert (first.before, first.by_hand, first.doubt) == (refined, True, 0.1)
    assert first.change == pytest.approx(distance(CORRECTION.accepted, refined))
    assert (second.before, second.by_hand, second.change) == (CORRECTION.drawn, False, 0.0)
    assert (third.before, third.by_hand, third.doubt) == (Box(1, 1, 9, 9), False, None)
    assert [entry.id for entry in store.review_items_on([2])] == [plain.id]
    assert [entry.id for entry in store.review_items(moved.id, kept.id)] == [moved.id, kept.id]


def test_distance_is_one_minus_iou() -> None:
    assert distance(Box(0, 0, 10, 10), Box(0, 0, 10, 10)) == 0
    assert distance(Box(0, 0, 10, 10), Box(0, 0, 10, 5)) == 0.5
    assert distance(Box(0, 0, 10, 10), Box(20, 20, 30, 30)) == 1


def _item(id: int, **changed: object) -> ReviewItem:
    box = Box(0, 0, 10, 10)
    kept: dict[str, object] = {
        "image_id": 1, "category_id": 1, "box": box, "before": box, "confirmed": True, "doubtful": (),
        "by_hand": False, "doubt": None, "change": 0.0, "changed": float(id), "writer": 1, "verdict": Verdict.NONE,
        "comment": "",
    }  # fmt: skip
    return ReviewItem(id, **{**kept, **changed})  # type: ignore[arg-type]


ITEMS = [
    _item(1, image_id=2, doubt=0.9),
    _item(2, doubt=0.2, doubtful=(0,), category_id=2),
    _item(3, change=0.4, by_hand=True, verdict=Verdict.FIX, writer=2),
    _item(4, confirmed=False, comment="odd"),
    _item(5, verdict=Verdict.GOOD, change=0.1, by_hand=True),
]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (ReviewQuery(), [2, 3, 4, 5, 1]),
        (ReviewQuery(Which.TO_CHECK), [4]),
        (ReviewQuery(Which.ACCEPTED), [2, 3, 5, 1]),
        (ReviewQuery(Which.IN_DOUBT), [2]),
        (ReviewQuery(Which.BY_HAND), [3, 5]),
        (ReviewQuery(Which.TO_FIX), [3]),
        (ReviewQuery(Which.GOOD), [5]),
        (ReviewQuery(Which.OPEN), [2, 4, 1]),
        (ReviewQuery(Which.COMMENTED), [4]),
        (ReviewQuery(category_id=2), [2]),
        (ReviewQuery(annotator="Ben"), [3]),
        (ReviewQuery(annotator=""), []),
        (ReviewQuery(by=By.DOUBT), [2, 1, 3, 4, 5]),
        (ReviewQuery(by=By.CHANGE), [3, 5, 2, 4, 1]),
        (ReviewQuery(by=By.NEWEST), [5, 4, 3, 2, 1]),
        (ReviewQuery(by=By.OLDEST), [1, 2, 3, 4, 5]),
    ],
)
def test_a_query_chooses_and_orders(query: ReviewQuery, ids: list[int]) -> None:
    found = arranged(ITEMS, query, annotators={1: "Anna", 2: "Ben"}, places={1: 0, 2: 1})
    assert found.ids == ids
    assert found.known == frozenset(ids)
    assert found.counts[Verdict.GOOD] == (5 in ids)


def test_the_history_of_a_drawn_box_and_the_way_back(store: ProjectStore) -> None:
    store.name_annotator("Anna")
    box, _ = store.accept(CORRECTION)
    store.move(box.id, Box(1, 2, 30, 40))
    store.relabel([box.id], 2)
    drawn, refined, accepted, moved, now = store.history(box.id)
    assert (drawn.kind, drawn.box, drawn.category_id) == ("drawn", CORRECTION.drawn, 1)
    assert (refined.kind, refined.box, refined.refiner) == ("refined", CORRECTION.refined, CORRECTION.refiner)
    assert (refined.encoder, refined.score) == (CORRECTION.encoder, CORRECTION.score)
    assert (accepted.kind, accepted.box, accepted.by) == (StepKind.ACCEPT, CORRECTION.accepted, "Anna")
    assert (moved.kind, moved.box, moved.category_id) == (StepKind.MOVE, Box(1, 2, 30, 40), 1)
    assert (now.kind, now.box, now.category_id, now.by) == ("now", Box(1, 2, 30, 40), 2, "Anna")
    assert drawn.when and now.when >= drawn.when
    before = store.corrections(1)
    store.go_back(box.id, accepted.box, accepted.category_id)
    (back,) = store.corrections(1)
    assert (back.accepted, back.category_id, titles(store)[0]) == (CORRECTION.accepted, 1, "Go back to an earlier box")
    store.undo()
    assert store.corrections(1) == before
    assert [version.kind for version in store.history(box.id)] == ["drawn", "refined", "accept", "move", "now"]


def test_the_history_of_an_import_in_a_large_step(store: ProjectStore) -> None:
    boxes = [Box(n, 5, 50, 50) for n in range(20)]
    entries = [Correction(2, 0, box, box, confirmed=False, origin=Origin("owls.json", box)) for box in boxes]
    store.import_boxes([ImportedBox("owl", entry) for entry in entries], file="owls.json")
    assert [version.kind for version in store.history(2)] == ["imported", "now"]
    store.confirm([2], take=False)
    store.move(2, Box(2, 1, 8, 8))
    assert [(version.kind, version.box.x1) for version in store.history(2)] == [
        ("imported", 1.0), ("import", 1.0), ("keep", 1.0), ("now", 2.0),
    ]  # fmt: skip
    assert store.history(99) == []


def test_a_step_that_is_gone_leaves_the_box_before_the_next_one(store: ProjectStore, project_path: Path) -> None:
    box, _ = store.accept(CORRECTION)
    spoil(project_path, "DELETE FROM undo_steps")
    store.move(box.id, Box(1, 2, 30, 40))
    kinds = [(version.kind, version.box) for version in store.history(box.id)]
    assert ("earlier", CORRECTION.accepted) in kinds
    spoil(project_path, "UPDATE undo_steps SET row_changes = replace(row_changes, '}]', '')")
    assert [version.kind for version in store.history(box.id)] == ["drawn", "refined", "now"]


@pytest.fixture
def whole(project_path: Path) -> Iterator[Path]:
    yield make_whole(project_path)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE reviews SET verdict = 'superb'",
        "UPDATE reviews SET comment = x'fffe'",
        "UPDATE reviews SET writer = -1",
        "UPDATE reviews SET changed = x'fffe'",
        "DELETE FROM corrections WHERE id = 3",
    ],
)
def test_damaged_reviews_are_found_and_mended(whole: Path, damage: str) -> None:
    assert check_project(whole) == []
    spoil(whole, damage)
    assert {finding.table for finding in check_project(whole)} == {"reviews"}
    with closing(ProjectStore.open(whole)) as store:
        store.reviews_on([1])
        if "DELETE" not in damage:
            store.delete([3])
            store.undo()
    repair_project(whole)
    assert check_project(whole) == []


def test_a_damaged_review_is_no_verdict_and_a_finding(whole: Path) -> None:
    spoil(whole, "UPDATE reviews SET verdict = 'superb'")
    with closing(ProjectStore.open(whole)) as store:
        assert store.reviews_on([1]) == {1: {}}
        assert [(finding.table, finding.id) for finding in store.findings()] == [("reviews", 3)]
        assert item(store, 3).verdict is Verdict.NONE


def test_a_project_from_before_reviews_opens_and_takes_them(whole: Path) -> None:
    spoil(whole, "DELETE FROM reviews")
    old = make_old(whole, whole.with_name("old.sqlite"), before="m014_reviews")
    with closing(ProjectStore.open(old)) as store:
        assert (store.to_fix(), store.annotators()) == ({}, {})
        store.find_to_fix([3])
        assert store.to_fix() == {1: 1}
    assert check_project(old) == []


def test_a_repair_moves_and_deletes_in_one_step_and_leaves_what_has_changed(store: ProjectStore) -> None:
    ids = [store.accept(CORRECTION)[0].id for _ in range(3)]
    before, after = CORRECTION.accepted, Box(1, 2, 30, 40)
    store.move(ids[2], Box(5, 5, 50, 50))
    repaired, changes = store.repair({ids[0]: (before, after), ids[2]: (before, after)}, {ids[1]: before, 99: before})
    assert repaired == 2 and changes.step is not None and changes.step.kind is StepKind.REPAIR
    assert {entry.id: entry.accepted for entry in store.dataset().corrections} == {
        ids[0]: after,
        ids[2]: Box(5, 5, 50, 50),
    }
    store.undo()
    assert [entry.accepted for entry in store.dataset().corrections] == [before, before, Box(5, 5, 50, 50)]
    with pytest.raises(BadInputError):
        store.repair({ids[0]: (before, Box(5, 5, 5, 9))}, {})


def test_a_repair_gives_boxes_another_category_unless_theirs_has_changed(store: ProjectStore) -> None:
    first, second, third = (store.accept(CORRECTION)[0].id for _ in range(3))
    store.relabel([second], 2)
    repaired, _ = store.repair({}, {}, {first: (1, 2), second: (1, 2), third: (1, 99), 99: (1, 2)})
    assert repaired == 1
    assert [entry.category_id for entry in store.corrections(1)] == [2, 2, 1]
    store.undo()
    assert [entry.category_id for entry in store.corrections(1)] == [1, 2, 1]
