"""Long imports: other writes between the parts, one undo step all the same, nothing left of an incomplete one."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.records import Correction, ImportedBox, NewImage, Origin
from core.store import box_import, undo_play
from core.store.project_check import check_project
from core.store.project_repair import repair_project
from core.store.project_store import ProjectStore
from tests.core.damage import spoil
from tests.core.frame_time import frame_s
from tests.core.projects import CORRECTION, python, title

FILE = "many.json"

HALF_AN_IMPORT = """
import sys
from pathlib import Path
from core.geometry import Box
from core.records import Correction, ImportedBox
from core.store import box_import, undo_play
from core.store.project_store import ProjectStore
from tests.core.projects import fill

box_import.PART_S = 0
store = ProjectStore.create(Path(sys.argv[1]))
fill(store)
boxes = [Box(n % 600, n // 600, n % 600 + 30, n // 600 + 20) for n in range(2000)]
job = store.import_steps([ImportedBox("owl", Correction(1, 0, box, box)) for box in boxes], file="many.json")
for _ in range(12):
    next(job)
print("half", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of fifty boxes."""
    monkeypatch.setattr(box_import, "PART_S", 0)


def many(count: int, *, image_id: int = 1, per_image: int = 0) -> list[ImportedBox]:
    """Boxes of one image, or of as many as they need."""
    found = []
    for number in range(count):
        x, y = number % 500, number // 500 % 400
        box = Box(float(x), float(y), x + 40.0, y + 30.5)
        origin = Origin(FILE, box, format="COCO", entry=f'{{"id":{number},"bbox":[{x},{y},40,30.5]}}')
        id = number // per_image + 1 if per_image else image_id
        found.append(ImportedBox("owl", Correction(id, 0, box, box, origin=origin, confirmed=False)))
    return found


@pytest.mark.usefixtures("small_parts")
def test_other_writes_have_their_turn_between_the_parts_and_undo_takes_all_parts_back(store: ProjectStore) -> None:
    job = store.import_steps(many(400), file=FILE, categories=["bee"])
    stored, accepted = [], 0
    for _ in job:
        stored.append(store.counts().get(1, 0))
        if len(stored) == 4:
            accepted = store.accept(replace(CORRECTION, image_id=2))[0].id
            assert title(store.undo_steps()[0]) == "Accept box"
    assert stored[1:] == sorted(stored[1:]) and len(set(stored)) > 6
    before = store.dataset()
    assert store.counts() == {1: 400, 2: 1}
    assert [title(store.undo_steps()[0]), accepted > 0] == ["Accept box", True]
    store.undo()
    assert title(store.undo_steps()[0]) == f"Import 400 boxes from {FILE}"
    store.undo()
    assert store.counts() == {}
    assert [category.name for category in store.categories()] == ["cat", "dog"]
    store.redo()
    store.redo()
    assert store.dataset() == before
    assert check_project(store.path) == []


@pytest.mark.usefixtures("small_parts")
def test_an_import_that_runs_cannot_be_undone_and_a_closed_one_leaves_nothing(store: ProjectStore) -> None:
    before, last = store.dataset(), store.undo_steps()
    job = store.import_steps(many(400), file=FILE)
    for _ in range(5):
        next(job)
    assert store.counts()[1] > 100
    assert store.undo_steps() == last
    job.close()
    assert (store.dataset(), store.undo_steps()) == (before, last)
    assert store.import_boxes(many(400), file=FILE)[0] == 400


@pytest.mark.usefixtures("small_parts")
def test_a_box_on_an_unknown_image_late_in_the_file_leaves_nothing(store: ProjectStore) -> None:
    before = store.dataset()
    with pytest.raises(BadInputError):
        store.import_boxes([*many(300), *many(1, image_id=9)], file=FILE)
    assert store.dataset() == before
    assert store._db.execute("SELECT count(*) FROM undo_parts").fetchone()[0] == 0


def test_the_next_opening_removes_what_a_killed_import_has_stored(tmp_path: Path) -> None:
    path = tmp_path / "boxrefine.sqlite"
    with python(HALF_AN_IMPORT, path) as process:
        assert process.stdout and process.stdout.readline() == "half\n"
        with closing(ProjectStore.open(path)) as other:  # it is still being imported
            assert other.counts()[1] > 400
        process.kill()
        process.wait()
    with closing(ProjectStore.open(path)) as store:
        assert store.counts() == {}
        assert [category.name for category in store.categories()] == ["cat", "dog"]
        assert title(store.undo_steps()[0]) == "Add category dog"
    assert check_project(path) == []


@pytest.mark.usefixtures("small_parts")
def test_the_history_of_a_box_begins_with_the_part_that_imported_it(store: ProjectStore) -> None:
    store.import_boxes(many(300), file=FILE)
    id = store.corrections(1)[250].id
    store.move(id, Box(1, 2, 30, 40))
    assert [version.kind for version in store.history(id)][:2] == ["imported", "import"]


@pytest.mark.usefixtures("small_parts")
def test_a_damaged_part_is_found_and_repaired_and_its_step_is_skipped(store: ProjectStore) -> None:
    store.import_boxes(many(300), file=FILE)
    spoil(store.path, "UPDATE undo_parts SET row_changes = '[[' WHERE id = 2")
    assert [finding.table for finding in check_project(store.path)] == ["undo_parts"]
    assert "damaged" in store.undo().note
    assert store.counts() == {1: 300}
    path = store.path
    store.close()
    repair_project(path)
    assert check_project(path) == []


@pytest.fixture
def wide(tmp_path: Path) -> Iterator[ProjectStore]:
    """A project of many images."""
    with closing(ProjectStore.create(tmp_path / "wide.sqlite")) as store:
        store.add_images([NewImage(tmp_path / f"{number}.jpg", 640, 480) for number in range(2000)])
        yield store


def test_storing_takes_the_same_time_for_each_box(wide: ProjectStore) -> None:
    boxes = many(10_000, per_image=10)
    seconds = []
    for part in (boxes[:500], boxes[500:2000], boxes[2000:10_000]):  # the first one warms up
        begun = time.thread_time()
        wide.import_boxes(part, file=FILE)
        seconds.append((time.thread_time() - begun) / len(part))
    assert seconds[2] < 2.5 * seconds[1]


def test_storing_takes_little_memory_for_each_box(wide: ProjectStore) -> None:
    boxes = many(6000, per_image=10)
    gc.collect()
    tracemalloc.start()
    try:
        wide.import_boxes(boxes, file=FILE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / len(boxes) < 700  # 1,870 in one transaction
    assert wide.counts()[600] == 10


@pytest.mark.long
def test_no_write_waits_long_for_a_large_import(tmp_path: Path) -> None:
    waits, count = [], 200_000
    with closing(ProjectStore.create(tmp_path / "wide.sqlite")) as store:
        store.add_images([NewImage(tmp_path / f"{number}.jpg", 640, 480) for number in range(count // 10)])
        begun = time.thread_time()
        for _ in store.import_steps(many(count, per_image=10), file=FILE):
            waits.append(time.thread_time() - begun)
            begun = time.thread_time()
        assert sum(store.counts().values()) == count
    assert sorted(waits)[len(waits) * 99 // 100] < 6 * frame_s()


@pytest.mark.usefixtures("small_parts")
def test_a_redo_checks_imported_boxes_without_decoding_each(
    store: ProjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.import_boxes(many(300), file=FILE)
    before = store.dataset()
    store.undo()
    decoded = []
    monkeypatch.setattr(undo_play, "check_row", lambda table, row: decoded.append(table))
    store.redo()
    assert "corrections" not in decoded
    assert store.dataset() == before


@pytest.mark.parametrize(
    ("column", "value"),
    [("image_id", "-1"), ("category_id", "-1"), ("id", "99999999999999999999"), ("confirmed", "2"), ("drawn", "[]")],
)
def test_a_redo_skips_imported_boxes_that_are_damaged(store: ProjectStore, column: str, value: str) -> None:
    store.import_boxes(many(3), file=FILE)
    store.undo()
    spoil(
        store.path,
        f"UPDATE undo_steps SET row_changes = json_set(row_changes, '$[#-1][3].{column}', json('{value}')) "
        f"WHERE id = (SELECT max(id) FROM undo_steps)",
    )
    assert "damaged" in store.redo().note
    assert store.counts() == {}
