"""`boxrefine import`: boxes come into a project, what does not fit is told, and a second time changes nothing."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from core.geometry import Box
from core.records import Correction, NewImage
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Verb
from tests.core.projects import title


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of two pictures, and a file of boxes on three."""
    folder = tmp_path / "harbour"
    with closing(ProjectStore.create(folder / PROJECT_FILE_NAME)) as store:
        store.add_images([NewImage(folder / name, 200, 150) for name in ("a.png", "b.png")])
    images = [{"id": number, "file_name": f"{name}.png"} for number, name in enumerate("abc")]
    notes = [{"id": number, "image_id": number, "category_id": 1, "bbox": [10, 20, 30, 40]} for number in range(3)]
    document = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "boat"}]}
    (tmp_path / "coarse.json").write_text(json.dumps(document))
    return folder


def test_boxes_are_stored_and_the_missing_picture_is_named(verb: Verb, folder: Path) -> None:
    said = verb("import", folder, "--boxes", folder.parent / "coarse.json")
    assert said.summary == {
        "new_images": 0,
        "unreadable_images": 0,
        "new_categories": 1,
        "boxes": 2,
        "held_already": 0,
        "missing": 1,
        "unusable": 0,
    }
    assert said.code == 2
    (sentence,) = said.sentences
    assert "does not hold the picture c.png" in sentence
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        assert store.to_check() == {1: 1, 2: 1}
        assert title(store.undo_steps()[0]) == "Import 2 boxes from coarse.json"


def test_categories_that_a_second_file_brings_are_named(verb: Verb, folder: Path) -> None:
    coarse = folder.parent / "coarse.json"
    verb("import", folder, "--boxes", coarse)
    document = json.loads(coarse.read_text("utf-8"))
    document["categories"].append({"id": 77, "name": "newt"})
    coarse.write_text(json.dumps(document), "utf-8")
    said = verb("import", folder, "--boxes", coarse)
    assert said.summary["new_categories"] == 1
    assert f"{coarse} brings a category that the project did not have: newt." in said.sentences


def test_a_second_time_changes_nothing(verb: Verb, folder: Path) -> None:
    verb("import", folder, "--boxes", folder.parent / "coarse.json")
    said = verb("import", folder / PROJECT_FILE_NAME, "--boxes", folder.parent / "coarse.json")
    assert (said.summary["boxes"], said.summary["held_already"]) == (0, 2)


def test_a_project_that_is_not_there_is_told(verb: Verb, tmp_path: Path) -> None:
    said = verb("import", tmp_path, "--boxes", tmp_path / "coarse.json")
    assert said.code == 2
    assert "holds no pictures" in said.sentences[0]
    said = verb("import", tmp_path / PROJECT_FILE_NAME, "--boxes", tmp_path / "coarse.json")
    assert said.code == 2
    assert "does not exist" in said.sentences[0]


def dataset(folder: Path) -> Path:
    """A folder as datasets come: three splits with two pictures each, of the same names, and boxes on one of each."""
    for split in ("train", "valid", "test"):
        images = folder / split / "images"
        images.mkdir(parents=True)
        for name in ("1.png", "2.png"):
            Image.new("RGB", (40, 30)).save(images / name)
    images = [
        {"id": id, "file_name": f"{split}/images/1.png"} for id, split in enumerate(("train", "valid", "test"), start=1)
    ]
    notes = [{"id": id, "image_id": id, "category_id": 1, "bbox": [1, 2, id, 4]} for id in (1, 2, 3)]
    document = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "boat"}]}
    (folder / "boxes.json").write_text(json.dumps(document))
    return folder


def test_a_dataset_becomes_a_project_with_all_folders_and_new_pictures_join_it(verb: Verb, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "set")
    (folder / "test" / "images" / "3.png").write_bytes(b"no picture")
    said = verb("import", folder, "--boxes", folder / "boxes.json")
    assert (said.summary["new_images"], said.summary["unreadable_images"], said.summary["boxes"]) == (6, 1, 3)
    assert said.code == 2 and "3.png is not a picture" in said.sentences[0]
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        names = [image.path.relative_to(folder).as_posix() for image in store.images()]
        assert names[:3] == ["test/images/1.png", "test/images/2.png", "train/images/1.png"]
        widths = {names[box.image_id - 1]: box.accepted.width for box in store.dataset().corrections}
        assert widths == {"train/images/1.png": 1, "valid/images/1.png": 2, "test/images/1.png": 3}
    Image.new("RGB", (40, 30)).save(folder / "test" / "images" / "3.png")
    said = verb("import", folder, "--boxes", folder / "boxes.json")
    assert (said.summary["new_images"], said.summary["held_already"], said.code) == (1, 3, 0)


def test_a_second_project_above_or_below_another_is_made_on_request_only(verb: Verb, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "set")
    boxes = folder / "boxes.json"
    verb("import", folder / "train", "--boxes", boxes)
    said = verb("import", folder, "--boxes", boxes)
    assert said.code == 2 and str(folder / "train" / PROJECT_FILE_NAME) in said.sentences[0]
    assert not (folder / PROJECT_FILE_NAME).exists()
    assert verb("import", folder, "--boxes", boxes, "--new-project").summary["boxes"] == 3
    said = verb("import", folder / "valid", "--boxes", boxes)
    assert said.code == 2 and str(folder / PROJECT_FILE_NAME) in said.sentences[0]
    assert not (folder / "valid" / PROJECT_FILE_NAME).exists()


def test_an_export_leaves_out_suggestions_that_nobody_has_accepted_unless_asked_for(
    verb: Verb, folder: Path, tmp_path: Path
) -> None:
    coarse = folder.parent / "coarse.json"
    document = json.loads(coarse.read_text("utf-8"))
    for note in document["annotations"]:
        note["suggested"] = {"head": "h", "score": 0.5}
    coarse.write_text(json.dumps(document), "utf-8")
    verb("import", folder, "--boxes", coarse)
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        store.confirm([1], take=True)
    arguments = ("export", folder, "--format", "coco", "--out", tmp_path / "out")
    said = verb(*arguments)
    assert (said.summary["boxes"], said.summary["left_out"]) == (1, 1)
    assert "1 suggestion is left out" in said.sentences[0]
    assert (said.summary["images"], said.summary["images_left_out"]) == (1, 1)
    assert "1 image has no box to export" in said.sentences[1]
    assert verb(*arguments, "--checked", "--overwrite").summary["boxes"] == 1
    said = verb(*arguments, "--unchecked", "--overwrite")
    assert (said.summary["boxes"], said.summary["left_out"], said.sentences) == (2, 0, [])


def test_an_export_has_drawn_boxes_that_were_accepted_before_a_proposal_came(
    verb: Verb, folder: Path, tmp_path: Path
) -> None:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        box = Box(5, 5, 60, 60)
        stored, _ = store.accept(Correction(1, store.add_category("owl").id, box, box))
        store.propose([replace(stored, refined=Box(6, 6, 59, 59), encoder="e", refiner="r")], undoable=True)
        assert store.to_check() == {1: 1}
    assert verb("export", folder, "--format", "coco", "--out", tmp_path / "out").summary["boxes"] == 1


def test_only_images_that_are_done_without_boxes_are_exported_as_empty(
    verb: Verb, folder: Path, tmp_path: Path
) -> None:
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as store:
        store.mark([2], done=True)
    arguments = ("export", folder, "--format", "coco", "--out", tmp_path / "out", "--overwrite")
    said = verb(*arguments)
    assert (said.summary["images"], said.summary["empty"], said.summary["images_left_out"]) == (1, 1, 1)
    document = json.loads((tmp_path / "out" / "annotations.json").read_text("utf-8"))
    assert ([image["file_name"] for image in document["images"]], document["annotations"]) == (["b.png"], [])
    said = verb(*arguments, "--untouched")
    assert (said.summary["images"], said.summary["images_left_out"], said.sentences) == (2, 0, [])
