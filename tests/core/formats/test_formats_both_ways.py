"""Formats of tables and of other programs, there and back: boxes, the order of categories, what came besides."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.formats import EXPORTERS, export
from core.formats.converting import ReadFiles, read_files
from core.formats.importing import find_boxes
from core.formats.splitting import splits_of_folders
from core.geometry import Box
from core.progress import run
from core.records import Category, Dataset, ImageRecord
from tests.core.datasets import correction
from tests.core.formats.written import RECTANGLE, boxes, dumped, find, result, task, written

WHOLE_PIXELS = "voc", "retinanet"
WITHOUT_CATEGORIES = "automl", "createml", "csv", "kitti", "labelme", "via_csv"
"""Formats that have no list of categories."""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Pictures of one name in two splits, one without boxes, and a category without boxes."""
    folder = tmp_path / "set"
    names = ["train/a b.jpg", "train/x/1.jpg", "valid/x/1.jpg", "valid/Möwe.png"]
    images = tuple(ImageRecord(id, folder / name, 3000, 2000) for id, name in enumerate(names, start=1))
    boxes = (
        correction(1, image=1, category=2, accepted=Box(10.25, 20.5, 2060.125, 1070.75)),
        correction(2, image=2, category=3, accepted=Box(0, 0, 3000, 2000)),
        correction(3, image=3, category=2, accepted=Box(1.111, 2.222, 3.333, 4.444)),
    )
    categories = (Category(1, "unused"), Category(2, "Möwe, grau"), Category(3, "a"))
    return Dataset(images, categories, boxes, folder=folder)


@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.parametrize("with_splits", [True, False])
def test_a_round_trip_keeps_boxes_and_categories(
    format: str, with_splits: bool, dataset: Dataset, tmp_path: Path
) -> None:
    splits = splits_of_folders(dataset) if with_splits else {}
    run(export(dataset, format=format, out=tmp_path / "out", splits=splits))
    assert dataset.folder is not None
    names = [image.path.relative_to(dataset.folder).as_posix() for image in dataset.images]
    images = [replace(image, path=tmp_path / "set" / name) for image, name in zip(dataset.images, names, strict=True)]
    found = run(find_boxes(tmp_path / "out", images, folder=tmp_path / "set"))
    assert (found.problems, found.missing) == ([], [])
    got = {entry.correction.image_id: (entry.category, entry.correction.accepted) for entry in found.boxes}
    assert len(found.boxes) == len(dataset.corrections) == len(got)
    for item in dataset.corrections:
        name, box = got[item.image_id]
        wanted = next(each.name for each in dataset.categories if each.id == item.category_id)
        assert name == (wanted.replace(" ", "_") if format == "kitti" else wanted)
        tolerance = 0.5 if format in WHOLE_PIXELS else 0.02
        assert max(abs(a - b) for a, b in zip(box, item.accepted, strict=True)) <= tolerance
    if format not in WITHOUT_CATEGORIES:
        assert found.categories == ["unused", "Möwe, grau", "a"]


def again(read: ReadFiles, tmp_path: Path, format: str) -> Any:
    run(export(read.dataset, format=format, out=tmp_path / "again"))
    return json.loads(next((tmp_path / "again").glob("*[st].json")).read_text("utf-8"))


def moved(read: ReadFiles) -> ReadFiles:
    """The same with each box one pixel wider."""
    wider = tuple(
        replace(item, accepted=replace_edge(item.accepted), confirmed=True) for item in read.dataset.corrections
    )
    return replace(read, dataset=replace(read.dataset, corrections=wider))


def replace_edge(box: Box) -> Box:
    return Box(box.x1, box.y1, box.x2 + 1, box.y2)


def test_label_studio_goes_back_as_it_came(tmp_path: Path) -> None:
    polygon = {"points": [[10, 20], [50, 20], [50, 60]], "polygonlabels": ["cup"]}
    document = task(
        result(RECTANGLE | {"rotation": 30}, meta={"text": ["blurred"]}),
        result(polygon, "polygonlabels", id="p", score=0.5),
        meta={"from": "camera 1"},
    )
    read = run(read_files(dumped(tmp_path / "in.json", document)))
    assert [item.accepted for item in read.dataset.corrections][1] == Box(20, 30, 100, 90)
    (back,) = again(read, tmp_path, "label_studio")
    assert {key: back[key] for key in ("data", "meta")} == {key: document[0][key] for key in ("data", "meta")}
    assert back["annotations"][0]["result"] == document[0]["annotations"][0]["result"]
    (changed,) = again(moved(read), tmp_path, "label_studio")
    shapes = changed["annotations"][0]["result"]
    assert [shape["type"] for shape in shapes] == ["rectanglelabels", "rectanglelabels"]
    assert shapes[1]["value"] == {"x": 10, "y": 20, "width": 40.5, "height": 40, "rotation": 0} | {
        "rectanglelabels": ["cup"]
    }


def test_a_region_of_label_studio_gets_a_new_label(tmp_path: Path) -> None:
    read = run(read_files(dumped(tmp_path / "in.json", task(result(RECTANGLE | {"rotation": 30}, meta={"text": []})))))
    renamed = replace(read, dataset=replace(read.dataset, categories=(Category(1, "mug"),)))
    (back,) = again(renamed, tmp_path, "label_studio")
    shape = back["annotations"][0]["result"][0]
    assert (shape["value"]["rectanglelabels"], shape["value"]["rotation"], shape["meta"]) == (["mug"], 30, {"text": []})


def test_pictures_of_a_local_storage_are_found_by_their_folders(tmp_path: Path) -> None:
    addresses = ["/data/local-files/?d=b/1%20x.jpg", "/data/local-files/?d=set%2Fa%2F1%20x.jpg"]
    tasks = [task(result(RECTANGLE), image=address)[0] for address in addresses]
    found = find(dumped(tmp_path / "in.json", tasks), "a/1 x.jpg", "b/1 x.jpg")
    assert (found.problems, found.missing) == ([], [])
    assert sorted(entry.correction.image_id for entry in found.boxes) == [1, 2]


def test_via_goes_back_as_it_came(tmp_path: Path) -> None:
    polygon = {"name": "polygon", "all_points_x": [20, 100, 60], "all_points_y": [30, 30, 90]}
    regions = [{"shape_attributes": polygon, "region_attributes": {"kind": "cup", "note": "old"}}]
    file = {"filename": "a.png", "size": 7, "regions": regions, "file_attributes": {"caption": "tea"}}
    kinds = {"type": "radio", "description": "what it is", "options": {"saucer": "", "cup": ""}, "default_options": {}}
    document = {
        "_via_img_metadata": {"a.png7": file},
        "_via_attributes": {"region": {"kind": kinds, "note": {"type": "text"}}, "file": {}},
    }
    images = tmp_path / "pictures"
    images.mkdir()
    Image.new("RGB", (200, 150)).save(images / "a.png")
    read = run(read_files(dumped(tmp_path / "in" / "project.json", document), images=images))
    run(export(read.dataset, format="via", out=tmp_path / "out"))
    back = json.loads((tmp_path / "out" / "via_project.json").read_text("utf-8"))
    entry = next(iter(back["_via_img_metadata"].values()))
    assert (entry["regions"], entry["file_attributes"]) == (regions, {"caption": "tea"})
    assert back["_via_attributes"]["region"] == document["_via_attributes"]["region"]
    run(export(moved(read).dataset, format="via", out=tmp_path / "two"))
    back = json.loads((tmp_path / "two" / "via_region_data.json").read_text("utf-8"))
    (region,) = next(iter(back.values()))["regions"]
    assert region["shape_attributes"] == {"name": "rect", "x": 20, "y": 30, "width": 81, "height": 60}
    assert region["region_attributes"] == {"kind": "cup", "note": "old"}


def test_a_project_of_via_and_its_annotations_beside_are_read_once(tmp_path: Path) -> None:
    shape = {"name": "rect", "x": 20, "y": 30, "width": 80, "height": 60}
    regions = [{"shape_attributes": shape, "region_attributes": {"label": "cup"}}]
    files = {"a.png7": {"filename": "a.png", "size": 7, "regions": regions, "file_attributes": {}}}
    dumped(tmp_path / "in" / "data.json", files)
    dumped(tmp_path / "in" / "project.json", {"_via_img_metadata": files, "_via_attributes": {}})
    assert boxes(find(tmp_path / "in", "a.png")) == [(1, "cup", Box(20, 30, 100, 90))]


VIA_3 = {
    "project": {"pname": "p", "data_format_version": "3.1.1", "vid_list": ["1", "2"]},
    "attribute": {
        "1": {"aname": "note", "anchor_id": "FILE1_Z2_XY0", "type": 1, "options": {}},
        "2": {"aname": "kind", "anchor_id": "FILE1_Z0_XY1", "type": 4, "options": {"0": "saucer", "1": "cup"}},
    },
    "file": {
        "1": {"fid": 1, "fname": "a.png", "type": 2, "loc": 1, "src": ""},
        "2": {"fid": "2", "fname": "b.png", "type": 2, "loc": 1, "src": ""},
    },
    "view": {"1": {"fid_list": [1]}, "2": {"fid_list": ["2"]}},
}


@pytest.mark.parametrize(
    "shape",
    [
        [2, 20, 30, 80, 60],
        [4, 60, 60, 40, 30],
        [6, 20, 30, 100, 90],
        [7, 20, 30, 100, 30, 60, 90],
        [8, 20, 50, 60, 30, 100, 50, 60, 90],
    ],
)
def test_via_3_is_read(shape: list[float], tmp_path: Path) -> None:
    metadata = {
        "1_x": {"vid": "1", "flg": 0, "z": [], "xy": shape, "av": {"2": "1"}},
        "1_y": {"vid": "1", "flg": 0, "z": [1.5], "xy": [], "av": {"1": "a mark in time"}},
        "1_z": {"vid": "1", "flg": 0, "z": [], "xy": [1, 5, 5], "av": {"2": "0"}},
    }
    found = find(dumped(tmp_path / "in.json", VIA_3 | {"metadata": metadata}), "a.png", "b.png")
    assert (found.problems, found.missing) == ([], [])
    assert boxes(found) == [(1, "cup", Box(20, 30, 100, 90))]
    assert found.categories == ["saucer", "cup"]
    assert found.listed == {1, 2}
    assert any("point" in note for note in found.notes)


@pytest.mark.parametrize("shape", [[3, 60, 60, 30], [9, 30, 60, 90, 60, 60, 30]])
def test_circles_of_via_3_are_read(shape: list[float], tmp_path: Path) -> None:
    metadata = {"1_x": {"vid": "1", "z": [], "xy": shape, "av": {}}}
    found = find(dumped(tmp_path / "in.json", VIA_3 | {"metadata": metadata}), "a.png", "b.png")
    assert boxes(found) == [(1, "object", Box(30, 30, 90, 90))]


LABELME_XML = """<annotation><filename>old.jpg</filename><folder>users</folder>
<source><submittedBy>someone</submittedBy></source><imagesize><nrows>150</nrows><ncols>200</ncols></imagesize>
<object><name>cup
</name><deleted>0</deleted><polygon><username>me</username><pt><x>20</x><y>30</y></pt><pt><x>100</x><y>30</y></pt>
<pt><x>60</x><y>90</y></pt></polygon></object>
<object><name>gone</name><deleted>1</deleted><polygon><pt><x>1</x><y>1</y></pt><pt><x>9</x><y>9</y></pt></polygon></object>
<object><name>mask</name><deleted>0</deleted><segm><mask>m.png</mask><box><xmin>20</xmin><ymin>30</ymin>
<xmax>100</xmax><ymax>90</ymax></box></segm></object></annotation>"""


def test_the_xml_of_the_first_labelme_is_read(tmp_path: Path) -> None:
    written(tmp_path / "in" / "a.xml", LABELME_XML)
    expected = [(1, "cup", Box(20, 30, 100, 90)), (1, "mask", Box(20, 30, 100, 90))]
    for path in (tmp_path / "in", tmp_path / "in" / "a.xml"):
        found = find(path, "a.png", folder=tmp_path)
        assert (found.problems, found.missing, found.notes) == ([], [], [])
        assert boxes(found) == expected


@pytest.mark.parametrize(
    "places",
    [
        ("annotations/instances_train2017.json", "annotations/instances_val2017.json"),
        ("train/_annotations.coco.json", "valid/_annotations.coco.json"),
        ("train.json", "val.json"),
    ],
)
def test_pictures_of_one_name_in_two_splits_are_separated_by_the_files_of_the_splits(
    places: tuple[str, str], tmp_path: Path
) -> None:
    for number, place in enumerate(places):
        image = {"id": 1, "file_name": "1.jpg", "width": 200, "height": 150}
        note = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20 + number, 30, 80, 60]}
        dumped(tmp_path / place, {"images": [image], "annotations": [note], "categories": [{"id": 1, "name": "cup"}]})
    names = ("train/1.jpg", "valid/1.jpg") if "train/" in places[0] else ("images/train/1.jpg", "images/val/1.jpg")
    found = find(tmp_path, *names, folder=tmp_path)
    assert (found.problems, found.missing) == ([], [])
    assert boxes(found) == [(1, "cup", Box(20, 30, 100, 90)), (2, "cup", Box(21, 30, 101, 90))]
