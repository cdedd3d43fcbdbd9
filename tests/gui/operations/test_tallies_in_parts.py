"""Counts of all images are read in short parts, and have what was written between the parts."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from boxrefine_gui.state import tallies
from boxrefine_gui.state.project_view import MANY_IMAGES, read_touched, touched_steps
from boxrefine_gui.state.tallies import read_tallies, tally_steps
from core.geometry import Box
from core.marks import Mark
from core.progress import run
from core.records import Changes, Correction, ImportedBox, NewImage, Origin
from core.store.project_store import ProjectStore
from tests.core.frame_time import frame_s

IMAGES = 60


def boxes(images: int, *, each: int) -> Iterator[ImportedBox]:
    for number in range(images * each):
        box = Box(float(number % 400), 5.0, number % 400 + 40.0, 30.5)
        correction = Correction(number // each + 1, 0, box, box, origin=Origin("many.json", box), confirmed=False)
        yield ImportedBox("owl" if number % 3 else "bee", correction)


def filled(path: Path, images: int, *, each: int) -> ProjectStore:
    store = ProjectStore.create(path)
    store.add_images([NewImage(path.parent / f"{number}.jpg", 640, 480) for number in range(images)])
    store.import_boxes(list(boxes(images, each=each)), file="many.json")
    return store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ProjectStore]:
    """A project whose counts are read in parts of five images."""
    monkeypatch.setattr(tallies, "_AT_ONCE", 5)
    monkeypatch.setattr(tallies, "_MOST_IN_A_PART", 5)
    with closing(filled(tmp_path / "boxrefine.sqlite", IMAGES, each=2)) as store:
        yield store


def test_the_parts_are_the_counts_of_the_whole_project(store: ProjectStore) -> None:
    store.mark([3], done=True)
    found = read_tallies(store)
    assert (found.boxes, found.to_check, found.drawn) == (store.counts(), store.to_check(), store.drawn_counts())
    assert (found.unaccepted, found.doubtful, found.to_fix) == (store.unaccepted(), store.doubtful(), store.to_fix())
    assert (found.categories, found.marks, found.done) == (store.boxes_by_category(), store.marks(), {3})
    assert len(found.touched) == IMAGES


def test_what_is_written_between_the_parts_is_in_the_counts(store: ProjectStore) -> None:
    job = tally_steps(store)
    for _ in range(4):
        next(job)
    store.mark([2], done=True)
    store.delete([store.corrections(1)[0].id, store.corrections(50)[0].id])
    store.confirm([store.corrections(4)[0].id], take=False)
    found = run(job)
    assert found == read_tallies(store)
    assert (found.boxes[1], found.boxes[50], found.to_check[4], found.done) == (1, 1, 1, {2})
    assert isinstance(found.marks[2], Mark)


def test_writes_that_never_stop_do_not_keep_it_reading(store: ProjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "_MOST_READ_AGAIN", 4)
    steps = itertools.count(1)
    found = run(tally_steps(store), lambda _: store.mark([1, 30, 59], done=next(steps) % 2 == 1))
    assert next(steps) <= IMAGES // 5 + 8
    assert found == read_tallies(store)


def test_a_job_that_is_closed_leaves_nothing_in_the_connection(store: ProjectStore) -> None:
    job = tally_steps(store)
    next(job)
    job.close()
    assert store.database.execute("SELECT count(*) FROM sqlite_temp_master").fetchone()[0] == 0


def test_the_view_of_a_wide_change_is_the_same_in_steps(store: ProjectStore) -> None:
    narrow, wide = Changes(image_ids=frozenset({1})), Changes(image_ids=frozenset(range(MANY_IMAGES + 1)))
    assert run(touched_steps(store, narrow)) == read_touched(store, narrow)
    found = run(touched_steps(store, wide))
    assert found == read_touched(store, wide) and found.tallies is not None


@pytest.mark.long
def test_no_part_takes_long_in_a_large_project(tmp_path: Path) -> None:
    with closing(filled(tmp_path / "boxrefine.sqlite", 20_000, each=10)) as store:
        job, waits, begun = tally_steps(store), [], time.thread_time()
        for _ in job:
            waits.append(time.thread_time() - begun)
            begun = time.thread_time()
        waits.append(time.thread_time() - begun)
    assert len(waits) > 5
    assert sorted(waits)[len(waits) * 9 // 10] < 6 * frame_s()
