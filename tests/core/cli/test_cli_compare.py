"""`boxrefine compare`: projects and annotation files of any format, the summary, the report, bad input."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from core.geometry import Box
from core.records import Correction, NewImage
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Verb


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A project in `pictures`, a COCO file and a folder of YOLO files of its two pictures."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (200, 100)).save(pictures / name)
    with closing(ProjectStore.create(pictures / PROJECT_FILE_NAME)) as store:
        store.add_images([NewImage(pictures / name, 200, 100) for name in ("a.png", "b.png")])
        cat = store.add_category("cat").id
        store.accept(Correction(1, cat, Box(20, 10, 60, 50), Box(20, 10, 60, 50)))
    coco = {
        "images": [{"id": n, "file_name": f"{name}.png", "width": 200, "height": 100} for n, name in enumerate("ab")],
        "annotations": [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [21, 10, 39, 40]}],
        "categories": [{"id": 1, "name": "cat"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(coco))
    (tmp_path / "yolo").mkdir()
    (tmp_path / "yolo" / "a.txt").write_text("0 0.2 0.3 0.2 0.4\n0 0.8 0.8 0.1 0.1\n")
    (tmp_path / "yolo" / "classes.txt").write_text("cat\n")
    return tmp_path


def test_a_project_with_a_coco_file(verb: Verb, sets: Path) -> None:
    out = sets / "report.html"
    said = verb("compare", sets / "pictures", sets / "coco.json", "--out", out)
    assert said.code == 0
    assert (said.summary["pictures"], said.summary["matched"], said.summary["edges"]["left"]) == (2, 1, 1.0)
    assert "classes" not in said.summary and said.summary["out"] == str(out)
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_coco_file_with_yolo_files(verb: Verb, sets: Path) -> None:
    said = verb("compare", sets / "coco.json", sets / "yolo", "--images", sets / "pictures", "--json")
    assert (said.summary["matched"], said.summary["only_b"], said.summary["names_only_a"]) == (1, 1, ["b.png"])
    assert [entry["name"] for entry in said.summary["classes"]] == ["cat"]


def test_a_higher_iou_matches_less(verb: Verb, sets: Path) -> None:
    said = verb("compare", sets / "pictures", sets / "coco.json", "--iou", "0.99")
    assert (said.summary["matched"], said.summary["only_a"], said.summary["only_b"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["coco.json", "coco.json", "--iou", "1.5"], "--iou is 1.5"),
        (["coco.json", "absent.json"], "does not exist"),
        (["coco.json", "other.json"], "no picture in common"),
        (["coco.json", "coco.json", "--images", "absent"], "does not exist"),
    ],
)
def test_bad_input_is_one_sentence(verb: Verb, sets: Path, arguments: list[str], words: str) -> None:
    other = {"images": [{"id": 1, "file_name": "z.png", "width": 9, "height": 9}], "annotations": [], "categories": []}
    (sets / "other.json").write_text(json.dumps(other))
    said = verb("compare", *(word if word[0] in "-1" else sets / word for word in arguments))
    assert said.code == 2 and len(said.sentences) == 1 and words in said.sentences[0]
