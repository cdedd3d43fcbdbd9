"""Categories are moved, merged and deleted: one undo step each, and nothing but that is changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadInputError
from core.records import Category, CategoryUse
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, title

CAT, DOG, BIRD = Category(1, "cat"), Category(2, "dog"), Category(3, "bird")


@pytest.fixture
def three(store: ProjectStore) -> Iterator[ProjectStore]:
    """Cat with two boxes on two images, dog with one, bird with none."""
    store.add_category("bird")
    store.accept_all([CORRECTION, replace(CORRECTION, image_id=2), replace(CORRECTION, category_id=2)])
    yield store


def names(store: ProjectStore) -> list[str]:
    return [category.name for category in store.categories()]


def test_a_category_tells_how_many_boxes_it_has_and_where(three: ProjectStore) -> None:
    assert [three.category_use(id) for id in (1, 2, 3, 9)] == [
        CategoryUse(2, 2), CategoryUse(1, 1), CategoryUse(0, 0), CategoryUse(0, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("id", "row", "wanted"),
    [
        (3, 0, ["bird", "cat", "dog"]),
        (1, 1, ["dog", "cat", "bird"]),
        (1, 2, ["dog", "bird", "cat"]),
        (1, 99, ["dog", "bird", "cat"]),
        (2, -5, ["dog", "cat", "bird"]),
    ],
)
def test_a_category_is_moved_and_only_that(three: ProjectStore, id: int, row: int, wanted: list[str]) -> None:
    before = three.dataset()
    changes = three.move_category(id, row=row)
    assert changes.categories and not changes.image_ids
    assert names(three) == wanted
    assert set(three.categories()) == {CAT, DOG, BIRD}
    assert three.dataset().corrections == before.corrections
    three.undo()
    assert three.dataset() == before


def test_a_move_to_where_it_is_leaves_no_step(three: ProjectStore) -> None:
    before = three.undo_steps()
    assert not three.move_category(2, row=1).anything
    assert three.undo_steps() == before


def test_the_order_survives_closing_and_a_new_category_comes_last(three: ProjectStore, project_path: Path) -> None:
    three.move_category(3, row=0)
    three.close()
    with closing(ProjectStore.open(project_path)) as again:
        again.add_category("ant")
        assert names(again) == ["bird", "cat", "dog", "ant"]
        assert [category.name for category in again.dataset().categories] == names(again)


def test_many_moves_and_deletions_keep_the_others_in_order(three: ProjectStore) -> None:
    three.add_category("ant")
    three.move_category(4, row=0)  # ant cat dog bird
    three.delete_category(2)
    three.move_category(1, row=2)
    assert names(three) == ["ant", "bird", "cat"]
    three.add_category("eel")
    three.move_category(5, row=1)
    assert names(three) == ["ant", "eel", "bird", "cat"]
    for wanted in (["ant", "bird", "cat", "eel"], ["ant", "bird", "cat"], ["ant", "cat", "bird"]):
        three.undo()
        assert names(three) == wanted
    three.undo()
    assert names(three) == ["ant", "cat", "dog", "bird"]


def test_a_merge_moves_all_boxes_and_one_undo_brings_all_back(three: ProjectStore) -> None:
    three.move_category(3, row=0)
    before = three.dataset()
    changes = three.merge_category(1, into=2)
    assert title(changes.step) == "Merge category cat into dog"
    assert (changes.categories, changes.image_ids) == (True, {1, 2})
    assert three.categories() == [BIRD, DOG]
    assert [entry.category_id for entry in three.dataset().corrections] == [2, 2, 2]
    after = three.dataset()
    three.undo()
    assert three.dataset() == before
    three.redo()
    assert three.dataset() == after


def test_a_category_without_boxes_goes_alone(three: ProjectStore) -> None:
    before = three.dataset()
    changes = three.delete_category(3)
    assert (title(changes.step), changes.categories, changes.image_ids) == ("Delete category bird", True, frozenset())
    assert three.categories() == [CAT, DOG]
    three.undo()
    assert three.dataset() == before


def test_a_category_goes_with_its_boxes_and_both_come_back(three: ProjectStore) -> None:
    before = three.dataset()
    changes = three.delete_category(1)
    assert (title(changes.step), changes.image_ids) == ("Delete category cat and 2 boxes", {1, 2})
    assert [entry.category_id for entry in three.dataset().corrections] == [2]
    three.undo()
    assert three.dataset() == before


def test_the_id_of_a_deleted_category_is_not_used_again(three: ProjectStore) -> None:
    three.delete_category(3)
    assert three.add_category("bird") == Category(4, "bird")


def test_what_cannot_be_leaves_all_as_it_was(three: ProjectStore) -> None:
    before, titles = three.dataset(), three.undo_steps()
    for wrong in (
        lambda: three.merge_category(1, into=1),
        lambda: three.merge_category(1, into=9),
        lambda: three.merge_category(9, into=1),
        lambda: three.delete_category(9),
        lambda: three.move_category(9, row=0),
    ):
        with pytest.raises(BadInputError):
            wrong()
    assert (three.dataset(), three.undo_steps()) == (before, titles)


def test_a_project_of_before_categories_had_places_opens_and_its_undo_still_works(
    three: ProjectStore, project_path: Path
) -> None:
    three.rename_category(2, "wolf")
    before = three.dataset()
    three.close()
    with closing(sqlite3.connect(project_path)) as db, db:
        db.execute("ALTER TABLE categories DROP COLUMN place")
        steps = db.execute("SELECT id, row_changes FROM undo_steps").fetchall()
        for id, text in steps:
            old = text.replace(', "place": null', "")
            db.execute("UPDATE undo_steps SET row_changes = ? WHERE id = ?", [old, id])
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_places'")
    with closing(ProjectStore.open(project_path)) as again:
        assert again.dataset() == before
        again.move_category(1, row=2)
        assert names(again) == ["wolf", "bird", "cat"]
        while again.undo().anything:
            pass
        assert names(again) == []
        while again.redo().anything:
            pass
        assert names(again) == ["wolf", "bird", "cat"]
        assert again.dataset().corrections == before.corrections
