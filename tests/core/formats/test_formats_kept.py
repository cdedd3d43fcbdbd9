"""What came in an annotation file goes back unchanged, unless the box or its category was changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.formats import export
from core.formats.converting import read_files
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import NewImage
from core.store.project_store import ProjectStore

CAME: dict[str, Any] = {
    "info": {"year": 2017, "contributor": "we"},
    "licenses": [{"id": 3, "name": "CC BY 4.0", "url": "x"}],
    "images": [
        {"id": 397133, "file_name": "b.png", "width": 200, "height": 150, "license": 3, "date_captured": "2013"},
        {"id": 37777, "file_name": "a.png", "width": 200, "height": 150, "flickr_url": "y"},
    ],
    "annotations": [
        {
            "id": 1768,
            "image_id": 37777,
            "category_id": 44,
            "bbox": [20, 30.5, 80, 60],
            "area": 1234.5,
            "iscrowd": 0,
            "segmentation": [[20, 30.5, 100, 30.5, 100, 90.5]],
            "keypoints": [1, 2, 2],
            "num_keypoints": 1,
            "attributes": {"occluded": True},
        },
        {
            "id": 908800037777,
            "image_id": 37777,
            "category_id": 1,
            "bbox": [0, 0, 200, 150],
            "area": 30000,
            "iscrowd": 1,
            "segmentation": {"counts": [0, 30000], "size": [150, 200]},
        },
        {
            "id": 5,
            "image_id": 397133,
            "category_id": 1,
            "bbox": [5, 6, 7, 8],
            "area": 56,
            "iscrowd": 0,
            "segmentation": [],
        },
    ],
    "categories": [
        {"id": 1, "name": "person", "supercategory": "being", "keypoints": ["nose"], "skeleton": []},
        {"id": 90, "name": "unused", "supercategory": "thing"},
        {"id": 44, "name": "a, \nbottle", "supercategory": "kitchen"},
    ],
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    with closing(ProjectStore.create(tmp_path / "boxrefine.sqlite")) as store:
        store.add_images([NewImage(tmp_path / f"{name}.png", 200, 150) for name in "ab"])
        yield store


def bring(store: ProjectStore, name: str, document: object) -> None:
    path = store.path.parent / name
    path.write_text(json.dumps(document), "utf-8")
    found = run(find_boxes(path, store.images(), folder=path.parent))
    assert (found.problems, found.missing) == ([], [])
    store.import_boxes(found.boxes, file=name, categories=found.categories, sources=found.sources)


def exported(store: ProjectStore) -> dict[str, Any]:
    out = store.path.parent / "out"
    run(export(store.dataset(), format="coco", out=out))
    document: dict[str, Any] = json.loads((out / "annotations.json").read_text("utf-8"))
    return document


def by_id(entries: list[dict[str, Any]]) -> dict[object, dict[str, Any]]:
    return {entry["id"]: entry for entry in entries}


def test_a_file_that_nobody_touched_comes_back_as_the_same_data(store: ProjectStore) -> None:
    bring(store, "came.json", CAME)
    back = exported(store)
    assert {key: by_id(back[key]) for key in ("images", "annotations")} == {
        key: by_id(CAME[key]) for key in ("images", "annotations")
    }
    assert back["categories"] == CAME["categories"]
    assert (back["info"], back["licenses"]) == (CAME["info"], CAME["licenses"])


def test_a_changed_box_keeps_what_is_not_its_place(store: ProjectStore) -> None:
    bring(store, "came.json", CAME)
    first = next(entry for entry in store.dataset().corrections if entry.accepted == Box(20, 30.5, 100, 90.5))
    store.move(first.id, Box(22, 32, 98, 88))
    entry = by_id(exported(store)["annotations"])[1768]
    assert entry["bbox"] == [22, 32, 76, 56] and entry["area"] == 76 * 56
    assert entry["keypoints"] == [1, 2, 2] and entry["attributes"] == {"occluded": True}
    assert entry["segmentation"] == CAME["annotations"][0]["segmentation"]


def test_boxes_and_categories_of_ours_get_ids_that_are_free(store: ProjectStore) -> None:
    bring(store, "came.json", CAME)
    mug = store.add_category("mug")
    (first,) = (entry for entry in store.dataset().corrections if entry.origin and entry.origin.is_crowd)
    new, _ = store.accept(
        replace(first, id=0, category_id=mug.id, origin=None, drawn=Box(1, 2, 30, 40), accepted=Box(1, 2, 30, 40))
    )
    assert new.id
    back = exported(store)
    assert [entry["id"] for entry in back["categories"]] == [1, 90, 44, 91]
    added = back["annotations"][-1]
    assert (added["id"], added["category_id"], added["image_id"]) == (908800037778, 91, 37777)


def test_two_files_keep_what_does_not_contradict(store: ProjectStore) -> None:
    bring(store, "came.json", CAME)
    other = json.loads(json.dumps(CAME))
    other["licenses"] = [{"id": 3, "name": "ours"}]
    other["categories"] = [{"id": 1, "name": "cat", "supercategory": "animal"}]
    other["annotations"] = [{"id": 5, "image_id": 397133, "category_id": 1, "bbox": [50, 60, 20, 20]}]
    bring(store, "other.json", other)
    back = exported(store)
    assert [entry["name"] for entry in back["categories"]] == ["person", "unused", "a, \nbottle", "cat"]
    assert by_id(back["categories"])[91]["supercategory"] == "animal"
    assert len(by_id(back["annotations"])) == 4


def test_the_same_file_twice_is_kept_once(store: ProjectStore) -> None:
    bring(store, "came.json", CAME)
    bring(store, "came.json", CAME)
    assert len(store.dataset().sources) == 1
    assert len(exported(store)["annotations"]) == 3


def test_what_json_does_not_allow_is_not_kept_and_the_box_comes(store: ProjectStore) -> None:
    odd = json.loads(json.dumps(CAME))
    odd["annotations"][0]["score"] = float("nan")
    bring(store, "came.json", odd)
    assert len(store.dataset().corrections) == 3
    assert store.findings() == []


def test_undo_of_an_import_takes_back_its_boxes_and_its_ids(store: ProjectStore) -> None:
    bring(store, "came.json", CAME)
    store.undo()
    back = exported(store)
    assert back["annotations"] == [] and back["info"] == {"description": "Exported by BoxRefine"}
    store.redo()
    assert by_id(exported(store)["annotations"]).keys() == by_id(CAME["annotations"]).keys()


def test_a_crowd_is_not_refined(store: ProjectStore) -> None:
    bring(store, "came.json", CAME)
    refinable = [entry.accepted for image in store.images() for entry in store.never_refined(image.id)]
    assert sorted(refinable) == [Box(5, 6, 12, 14), Box(20, 30.5, 100, 90.5)]


def test_files_of_a_folder_keep_their_own_headers(store: ProjectStore) -> None:
    folder = store.path.parent / "annotations"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.json").write_text(json.dumps({**CAME, "info": {"name": name}}), "utf-8")
    found = run(find_boxes(folder, store.images(), folder=store.path.parent))
    assert [(source.file, source.header["info"]) for source in found.sources] == [
        ("one.json", {"name": "one"}),
        ("two.json", {"name": "two"}),
    ]
    store.import_boxes(found.boxes, file="annotations", categories=found.categories, sources=found.sources)
    assert exported(store)["info"] == {"name": "one"}


def test_marks_of_voc_and_shapes_of_labelme_go_back(tmp_path: Path) -> None:
    came = tmp_path / "came"
    came.mkdir()
    (came / "a.xml").write_text(
        "<annotation><filename>a.png</filename><size><width>200</width><height>150</height></size><object>"
        "<name>cat</name><pose>Left</pose><truncated>1</truncated><difficult>1</difficult><occluded>1</occluded>"
        "<bndbox><xmin>0</xmin><ymin>5</ymin><xmax>50</xmax><ymax>60</ymax></bndbox></object></annotation>"
    )
    back = converted(came, "voc", tmp_path / "voc")
    text = (back / "Annotations" / "a.xml").read_text("utf-8")
    for mark in ("<pose>Left<", "<truncated>1<", "<difficult>1<", "<occluded>1<", "<xmin>0<", "<xmax>50<"):
        assert mark in text


def test_shapes_of_labelme_go_back_as_they_came(tmp_path: Path) -> None:
    polygon = {"label": "cat", "points": [[1, 2], [30, 4], [20.5, 40]], "shape_type": "polygon", "group_id": 7}
    shape = polygon | {"description": "d", "flags": {"f": True}, "attributes": {"x": "y"}}
    document = {"version": "5.0.1", "flags": {"night": True}, "shapes": [shape], "imagePath": "a.png"}
    (tmp_path / "came").mkdir()
    whole = document | {"imageData": None, "imageHeight": 150, "imageWidth": 200}
    (tmp_path / "came" / "a.json").write_text(json.dumps(whole))
    back = converted(tmp_path / "came", "labelme", tmp_path / "out")
    assert json.loads((back / "a.json").read_text("utf-8")) == whole


@pytest.mark.parametrize(
    ("line", "back"),
    [
        ("0 0.1 0.1 0.5 0.1 0.5 0.75", "0 0.1 0.1 0.5 0.1 0.5 0.75"),
        ("0 0.1 0.1 0.5 0.2 0.45 0.75 0.12 0.6", "0 0.1 0.1 0.5 0.2 0.45 0.75 0.12 0.6"),
        ("0 0.1 0.1 0.5 0.1 0.5 0.75 0.9", "0 0.1 0.1 0.5 0.1 0.5 0.75"),
        ("0 0.5 0.5 0.25 0.5 0.9", "0 0.5000000 0.5000000 0.2500000 0.5000000"),
        ("0 0.5 0.5 0.25 0.5", "0 0.5000000 0.5000000 0.2500000 0.5000000"),
    ],
    ids=["triangle", "oriented", "confidence of a polygon", "confidence of a box", "box"],
)
def test_lines_of_yolo_go_back_without_what_training_refuses(line: str, back: str, tmp_path: Path) -> None:
    assert yolo_lines(tmp_path, [line]) == [back]


def test_a_box_beside_a_polygon_is_written_as_its_corners(tmp_path: Path) -> None:
    polygon = "0 0.1 0.1 0.5 0.2 0.45 0.75"
    assert yolo_lines(tmp_path, [polygon, "0 0.5 0.5 0.5 0.5"]) == [
        polygon,
        "0 0.250000 0.250000 0.750000 0.250000 0.750000 0.750000 0.250000 0.750000",
    ]


def test_poses_keep_their_points_and_their_shape(tmp_path: Path) -> None:
    pose = "0 0.5 0.5 0.25 0.5 0.4 0.4 2 0.6 0.6 1"
    assert yolo_lines(tmp_path, [pose], more="kpt_shape: [2, 3]\n") == [pose]
    assert "kpt_shape:\n- 2\n- 3\n" in (tmp_path / "out" / "data.yaml").read_text("utf-8")


def test_what_came_for_a_box_that_has_moved_is_no_shape_any_more(tmp_path: Path) -> None:
    (tmp_path / "came").mkdir()
    shape = {"label": "cat", "points": [[1, 2], [30, 4], [20, 40]], "shape_type": "polygon", "group_id": 7}
    whole = {"shapes": [shape], "imagePath": "a.png", "imageHeight": 150, "imageWidth": 200}
    (tmp_path / "came" / "a.json").write_text(json.dumps(whole))
    dataset = run(read_files(tmp_path / "came")).dataset
    moved = tuple(replace(item, accepted=Box(5, 6, 50, 60)) for item in dataset.corrections)
    run(export(replace(dataset, corrections=moved), format="labelme", out=tmp_path / "out"))
    (found,) = json.loads((tmp_path / "out" / "a.json").read_text("utf-8"))["shapes"]
    assert (found["shape_type"], found["points"], found["group_id"]) == ("rectangle", [[5, 6], [50, 60]], 7)


def test_a_pose_whose_box_has_moved_keeps_its_points_and_a_new_box_has_absent_ones(tmp_path: Path) -> None:
    (tmp_path / "came" / "labels").mkdir(parents=True)
    (tmp_path / "came" / "labels" / "a.txt").write_text("0 0.5 0.5 0.25 0.5 0.4 0.4 2 0.6 0.6 1")
    (tmp_path / "came" / "data.yaml").write_text("names: [cat]\nkpt_shape: [2, 3]\n")
    Image.new("RGB", (200, 150)).save(tmp_path / "came" / "a.png")
    dataset = run(read_files(tmp_path / "came")).dataset
    (pose,) = dataset.corrections
    boxes = (replace(pose, accepted=Box(0, 0, 200, 150)), replace(pose, id=2, origin=None))
    run(export(replace(dataset, corrections=boxes), format="yolo", out=tmp_path / "out"))
    assert (tmp_path / "out" / "labels" / "a.txt").read_text("utf-8").splitlines() == [
        "0 0.5000000 0.5000000 1.0000000 1.0000000 0.4 0.4 2 0.6 0.6 1",
        "0 0.5000000 0.5000000 0.2500000 0.5000000 0 0 0 0 0 0",
    ]


def yolo_lines(folder: Path, lines: list[str], *, more: str = "") -> list[str]:
    """What an export to YOLO makes of a label file with these lines."""
    came = folder / "came"
    (came / "labels").mkdir(parents=True)
    (came / "labels" / "a.txt").write_text("\n".join(lines))
    (came / "data.yaml").write_text(f"names: [cat]\n{more}")
    return (converted(came, "yolo", folder / "out") / "labels" / "a.txt").read_text("utf-8").splitlines()


def converted(came: Path, format: str, out: Path) -> Path:
    """Read files on a picture a.png of 200 x 150 pixels, and export them."""
    pictures = came.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    Image.new("RGB", (200, 150)).save(pictures / "a.png")
    run(export(run(read_files(came, images=pictures)).dataset, format=format, out=out))
    return out
