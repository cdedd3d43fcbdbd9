"""`boxrefine convert`: any format into any other one, without a project."""

from __future__ import annotations

import json
import tempfile
import zipfile
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.formats import EXPORTERS, export
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import Category, Dataset, ImageRecord
from tests.core.command_line import Verb
from tests.core.datasets import correction

READ = ("coco", "yolo", "voc", "labelme")
OTHERS = tuple(format for format in EXPORTERS if format not in READ)
WITHOUT_EMPTY = ("csv", "open_images")
"""Formats whose import does not bring images without boxes."""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Two pictures with a box each, and one without."""
    folder = tmp_path / "pictures"
    names = ["a/1.jpg", "b/1.jpg", "empty.png"]
    images = tuple(ImageRecord(id, folder / name, 200, 150) for id, name in enumerate(names, start=1))
    for image in images:
        image.path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 150)).save(image.path)
    boxes = (
        correction(1, image=1, category=2, accepted=Box(10, 20, 60, 70)),
        correction(2, image=2, category=1, accepted=Box(0, 0, 200, 150)),
    )
    return Dataset(images, (Category(1, "buoy"), Category(2, "ship")), boxes, folder=folder)


def boxes_in(path: Path, dataset: Dataset) -> set[tuple[int, str, Any]]:
    """The boxes in a file or folder on the pictures, in whole pixels."""
    assert dataset.folder is not None
    found = run(find_boxes(path, dataset.images, folder=dataset.folder))
    assert found.problems == [] and found.missing == []
    accepted = ((item, item.correction.accepted) for item in found.boxes)
    return {(item.correction.image_id, item.category, tuple(round(edge, 2) for edge in box)) for item, box in accepted}


@pytest.mark.parametrize(("source", "to"), list(product(READ, READ)))
def test_boxes_are_the_same_in_each_format(source: str, to: str, verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    run(export(dataset, format=source, out=tmp_path / "in"))
    said = verb("convert", tmp_path / "in", "--to", to, "--out", tmp_path / "out", "--images", tmp_path / "pictures")
    assert said.code == 0, said.sentences
    assert (said.summary["images"], said.summary["boxes"], said.summary["empty"]) == (3, 2, 1)
    assert boxes_in(tmp_path / "out", dataset) == {
        (1, "ship", (10, 20, 60, 70)), (2, "buoy", (0, 0, 200, 150)),
    }  # fmt: skip


@pytest.mark.parametrize("format", OTHERS)
def test_every_format_is_read_and_written(format: str, verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    run(export(dataset, format="coco", out=tmp_path / "in"))
    said = verb("convert", tmp_path / "in", "--to", format, "--out", tmp_path / "mid", "--images", pictures)
    assert (said.code, said.summary["boxes"]) == (0, 2), said.sentences
    said = verb("convert", tmp_path / "mid", "--to", "coco", "--out", tmp_path / "out", "--images", pictures)
    assert said.code == 0, said.sentences
    assert said.summary["images"] == (2 if format in WITHOUT_EMPTY else 3)
    assert boxes_in(tmp_path / "out", dataset) == boxes_in(tmp_path / "in", dataset)


def packed(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    return path


@pytest.mark.parametrize("pictures", ["none", "copy", "hardlink"])
def test_an_archive_is_converted_with_its_own_pictures(
    pictures: str, verb: Verb, dataset: Dataset, tmp_path: Path
) -> None:
    """YOLO has no sizes, so its pictures are unpacked; of the others only where they are to be copied."""
    run(export(dataset, format="yolo", out=tmp_path / "in", pictures="copy"))
    archive = packed(tmp_path / "in", tmp_path / "set.zip")
    said = verb("convert", archive, "--to", "coco", "--out", tmp_path / "out", "--pictures", pictures)
    assert (said.code, said.summary["boxes"], said.sentences) == (0, 2, [])
    assert boxes_in(tmp_path / "out" / "annotations.json", dataset) == boxes_in(tmp_path / "in", dataset)
    copies = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.[jp][pn]g"))
    assert len(copies) == (0 if pictures == "none" else 3)
    assert not list(Path(tempfile.gettempdir()).glob("boxrefine-*/set"))


def test_pictures_in_an_archive_cannot_be_linked_to(verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    run(export(dataset, format="yolo", out=tmp_path / "in", pictures="copy"))
    archive = packed(tmp_path / "in", tmp_path / "set.zip")
    said = verb("convert", archive, "--to", "coco", "--out", tmp_path / "out", "--pictures", "link")
    assert said.code == 2
    assert "--pictures copy" in said.sentences[-1]


@pytest.mark.parametrize("source", ["coco", "voc", "labelme"])
def test_files_with_sizes_need_no_pictures(source: str, verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    run(export(dataset, format=source, out=tmp_path / "in"))
    said = verb("convert", tmp_path / "in", "--to", "coco", "--out", tmp_path / "out")
    assert said.code == 0, said.sentences
    document = json.loads((tmp_path / "out" / "annotations.json").read_text("utf-8"))
    assert {image["file_name"] for image in document["images"]} == {"a/1.jpg", "b/1.jpg", "empty.png"}
    assert boxes_in(tmp_path / "out", dataset) == boxes_in(tmp_path / "in", dataset)


def test_labels_without_sizes_and_pictures_are_told(verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    run(export(dataset, format="yolo", out=tmp_path / "in"))
    said = verb("convert", tmp_path / "in", "--to", "coco", "--out", tmp_path / "out")
    assert said.code == 2
    assert "--images" in said.sentences[-1]
    assert not (tmp_path / "out").exists()


def test_pictures_beside_labels_are_found_and_linked(verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    run(export(dataset, format="yolo", out=tmp_path / "in", pictures="copy"))
    out = tmp_path / "out"
    said = verb("convert", tmp_path / "in", "--to", "voc", "--out", out, "--pictures", "link", "--splits", "2/1")
    assert said.code == 0, said.sentences
    assert len([path for path in (out / "JPEGImages").rglob("*") if path.is_symlink()]) == 3
    assert said.summary["splits"] == {"train": 2, "val": 1}


def test_missing_pictures_and_unknown_sources_are_told(verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    run(export(dataset, format="coco", out=tmp_path / "in"))
    dataset.images[0].path.unlink()
    said = verb("convert", tmp_path / "in", "--to", "csv", "--out", tmp_path / "out", "--images", tmp_path / "pictures")
    assert said.code == 2
    assert said.summary["missing"] == 1
    said = verb("convert", tmp_path / "none", "--to", "csv", "--out", tmp_path / "two")
    assert said.code == 2
    assert "does not exist" in said.sentences[-1]


def test_categories_are_mapped(verb: Verb, dataset: Dataset, tmp_path: Path) -> None:
    run(export(dataset, format="coco", out=tmp_path / "in"))
    out = tmp_path / "out"
    verb("convert", tmp_path / "in", "--to", "csv", "--out", out, "--map", "ship=boat,drop=buoy")
    rows = (out / "_annotations.csv").read_text("utf-8").splitlines()
    assert rows == ["filename,width,height,class,xmin,ymin,xmax,ymax", "a/1.jpg,200,150,boat,10,20,60,70"]


def test_an_untouched_coco_file_keeps_ids_and_unknown_fields(verb: Verb, tmp_path: Path) -> None:
    document = {
        "info": {"year": 2020},
        "images": [{"id": 7, "file_name": "x.jpg", "width": 200, "height": 150, "date": "then"}],
        "annotations": [
            {
                "id": 90,
                "image_id": 7,
                "category_id": 5,
                "bbox": [1, 2, 3, 4],
                "area": 12,
                "iscrowd": 0,
                "segmentation": [],
                "extra": [1],
            }
        ],
        "categories": [{"id": 3, "name": "unused"}, {"id": 5, "name": "ship", "supercategory": "sea"}],
    }
    (tmp_path / "in.json").write_text(json.dumps(document))
    assert verb("convert", tmp_path / "in.json", "--to", "coco", "--out", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "annotations.json").read_text("utf-8")) == document
