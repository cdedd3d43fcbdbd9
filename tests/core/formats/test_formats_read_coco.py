"""Reading COCO: bad boxes are told one by one, the others and all the rest of the file stay as they were."""

from __future__ import annotations

import copy
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadFileError
from core.formats.exporters.coco import CocoFile, CocoImage, read_coco, refined_document, write_json
from core.geometry import Box
from core.records import Refinement

GOOD: dict[str, Any] = {"id": 5, "image_id": 1, "category_id": 2, "bbox": [10, 20.5, 30, 40]}
NAN, INFINITY = float("nan"), float("inf")


def document(*annotations: object) -> dict[str, Any]:
    """A COCO document of two images, with things that we know nothing about."""
    return {
        "licenses": [{"id": 1, "name": "ours"}],
        "annotations": list(annotations),
        "images": [
            {"id": 1, "file_name": "eins.png", "width": 640, "height": 480, "coco_url": None},
            {"id": 2, "file_name": "zwei ü.png"},
        ],
        "more": {"nested": [1, 2.5, None, True, "ü"]},
    }


def read(tmp_path: Path, content: object) -> CocoFile:
    """The content written as JSON and read again."""
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(content), "utf-8")
    return read_coco(path)


def test_a_good_file_has_no_problems(tmp_path: Path) -> None:
    coco = read(tmp_path, document(GOOD, {**GOOD, "id": "six", "image_id": 2}))
    assert coco.problems == []
    assert coco.images == {1: CocoImage("eins.png", 640, 480), 2: CocoImage("zwei ü.png", 0, 0)}
    assert [item.box for item in coco.annotations] == [Box(10, 20.5, 40, 60.5)] * 2
    assert [[item.id for item in items] for items in coco.by_image().values()] == [[5], ["six"]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"bbox": [NAN, 0, 5, 5]}, "NaN"),
        ({"bbox": [0, 0, INFINITY, 5]}, "Infinity"),
        ({"bbox": [0, 0, -5, 5]}, "size -5 x 5"),
        ({"bbox": [0, 0, 5, 0]}, "size 5 x 0"),
        ({"bbox": [640, 0, 5, 5]}, "wholly outside eins.png"),
        ({"bbox": [0, -5, 5, 5]}, "wholly outside eins.png"),
        ({"bbox": [1e308, 0, 1e308, 5], "image_id": 2}, "without end"),
        ({"bbox": [10**400, 0, 5, 5]}, "four numbers"),
        ({"bbox": [0, 0, 5]}, "four numbers"),
        ({"bbox": ["0", 0, 5, True]}, "four numbers"),
        ({"bbox": None}, "four numbers"),
        ({"image_id": 77}, "an image 77 that the file does not have"),
        ({"image_id": None}, "has no image_id"),
    ],
)
def test_a_bad_annotation_is_told_and_the_others_are_usable(
    tmp_path: Path, change: dict[str, object], told: str
) -> None:
    coco = read(tmp_path, document(GOOD, {**GOOD, "id": 6, **change}, {**GOOD, "id": 7}))
    (problem,) = coco.problems
    assert told in problem
    assert f"In {coco.path}, the annotation {change.get('id', 6)} " in problem
    assert [item.id for item in coco.annotations] == [5, 7]
    assert [item.index for item in coco.annotations] == [0, 2]
    assert coco.unusable == {1}


@pytest.mark.parametrize("entry", [{}, {**GOOD, "id": None, "image_id": None}, {"id": [1]}])
def test_an_annotation_without_an_id_is_named_by_its_place(tmp_path: Path, entry: object) -> None:
    coco = read(tmp_path, document(GOOD, entry))
    assert coco.problems == [
        f"In {coco.path}, the annotation at place 2 has no image_id: name the image that it is on."
    ]


@pytest.mark.parametrize("entry", [[], None, 3])
def test_an_annotation_that_is_no_object_is_told(tmp_path: Path, entry: object) -> None:
    coco = read(tmp_path, document(GOOD, entry))
    assert coco.problems == [f"In {coco.path}, the annotation at place 2 is no object: correct or delete it."]


@pytest.mark.parametrize("id", [5, None, True, [1]])
def test_an_annotation_needs_no_id_of_its_own(tmp_path: Path, id: object) -> None:
    coco = read(tmp_path, document(GOOD, {**GOOD, "id": id}))
    assert coco.problems == []
    assert [item.index for item in coco.annotations] == [0, 1]


@pytest.mark.parametrize("id", [1, 1.0, "1"])
def test_ids_are_the_same_in_any_type(tmp_path: Path, id: object) -> None:
    coco = read(tmp_path, document({**GOOD, "image_id": id}))
    assert [item.image_id for item in coco.annotations] == [1]


def test_a_thousand_equal_defects_are_one_sentence_with_their_number(tmp_path: Path) -> None:
    coco = read(tmp_path, document(*({**GOOD, "id": number, "bbox": []} for number in range(1000))))
    (problem,) = coco.problems
    assert "the annotation 0 has no bbox" in problem and problem.endswith("999 more are like this.")
    assert coco.defects.total == 1000


def test_bad_images_are_told(tmp_path: Path) -> None:
    content = document(GOOD)
    content["images"] += [{"id": 3}, {"file_name": "x.png"}, "x", {"id": 1, "file_name": "again.png"}]
    coco = read(tmp_path, content)
    assert coco.defects.total == 4
    assert "again.png" in coco.problems[-1]
    assert coco.images[1].file_name == "eins.png"
    assert len(coco.annotations) == 1


def test_a_box_over_the_border_is_usable(tmp_path: Path) -> None:
    coco = read(tmp_path, document({**GOOD, "bbox": [-10, -10, 2000, 2000]}))
    assert coco.problems == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"[]",
        b"3",
        b'{"images": []}',
        b'{"images": {}, "annotations": []}',
        b'{"annotations": []}',
        json.dumps(document(GOOD)).encode()[:-40],
    ],
)
def test_what_is_no_coco_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "boxes.json"
    path.write_bytes(content)
    with pytest.raises(BadFileError) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="does not exist"):
        read_coco(tmp_path / "boxes.json")
    with pytest.raises(BadFileError, match="cannot be read"):
        read_coco(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(document(GOOD)), "utf-8-sig")
    assert len(read_coco(path).annotations) == 1


def test_only_refined_boxes_change(tmp_path: Path) -> None:
    content = document({**GOOD, "extra": {"a": [1]}, "area": 9}, {**GOOD, "id": 6, "bbox": [0, 0, -1, 5]}, GOOD)
    coco = read(tmp_path, content)
    refinement = Refinement(Box(11, 21, 39.5, 60.25), (0.5, 0.25, 1.0, 0.125), 0.75)
    document_of = partial(refined_document, encoder="light-01", refiner="box-23")
    write_json(document_of(coco, {0: refinement}), tmp_path / "refined.json")
    expected = copy.deepcopy(content)
    expected["annotations"][0] |= {
        "bbox": [11, 21, 28.5, 39.25],
        "area": 1118.625,
        "drawn_bbox": GOOD["bbox"],
        "refined_bbox": [11, 21, 28.5, 39.25],
        "refine_score": 0.75,
        "edge_confidence": [0.5, 0.25, 1.0, 0.125],
        "encoder": "light-01",
        "refiner": "box-23",
        "confirmed": False,
    }
    written = json.loads((tmp_path / "refined.json").read_bytes())
    assert written == expected
    assert list(written) == list(expected)
    assert coco.document == content


def test_a_bad_number_elsewhere_is_written_as_it_was(tmp_path: Path) -> None:
    coco = read(tmp_path, document({**GOOD, "bbox": [NAN, 0, -INFINITY, 5]}))
    write_json(refined_document(coco, {}, encoder="light-01", refiner="box-23"), tmp_path / "refined.json")
    assert b"[NaN,0,-Infinity,5]" in (tmp_path / "refined.json").read_bytes()
