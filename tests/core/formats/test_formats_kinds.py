"""Kinds of annotation files that other programs write: names, ids, encodings, layouts and origins of pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import BadFileError
from core.formats.importers.found import FoundBoxes, clip_to_picture
from core.formats.importers.run_lengths import box_of_rle
from core.formats.importers.text_files import decode
from core.formats.importing import find_boxes
from core.geometry import Box, clip
from core.progress import run
from core.records import ImageRecord
from tests.core.formats.written import BOX, boxes, written

LINE = "0 0.3 0.4 0.4 0.4"


def find(path: Path, *names: str, folder: Path | None = None, voc_origin: int | None = None) -> FoundBoxes:
    """What there is for pictures of 200 x 150 pixels of these names."""
    folder = folder or path.parent
    images = [ImageRecord(number + 1, folder / name, 200, 150) for number, name in enumerate(names)]
    return run(find_boxes(path, images, folder=folder, voc_origin=voc_origin))


def coco(*notes: dict[str, Any], name: str = "a.png", categories: tuple[object, ...] = ("cup",)) -> str:
    listed = [{"id": number, "name": name} for number, name in enumerate(categories, start=1)]
    full = [
        {"id": n, "image_id": 1, "category_id": 1, "bbox": [20, 30, 80, 60], **note} for n, note in enumerate(notes)
    ]
    return json.dumps({"images": [{"id": 1, "file_name": name}], "annotations": full, "categories": listed})


def voc(*corners: tuple[object, ...], name: str = "cup", filename: str = "a.png", source: str = "") -> str:
    found = ""
    for corner in corners:
        edges = "".join(f"<{tag}>{v}</{tag}>" for tag, v in zip(("xmin", "ymin", "xmax", "ymax"), corner, strict=True))
        found += f"<object><name>{name}</name><bndbox>{edges}</bndbox></object>"
    source = f"<source><database>{source}</database></source>"
    return f"<annotation><filename>{filename}</filename>{source}{found}</annotation>"


# Names of pictures


@pytest.mark.parametrize(
    "name",
    ["caf\u0065\u0301.png", "CAF\u00c9.PNG", "caf%C3%A9.png", "0a1b2c3d-caf\u00e9.png", "caf\u00e9", "x/caf\u00e9.jpg",
     "/data/local-files/?d=x/caf%C3%A9.png"],
)  # fmt: skip
def test_a_picture_is_found_by_what_programs_make_of_its_name(tmp_path: Path, name: str) -> None:
    found = find(written(tmp_path / "b.json", coco({}, name=name)), "caf\u00e9.png", "other.png")
    assert boxes(found) == [(1, "cup", BOX)]
    assert (found.problems, found.missing) == ([], [])


def test_the_place_of_a_label_file_decides_between_pictures_of_one_name(tmp_path: Path) -> None:
    for split, width in (("train", "0.4"), ("val", "0.2")):
        written(tmp_path / "set" / split / "labels" / "1.txt", f"0 0.3 0.4 {width} 0.4")
    found = find(tmp_path / "set", "train/images/1.png", "val/images/1.png", folder=tmp_path / "set")
    assert [(image, box.width) for image, _, box in boxes(found)] == [(1, 80), (2, 40)]


def test_labels_of_a_split_that_is_not_open_do_not_land_on_another(tmp_path: Path) -> None:
    for split in ("train", "val"):
        written(tmp_path / "x" / split / "1.xml", voc((21, 31, 100, 90), filename="1.png"))
    found = find(tmp_path / "x", "1.png", folder=tmp_path / "images" / "train")
    assert [entry.correction.image_id for entry in found.boxes] == [1]
    assert len(found.missing) == 1


def test_files_that_may_all_be_the_one_of_a_picture_are_named_and_none_is_taken(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        written(tmp_path / "x" / folder / "1.txt", LINE)
    found = find(tmp_path / "x", "1.png", folder=tmp_path / "pictures")
    assert found.boxes == []
    assert "Several pictures may be the one of" in found.problems[0]


@pytest.mark.parametrize("filename", ["image.png", "old.png", "a", "a.jpg", "a.xml", "b.png"])
def test_the_stem_of_a_label_file_goes_before_the_name_in_it(tmp_path: Path, filename: str) -> None:
    for stem in "ab":
        written(tmp_path / "x" / f"{stem}.xml", voc((21, 31, 100, 90), filename=filename))
    found = find(tmp_path / "x", "a.png", "b.png", folder=tmp_path)
    assert [image for image, _, _ in boxes(found)] == [1, 2]


def test_the_name_in_a_label_file_decides_between_two_pictures_of_its_stem(tmp_path: Path) -> None:
    found = find(written(tmp_path / "a.xml", voc((21, 31, 100, 90), filename="a.jpg")), "a.png", "a.jpg")
    assert [image for image, _, _ in boxes(found)] == [2]


# COCO


def test_a_box_is_around_the_polygons_or_the_mask_if_there_is_no_bbox(tmp_path: Path) -> None:
    polygon = [[20, 30, 100, 30, 100, 90]]
    mask = {"size": [150, 200], "counts": [20 * 150 + 30, *[60, 90] * 79, 60, 150 * 100 + 60]}
    notes = ({"bbox": [], "segmentation": polygon}, {"bbox": None, "segmentation": mask})
    assert boxes(find(written(tmp_path / "b.json", coco(*notes)), "a.png")) == [(1, "cup", BOX)] * 2


def test_the_box_around_a_mask_is_that_of_its_pixels() -> None:
    assert box_of_rle({"size": [2, 3], "counts": [1, 4, 1]}) == [0, 0, 3, 2]
    assert box_of_rle({"size": [3, 3], "counts": [4, 1, 4]}) == [1, 1, 1, 1]
    assert box_of_rle({"size": [3, 3], "counts": "414"}) == [1, 1, 1, 1]
    assert box_of_rle({"size": [3, 3], "counts": [9]}) is None
    assert box_of_rle({"size": [3, 3], "counts": [1, 99]}) is None
    assert box_of_rle({"size": [3, 3], "counts": "\xff"}) is None


def test_categories_come_in_the_order_of_the_file_also_without_boxes(tmp_path: Path) -> None:
    text = coco({"category_id": "3"}, categories=("person", "car", 7))
    found = find(written(tmp_path / "b.json", text), "a.png")
    assert found.categories == ["person", "car", "7"]
    assert [name for _, name, _ in boxes(found)] == ["7"]


def test_a_crowd_is_kept_as_one(tmp_path: Path) -> None:
    found = find(written(tmp_path / "b.json", coco({"iscrowd": 1}, {"bbox": [1, 2, 3, 4]})), "a.png")
    crowds = [entry.correction.origin.is_crowd for entry in found.boxes if entry.correction.origin]
    assert crowds == [True, False]


def test_all_files_of_a_folder_come_in(tmp_path: Path) -> None:
    written(tmp_path / "x" / "instances_train.json", coco({}, name="a.png"))
    written(tmp_path / "x" / "instances_val.json", coco({}, name="b.png", categories=("mug", "cup")))
    found = find(tmp_path / "x", "a.png", "b.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX), (2, "mug", BOX)]
    assert found.categories == ["cup", "mug"]


def test_predictions_come_with_their_scores_and_the_names_beside_them(tmp_path: Path) -> None:
    written(tmp_path / "instances.json", coco())
    results = [{"image_id": 1, "category_id": 1, "bbox": [20, 30, 80, 60], "score": 0.75}]
    found = find(written(tmp_path / "predictions.json", json.dumps(results)), "a.png")
    assert boxes(found) == [(1, "cup", BOX)]
    (entry,) = found.boxes
    assert entry.correction.origin is not None and entry.correction.origin.probability == 0.75
    assert not entry.correction.confirmed


@pytest.mark.parametrize("id", ["a", 139, 139.0])
def test_without_names_beside_them_predictions_are_on_the_pictures_called_after_their_ids(
    tmp_path: Path, id: object
) -> None:
    results = [{"image_id": id, "category_id": 0, "bbox": [20, 30, 80, 60], "score": 0.75}]
    found = find(written(tmp_path / "p.json", json.dumps(results)), "a.png" if id == "a" else "000000000139.png")
    assert boxes(found) == [(1, "class 0", BOX)]


# YOLO


@pytest.mark.parametrize(
    ("line", "more"),
    [
        (f"{LINE} 0.87", ""),
        (f"{LINE} 0.87 12", ""),
        (f"{LINE} 0.2 0.5 0.15 0.4", "kpt_shape: [2, 2]"),
        (f"{LINE} 0.2 0.5 2 0.15 0.4 0", "kpt_shape: [2, 3]"),
        (f"{LINE} 0.2 0.5 2 0.15 0.4 0 0.9", "kpt_shape: [2, 3]"),
        (f"{LINE} 0.2 0.5 2 0.15 0.4 0", ""),
        ("0 0.1 0.2 0.5 0.2 0.5 0.6", ""),
        ("0 0.1 0.2 0.5 0.2 0.5 0.6 0.1 0.6 0.91", ""),
    ],
)
def test_numbers_after_a_box_are_told_from_polygons(tmp_path: Path, line: str, more: str) -> None:
    written(tmp_path / "x" / "data.yaml", f"names: [cup]\n{more}\n")
    written(tmp_path / "x" / "labels" / "a.txt", line)
    assert boxes(find(tmp_path / "x", "a.png", folder=tmp_path)) == [(1, "cup", BOX)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("data.yaml", "names: [no, yes]"),
        ("data.yaml", "names: {no: 0, yes: 1}"),
        ("set.yml", "names:\n  0: no\n  1: yes"),
        ("classes.txt", "no\nyes\n"),
        ("obj.names", "no\nyes\n"),
        ("_darknet.labels", "no\nyes\n"),
        ("my.names", "no\nyes\n"),
    ],
)
def test_names_of_classes_are_found_up_to_two_folders_above_and_stay_as_they_are_written(
    tmp_path: Path, name: str, text: str
) -> None:
    written(tmp_path / "set" / name, text)
    written(tmp_path / "set" / "args.yaml", "epochs: 3")
    written(tmp_path / "set" / "labels" / "train" / "a.txt", LINE)
    for chosen in (tmp_path / "set", tmp_path / "set" / "labels" / "train"):
        found = find(chosen, "a.png", folder=tmp_path)
        assert boxes(found) == [(1, "no", BOX)]
        assert found.categories == ["no", "yes"]


def test_the_yaml_that_was_chosen_is_the_one_that_is_read(tmp_path: Path) -> None:
    written(tmp_path / "set" / "data.yaml", "names: [old]")
    written(tmp_path / "set" / "labels" / "a.txt", LINE)
    chosen = written(tmp_path / "set" / "new.yaml", "names: [new]")
    assert boxes(find(chosen, "a.png", folder=tmp_path)) == [(1, "new", BOX)]


def test_texts_beside_labels_are_no_labels(tmp_path: Path) -> None:
    for name, text in (("README.dataset.txt", "# photos"), ("train.txt", "images/a.jpg"), ("_classes.txt", "cup")):
        written(tmp_path / "set" / name, text)
    written(tmp_path / "set" / "labels" / "a.txt", LINE)
    found = find(tmp_path / "set", "a.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX)]
    assert (found.problems, found.missing) == ([], [])


# Pascal VOC


@pytest.mark.parametrize(
    ("corners", "source", "origin", "box"),
    [
        ([(21, 31, 100, 90)], "", None, BOX),
        ([(21, 31, 100, 90)], "roboflow.com", None, Box(21, 31, 100, 90)),
        ([(21, 31, 100, 90)], "The VOC2007 Database", None, BOX),
        ([(21, 31, 100, 90), (0, 5, 9, 9)], "", None, Box(21, 31, 100, 90)),
        ([(21, 31, 100, 90), (5, 5, 5, 9)], "roboflow.com", None, BOX),
        ([(21, 31, 100, 90)], "", 0, Box(21, 31, 100, 90)),
        ([(21, 31, 100, 90)], "roboflow.com", 1, BOX),
    ],
)
def test_the_first_pixel_of_voc_is_what_the_file_proves(
    tmp_path: Path, corners: list[tuple[object, ...]], source: str, origin: int | None, box: Box
) -> None:
    path = written(tmp_path / "a.xml", voc(*corners, source=source))
    found = find(path, "a.png", voc_origin=origin)
    assert boxes(found)[0] == (1, "cup", box)
    is_assumed = len(corners) == 1 and not source and origin is None
    assert bool(found.notes) is is_assumed


@pytest.mark.parametrize("place", ["x/labelmap.txt", "labelmap.txt"])
def test_the_label_map_of_datumaro_and_cvat_proves_that_pixels_count_from_0(tmp_path: Path, place: str) -> None:
    written(tmp_path / place, "# label:color_rgb:parts:actions\ncup:1,2,3::\n")
    written(tmp_path / "x" / "Annotations" / "a.xml", voc((21, 31, 100, 90)))
    found = find(tmp_path / "x" / "Annotations" if place[0] == "x" else tmp_path / "x", "a.png", folder=tmp_path)
    assert (boxes(found), found.notes) == ([(1, "cup", Box(21, 31, 100, 90))], [])


# Encodings


@pytest.mark.parametrize(
    ("text", "encoding", "guessed"),
    [
        ("猫咪", "gb18030", "gb18030"),
        ("ネコ と いぬ", "shift_jis", "shift_jis"),
        ("Bär und Kätzchen", "latin-1", "cp1252"),
        ("猫 Bär", "utf-8", ""),
        ("猫 Bär", "utf-16", ""),
        ("猫 Bär", "utf-8-sig", ""),
    ],
)
def test_texts_of_older_programs_are_decoded(text: str, encoding: str, guessed: str) -> None:
    assert decode(text.encode(encoding)) == (text, guessed)


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="gb2312"?>'])
def test_xml_in_chinese_is_read_with_and_without_a_declared_encoding(tmp_path: Path, declaration: str) -> None:
    content = (declaration + voc((21, 31, 100, 90), name="汽车")).encode("gb2312")
    assert boxes(find(written(tmp_path / "a.xml", content), "a.png"))[0][1] == "汽车"


# LabelMe


@pytest.mark.parametrize("kind", ["rotation", "quadrilateral", "oriented_rectangle", "mask"])
def test_shapes_of_x_anylabeling_become_the_box_around_them(tmp_path: Path, kind: str) -> None:
    shape = {"label": "cup", "points": [[20, 30], [100, 30], [100, 90], [20, 90]], "shape_type": kind}
    text = json.dumps({"shapes": [shape], "imagePath": "old.png"})
    assert boxes(find(written(tmp_path / "a.json", text), "a.png")) == [(1, "cup", BOX)]


@pytest.mark.parametrize("size", [(200, 150), (1, 1), (3, 2)])
def test_a_box_is_clipped_as_everywhere(size: tuple[int, int]) -> None:
    record = ImageRecord(1, Path("a.png"), *size)
    edges = (-1e300, -3, 0, 0.25, 0.5, 1, 1.5, 149.5, 199.9, 200, 1e300)
    rows = [(x1, y1, x2, y2) for x1 in edges for x2 in edges for y1, y2 in zip(edges, edges[2:], strict=False)]
    clipped = {row: clip_to_picture(Box(*row), record) for row in rows}
    inside = {row: box for row, box in clipped.items() if box is not None}
    expected = clip(list(inside), width=size[0], height=size[1])
    assert inside and np.array_equal(np.array(list(inside.values())), expected)


# What is no annotation file


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04....", "cannot be unpacked"),
        (b"\x1f\x8b....", "is an archive: unpack it"),
        (b"\x89PNG\r\n", "is a picture"),
        (b"SQLite format 3\x00", "is a project"),
        (b'{"a": 1}\n{"a": 2}\n', "a JSON document on each line"),
        (b"<html></html>", "is XML or HTML"),
        (b"\x01\x02\x03", "it holds no text"),
    ],
)
def test_a_file_of_no_annotations_is_called_what_it_is(tmp_path: Path, content: bytes, told: str) -> None:
    path = written(tmp_path / "boxes.json", content)
    with pytest.raises(BadFileError, match=told):
        find(path, "a.png")
