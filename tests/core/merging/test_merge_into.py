"""Merging another project into an open one, as the window does: one undo step, and Cancel leaves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.geometry import Box
from core.merging.merge import How, Merged, merge_into
from core.merging.pictures import Project, same_pictures
from core.progress import Job, run
from core.reviews import TWIN
from core.store.private_copy import private_copy
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.core.merging.people import box_of, contents, labelled, opened
from tests.core.projects import titles

BOAT, NEAR = Box(10.0, 10.0, 50.0, 50.0), Box(10.5, 10.0, 50.5, 50.0)
TREE = Box(150.0, 20.0, 190.0, 90.0)


def job(store: ProjectStore, source: ProjectStore) -> Job[Merged]:
    folders = [store.path.parent], [source.path.parent]
    same = run(same_pictures(Project(store.images(), folders[0]), Project(source.images(), folders[1])))
    return merge_into(store, source, same, ours="anna", theirs="ben", how=How())


@pytest.fixture
def both(tmp_path: Path) -> Sequence[Path]:
    anna = labelled(tmp_path / "anna", "Anna", {"a.png": [("boat", BOAT)], "b.png": []})
    labels = {"a.png": [("boat", NEAR), ("tree", TREE)], "c.png": [("boat", BOAT)]}
    ben = labelled(tmp_path / "ben", "Ben", labels)
    with opened(ben) as store:
        store.use_annotator("Ben")
        store.move(3, NEAR)
        store.comment(2, "cut off")
        store.mark([2], done=True)
    return anna, ben


def test_a_merge_is_one_undo_step(both: Sequence[Path]) -> None:
    anna, ben = both
    before = contents(anna)
    with opened(anna) as store, private_copy(ben) as source:
        found = run(job(store, source))
        assert (found.changes.images, found.changes.categories, found.counts["equal"]) == (True, True, 1)
        after = {"a.png": [("boat", BOAT), ("tree", TREE)], "b.png": [], "c.png": [("boat", NEAR)]}
        assert contents(anna) == after
        assert titles(store)[0] == "Merge project ben"
        store.undo()
        assert {name: boxes for name, boxes in contents(anna).items() if name != "c.png"} == before
        assert contents(anna)["c.png"] == [] and store.marks() == {}
        store.redo()
        assert contents(anna) == after
        (moved,) = store.corrections(store.images()[-1].id)
        versions = [(each.kind, each.box, each.by) for each in store.history(moved.id)]
        assert versions[2:4] == [("accept", BOAT, "Ben"), ("move", NEAR, "Ben")]
        assert versions[-1] == ("now", NEAR, "Ben")
        assert [each.by for each in store.history(1) if each.kind == TWIN] == ["Ben"]
    assert check_project(anna) == []


def test_cancel_leaves_the_project_as_it_was(both: Sequence[Path]) -> None:
    anna, ben = both
    before = contents(anna)
    with opened(anna) as store, private_copy(ben) as source:
        merging = job(store, source)
        next(merging)
        merging.close()
        assert (contents(anna), titles(store)[0]) == (before, "Accept box")
        assert [category.name for category in store.categories()] == ["boat"]
        run(job(store, source))
        assert contents(anna)["c.png"] == [("boat", NEAR)]
    assert check_project(anna) == []


def test_boxes_that_are_accepted_meanwhile_keep_their_place(both: Sequence[Path]) -> None:
    anna, ben = both
    with opened(anna) as store, private_copy(ben) as source:
        merging = job(store, source)
        next(merging)
        accepted, _ = store.accept(box_of(2, 1, TREE))
        run(merging)
        assert store.corrections(2) == [accepted]
    assert check_project(anna) == []


def test_merging_twice_adds_nothing(both: Sequence[Path]) -> None:
    anna, ben = both
    with opened(anna) as store, private_copy(ben) as source:
        run(job(store, source))
        after = contents(anna)
        again = run(job(store, source))
        assert contents(anna) == after
        assert (again.new, again.conflicts, again.counts.get("only_theirs", 0)) == (0, 0, 0)
