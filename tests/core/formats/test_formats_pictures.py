"""Pictures of an export: copied or linked to where the format expects them, all or nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import BadFileError
from core.files import EXPORT_MARK
from core.formats import EXPORTERS, export, files_there
from core.formats.exporters.layout import clip_to_image
from core.formats.importing import find_boxes
from core.geometry import Box, clip
from core.progress import run
from core.records import Category, Dataset, ImageRecord
from tests.core.datasets import correction

SPLITS = {1: "train", 2: "val", 3: "train"}


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Three pictures of two folders, two of them with equal stems, and a box on each."""
    folder = tmp_path / "pictures"
    images = []
    for id, name in enumerate(["a/cat.jpg", "b/cat.png", "dog.jpg"], start=1):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), (id, id, id)).save(folder / name)
        images.append(ImageRecord(id, folder / name, 64, 48))
    boxes = tuple(correction(id, image=id, category=1, accepted=Box(id, id, 20 + id, 30)) for id in (1, 2, 3))
    return Dataset(tuple(images), (Category(1, "cat"), Category(2, "dog")), boxes, folder=folder)


def write(dataset: Dataset, format: str, out: Path, **options: Any) -> Path:
    run(export(dataset, format=format, out=out, **options))
    return out


@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.parametrize("pictures", ["copy", "link", "hardlink"])
def test_every_picture_is_there_with_its_bytes(format: str, pictures: str, dataset: Dataset, tmp_path: Path) -> None:
    out = write(dataset, format, tmp_path / "out", pictures=pictures, splits=SPLITS)
    found = sorted(path.read_bytes() for path in out.rglob("*") if path.suffix in (".jpg", ".png"))
    assert found == sorted(image.path.read_bytes() for image in dataset.images)
    one = next(path for path in out.rglob("*.png"))
    assert one.is_symlink() is (pictures == "link")
    assert (one.stat().st_ino == dataset.images[1].path.stat().st_ino) is (pictures != "copy")


@pytest.mark.parametrize("format", ["coco", "yolo", "voc", "labelme"])
@pytest.mark.parametrize("splits", [{}, SPLITS], ids=["whole", "splits"])
def test_our_own_import_reads_it_back(format: str, splits: dict[int, str], dataset: Dataset, tmp_path: Path) -> None:
    out = write(dataset, format, tmp_path / "out", splits=splits)
    found = run(find_boxes(out, dataset.images, folder=tmp_path / "pictures"))
    assert found.problems == [] and found.missing == []
    assert {(item.correction.image_id, item.category) for item in found.boxes} == {(1, "cat"), (2, "cat"), (3, "cat")}
    for item in found.boxes:
        wanted = dataset.corrections[item.correction.image_id - 1].accepted
        assert item.correction.accepted == pytest.approx(tuple(wanted), abs=1e-4)
    if format in ("coco", "yolo"):
        assert found.categories == ["cat", "dog"]


@pytest.mark.parametrize("pictures", ["copy", "link", "hardlink"])
def test_an_export_over_itself_replaces_links_and_not_what_they_lead_to(
    pictures: str, dataset: Dataset, tmp_path: Path
) -> None:
    before = [image.path.read_bytes() for image in dataset.images]
    for how in (pictures, "copy", pictures):
        write(dataset, "yolo", tmp_path / "out", pictures=how)
    assert [image.path.read_bytes() for image in dataset.images] == before
    there = files_there(dataset, format="yolo", out=tmp_path / "out", pictures=pictures)
    assert "images/a/cat.jpg" in [str(name) for name in there]


def test_a_missing_picture_stops_the_export_and_nothing_is_written(dataset: Dataset, tmp_path: Path) -> None:
    dataset.images[1].path.unlink()
    with pytest.raises(BadFileError, match=r"cat\.png cannot be taken along"):
        write(dataset, "coco", tmp_path / "out", pictures="copy")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pictures", ["link", "hardlink"])
def test_where_links_cannot_be_made_pictures_are_copied_and_one_sentence_says_so(
    pictures: str, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    monkeypatch.setattr(os, "link", refuse)
    summary = run(export(dataset, format="voc", out=tmp_path / "out", pictures=pictures))
    assert [note for note in summary.notes if "copied" in note] == [
        "Links to pictures cannot be made there (Operation not permitted), so the pictures were copied."
    ]
    assert not (tmp_path / "out" / "JPEGImages" / "a" / "cat.jpg").is_symlink()


def test_yolo_has_the_splits_that_there_are(dataset: Dataset, tmp_path: Path) -> None:
    out = write(dataset, "yolo", tmp_path / "out", pictures="copy", splits=SPLITS)
    read = yaml.safe_load((out / "data.yaml").read_text("utf-8"))
    assert (read["train"], read["val"], "test" in read) == ("images/train", "images/val", False)
    for picture in (out / "images").rglob("*.*"):
        label = out / "labels" / picture.relative_to(out / "images").with_suffix(".txt")
        assert label.is_file()
    assert (out / "classes.txt").read_text("utf-8") == "cat\ndog\n"


def test_yolo_says_that_train_and_val_are_the_same_without_splits(dataset: Dataset, tmp_path: Path) -> None:
    summary = run(export(dataset, format="yolo", out=tmp_path / "out"))
    assert any("same images for train and val" in note for note in summary.notes)
    assert (tmp_path / "out" / "data.yaml").read_text("utf-8").startswith("# No splits")
    only_train = run(export(dataset, format="yolo", out=tmp_path / "two", splits=dict.fromkeys((1, 2, 3), "train")))
    assert any("asks for both" in note for note in only_train.notes)


def test_folders_that_are_splits_already_are_not_named_twice(dataset: Dataset, tmp_path: Path) -> None:
    folder = dataset.images[0].path.parents[1]
    images = tuple(
        ImageRecord(id, folder / name, 64, 48)
        for id, name in enumerate(["train/images/a.jpg", "valid/images/a.jpg"], start=1)
    )
    moved = Dataset(images, dataset.categories, dataset.corrections[:2], folder=folder)
    out = write(moved, "yolo", tmp_path / "out", splits={1: "train", 2: "val"})
    labels = sorted(path.relative_to(out).as_posix() for path in (out / "labels").rglob("*.txt"))
    assert labels == ["labels/train/a.txt", "labels/val/a.txt"]


def test_voc_lists_the_images_of_each_split(dataset: Dataset, tmp_path: Path) -> None:
    out = write(dataset, "voc", tmp_path / "out", splits={**SPLITS, 3: "test"}, pictures="copy")
    lists = {path.name: path.read_text("utf-8").split() for path in (out / "ImageSets" / "Main").iterdir()}
    assert lists == {
        "train.txt": ["a/cat"], "val.txt": ["b/cat"], "test.txt": ["dog"], "trainval.txt": ["a/cat", "b/cat"],
    }  # fmt: skip
    assert (out / "JPEGImages" / "b" / "cat.png").is_file()


def test_coco_has_a_file_for_each_split_with_ids_of_its_own(dataset: Dataset, tmp_path: Path) -> None:
    out = write(dataset, "coco", tmp_path / "out", splits=SPLITS)
    train, val = (json.loads((out / f"annotations/instances_{split}.json").read_text()) for split in ("train", "val"))
    assert [image["file_name"] for image in val["images"]] == ["b/cat.png"]
    assert [note["image_id"] for note in train["annotations"]] == [1, 3]
    assert train["categories"] == val["categories"]
    assert not (out / "annotations.json").exists()


def test_an_export_with_pictures_is_marked_unless_it_holds_the_originals(dataset: Dataset, tmp_path: Path) -> None:
    assert (write(dataset, "coco", tmp_path / "a", pictures="link") / EXPORT_MARK).is_file()
    assert not (write(dataset, "coco", tmp_path / "b") / EXPORT_MARK).exists()
    assert not (write(dataset, "coco", tmp_path / "pictures", pictures="link") / EXPORT_MARK).exists()
    assert files_there(dataset, format="yolo", out=tmp_path / "a", pictures="link") == [
        PurePosixPath("images/a/cat.jpg"), PurePosixPath("images/b/cat.png"), PurePosixPath("images/dog.jpg"),
    ]  # fmt: skip


@given(st.tuples(*[st.floats(-1000, 2000) for _ in range(4)]), st.integers(1, 900), st.integers(1, 900))
def test_a_box_is_clipped_as_arrays_of_boxes_are(edges: tuple[float, ...], width: int, height: int) -> None:
    found = clip_to_image(Box.of(edges), ImageRecord(1, Path("a.png"), width, height))
    assert list(found) == clip([edges], width=width, height=height)[0].tolist()
