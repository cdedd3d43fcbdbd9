"""Relabelling and categories: ids never change and are never used again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.records import Category, Changes, Step, StepKind
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION


def test_corrections_are_relabelled_as_one_step(store: ProjectStore) -> None:
    store.accept_all([CORRECTION, replace(CORRECTION, image_id=2), replace(CORRECTION, category_id=2)])
    changes = store.relabel([1, 2, 3, 1], 2)
    assert [item.category_id for item in store.dataset().corrections] == [2, 2, 2]
    assert changes.image_ids == {1, 2}
    store.undo()
    assert [item.category_id for item in store.dataset().corrections] == [1, 1, 2]


def test_an_unknown_id_leaves_all_as_they_were(store: ProjectStore) -> None:
    stored, _ = store.accept(CORRECTION)
    with pytest.raises(BadInputError, match="no box with the id 9"):
        store.relabel([1, 9], 2)
    with pytest.raises(BadInputError, match="no category with the id 5"):
        store.relabel([1], 5)
    assert store.corrections(1) == [stored]


def test_a_category_is_made_once(store: ProjectStore) -> None:
    assert store.add_category(" cat ") == Category(1, "cat")
    assert store.add_category("Ente, die") == Category(3, "Ente, die")
    assert [category.name for category in store.categories()] == ["cat", "dog", "Ente, die"]


def test_many_categories_are_added_in_order_and_without_an_undo_step(store: ProjectStore) -> None:
    before = store.undo_steps()
    assert store.add_categories(["zebra", "cat", " ant ", "zebra"]).categories
    assert [category.name for category in store.categories()] == ["cat", "dog", "zebra", "ant"]
    assert store.undo_steps() == before
    assert not store.add_categories(["ant", "cat"]).anything


def test_an_empty_name_among_many_adds_none(store: ProjectStore) -> None:
    with pytest.raises(BadInputError):
        store.add_categories(["ant", " "])
    assert len(store.categories()) == 2


def test_an_undone_category_that_was_added_otherwise_is_not_redone(store: ProjectStore) -> None:
    store.add_category("bird")
    store.undo()
    store.add_categories(["bird"])
    assert not store.redo().anything
    assert [category.name for category in store.categories()] == ["cat", "dog", "bird"]


def test_a_category_id_is_not_used_again_after_an_undo(store: ProjectStore) -> None:
    store.add_category("bird")
    store.undo()
    assert [category.id for category in store.categories()] == [1, 2]
    assert store.add_category("bird") == Category(4, "bird")


def test_a_redone_category_has_its_id_again(store: ProjectStore) -> None:
    bird = store.add_category("bird")
    store.undo()
    assert store.redo().categories
    assert store.categories()[-1] == bird


def test_a_category_is_renamed_and_keeps_its_id(store: ProjectStore) -> None:
    store.accept(CORRECTION)
    assert store.rename_category(1, "lynx") == Changes(Step(StepKind.RENAME_CATEGORY, name="lynx"), categories=True)
    assert store.categories() == [Category(1, "lynx"), Category(2, "dog")]
    store.undo()
    assert store.categories()[0] == Category(1, "cat")
    assert store.counts() == {1: 1}


@pytest.mark.parametrize("name", ["", "  ", "dog"])
def test_a_category_cannot_have_an_empty_or_taken_name(store: ProjectStore, name: str) -> None:
    with pytest.raises(BadInputError):
        store.rename_category(1, name)
    assert store.categories()[0] == Category(1, "cat")
