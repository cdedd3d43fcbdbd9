"""What the image list asks the store: doubts and dates of boxes, and the images of a category."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.geometry import Box
from core.marks import Work
from core.records import Correction, ImportedBox
from core.store.project_store import ProjectStore
from tests.core.damage import spoil
from tests.core.projects import CORRECTION

AS_REFINED = replace(CORRECTION, accepted=CORRECTION.refined or CORRECTION.accepted)
MOVED = CORRECTION
SURE = replace(AS_REFINED, edge_confidence=(0.9, 0.9, 0.8, 0.95))


def doubt_on(store: ProjectStore, image_id: int) -> float | None:
    return store.work_on([image_id])[image_id].doubt


def test_the_doubt_is_the_least_sure_edge_of_the_boxes_as_they_were_refined(store: ProjectStore) -> None:
    store.accept(SURE)
    assert doubt_on(store, 1) == 0.8
    store.accept(AS_REFINED.with_doubt())
    assert doubt_on(store, 1) == 0.1
    stored = store.corrections(1)[1]
    store.move(stored.id, Box(0, 0, 50, 50))  # the user has looked at it
    assert doubt_on(store, 1) == 0.8
    store.accept(MOVED)
    assert doubt_on(store, 1) == 0.8
    box = Box(5, 5, 50, 50)
    proposed = Correction(2, 0, box, box, refined=Box(6, 6, 49, 49), edge_confidence=(0.5, 1, 1, 1), confirmed=False)
    store.import_boxes([ImportedBox("owl", proposed)], file="owls.json")
    assert doubt_on(store, 2) == 0.5


def test_the_date_is_that_of_the_last_change_and_images_without_boxes_have_none(store: ProjectStore) -> None:
    before = datetime.now(UTC).timestamp() - 1
    store.accept(replace(CORRECTION, refined=None, edge_confidence=None))
    work = store.work_between(1, 2)
    assert set(work) == {1} and work[1].doubt is None
    assert before <= work[1].changed <= datetime.now(UTC).timestamp() + 1
    assert store.work_on([1, 2]) == work
    assert store.work_between(2, 9) == store.work_on([]) == {}
    assert store.last_image_id() == 2


@pytest.mark.parametrize("text", ["[0.5", '{"a": "x"}', '["high", "low"]', "[]", "[1e999]"])
def test_damaged_confidences_and_dates_do_not_stop_the_list(store: ProjectStore, text: str) -> None:
    store.accept(AS_REFINED)
    spoil(store.path, "UPDATE corrections SET edge_confidence = ?, changed = 'x'", text)
    assert store.work_on([1]) == {1: Work(None, 0.0)}


def test_images_of_a_category_are_found_and_counted(store: ProjectStore) -> None:
    store.accept_all([CORRECTION, CORRECTION, replace(CORRECTION, image_id=2), replace(CORRECTION, category_id=2)])
    assert store.images_with(1) == {1, 2} and store.images_with(2) == {1} and store.images_with(9) == set()
    assert store.images_by_category() == {1: 2, 2: 1}
