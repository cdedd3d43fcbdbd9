"""Two openings of one project: each undoes only what it did itself, and hears of what the other wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.geometry import Box
from core.records import Changes, Correction, ImportedBox, OpenElsewhere
from core.store.openings import folder_of
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, python, title, titles

HOLDS = """
import sys
from pathlib import Path
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION

store = ProjectStore.open(Path(sys.argv[1]))
store.accept(CORRECTION)
print("open", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def other(store: ProjectStore, project_path: Path) -> Iterator[ProjectStore]:
    with closing(ProjectStore.open(project_path)) as opened:
        yield opened


def boxes(store: ProjectStore) -> dict[int, Box]:
    return {entry.id: entry.accepted for entry in store.corrections(1)}


def test_undo_and_redo_pass_over_what_the_other_window_did(store: ProjectStore, other: ProjectStore) -> None:
    mine, _ = store.accept(CORRECTION)
    theirs, _ = other.accept(CORRECTION)
    assert titles(store) == ("Accept box", None)
    assert title(store.undo().step) == "Accept box"
    assert set(boxes(store)) == {theirs.id}
    assert titles(other) == ("Accept box", None)  # theirs, and not what was undone
    assert other.redo() == Changes()
    assert store.redo().anything
    assert set(boxes(store)) == {mine.id, theirs.id}


def test_a_new_operation_leaves_the_others_redo(store: ProjectStore, other: ProjectStore) -> None:
    store.accept(CORRECTION)
    store.undo()
    other.accept(CORRECTION)
    assert store.redo().anything
    assert len(boxes(store)) == 2


def test_undo_leaves_a_box_that_the_other_has_moved_since_and_says_so(store: ProjectStore, other: ProjectStore) -> None:
    store.add_category("bird")
    mine, _ = store.accept(CORRECTION)
    other.move(mine.id, Box(1, 2, 30, 40))
    changes = store.undo()
    assert "another window" in changes.note
    assert not changes.anything
    assert boxes(store) == {mine.id: Box(1, 2, 30, 40)}
    assert title(store.undo().step) == "Add category bird"  # the step that can do nothing stands in nobody's way


def test_of_an_import_only_the_boxes_that_the_other_changed_stay(store: ProjectStore, other: ProjectStore) -> None:
    places = [Box(10 * n, 5, 10 * n + 8, 20) for n in range(6)]
    store.import_boxes([ImportedBox("owl", Correction(1, 0, box, box)) for box in places], file="owls.json")
    first, second, *_ = boxes(store)
    other.relabel([first], 1)
    other.delete([second])
    changes = store.undo()
    assert set(boxes(store)) == {first}
    assert changes.image_ids == {1}
    assert changes.note.startswith("2 changes of this step stay")
    assert "owl" not in [category.name for category in store.categories()]  # nothing needs it any more
    assert store.redo().anything
    assert first in boxes(store)
    assert len(boxes(store)) == 5  # the one that the other deleted stays deleted
    assert store.undo().anything
    assert set(boxes(store)) == {first}


def test_a_category_stays_while_the_others_boxes_need_it(store: ProjectStore, other: ProjectStore) -> None:
    bird = store.add_category("bird")
    other.accept(replace(CORRECTION, category_id=bird.id))
    assert "stays" in store.undo().note
    assert "bird" in [category.name for category in store.categories()]
    assert len(boxes(store)) == 1


def test_background_proposals_of_the_same_window_do_not_stop_its_undo(store: ProjectStore, other: ProjectStore) -> None:
    other.accept(CORRECTION)
    plain = Correction(1, 1, Box(5, 5, 50, 50), Box(5, 5, 50, 50))
    mine, _ = store.accept(plain)
    store.propose([replace(mine, refined=Box(6, 6, 49, 49), encoder="e", refiner="r")], undoable=False)
    assert store.undo().anything
    assert mine.id not in boxes(store)


def test_the_others_proposals_are_not_taken_back(store: ProjectStore, other: ProjectStore) -> None:
    mine, _ = store.accept(Correction(1, 1, Box(5, 5, 50, 50), Box(5, 5, 50, 50)))
    other.propose([replace(mine, refined=Box(6, 6, 49, 49), encoder="e", refiner="r")], undoable=True)
    assert store.undo().note
    assert mine.id in boxes(store)


def test_a_window_that_is_alone_has_the_whole_history(store: ProjectStore, project_path: Path) -> None:
    store.accept(CORRECTION)
    store.close()
    with closing(ProjectStore.open(project_path)) as again:
        again.accept(CORRECTION)
    with closing(ProjectStore.open(project_path)) as third:
        undone = []
        while title(third.undo_steps()[0]) is not None:
            undone.append(title(third.undo().step))
    assert undone == ["Accept box", "Accept box", "Add category dog", "Add category cat"]


def test_what_the_other_did_is_not_inherited_when_it_closes(store: ProjectStore, project_path: Path) -> None:
    mine, _ = store.accept(CORRECTION)
    with closing(ProjectStore.open(project_path)) as other:
        theirs, _ = other.accept(CORRECTION)
    assert store.undo().anything
    assert set(boxes(store)) == {theirs.id}
    assert mine.id != theirs.id


def test_what_another_process_wrote_is_heard_of(store: ProjectStore, other: ProjectStore) -> None:
    assert not store.has_changed_elsewhere()
    store.accept(CORRECTION)
    assert not store.has_changed_elsewhere()
    assert other.has_changed_elsewhere()
    assert not other.has_changed_elsewhere()


def test_a_project_that_another_process_has_open_says_which_and_a_killed_one_says_nothing(
    store: ProjectStore, project_path: Path
) -> None:
    store.close()
    with python(HOLDS, project_path) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        with closing(ProjectStore.open(project_path)) as mine:
            (found,) = mine.opened_elsewhere
            assert isinstance(found, OpenElsewhere)
            assert found.pid == process.pid
            assert titles(mine) == ("Add category dog", None)
        process.kill()
    assert list(folder_of(project_path).iterdir())  # what the kill has left
    with closing(ProjectStore.open(project_path)) as mine:
        assert mine.opened_elsewhere == ()
        assert titles(mine) == ("Accept box", None)
        assert len(list(folder_of(project_path).glob("*.open"))) == 1
    assert not folder_of(project_path).exists()


def test_an_opening_shows_its_process(store: ProjectStore, project_path: Path) -> None:
    (claim,) = folder_of(project_path).glob("*.open")
    assert claim.name.split("-")[1] == str(os.getpid())


def test_a_window_that_opens_its_project_again_keeps_its_history(
    store: ProjectStore, other: ProjectStore, project_path: Path
) -> None:
    store.accept(CORRECTION)
    other.accept(CORRECTION)
    with closing(ProjectStore.open(project_path)) as again:
        assert len(again.opened_elsewhere) == 2
        again.succeed(store)
        store.close()
        assert len(again.opened_elsewhere) == 1
        assert again.undo().anything
        assert title(again.undo_steps()[0]) == "Add category dog"
