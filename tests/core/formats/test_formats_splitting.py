"""Splits: near-equal pictures stay together, categories have their shares, folders that are splits stay so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from core.errors import BadInputError
from core.formats.splitting import divide, groups, parse_fractions, splits_of_folders
from core.geometry import Box
from core.records import Category, Dataset, ImageRecord
from tests.core.datasets import FOLDER, correction

PARTS = {"train": 0.8, "val": 0.1, "test": 0.1}


def of(names: Iterable[str], categories: Iterable[int] = ()) -> Dataset:
    """A dataset of pictures of these names, each with a box of the category at its place."""
    images = tuple(ImageRecord(id, FOLDER / name, 640, 480) for id, name in enumerate(names, start=1))
    boxes = tuple(
        correction(id, image=id, category=category, accepted=Box(1, 1, 9, 9))
        for id, category in enumerate(categories, start=1)
    )
    return Dataset(images, tuple(Category(id, f"c{id}") for id in (1, 2, 3)), boxes, folder=FOLDER)


def test_the_parts_are_as_large_as_wanted() -> None:
    found = divide(of(f"{n}.jpg" for n in range(1000)), PARTS)
    assert {split: abs(count - 1000 * PARTS[split]) <= 20 for split, count in Counter(found.values()).items()} == {
        "train": True, "val": True, "test": True,
    }  # fmt: skip


def test_a_rare_category_is_in_each_part() -> None:
    rare = [3 if n % 50 == 0 else 1 + n % 2 for n in range(1000)]
    dataset = of((f"shot-{n * 7919 % 9973}-{'abcdefgh'[n % 8]}.jpg" for n in range(1000)), rare)
    found = divide(dataset, PARTS)
    counts = Counter(found[item.image_id] for item in dataset.corrections if item.category_id == 3)
    assert counts["val"] >= 1 and counts["test"] >= 1
    assert 12 <= counts["train"] <= 18


def test_frames_of_a_video_stay_together() -> None:
    dataset = of(f"day{day}/video{video}_frame{n:04}.jpg" for day in (1, 2) for video in range(20) for n in range(10))
    found = divide(dataset, PARTS)
    for start in range(1, 401, 10):
        assert len({found[id] for id in range(start, start + 10)}) == 1
    assert set(found.values()) == {"train", "val", "test"}


def test_numbered_photos_of_one_folder_are_cut_into_runs() -> None:
    found = groups({n: f"IMG_{n:04}.jpg" for n in range(200)}, least=0.1)
    assert len(found) == 40
    assert found[0] == [0, 1, 2, 3, 4]


def test_copies_of_a_picture_stay_together() -> None:
    names = [f"{stem}_jpg.rf.{digest:032x}.jpg" for stem in "abcdefghij" for digest in (1, 2, 3)]
    found = divide(of(names), {"train": 0.7, "val": 0.3})
    for start in range(1, 31, 3):
        assert len({found[id] for id in range(start, start + 3)}) == 1


def test_the_same_seed_divides_equally_and_another_one_does_not() -> None:
    dataset = of(f"{n}.jpg" for n in range(300))
    assert divide(dataset, PARTS, seed=1) == divide(dataset, PARTS, seed=1)
    assert divide(dataset, PARTS, seed=1) != divide(dataset, PARTS, seed=2)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_each_part_gets_an_image_if_there_are_enough(count: int) -> None:
    found = divide(of((f"{'abcdefgh'[n]}.jpg" for n in range(count)), [1] * count), PARTS)
    assert len(found) == count
    assert len(set(found.values())) == min(count, 3)


def test_folders_that_are_splits_stay_so() -> None:
    found = splits_of_folders(of(["train/images/a.jpg", "valid/images/a.jpg", "images/test2017/b.jpg", "c.jpg"]))
    assert found == {1: "train", 2: "val", 3: "test", 4: "train"}
    assert splits_of_folders(of(["a/b.jpg", "c.jpg"])) == {}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0.8/0.1/0.1", PARTS),
        ("80/10/10", PARTS),
        ("3/1", {"train": 0.75, "val": 0.25}),
        ("0.8/0/0.2", {"train": 0.8, "test": 0.2}),
        ("1", {"train": 1.0}),
    ],
)
def test_fractions(text: str, parts: dict[str, float]) -> None:
    assert parse_fractions(text) == pytest.approx(parts)


@pytest.mark.parametrize("text", ["", "a/b", "0/0", "-1/2", "nan/1", "1/1/1/1", "inf/1"])
def test_what_is_no_division_is_told(text: str) -> None:
    with pytest.raises(BadInputError, match=r"0\.8/0\.1/0\.1"):
        parse_fractions(text)
