"""What programs vary within a format: numbers as text, other names of keys, lists of classes, addresses of pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.formats.importers.yolo_classes import read_classes
from core.geometry import Box
from tests.core.formats.written import RECTANGLE, boxes, dumped, find, written

BOX = Box(10, 20, 60, 80)


def coco(**changed: Any) -> dict[str, Any]:
    image = {"id": 1, "file_name": "a.png", "width": 200, "height": 150}
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 20, 50, 60]}
    return {"images": [image], "annotations": [box], "categories": [{"id": 1, "name": "cup"}], **changed}


def test_a_bbox_of_texts_is_read_and_goes_back(tmp_path: Path) -> None:
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": ["10", "20.0", "5e1", 60]}
    found = find(dumped(tmp_path / "a.json", coco(annotations=[box])), "a.png")
    assert (found.problems, boxes(found)) == ([], [(1, "cup", BOX)])
    broken = find(dumped(tmp_path / "a.json", coco(annotations=[box | {"bbox": ["10", "x", 1, 2]}])), "a.png")
    assert (len(broken.problems), broken.boxes) == (1, [])


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("https://host/x/m%20b.jpg?X-Amz-Signature=1", "m b.jpg"),
        ("s3://bucket/x/m b.jpg#top", "m b.jpg"),
        ("a?b.jpg", "a?b.jpg"),
    ],
)
def test_an_address_finds_its_picture(stated: str, name: str, tmp_path: Path) -> None:
    image = {"id": 1, "file_name": stated, "width": 200, "height": 150}
    found = find(dumped(tmp_path / "a.json", coco(images=[image])), name)
    assert (found.missing, boxes(found)) == ([], [(1, "cup", BOX)])


@pytest.mark.parametrize("kind", ["rectangle", "Rectangle", "POLYGON"])
@pytest.mark.parametrize("points", [[["10", "20"], ["60", "80"]], [[10, 20], ["60.0", 80]]])
def test_points_of_labelme_may_be_texts(kind: str, points: list[Any], tmp_path: Path) -> None:
    shapes = [{"label": "cup", "points": points, "shape_type": kind}]
    document = {"imagePath": "a.png", "shapes": shapes, "imageWidth": 200, "imageHeight": 150}
    found = find(dumped(tmp_path / "a.json", document), "a.png")
    assert (found.problems, boxes(found)) == ([], [(1, "cup", BOX)])


@pytest.mark.parametrize("keys", [("image", "annotations"), ("imagefilename", "annotation")])
def test_both_spellings_of_createml(keys: tuple[str, str], tmp_path: Path) -> None:
    note = {"label": "cup", "coordinates": {"x": 35, "y": 50, "width": 50, "height": 60}}
    found = find(dumped(tmp_path / "a.json", [{keys[0]: "a.png", keys[1]: [note]}]), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]


def test_json_min_is_known_by_its_regions(tmp_path: Path) -> None:
    region = RECTANGLE | {"original_width": 200, "original_height": 150}
    found = find(dumped(tmp_path / "a.json", [{"image": "/data/0a1b2c3d-a.png", "label": [region]}]), "a.png")
    assert boxes(found) == [(1, "cup", Box(20, 30, 100, 90))]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("predefined_classes.txt", "cat\ndog\n"),
        ("class_names.txt", "cat\ndog"),
        ("data.yaml", "names:\n  - {id: 0, name: cat}\n  - {id: 1, name: dog}\n"),
        ("data.yaml", "names:\n  - {id: 1, name: dog}\n  - {id: 0, name: cat}\n"),
        ("data.yaml", "names: {0: {name: cat, color: red}, 1: {name: dog}}\n"),
        ("data.yaml", json.dumps({"names": {"0": "cat", "1": "dog"}})),
    ],
)
def test_lists_of_classes_of_other_programs(name: str, content: str, tmp_path: Path) -> None:
    written(tmp_path / name, content)
    found = read_classes(tmp_path)
    assert (found.listed(), found.defects.total) == (["cat", "dog"], 0)
