"""Formats with a file for each picture or for each folder: VIA, CreateML, KITTI; and folders of several formats."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadFileError
from core.geometry import Box
from tests.core.formats.written import (
    BOX,
    RECTANGLE,
    boxes,
    cvat,
    dumped,
    find,
    result,
    scores,
    task,
    written,
)

# VIA


def via(*shapes: dict[str, Any], attributes: object = None) -> dict[str, Any]:
    held = {"kind": "x", "label": "cup"} if attributes is None else attributes
    regions = [{"shape_attributes": shape, "region_attributes": held} for shape in shapes]
    return {"a.png123": {"filename": "a.png", "size": 123, "regions": regions, "file_attributes": {}}}


@pytest.mark.parametrize(
    "shape",
    [
        {"name": "rect", "x": 20, "y": 30, "width": 80, "height": 60},
        {"name": "ellipse", "cx": 60, "cy": 60, "rx": 40, "ry": 30},
        {"name": "ellipse", "cx": 60, "cy": 60, "rx": 30, "ry": 40, "theta": 1.5707963267948966},
        {"name": "polygon", "all_points_x": [20, 100, 100], "all_points_y": [30, 30, 90]},
    ],
)
def test_shapes_of_via_become_the_box_around_them(tmp_path: Path, shape: dict[str, Any]) -> None:
    for document in (via(shape), {"_via_settings": {}, "_via_img_metadata": via(shape)}):
        found = find(dumped(tmp_path / "via.json", document), "a.png")
        assert boxes(found) == [(1, "cup", BOX)]
        assert "attribute label" in found.notes[0]


def test_a_circle_and_check_boxes_of_via_1(tmp_path: Path) -> None:
    document = via({"name": "circle", "cx": 60, "cy": 60, "r": 30}, attributes={"what": {"mug": False, "cup": True}})
    document["a.png123"]["regions"] = {"0": document["a.png123"]["regions"][0]}
    found = find(dumped(tmp_path / "via.json", document), "a.png")
    assert boxes(found) == [(1, "cup", Box(30, 30, 90, 90))]
    assert found.notes == []


def test_options_of_via_are_the_categories_in_their_order(tmp_path: Path) -> None:
    listed = {"region": {"label": {"type": "dropdown", "options": {"saucer": "", "cup": ""}}}}
    document = {"_via_settings": {}, "_via_img_metadata": via(), "_via_attributes": listed}
    assert find(dumped(tmp_path / "via.json", document), "a.png").categories == ["saucer", "cup"]


@pytest.mark.parametrize("shape", [{}, {"name": "rect", "x": None}, {"name": "polygon", "all_points_x": [1]}, []])
def test_a_broken_region_of_via_is_counted(tmp_path: Path, shape: dict[str, Any]) -> None:
    good = {"name": "rect", "x": 20, "y": 30, "width": 80, "height": 60}
    found = find(dumped(tmp_path / "via.json", via(shape, good)), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert "the shape 1 has no box of numbers" in found.problems[0]


# CreateML, Datumaro, Supervisely, KITTI


CENTER = {"x": 60, "y": 60, "width": 80, "height": 60}


@pytest.mark.parametrize("key", ["image", "imagefilename"])
def test_createml_has_the_centers_of_boxes(tmp_path: Path, key: str) -> None:
    entries = [
        {key: "b.png", "annotations": []},
        {key: "a.png", "annotations": [{"label": "cup", "coordinates": CENTER}]},
    ]
    found = find(dumped(tmp_path / "c.json", entries), "a.png", "b.png")
    assert (boxes(found), found.problems, found.missing) == ([(1, "cup", BOX)], [], [])


@pytest.mark.parametrize("note", [None, {"label": "cup"}, {"label": "cup", "coordinates": CENTER | {"x": "nan"}}])
def test_a_broken_note_of_createml_is_counted(tmp_path: Path, note: object) -> None:
    entries = [{"image": "a.png", "annotations": [{"label": "cup", "coordinates": CENTER}, note]}]
    found = find(dumped(tmp_path / "c.json", entries), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert "the shape 2" in found.problems[0]


def test_datumaro_has_labels_in_their_order(tmp_path: Path) -> None:
    labels = {"label": {"labels": [{"name": "saucer"}, {"name": "cup"}]}}
    notes = [
        {"type": "bbox", "label_id": 1, "bbox": [20, 30, 80, 60]},
        {"type": "polygon", "label_id": 1, "points": [20, 30, 100, 30, 100, 90]},
        {"type": "caption", "caption": "x"},
        {"type": "bbox", "label_id": "x", "bbox": ["x"]},
    ]
    item = {"id": "a", "annotations": notes, "image": {"path": "a.png", "size": [150, 200]}}
    found = find(dumped(tmp_path / "d.json", {"info": {}, "categories": labels, "items": [item, 3]}), "a.png")
    assert boxes(found) == [(1, "cup", BOX)] * 2
    assert found.categories == ["saucer", "cup"]
    assert len(found.problems) == 2 and "caption" in found.notes[0]


def test_supervisely_has_a_file_for_each_picture(tmp_path: Path) -> None:
    shape = {"classTitle": "cup", "geometryType": "rectangle", "points": {"exterior": [[20, 30], [100, 90]]}}
    document = {"size": {"width": 200, "height": 150}, "objects": [shape, {"geometryType": "bitmap"}, 3]}
    for name in ("a.png.json", "b.png.json"):
        dumped(tmp_path / "ann" / name, document)
    dumped(tmp_path / "meta.json", {"classes": []})
    found = find(tmp_path, "a.png", "b.png")
    assert boxes(found) == [(1, "cup", BOX), (2, "cup", BOX)]
    assert "bitmap" in found.notes[0] and "the object 3" in found.problems[0]


KITTI = "cup 0.00 0 -1.5 20 30 100 90 1 1 1 0 0 0 0"


@pytest.mark.parametrize("score", ["", " 0.5"])
def test_kitti_is_told_from_yolo_by_its_first_line(tmp_path: Path, score: str) -> None:
    ignored = "DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
    path = written(tmp_path / "set" / "training" / "label_2" / "a.txt", f"{KITTI}{score}\n{ignored}\nbroken 1\n")
    written(tmp_path / "set" / "training" / "label_2" / "b.txt", "")
    for chosen in (path, tmp_path / "set"):
        found = find(chosen, "training/image_2/a.png", "testing/image_2/a.png", folder=tmp_path / "set")
        assert boxes(found) == [(1, "cup", BOX)]
        assert scores(found) == [float(score or 0)]
        assert "DontCare" in found.notes[0] and "the line 3" in found.problems[0]


# Folders


def coco(name: str = "a.png") -> dict[str, Any]:
    note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 30, 80, 60]}
    return {"images": [{"id": 1, "file_name": name}], "annotations": [note], "categories": [{"id": 1, "name": "cup"}]}


def test_of_two_formats_in_a_folder_one_is_read_and_the_other_is_named(tmp_path: Path) -> None:
    edges = "<bndbox><xmin>0</xmin><ymin>30</ymin><xmax>100</xmax><ymax>90</ymax></bndbox>"
    written(tmp_path / "x" / "a.xml", f"<annotation><object><name>cup</name>{edges}</object></annotation>")
    written(tmp_path / "x" / "a.txt", "0 0.3 0.4 0.4 0.4")
    written(tmp_path / "x" / "classes.txt", "cup")
    dumped(tmp_path / "x" / "coco.json", coco())
    written(tmp_path / "x" / "boxes.csv", "a.png,20,30,100,90,cup\n")
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert len(boxes(found)) == 1
    for title, name in (("YOLO", "classes.txt"), ("COCO", "coco.json"), ("RetinaNet", "boxes.csv")):
        (note,) = (note for note in found.notes if f"of {title}:" in note)
        assert f"of Pascal VOC and of {title}: those of Pascal VOC were read" in note and name in note
        assert boxes(find(tmp_path / "x" / name, "a.png", folder=tmp_path)) == [(1, "cup", BOX)]


def test_of_two_formats_of_json_one_is_read_and_the_other_is_named(tmp_path: Path) -> None:
    dumped(tmp_path / "x" / "coco.json", coco())
    dumped(tmp_path / "x" / "tasks.json", task(result(RECTANGLE), image="a.png"))
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX)]
    assert "of COCO and of Label Studio" in found.notes[0]


def test_stray_files_of_other_programs_are_no_defects(tmp_path: Path) -> None:
    written(tmp_path / "x" / "boxes.csv", "a.png,20,30,100,90,cup\n")
    written(tmp_path / "x" / "README.txt", "Photos of cups")
    written(tmp_path / "x" / "log.csv", "epoch,loss\n1,2\n")
    written(tmp_path / "x" / "project.xml", "<module/>")
    dumped(tmp_path / "x" / "package.json", {"name": "x"})
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX)]
    assert (found.problems, found.notes) == ([], [])


@pytest.mark.parametrize("name", ["a.xml", "a.json", "a.txt", "a.csv", "a.tsv", "a"])
def test_content_decides_and_not_the_suffix(tmp_path: Path, name: str) -> None:
    shape = '<box label="cup" xtl="20" ytl="30" xbr="100" ybr="90"/>'
    for content in (cvat(shape), json.dumps(coco()), "a.png,20,30,100,90,cup\n"):
        assert boxes(find(written(tmp_path / name, content), "a.png")) == [(1, "cup", BOX)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"name": 1}', "is JSON of no known format"),
        ("[]", "is JSON of no known format"),
        ("[[[]]]", "is JSON of no known format"),
        ("<svg/>", "is XML or HTML with the outermost tag <svg>"),
        ("<annotations/>", "is XML or HTML with the outermost tag <annotations>"),
    ],
)
def test_what_has_no_format_is_named_with_the_formats_that_are_read(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadFileError, match=told) as error:
        find(written(tmp_path / "a.json", text), "a.png")
    assert "Label Studio" in str(error.value)


@pytest.mark.parametrize(
    ("name", "head"), [("a.csv", "image,label,x1,y1,x2,y2\n"), ("a.xml", "<annotations>"), ("a.txt", KITTI)]
)
def test_a_file_of_gigabytes_is_refused_before_it_is_read(tmp_path: Path, name: str, head: str) -> None:
    path = written(tmp_path / name, head)
    os.truncate(path, 2 * 1024**3)  # a hole, which takes no place on the disk
    with pytest.raises(BadFileError, match="it has 2,048 MiB"):
        find(path, "a.png")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ('[{"image": "a.png", "annotations": [{"label": "cup", "coordinates": CENTER}]}, DEEP]', "the entry 2"),
        (
            '{"categories": {}, "items": [{"id": "a", "annotations": [{"type": "bbox", "bbox": [20, 30, 80, 60]}]}, '
            "DEEP]}",
            "the entry 2",
        ),
    ],
)
def test_an_entry_that_is_nested_too_deep_is_counted_and_the_others_come(
    tmp_path: Path, document: str, told: str
) -> None:
    text = document.replace("DEEP", "[" * 100_000 + "]" * 100_000).replace("CENTER", json.dumps(CENTER))
    found = find(written(tmp_path / "a.json", text), "a.png")
    assert [box for _, _, box in boxes(found)] == [BOX]
    assert told in found.problems[0]
