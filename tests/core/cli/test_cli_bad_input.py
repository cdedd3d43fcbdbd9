"""Bad input: one sentence that names the file, exit code 2, and the rest of the batch goes on."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.store.project_store import ProjectStore
from tests.core.command_line import Batch, Verb
from tests.core.projects import CORRECTION, folder_of_an_ordinary_user, python

pytestmark = pytest.mark.slow

needs_unix = pytest.mark.skipif(sys.platform == "win32", reason="rights and limits of files are of another kind there")

FULL_DISK = """
import resource, sys
from core.cli import main

resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
sys.exit(main(sys.argv[1:]))
"""


def damage(path: Path, *, keep: float) -> None:
    """Cut a file short."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.95])
def test_a_truncated_picture_is_named_and_the_others_go_on(
    verb: Verb, batch: Batch, models: list[str], keep: float
) -> None:
    damage(batch.images / "coffee.png", keep=keep)
    said = verb("refine", *batch.arguments, *models)
    assert said.code == 2
    assert len(said.sentences) == 1
    assert "coffee.png" in said.sentences[0]
    assert (said.summary["images"], said.summary["boxes"], said.summary["unrefined"]) == (1, 4, 3)
    assert [batch.refined()[id] for id in (1, 2, 3)] == [batch.note(id) for id in (1, 2, 3)]
    assert "refine_score" in batch.refined()[4]


def test_what_is_no_picture_is_named_and_the_others_are_encoded(verb: Verb, batch: Batch, untrained: Path) -> None:
    (batch.images / "aaa.jpg").write_text("<html>not found</html>")
    said = verb("encode", "--images", batch.images, "--encoder", untrained / "encoder.safetensors")
    assert said.code == 2
    assert len(said.sentences) == 1
    assert "aaa.jpg" in said.sentences[0]
    assert said.summary["images"] == 2


def test_an_empty_folder_is_told(verb: Verb, tmp_path: Path) -> None:
    said = verb("encode", "--images", tmp_path)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(tmp_path) in said.sentences[0]


@needs_unix
def test_a_folder_without_rights_is_told(verb: Verb) -> None:
    with folder_of_an_ordinary_user() as folder:
        folder.chmod(0)
        said = verb("encode", "--images", folder)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(folder) in said.sentences[0]
    assert "permissions" in said.sentences[0]


def test_a_missing_picture_is_named_and_the_others_go_on(verb: Verb, batch: Batch, models: list[str]) -> None:
    (batch.images / "chelsea.png").unlink()
    said = verb("refine", *batch.arguments, *models)
    assert said.code == 2
    assert len(said.sentences) == 1
    assert "chelsea.png" in said.sentences[0]
    assert said.summary["boxes"] == 3


def test_a_picture_of_another_size_is_named(verb: Verb, batch: Batch, models: list[str]) -> None:
    batch.document["images"][0]["width"], batch.document["images"][0]["height"] = 400, 600
    batch.write()
    said = verb("refine", *batch.arguments, *models)
    assert said.code == 2
    assert "coffee.png is 600 x 400 pixels upright" in said.sentences[0]
    assert batch.refined()[1] == batch.note(1)


@pytest.mark.parametrize(
    "bbox",
    [
        [float("nan"), 1, 20, 20],
        [5, 5, -20, 20],
        [5, 5, 0, 20],
        [700, 5, 20, 20],
        [5, -90, 20, 80],
        [float("inf"), 1, 2, 3],
        [1, 2, 3],
        "none",
    ],
    ids=["nan", "negative", "zero", "right of the image", "above the image", "infinite", "three numbers", "text"],
)
def test_a_bad_box_is_named_and_stays_as_drawn(
    verb: Verb, batch: Batch, models: list[str], bbox: list[float] | str
) -> None:
    batch.note(2)["bbox"] = bbox
    batch.write()
    said = verb("refine", *batch.arguments, *models)
    assert said.code == 2
    assert len(said.sentences) == 1
    assert str(batch.boxes) in said.sentences[0]
    assert "annotation 2" in said.sentences[0]
    assert (said.summary["boxes"], said.summary["unrefined"]) == (6, 1)
    assert json.dumps(batch.refined()[2]) == json.dumps(batch.note(2))


def test_a_box_partly_outside_is_refined(verb: Verb, batch: Batch, models: list[str]) -> None:
    batch.note(2)["bbox"] = [-30, 250, 300, 400]
    batch.write()
    said = verb("refine", *batch.arguments, *models)
    assert said.code == 0
    x, y, width, height = batch.refined()[2]["bbox"]
    assert x >= 0 and y + height <= 400 + 1e-6 and width > 0


def test_an_unknown_image_id_is_named(verb: Verb, batch: Batch, models: list[str]) -> None:
    batch.note(5)["image_id"] = 99
    batch.write()
    said = verb("refine", *batch.arguments, *models)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "99" in said.sentences[0]
    assert said.summary["boxes"] == 6


@pytest.mark.parametrize("text", ["", "{", "[]", '{"images": []}', "\x00\x01"])
def test_what_is_no_coco_file_is_told_and_nothing_is_written(verb: Verb, batch: Batch, text: str) -> None:
    batch.boxes.write_text(text)
    said = verb("refine", *batch.arguments)
    assert (said.code, len(said.sentences), said.out) == (2, 1, "")
    assert str(batch.boxes) in said.sentences[0]
    assert not batch.out.exists()


def test_a_truncated_encoder_is_named(verb: Verb, batch: Batch, untrained: Path, tmp_path: Path) -> None:
    weights = tmp_path / "short.safetensors"
    weights.write_bytes((untrained / "encoder.safetensors").read_bytes())
    damage(weights, keep=0.5)
    said = verb("refine", *batch.arguments, "--encoder", weights)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(weights) in said.sentences[0]
    assert not batch.out.exists()


def test_a_refiner_of_another_encoder_is_named(
    verb: Verb, batch: Batch, models: list[str], untrained: Path, tmp_path: Path
) -> None:
    refiner = tmp_path / "other"
    refiner.mkdir()
    for path in untrained.iterdir():
        (refiner / path.name).write_bytes(path.read_bytes())
    card = json.loads((refiner / "refiner.json").read_text())
    (refiner / "refiner.json").write_text(json.dumps(card | {"encoder": "vit_b-0123456789ab"}))
    said = verb("refine", *batch.arguments, *models, "--refiner", refiner)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(refiner) in said.sentences[0]
    assert "vit_b-0123456789ab" in said.sentences[0]


def test_a_refiner_that_is_missing_or_cut_short_is_named(
    verb: Verb, batch: Batch, models: list[str], untrained: Path, tmp_path: Path
) -> None:
    refiner = tmp_path / "mine"
    refiner.mkdir()
    said = verb("refine", *batch.arguments, *models, "--refiner", refiner)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(refiner) in said.sentences[0]
    for path in untrained.iterdir():
        (refiner / path.name).write_bytes(path.read_bytes())
    damage(refiner / "refiner.safetensors", keep=0.9)
    said = verb("refine", *batch.arguments, *models, "--refiner", refiner)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "refiner.safetensors" in said.sentences[0]


@pytest.mark.parametrize("name", ["vit_x", "vit_b"])
def test_an_encoder_that_is_unknown_or_not_here_is_named(verb: Verb, batch: Batch, name: str) -> None:
    said = verb("refine", *batch.arguments, "--encoder", name)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert name in said.sentences[0]


def test_a_cache_file_cut_short_costs_only_time(verb: Verb, batch: Batch, models: list[str], tmp_path: Path) -> None:
    cache = tmp_path / "features"
    verb("refine", *batch.arguments, *models, "--cache", cache)
    first = batch.out.read_bytes()
    damage(max(cache.rglob("*.safetensors")), keep=0.5)
    said = verb("refine", *batch.arguments, *models, "--cache", cache)
    assert said.code == 0
    assert (said.summary["cache_hits"], said.summary["cache_misses"]) == (1, 1)
    assert batch.out.read_bytes() == first


def test_a_cache_that_cannot_be_written_is_told_but_does_not_stop_refining(
    verb: Verb, batch: Batch, models: list[str], tmp_path: Path
) -> None:
    cache = tmp_path / "features"
    cache.write_text("in the way")
    said = verb("refine", *batch.arguments, *models, "--cache", cache)
    assert (said.code, said.summary["boxes"]) == (0, 7)
    assert len(said.sentences) == 1
    assert str(cache) in said.sentences[0]
    encoded = verb("encode", "--images", batch.images, *models[:2], "--cache", cache)
    assert (encoded.code, len(encoded.sentences)) == (2, 1)


def test_a_project_of_a_newer_version_is_told(
    verb: Verb, store: ProjectStore, project_path: Path, tmp_path: Path
) -> None:
    store.close()
    with closing(sqlite3.connect(project_path)) as db, db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('boxrefine.project', 'm999_future')")
    said = verb("export", project_path, "--format", "coco", "--out", tmp_path / "out")
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(project_path) in said.sentences[0]
    assert "update BoxRefine" in said.sentences[0]
    assert not (tmp_path / "out").exists()


def test_a_project_that_is_not_there_is_told_and_not_made(verb: Verb, tmp_path: Path) -> None:
    for project in (tmp_path, tmp_path / "none.sqlite"):
        said = verb("export", project, "--format", "yolo", "--out", tmp_path / "out")
        assert (said.code, len(said.sentences)) == (2, 1)
        assert str(project) in said.sentences[0]
    assert list(tmp_path.iterdir()) == []


def test_export_writes_a_project(verb: Verb, store: ProjectStore, project_path: Path, tmp_path: Path) -> None:
    store.accept(CORRECTION)
    for project in (project_path, project_path.parent):
        said = verb("export", project, "--format", "coco", "--out", tmp_path / project.name)
        assert said.code == 0
        assert (said.summary["images"], said.summary["boxes"]) == (1, 1)
        assert Path(said.summary["path"]).exists()


@pytest.mark.parametrize("format", ["coco", "yolo", "voc"])
def test_an_export_replaces_files_only_if_it_is_told_to(
    verb: Verb, store: ProjectStore, project_path: Path, tmp_path: Path, format: str
) -> None:
    store.accept(CORRECTION)
    arguments = ("export", project_path, "--format", format, "--out", tmp_path / "out")
    assert verb(*arguments).code == 0
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    for path in written:
        path.write_text("mine")
    said = verb(*arguments)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(tmp_path / "out") in said.sentences[0]
    assert "--overwrite" in said.sentences[0]
    assert {path.read_text("utf-8") for path in written} == {"mine"}
    assert verb(*arguments, "--overwrite").code == 0
    assert "mine" not in {path.read_text("utf-8") for path in written}


@needs_unix
def test_a_full_disk_while_exporting_leaves_nothing(store: ProjectStore, project_path: Path, tmp_path: Path) -> None:
    store.accept_all([CORRECTION] * 500)
    store.close()
    out = tmp_path / "out"
    with python(FULL_DISK, "export", project_path, "--format", "coco", "--out", out) as process:
        said, sentences = process.communicate(timeout=60)
    assert (process.returncode, said) == (2, "")
    assert sentences.count("\n") == 1
    assert str(out) in sentences
    assert not out.exists()


@pytest.mark.parametrize("place", ["folder", "below a file"])
def test_a_result_that_cannot_be_written_is_refused_before_the_work(verb: Verb, batch: Batch, place: str) -> None:
    batch.out = batch.images if place == "folder" else batch.boxes / "refined.json"
    said = verb("refine", *batch.arguments, "--encoder", "vit_b")
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(batch.out) in said.sentences[0]


def test_pretraining_without_sets_is_told(verb: Verb, tmp_path: Path) -> None:
    said = verb("pretrain", "--data", tmp_path, "--out", tmp_path / "out", "--device", "cpu")
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(tmp_path) in said.sentences[0]


def test_an_unknown_key_of_a_configuration_is_named(verb: Verb, tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("stepz: 3\n")
    said = verb("pretrain", "--data", tmp_path, "--out", tmp_path / "out", "--config", config)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert "stepz" in said.sentences[0]
    assert str(config) in said.sentences[0]
