"""Undo of a large import goes in parts: other writes between them, nothing half-undone after a close or a kill."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.geometry import Box
from core.progress import run
from core.records import Correction, ImportedBox, Origin
from core.sources import Source
from core.store import box_import, correction_read, source_log
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.core.damage import spoil
from tests.core.projects import CORRECTION, python, title

FILE = "many.json"

HALF_AN_UNDO = """
import sys
from pathlib import Path
from core.store.project_store import ProjectStore

store = ProjectStore.open(Path(sys.argv[1]))
job = store.travel(undo=sys.argv[2] == "undo")
for _ in range(4):
    next(job)
print("half", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of fifty boxes."""
    monkeypatch.setattr(box_import, "PART_S", 0)


def many(count: int) -> list[ImportedBox]:
    boxes = [Box(float(n % 500), n // 500 * 10.0, n % 500 + 40.0, n // 500 * 10 + 30.5) for n in range(count)]
    origins = [Origin(FILE, box, format="COCO", entry=f'{{"id":{n}}}') for n, box in enumerate(boxes)]
    return [
        ImportedBox("owl", Correction(1 + n % 2, 0, box, box, origin=origin, confirmed=False))
        for n, (box, origin) in enumerate(zip(boxes, origins, strict=True))
    ]


def total(store: ProjectStore) -> int:
    return sum(store.counts().values())


def parts(store: ProjectStore) -> int:
    return int(store._db.execute("SELECT count(*) FROM undo_parts").fetchone()[0])


def test_undo_and_redo_go_in_parts_and_restore_all(store: ProjectStore) -> None:
    empty = store.dataset()
    store.import_boxes(many(600), file=FILE)
    before = store.dataset()
    for _ in range(2):
        counts = [total(store) for _ in store.travel(undo=True)]
        assert counts == sorted(counts, reverse=True) and len(set(counts)) > 8
        assert store.dataset() == empty
        counts = [total(store) for _ in store.travel(undo=False)]
        assert counts == sorted(counts) and len(set(counts)) > 8
        assert store.dataset() == before
    assert check_project(store.path) == []


def test_the_log_does_not_copy_the_rows_that_an_import_adds(store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    texts = store._db.execute("SELECT sum(length(row_changes)) FROM undo_parts").fetchone()[0]
    assert texts < 600


def test_other_writes_have_their_turn_and_a_new_one_ends_the_redo(store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    job = store.travel(undo=True)
    next(job)
    accepted = store.accept(CORRECTION)[0].id
    assert "wait until it is done" in store.undo().note
    assert "wait until it is done" in store.redo().note
    for _ in job:
        pass
    assert [item.id for item in store.dataset().corrections] == [accepted]
    assert [step and title(step) for step in store.undo_steps()] == ["Accept box", None]
    store.undo()
    assert total(store) == 0
    store.redo()
    assert total(store) == 1
    for _ in range(20):  # each write deletes a few parts of the forgotten step
        store.accept(CORRECTION)
    assert parts(store) == 0
    assert check_project(store.path) == []


def test_a_box_that_changed_after_the_undo_began_stays(store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    first = store.dataset().corrections[0]
    job = store.travel(undo=True)
    next(job)
    store.move(first.id, Box(1, 2, 90, 80))
    for _ in job:
        pass
    left = store.dataset().corrections
    assert [(item.id, item.accepted) for item in left] == [(first.id, Box(1, 2, 90, 80))]
    assert check_project(store.path) == []


def test_boxes_that_were_changed_before_come_back_by_the_steps_in_their_order(store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    some = [item.id for item in store.dataset().corrections[100:400:7]]
    store.move(some[0], Box(1, 2, 90, 80))
    store.delete(some[1:20])
    store.confirm(some[20:], take=False)
    changed = store.dataset()
    for _ in range(4):
        store.undo()
    assert total(store) == 0
    for _ in range(4):
        store.redo()
    assert store.dataset() == changed
    assert check_project(store.path) == []


@pytest.mark.parametrize("undo", [True, False])
def test_a_closed_undo_or_redo_leaves_the_project_as_it_was(undo: bool, store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    if not undo:
        store.undo()
    before, steps = store.dataset(), store.undo_steps()
    job = store.travel(undo=undo)
    for _ in range(5):
        next(job)
    job.close()
    assert (store.dataset(), store.undo_steps()) == (before, steps)
    store.undo() if undo else store.redo()
    assert total(store) == (0 if undo else 600)
    store.redo() if undo else store.undo()
    assert total(store) == (600 if undo else 0)


@pytest.mark.parametrize("direction", ["undo", "redo"])
def test_the_next_opening_finishes_what_a_kill_has_left_half(direction: str, store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    whole = store.dataset()
    if direction == "redo":
        store.undo()
    path = store.path
    store.close()
    with python(HALF_AN_UNDO, path, direction) as process:
        assert process.stdout and process.stdout.readline() == "half\n"
        with closing(ProjectStore.open(path)) as other:  # it is still under way
            assert 0 < total(other) < 600
        process.kill()
        process.wait()
    with closing(ProjectStore.open(path)) as again:
        assert total(again) == 0
        again.redo()
        assert again.dataset() == whole
    assert check_project(path) == []


def test_a_box_that_another_window_has_changed_stays(store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    with closing(ProjectStore.open(store.path)) as other:
        kept = other.dataset().corrections[300].id
        other.move(kept, Box(1, 2, 90, 80))
        store.undo()
        assert [item.id for item in store.dataset().corrections] == [kept]
        store.redo()
        assert total(store) == 600
        assert store.corrections(1)[150].accepted == Box(1, 2, 90, 80)
    assert check_project(store.path) == []


def test_a_damaged_box_of_an_import_does_not_stop_its_undo(store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    spoil(store.path, "UPDATE corrections SET drawn = 'x' WHERE id = 77")
    store.undo()
    assert total(store) == 0
    store.redo()
    assert total(store) == 599


def test_a_damaged_range_is_a_finding(store: ProjectStore) -> None:
    store.import_boxes(many(600), file=FILE)
    spoil(store.path, "UPDATE undo_parts SET last_box = NULL WHERE id = 2")
    assert [finding.table for finding in check_project(store.path)] == ["undo_parts"]


def test_a_source_of_many_pictures_takes_several_rows_and_is_one(
    store: ProjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_log, "_STEP", 3)
    source = Source(FILE, "COCO", {"info": {"year": 2017}}, {n: {"id": n, "license": n % 3} for n in range(1, 11)})
    for _ in range(2):  # the second time it is there already
        store.import_boxes(many(3), file=FILE, sources=[source])
        rows = [json.loads(text) for (text,) in store._db.execute("SELECT content FROM sources ORDER BY id").fetchall()]
        assert [len(row["images"]) for row in rows] == [3, 3, 3, 1]
        (found,) = store.dataset().sources
        assert replace(found, id=0) == source
    assert check_project(store.path) == []


def test_boxes_of_one_picture_come_once_from_columns(store: ProjectStore, tmp_path: Path) -> None:
    assert store.import_boxes(many(200), file=FILE)[0] == 200
    assert store.import_boxes([*many(260), *many(260)], file=FILE)[0] == 60
    assert total(store) == 260


def test_a_read_in_steps_sees_the_project_as_it_was_while_others_write(store: ProjectStore) -> None:
    store.import_boxes(many(300), file=FILE)
    store.mark([1, 2], done=True)
    before = store.dataset()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correction_read, "STEP", 20)
        job = store.dataset_steps()
        next(job)
        seen: list[int] = []
        found = run(job, lambda _: seen.append(store.accept(CORRECTION)[0].id))
    assert found == before and len(seen) > 10
    assert total(store) == 300 + len(seen)
    assert run(store.dataset_steps()) == store.dataset()


def test_a_read_in_steps_that_is_closed_lets_go_of_the_file(store: ProjectStore) -> None:
    job = store.dataset_steps()
    next(job)
    job.close()
    assert store.accept(CORRECTION)[0].id == 1
    store.path.unlink()
    assert len(run(store.dataset_steps()).corrections) == 1
