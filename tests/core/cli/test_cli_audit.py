"""`boxrefine audit`: the summary, the report, the refiner, a project, bad input."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from core.geometry import Box
from core.records import Correction, NewImage
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Batch, Verb


def test_findings_statistics_and_the_exit_code(verb: Verb, tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    note = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 50, 40]}
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 200}],
        "annotations": [{"id": 1, **note}, {"id": 2, **note}],
        "categories": [{"id": 1, "name": "<i>cat"}, {"id": 2, "name": "dog"}],
    }
    (tmp_path / "a.json").write_text(json.dumps(document))
    said = verb("audit", tmp_path / "a.json", "--out", tmp_path / "r.html", "--fast", "--json")
    assert said.code == 0
    # The size is found, because without --images that of the file counts.
    assert said.summary["kinds"] == {"size": 1, "duplicate": 1, "nothing": 2, "unused": 1}
    assert said.summary["answered"] == 0 and len(said.summary["list"]) == said.summary["findings"] == 5
    assert said.summary["list"][1] == {
        "kind": "duplicate",
        "severity": 0.8,
        "picture": "a.png",
        "box": [10, 10, 60, 50],
        "sentence": "This box of “<i>cat” is there twice (IoU 1.00).",
    }
    text = (tmp_path / "r.html").read_text("utf-8")
    assert "&lt;i&gt;cat" in text and "<i>" not in text and "<svg" in text
    assert "http:" not in text and "https:" not in text


@pytest.mark.slow
def test_the_refiner_is_asked_and_its_features_are_cached(verb: Verb, batch: Batch, tmp_path: Path) -> None:
    arguments = ["audit", batch.boxes, "--images", batch.images, "--out", tmp_path / "r.html"]
    said = verb(*arguments, "--cache", tmp_path / "cache", "--device", "cpu")
    assert said.code == 0 and said.summary["answered"] == said.summary["boxes"] == 7
    assert list((tmp_path / "cache").rglob("*.safetensors"))


def test_a_project(verb: Verb, tmp_path: Path) -> None:
    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    with closing(ProjectStore.create(tmp_path / PROJECT_FILE_NAME)) as store:
        store.add_images([NewImage(tmp_path / "a.png", 200, 100)])
        cat = store.add_category("cat").id
        store.accept(Correction(1, cat, Box(20, 10, 22, 50), Box(20, 10, 22, 50)))
    said = verb("audit", tmp_path, "--out", tmp_path / "r.html", "--fast")
    assert said.summary["kinds"] == {"tiny": 1} and "list" not in said.summary


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["absent.json", "--out", "r.html"], "does not exist"), (["a.json", "--out", "."], "cannot be written")],
)
def test_bad_input_is_one_sentence(verb: Verb, tmp_path: Path, arguments: list[str], words: str) -> None:
    source, option, out = arguments
    said = verb("audit", tmp_path / source, option, tmp_path / out, "--fast")
    assert said.code == 2 and len(said.sentences) == 1 and words in said.sentences[0]
