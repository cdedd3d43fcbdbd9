"""Colour and key of a category are stored and undone; names are the same in any case; boxes are counted by category."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadInputError
from core.geometry import Box
from core.records import Category, Changes, Correction, ImportedBox
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, titles


def test_colour_and_key_are_stored_and_undone(store: ProjectStore, project_path: Path) -> None:
    assert store.set_category_color(1, "#12AB34").categories
    store.set_category_key(1, "v")
    with closing(ProjectStore.open(project_path)) as other:
        assert other.categories()[0] == Category(1, "cat", "#12AB34", "V")
    assert titles(store)[0] == "Change key of category cat"
    store.undo()
    assert titles(store)[0] == "Change colour of category cat"
    store.undo()
    assert store.categories()[0] == Category(1, "cat")
    store.redo()
    store.set_category_color(1, "")
    assert store.categories()[0] == Category(1, "cat")


def test_what_is_there_already_leaves_no_step(store: ProjectStore) -> None:
    before = titles(store)
    assert not store.set_category_color(1, "").anything and not store.set_category_key(1, "").anything
    assert titles(store) == before


def test_a_key_goes_from_one_category_to_another_in_one_step(store: ProjectStore) -> None:
    store.set_category_key(1, "V")
    store.set_category_key(2, "v")
    assert [entry.key for entry in store.categories()] == ["", "V"]
    store.undo()
    assert [entry.key for entry in store.categories()] == ["V", ""]


@pytest.mark.parametrize("color", ["red", "#12", "#12345G", "#1234567"])
def test_no_other_text_is_a_colour(store: ProjectStore, color: str) -> None:
    with pytest.raises(BadInputError, match="is no colour: choose one like"):
        store.set_category_color(1, color)


@pytest.mark.parametrize("key", ["ab", "+", " "])
def test_no_other_text_is_a_key(store: ProjectStore, key: str) -> None:
    with pytest.raises(BadInputError, match="choose a letter or a digit"):
        store.set_category_key(1, key)


def test_a_name_in_another_case_is_the_same_category(store: ProjectStore) -> None:
    assert store.add_category("DOG") == Category(2, "dog")
    assert len(store.categories()) == 2
    with pytest.raises(BadInputError, match="There is a category “dog” already"):
        store.rename_category(1, "Dog")
    store.rename_category(2, "Dog")
    assert store.categories()[1].name == "Dog"


def test_names_of_files_that_differ_in_case_stay_apart(store: ProjectStore) -> None:
    box = Box(5, 5, 50, 50)
    store.import_boxes([ImportedBox("Dog", Correction(2, 0, box, box, confirmed=False))], file="dogs.json")
    assert [entry.name for entry in store.categories()] == ["cat", "dog", "Dog"]
    assert store.add_category("Dog").id == 3 and store.add_category("dog").id == 2


def test_changes_tell_by_how_much_each_count_changed(store: ProjectStore) -> None:
    known: Counter[int] = Counter()

    def follow(changes: Changes) -> None:
        for id, step in changes.counts.items():
            known[id] += step
        assert {id: count for id, count in known.items() if count} == store.boxes_by_category()

    stored, changes = store.accept_all(
        [CORRECTION, replace(CORRECTION, image_id=2), replace(CORRECTION, category_id=2)]
    )
    follow(changes)
    follow(store.relabel([stored[0].id], 2))
    follow(store.move(stored[0].id, Box(1, 2, 30, 40)))
    follow(store.delete([stored[1].id]))
    follow(store.merge_category(2, into=1))
    for _ in range(5):
        follow(store.undo())
    for _ in range(5):
        follow(store.redo())
    assert store.boxes_by_category() == {1: 2}
