"""Folders of images and splits by their names, and lists that show some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

from core.image_folders import folders_of
from core.listing import Facts, Names, Order, Query, arrange, query_of, text_of
from core.records import ImageRecord
from core.splits import split_of


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train/1.jpg", "train"),
        ("images/train/1.jpg", "train"),
        ("Training/images", "train"),
        ("trainval/1.jpg", "train"),
        ("train2017/1.jpg", "train"),
        ("valid/images/1.jpg", "val"),
        ("val", "val"),
        ("VALIDATION/a", "val"),
        ("dev/x", "val"),
        ("test/images", "test"),
        ("testing/x", "test"),
        ("test_images/x", "test"),
        ("images_train/x", "train"),
        ("train/test/1.jpg", "test"),
        ("images/1.jpg", ""),
        ("trains/1.jpg", ""),
        ("contest/1.jpg", ""),
        ("latest/1.jpg", ""),
        ("test.jpg", ""),
        ("", ""),
    ],
)
def test_a_split_is_known_by_its_folder(path: str, split: str) -> None:
    assert split_of(path) == split
    assert split_of(PurePosixPath(path)) == split


def records(*names: str) -> tuple[ImageRecord, ...]:
    return tuple(ImageRecord(id, Path("/set") / name, 640, 480) for id, name in enumerate(names, start=1))


IMAGES = records(
    "train/images/1.jpg", "train/images/2.jpg", "valid/images/1.jpg", "train/more/1.jpg", "valid/images/10.jpg", "3.jpg"
)


def listed(images: Sequence[ImageRecord], query: Query) -> list[str]:
    rows = arrange(images, Facts(), query, only=None, names=Names()).rows
    return [images[row].path.relative_to("/set").as_posix() for row in rows]


def test_images_are_grouped_by_their_folders() -> None:
    folders = folders_of(IMAGES)
    assert folders.base == "set"
    assert folders.names == ("train/images", "valid/images", "train/more", "")
    assert folders.counts == (2, 2, 1, 1)
    assert folders.splits == ("train", "val", "train", "")
    assert folders.starts(None) == [0, 2, 3, 4, 5]
    assert folders.starts([1, 3, 2, 4]) == [0, 1, 2]
    assert folders.starts([]) == []
    assert folders.per_split() == {"train": 3, "val": 2}
    assert folders.tree() == {"train": 3, "train/images": 2, "valid": 2, "valid/images": 2, "train/more": 1}
    assert folders_of(()).names == ()
    assert not folders_of(records("a/1.jpg", "a/2.jpg")).are_several


def test_a_list_has_the_images_of_a_folder_and_those_below_or_of_a_split() -> None:
    assert listed(IMAGES, Query(folder="train")) == ["train/images/1.jpg", "train/images/2.jpg", "train/more/1.jpg"]
    assert listed(IMAGES, Query(folder="train/more")) == ["train/more/1.jpg"]
    assert listed(IMAGES, Query(folder="tra")) == []
    assert listed(IMAGES, Query(split="val")) == ["valid/images/1.jpg", "valid/images/10.jpg"]
    assert listed(IMAGES, Query(split="val", text="10")) == ["valid/images/10.jpg"]


def test_by_name_the_images_of_a_folder_stay_together() -> None:
    images = records("a/b/1.jpg", "a/z.jpg", "a/10.jpg", "a/9.jpg", "a-b/1.jpg")
    assert Names().texts(images)[-1] == "a-b/1.jpg"  # no more than whole folders are left out
    ordered = listed(images, Query(order=Order.NAME))
    assert ordered == ["a/9.jpg", "a/10.jpg", "a/z.jpg", "a/b/1.jpg", "a-b/1.jpg"]


@pytest.mark.parametrize(
    "query", [Query(folder="train/my images"), Query(split="val"), Query(folder="a b", note="c d")]
)
def test_a_filter_by_folder_is_stored(query: Query) -> None:
    assert query_of(text_of(query)) == query


def test_a_stored_filter_of_another_program_is_read_as_far_as_it_goes() -> None:
    assert query_of("all added 3/nonsense/%ff") == Query(category_id=3, folder="\udcff")
