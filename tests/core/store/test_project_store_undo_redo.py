"""Undo and redo: one step an operation, in the file."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

import core.store.undo_log
from core.geometry import Box
from core.records import Changes, Dataset, NewImage
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, title, titles


def story(store: ProjectStore) -> list[Dataset]:
    """One of each operation; what the project held before the first and after each."""
    states = [store.dataset()]
    for operation in (
        lambda: store.accept(CORRECTION),
        lambda: store.move(1, Box(1, 2, 3, 4)),
        lambda: store.add_category("bird"),
        lambda: store.relabel([1], 3),
        lambda: store.rename_category(3, "duck"),
        lambda: store.move_category(3, row=0),
        lambda: store.merge_category(3, into=2),
        lambda: store.delete_category(2),
        lambda: store.accept(CORRECTION),
        lambda: store.delete([2]),
        lambda: store.mark([1, 2], done=True),
        lambda: store.mark([2], done=False),
    ):
        operation()
        states.append(store.dataset())
    return states


def test_each_operation_is_undone_and_redone_after_a_restart(store: ProjectStore, project_path: Path) -> None:
    states = story(store)
    store.close()
    with closing(ProjectStore.open(project_path)) as other:
        for state in reversed(states[:-1]):
            assert other.undo().anything
            assert other.dataset() == state
    with closing(ProjectStore.open(project_path)) as third:
        for state in states[1:]:
            assert third.redo().anything
            assert third.dataset() == state


def test_with_nothing_to_do_nothing_is_changed(store: ProjectStore) -> None:
    assert store.redo() == Changes()
    while store.undo().anything:
        pass
    assert store.undo() == Changes()
    assert titles(store) == (None, "Add category cat")


def test_the_titles_follow(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    store.move(1, Box(1, 2, 3, 4))
    assert titles(store) == ("Move box", None)
    assert title(store.undo().step) == "Move box"
    assert titles(store) == ("Accept box", "Move box")
    assert title(store.redo().step) == "Move box"
    assert titles(store) == ("Move box", None)


def test_a_new_operation_cuts_the_redo(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    store.undo()
    store.accept(CORRECTION)
    assert store.redo() == Changes()
    assert store.counts() == {1: 1}


def test_an_operation_that_changes_nothing_does_not_cut_the_redo(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    store.undo()
    store.add_category("cat")
    assert store.redo().anything


def test_adding_images_is_no_step(store: ProjectStore, tmp_path: Path) -> None:
    store.accept(CORRECTION)
    store.undo()
    store.add_images([NewImage(tmp_path / "x.png", 5, 5)])
    assert store.redo().anything
    assert len(store.images()) == 3


def test_the_oldest_steps_are_forgotten(store: ProjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.store.undo_log, "UNDO_DEPTH", 3)
    for _ in range(5):
        store.accept(CORRECTION)
    undone = 0
    while store.undo().anything:
        undone += 1
    assert undone == 3
    assert store.counts() == {1: 2}
