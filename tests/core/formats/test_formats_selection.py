"""What an export has: checked boxes, done images, categories under other names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import BadInputError
from core.formats.selection import Selection, parse_map, parse_only, select
from core.geometry import Box
from core.records import Category, Dataset, ImageRecord, Origin
from tests.core.datasets import FOLDER, correction

BOX = Box(10, 10, 90, 90)
SUGGESTED = Origin("", BOX, "head", 0.5)


@pytest.fixture
def dataset() -> Dataset:
    """Four images: a ship and a boat, an unchecked boat, nothing but done, nothing; the first two are done."""
    images = tuple(ImageRecord(id, FOLDER / f"{id}.png", 640, 480) for id in range(1, 5))
    unchecked = replace(correction(3, image=2, category=2, accepted=BOX), confirmed=False, origin=SUGGESTED)
    boxes = (
        correction(1, image=1, category=1, accepted=BOX),
        correction(2, image=1, category=2, accepted=BOX),
        unchecked,
    )
    categories = (Category(1, "ship"), Category(2, "boat"), Category(3, "buoy"))
    return Dataset(images, categories, boxes, folder=FOLDER, empty=frozenset({3}), done=frozenset({1, 2, 3}))


def names(dataset: Dataset) -> list[str]:
    return [category.name for category in dataset.categories]


def test_unchecked_boxes_and_untouched_images_are_left_out_and_counted(dataset: Dataset) -> None:
    found = select(dataset, Selection())
    assert [item.id for item in found.dataset.corrections] == [1, 2]
    assert [image.id for image in found.dataset.images] == [1, 3], "an image whose boxes nobody checked is no negative"
    assert (found.unchecked, found.images) == (1, 2)


def test_unchecked_and_untouched_bring_all(dataset: Dataset) -> None:
    found = select(dataset, Selection(unchecked=True, untouched=True))
    assert (len(found.dataset.corrections), len(found.dataset.images)) == (3, 4)
    assert (found.unchecked, found.images) == (0, 0)


def test_only_accepted_leaves_out_unchecked_boxes_whatever_is_asked(dataset: Dataset) -> None:
    found = select(dataset, Selection(unchecked=True, accepted=True))
    assert [item.id for item in found.dataset.corrections] == [1, 2]


def test_labels_of_a_file_are_exported_before_the_user_has_seen_them_unless_only_accepted_ones_are_asked_for(
    dataset: Dataset,
) -> None:
    first, second, third = dataset.corrections
    came = replace(dataset, corrections=(first, second, replace(third, origin=Origin("a.json", BOX))))
    assert [item.id for item in select(came, Selection()).dataset.corrections] == [1, 2, 3]
    assert [item.id for item in select(came, Selection(accepted=True)).dataset.corrections] == [1, 2]


def test_only_done_images(dataset: Dataset) -> None:
    not_done = replace(dataset, done=frozenset({2, 3}))
    found = select(not_done, Selection(done=True, unchecked=True)).dataset
    assert [image.id for image in found.images] == [2, 3]
    assert [item.id for item in found.corrections] == [3]


def test_only_one_category_keeps_done_images_without_it_as_negatives(dataset: Dataset) -> None:
    found = select(dataset, Selection(categories=("buoy",), unchecked=True)).dataset
    assert names(found) == ["buoy"]
    assert [image.id for image in found.images] == [1, 2, 3]
    assert found.corrections == ()


def test_merged_categories_take_the_place_of_the_one_that_has_the_name(dataset: Dataset) -> None:
    found = select(dataset, Selection(renamed={"boat": "ship"})).dataset
    assert names(found) == ["ship", "buoy"]
    assert [item.category_id for item in found.corrections] == [1, 1]


def test_a_category_merged_into_a_later_one_keeps_the_order_of_the_others(dataset: Dataset) -> None:
    found = select(dataset, Selection(renamed={"ship": "buoy"})).dataset
    assert names(found) == ["boat", "buoy"]
    assert [item.category_id for item in found.corrections] == [3, 2]


def test_two_categories_may_get_one_new_name_or_swap_theirs(dataset: Dataset) -> None:
    both = select(dataset, Selection(renamed={"ship": "vessel", "boat": "vessel"})).dataset
    assert names(both) == ["vessel", "buoy"]
    assert {item.category_id for item in both.corrections} == {1}
    swapped = select(dataset, Selection(renamed={"ship": "boat", "boat": "ship"})).dataset
    assert names(swapped) == ["boat", "ship", "buoy"]
    assert [item.category_id for item in swapped.corrections] == [1, 2]


def test_a_dropped_category_is_gone_with_its_boxes(dataset: Dataset) -> None:
    found = select(dataset, Selection(dropped=frozenset({"ship"}), categories=("boat",)))
    assert names(found.dataset) == ["boat"]
    assert [item.id for item in found.dataset.corrections] == [2]


@pytest.mark.parametrize(
    "selection",
    [Selection(categories=("car",)), Selection(renamed={"car": "ship"}), Selection(dropped=frozenset({"car"}))],
)
def test_an_unknown_category_is_named_with_the_known_ones(dataset: Dataset, selection: Selection) -> None:
    with pytest.raises(BadInputError, match="“car”.*ship, boat, buoy"):
        select(dataset, selection)


def test_words_of_the_command_line() -> None:
    found = parse_only(["done", "accepted", "category=a=b"], Selection())
    assert (found.done, found.accepted, found.categories) == (True, True, ("a=b",))
    found = parse_map(["a=b,drop=c", '"d, e=f"'], Selection())
    assert (found.renamed, found.dropped) == ({"a": "b", "d, e": "f"}, frozenset({"c"}))


@pytest.mark.parametrize("text", ["finished", "category=", "category", ""])
def test_what_only_does_not_know_is_told(text: str) -> None:
    with pytest.raises(BadInputError, match="--only"):
        parse_only([text], Selection())


@pytest.mark.parametrize("text", ["a", "=b", "a=", "a=b,,c=d"])
def test_what_map_does_not_know_is_told(text: str) -> None:
    with pytest.raises(BadInputError, match="--map"):
        parse_map([text], Selection())
