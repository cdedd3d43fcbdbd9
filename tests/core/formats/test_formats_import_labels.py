"""Importing YOLO, Pascal VOC and LabelMe: whole folders and single files, our own exports, and broken ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import BadFileError
from core.formats import export
from core.geometry import Box
from core.progress import run
from core.records import Category, Correction, Dataset, ImageRecord, Origin
from tests.core.formats.written import BOX, boxes, find, written

SHAPE = {"label": "cup", "points": [[20, 30], [100, 90]], "shape_type": "rectangle"}


def voc(*objects: str, filename: str = "a.png", size: tuple[int, int] = (200, 150)) -> str:
    sides = f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    return f"<annotation><filename>{filename}</filename>{sides}{''.join(objects)}</annotation>"


def voc_object(name: str = "cup", box: tuple[object, ...] = (21, 31, 100, 90)) -> str:
    edges = "".join(f"<{tag}>{v}</{tag}>" for tag, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name><bndbox>{edges}</bndbox></object>"


def labelme(*shapes: object, picture: str = "a.png", width: int = 200, height: int = 150) -> str:
    document = {"shapes": list(shapes), "imagePath": picture, "imageWidth": width, "imageHeight": height}
    return json.dumps(document | {"imageData": None, "version": "5.0"})


@pytest.mark.parametrize("format", ["yolo", "voc", "coco"])
def test_what_export_has_written_is_found_again(tmp_path: Path, format: str) -> None:
    names = ("cat.png", "cat.jpg", "unter/a.b.png")
    images = tuple(ImageRecord(number + 1, tmp_path / name, 200, 150) for number, name in enumerate(names))
    corrections = tuple(Correction(image.id, image.id, drawn=BOX, accepted=BOX, id=image.id) for image in images)
    categories = tuple(Category(number + 1, name) for number, name in enumerate(("cup", "saucer", "spoon")))
    run(export(Dataset(images, categories, corrections, folder=tmp_path), format=format, out=tmp_path / "out"))
    found = find(tmp_path / "out", *names, folder=tmp_path)
    assert (found.missing, found.problems) == ([], [])
    for (image_id, category, box), expected in zip(sorted(boxes(found)), categories, strict=True):
        assert (image_id, category) == (expected.id, expected.name)
        assert box == pytest.approx(BOX, abs=0.001)


def test_voc_tells_where_each_box_is_from(tmp_path: Path) -> None:
    written(tmp_path / "x" / "a.xml", voc(voc_object(), voc_object("", (1, 1, 200, 150))))
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX), (1, "object", Box(0, 0, 200, 150))]
    assert found.boxes[0].correction.origin == Origin("a.xml", BOX)
    assert not found.boxes[0].correction.confirmed


def test_one_file_can_be_imported_alone(tmp_path: Path) -> None:
    assert boxes(find(written(tmp_path / "a.xml", voc(voc_object())), "a.png")) == [(1, "cup", BOX)]
    assert boxes(find(written(tmp_path / "a.json", labelme(SHAPE)), "a.png")) == [(1, "cup", BOX)]
    assert boxes(find(written(tmp_path / "a.txt", "3 0.3 0.4 0.4 0.4"), "a.png")) == [(1, "class 3", BOX)]


@pytest.mark.parametrize("classes", ["data.yaml", "classes.txt", "obj.names"])
@pytest.mark.parametrize("place", ["", "labels"])
@pytest.mark.parametrize("picked", ["folder", "classes"])
def test_yolo_has_its_names_from_the_list_beside_it(tmp_path: Path, classes: str, place: str, picked: str) -> None:
    root = tmp_path / "set"
    written(root / place / "a.txt", "1 0.3 0.4 0.4 0.4\n\n0 0.3 0.4 0.4 0.4 0.87\n")
    listed = "names:\n  0: saucer\n  1: cup\n" if classes == "data.yaml" else "saucer\ncup\n"
    written(root / classes, listed)
    found = find(root if picked == "folder" else root / classes, "a.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX), (1, "saucer", BOX)]
    assert found.problems == []


def test_yolo_polygons_give_the_boxes_around_them(tmp_path: Path) -> None:
    written(tmp_path / "labels" / "a.txt", "0 0.1 0.4 0.3 0.2 0.5 0.6\n")
    assert boxes(find(tmp_path / "labels", "a.png", folder=tmp_path)) == [(1, "class 0", BOX)]


@pytest.mark.parametrize(
    "shape",
    [
        {**SHAPE, "points": [[100, 90], [20, 30]]},
        {**SHAPE, "points": [[20, 30], [100, 30], [100, 90], [20, 90]]},
        {**SHAPE, "points": [[20, 60], [60, 30], [100, 60], [60, 90]], "shape_type": "polygon"},
    ],
)
def test_labelme_shapes_give_the_boxes_around_them(tmp_path: Path, shape: object) -> None:
    for name in ("a", "b"):
        written(tmp_path / "x" / f"{name}.json", labelme(shape, picture=f"..\\pictures\\{name}.png"))
    assert boxes(find(tmp_path / "x", "a.png", "b.png", folder=tmp_path)) == [(1, "cup", BOX), (2, "cup", BOX)]


def test_a_labelme_circle_gives_the_square_around_it(tmp_path: Path) -> None:
    circle = {"label": "coin", "points": [[50, 60], [50, 80]], "shape_type": "circle"}
    found = find(written(tmp_path / "a.json", labelme(circle)), "a.png")
    assert boxes(found) == [(1, "coin", Box(30, 40, 70, 80))]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.xml", voc(voc_object(), voc_object(box=(5, 5, 4, 9))), "the object 2 has a box without area"),
        ("a.xml", voc(voc_object(), voc_object(box=("x", 5, 4, 9))), "the object 2 has no box of numbers"),
        ("a.xml", voc(voc_object(), "<object/>"), "the object 2 has no box of numbers"),
        ("a.xml", voc(voc_object(), voc_object(box=(900, 900, 999, 999))), "a box lies wholly outside a.png"),
        ("a.txt", "0 .3 .4 .4 .4\n0 .3 .4 .4", "the line 2 has no box of numbers"),
        ("a.txt", "0 .3 .4 .4 .4\ncup .3 .4 .4 .4", "the line 2 starts with no class"),
        ("a.txt", "0 .3 .4 .4 .4\n0 .3 nan .4 .4", "the line 2 has no box of numbers"),
        ("a.json", labelme(SHAPE, {"label": "x", "points": [[1, 2]], "shape_type": "point"}), "the shape 2 has no box"),
        ("a.json", labelme(SHAPE, None), "the shape 2 has no box"),
        ("a.json", labelme(SHAPE, {**SHAPE, "points": [["a", 1], [2, 3]]}), "the shape 2 has no box"),
    ],
)
def test_a_bad_box_is_told_and_the_others_come(tmp_path: Path, name: str, text: str, told: str) -> None:
    found = find(written(tmp_path / name, text), "a.png")
    assert len(found.boxes) == 1
    (problem,) = found.problems
    assert told in problem and str(tmp_path / name) in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.xml", "no xml"),
        ("a.xml", "<other/>"),
        ("a.json", '{"shapes": []}'),
        ("data.yaml", "names: [a"),
        ("data.yaml", "path: x"),
    ],
)
def test_a_file_that_is_none_of_them_is_named(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "b.txt").write_text("0 .3 .4 .4 .4")
    with pytest.raises(BadFileError, match=name):
        find(tmp_path / name, "a.png")


def test_in_a_folder_a_broken_file_is_told_and_the_others_come(tmp_path: Path) -> None:
    written(tmp_path / "x" / "a.xml", voc(voc_object()))
    written(tmp_path / "x" / "b.xml", "cut sho")
    written(tmp_path / "x" / "c.xml", voc(voc_object(), filename="c.png", size=(150, 200)))
    written(tmp_path / "x" / "d.xml", voc(voc_object(), filename="d.png"))
    found = find(tmp_path / "x", "a.png", "b.png", "c.png", folder=tmp_path)
    assert boxes(found) == [(1, "cup", BOX)]
    assert found.missing == ["d.png"]
    assert [problem.split()[0] for problem in found.problems] == [str(tmp_path / "x" / "b.xml"), "The"]


def test_a_folder_without_annotations_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="holds no annotations"):
        find(tmp_path, "a.png")
    written(tmp_path / "data.yaml", "names: [cup]")
    with pytest.raises(BadFileError, match="holds no YOLO labels"):
        find(tmp_path / "data.yaml", "a.png")
