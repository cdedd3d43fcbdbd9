"""YOLO export: numbers in [0, 1], classes without gaps, one label file for each picture."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from core.formats import export
from core.geometry import iou
from core.progress import run
from tests.core.datasets import difficult


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The difficult dataset as YOLO."""
    run(export(difficult(), format="yolo", out=tmp_path / "out"))
    return tmp_path / "out"


def rows(path: Path) -> list[list[float]]:
    """The numbers of a label file."""
    return [[float(part) for part in line.split()] for line in path.read_text("utf-8").splitlines()]


def test_every_number_is_a_part_of_the_image(out: Path) -> None:
    found = [row for path in (out / "labels").rglob("*.txt") for row in rows(path)]
    assert len(found) == 5
    for _, x, y, width, height in found:
        assert x - width / 2 + 1e-12 >= 0 and x + width / 2 <= 1 + 1e-12 and width > 0
        assert y - height / 2 + 1e-12 >= 0 and y + height / 2 <= 1 + 1e-12 and height > 0


def test_the_box_comes_back(out: Path) -> None:
    (_, x, y, width, height), _ = rows(out / "labels" / "a" / "cat.txt")
    box = [(x - width / 2) * 640, (y - height / 2) * 480, (x + width / 2) * 640, (y + height / 2) * 480]
    assert iou(box, difficult().corrections[0].accepted)[0] > 0.9999


def test_classes_count_from_zero_in_the_order_of_the_categories(out: Path) -> None:
    described = yaml.safe_load((out / "data.yaml").read_text("utf-8"))
    assert described["names"] == {0: "cat", 1: "yes", 2: "Möwe: <groß> & 1"}
    assert [row[0] for row in rows(out / "labels" / "a" / "cat.txt")] == [0, 1]


def test_classes_follow_categories_that_were_moved(tmp_path: Path) -> None:
    dataset = difficult()
    moved = replace(dataset, categories=(dataset.categories[2], *dataset.categories[:2]))
    run(export(moved, format="yolo", out=tmp_path / "moved"))
    described = yaml.safe_load((tmp_path / "moved" / "data.yaml").read_text("utf-8"))
    assert described["names"] == {0: "Möwe: <groß> & 1", 1: "cat", 2: "yes"}
    assert [row[0] for row in rows(tmp_path / "moved" / "labels" / "a" / "cat.txt")] == [1, 2]


def test_equal_stems_have_files_of_their_own(out: Path) -> None:
    labels = {path.relative_to(out).as_posix() for path in (out / "labels").rglob("*.txt")}
    assert {"labels/a/cat.txt", "labels/b/cat.txt", "labels/b/cat-2.txt"} <= labels
    assert len(labels) == 5


def test_the_list_of_pictures_says_where_each_belongs(out: Path) -> None:
    with (out / "pictures.csv").open(encoding="utf-8", newline="") as file:
        places = {row["picture"]: row["place"] for row in csv.DictReader(file)}
    assert places["b/cat.png"] == "images/b/cat-2.png"
    for place in places.values():
        label = Path(place.replace("images/", "labels/", 1)).with_suffix(".txt")
        assert (out / label).is_file()


def test_an_image_without_boxes_has_an_empty_file(out: Path) -> None:
    assert (out / "labels" / "leer.txt").read_bytes() == b""
