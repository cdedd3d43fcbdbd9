"""Importing boxes: one undo step, nothing doubled, nothing overwritten, and what is unknown is refused whole."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.records import Category, Correction, ImportedBox, Origin
from core.store.known_boxes import KnownBoxes
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, title, titles

BOX = Box(10, 20, 60, 70)


def imported(box: Box = BOX, *, image_id: int = 1, category: str = "cat") -> ImportedBox:
    origin = Origin("coarse.json", box)
    return ImportedBox(category, Correction(image_id, 0, drawn=box, accepted=box, origin=origin, confirmed=False))


def test_boxes_come_with_their_origin_and_wait_for_a_yes(store: ProjectStore) -> None:
    count, changes = store.import_boxes([imported(), imported(image_id=2)], file="coarse.json")
    assert count == 2
    assert changes.image_ids == {1, 2}
    (held,) = store.corrections(1)
    assert (held.accepted, held.origin, held.confirmed) == (BOX, Origin("coarse.json", BOX), False)
    assert store.to_check() == {1: 1, 2: 1}
    assert titles(store) == ("Import 2 boxes from coarse.json", None)


def test_undo_takes_the_whole_import_back_with_its_categories_and_redo_brings_it_again(store: ProjectStore) -> None:
    changes = store.import_boxes([imported(category="owl"), imported(image_id=2)], file="coarse.json")[1]
    assert changes.categories
    before = store.dataset()
    store.undo()
    assert store.counts() == {}
    assert [category.name for category in store.categories()] == ["cat", "dog"]
    store.redo()
    assert store.dataset() == before


def test_importing_twice_doubles_nothing(store: ProjectStore) -> None:
    boxes = [imported(), imported(Box(0, 0, 5, 5)), imported(category="dog")]
    assert store.import_boxes(boxes, file="coarse.json")[0] == 3
    count, changes = store.import_boxes(boxes, file="copy.json")
    assert (count, changes.anything) == (0, False)
    assert store.counts() == {1: 3}


def test_a_box_is_known_again_after_it_was_refined_or_moved(store: ProjectStore) -> None:
    store.import_boxes([imported(), imported(image_id=2)], file="coarse.json")
    store.refine(store.corrections(1)[0].id, CORRECTION)
    store.move(store.corrections(2)[0].id, Box(1, 1, 9, 9))
    before = store.dataset()
    assert store.import_boxes([imported(), imported(image_id=2)], file="coarse.json")[0] == 0
    assert store.dataset() == before


def refined_outside(box: Box, drawn: Box) -> ImportedBox:
    correction = imported(box).correction
    return ImportedBox("cat", replace(correction, drawn=drawn, refined=box, score=0.9, encoder="e", refiner="r"))


def test_a_box_that_was_refined_outside_is_known_by_what_was_drawn(store: ProjectStore) -> None:
    tight = Box(14, 22, 58, 68)
    store.import_boxes([imported()], file="coarse.json")
    assert store.import_boxes([refined_outside(tight, BOX)], file="refined.json")[0] == 0
    store.undo()
    assert store.import_boxes([refined_outside(tight, BOX)], file="refined.json")[0] == 1
    assert store.import_boxes([refined_outside(tight, BOX)], file="refined.json")[0] == 0


def test_a_box_that_was_refined_outside_twice_or_comes_as_it_was_drawn_is_one_box(store: ProjectStore) -> None:
    boxes = [refined_outside(Box(14, 22, 58, 68), BOX), refined_outside(Box(16, 25, 55, 64), BOX), imported()]
    assert store.import_boxes(boxes, file="refined.json")[0] == 1
    assert store.import_boxes(boxes[1:], file="by_another.json")[0] == 0
    assert store.import_boxes([imported(category="dog")], file="coarse.json")[0] == 1
    store.confirm_proposals()
    assert store.import_boxes(boxes[1:], file="by_another.json")[0] == 0


def test_a_box_that_came_refined_is_no_proposal_to_discard(store: ProjectStore) -> None:
    store.import_boxes([refined_outside(Box(14, 22, 58, 68), BOX)], file="refined.json")
    before = store.corrections(1)
    assert not store.withdraw_proposals().anything
    assert store.corrections(1) == before
    assert store.confirm_proposals()[0] == 0
    (held,) = store.corrections(1)
    assert (held.drawn, held.accepted, held.refiner, held.confirmed) == (BOX, Box(14, 22, 58, 68), "r", True)


def test_a_box_that_is_there_under_rounded_numbers_is_not_doubled(store: ProjectStore) -> None:
    store.accept(replace(CORRECTION, accepted=Box(14.0049, 22.1, 100.3, 88)))
    assert store.import_boxes([imported(Box(14.005, 22.1, 100.3, 88.0))], file="export.json")[0] == 0
    assert store.import_boxes([imported(Box(14, 22, 100, 88))], file="VOC")[0] == 0
    assert store.import_boxes([imported(Box(15.5, 22.1, 100.3, 88.0))], file="export.json")[0] == 1


def test_an_accepted_box_stays_as_it_is(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    store.import_boxes([imported(CORRECTION.drawn)], file="coarse.json")
    assert store.corrections(1)[0] == stored
    assert len(store.corrections(1)) == 2


def test_categories_that_are_there_are_used(store: ProjectStore) -> None:
    store.import_boxes([imported(category="dog"), imported(category="owl", image_id=2)], file="coarse.json")
    assert store.categories() == [Category(1, "cat"), Category(2, "dog"), Category(3, "owl")]
    assert store.corrections(1)[0].category_id == 2


def test_a_large_import_is_taken_back_and_brought_again_in_about_the_time_it_took(store: ProjectStore) -> None:
    boxes = [imported(Box(n % 500, n // 500, n % 500 + 40, n // 500 + 30)) for n in range(5000)]
    begun = time.thread_time()
    store.import_boxes(boxes, file="coarse.json")
    imported_at = time.thread_time()
    store.undo()
    store.redo()
    assert store.counts() == {1: 5000}
    assert time.thread_time() - imported_at < 5 * (imported_at - begun)  # two times each, and half as much again


@pytest.mark.parametrize("bad", [imported(image_id=9), imported(Box(3, 3, 3, 9))])
def test_a_box_that_cannot_be_stored_leaves_nothing_of_the_file(store: ProjectStore, bad: ImportedBox) -> None:
    with pytest.raises(BadInputError):
        store.import_boxes([imported(), bad], file="coarse.json")
    assert store.counts() == {}
    assert title(store.undo_steps()[0]) == "Add category dog"


@pytest.mark.parametrize("side", [20.0, 0.3])
def test_boxes_with_edges_in_common_are_compared_with_few_others(store: ProjectStore, side: float) -> None:
    known = KnownBoxes(store._db)
    boxes = [
        Box(5, 5 + row * side / 4, 5 + side, 5 + side + column * side / 4) for row in range(60) for column in range(60)
    ]
    boxes += [Box(5, 5, 5 + side, 5 + side)] * 1000
    new = [known.take(imported(box).correction) for box in boxes]
    assert sum(new) == 3600 and not any(new[3600:])
    assert known.compared < 3 * len(boxes)  # with the edges sorted it was six million


def test_small_boxes_are_told_apart_and_known_again(store: ProjectStore) -> None:
    known = KnownBoxes(store._db)
    assert known.take(imported(Box(10, 10, 11, 11)).correction)
    assert not known.take(imported(Box(10.04, 10, 11.04, 11)).correction)
    assert known.take(imported(Box(10.2, 10, 11.2, 11)).correction)
    assert not known.take(imported(Box(10 - 0.049, 10, 11.049, 11)).correction)


def test_a_file_whose_name_is_no_text_can_be_imported(store: ProjectStore) -> None:
    assert store.import_boxes([imported()], file="a\udcff.json")[0] == 1
    assert title(store.undo_steps()[0]) == r"Import box from a\udcff.json"


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\0b", "\ud800", "a\u202eb", "a\nb", "n" * 1001])
def test_categories_with_names_that_cannot_be_shown_are_refused(store: ProjectStore, name: str) -> None:
    with pytest.raises(BadInputError, match="cannot be called") as caught:
        store.add_category(name)
    assert str(caught.value).isprintable()
