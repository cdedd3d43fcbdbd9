"""`boxrefine benchmark`: accuracy by the protocol, latency with and without a window."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli import main
from core.encoders.weights.published import OFFICIAL, weights_folder
from core.evaluation.grab_cut import grab_cut_box
from core.geometry import Box
from core.sample_project import TRUE_BOXES, sample_pictures
from tests.core.command_line import Verb
from tests.core.hq_weights import save_vit_tiny


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """A folder with one labelled set: the sample project."""
    images = tmp_path / "data" / "ours" / "images"
    images.mkdir(parents=True)
    for path in sample_pictures():
        shutil.copy(path, images)
    shutil.copy(TRUE_BOXES, images.parent / "annotations.json")
    return tmp_path / "data"


@pytest.mark.long
@pytest.mark.slow
def test_accuracy_compares_three_ways_under_each_noise(
    verb: Verb, models: list[str], untrained: Path, sets: Path
) -> None:
    said = verb("benchmark", "accuracy", "--data", sets, "--noise", "hq0.4", "drag", "--limit", 1, *models)
    rows = said.summary["rows"]
    assert said.code == 0
    methods = ("drawn", "OpenCV GrabCut", untrained.name, f"{untrained.name}, second look")
    assert [(row["noise"], row["method"]) for row in rows] == [
        (noise, method) for noise in ("hq0.4", "drag") for method in methods
    ]
    drawn, _, refined, _ = rows[:4]
    assert {row["metrics"]["boxes"] for row in rows} == {3}
    assert drawn["metrics"]["iou_after"] == drawn["metrics"]["iou_before"] == refined["metrics"]["iou_before"]
    assert drawn["metrics"]["harmed"] == 0
    assert said.out.splitlines()[0].startswith("| set ")


@pytest.mark.long
@pytest.mark.slow
def test_accuracy_covers_whole_sets_without_a_limit(verb: Verb, models: list[str], sets: Path) -> None:
    said = verb("benchmark", "accuracy", "--data", sets, "--noise", "hq0.4", "--no-grabcut", "--json", *models)
    assert said.out.count("\n") == 1
    measured = said.summary["rows"][1]["metrics"]
    assert measured["boxes"] == 47
    assert 0 < measured["iou_after"] < 1
    assert measured["iou_before"] == said.summary["rows"][0]["metrics"]["iou_after"]


@pytest.mark.long
@pytest.mark.slow
def test_accuracy_compares_with_other_refiners(
    verb: Verb, models: list[str], untrained: Path, sets: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(untrained, other)
    said = verb(
        *("benchmark", "accuracy", "--data", sets, "--noise", "hq0.4", "--limit", 1, "--no-grabcut"),
        *("--beside", other, *models),
    )
    assert [row["method"] for row in said.summary["rows"]] == [
        "drawn",
        "other",
        untrained.name,
        f"{untrained.name}, second look",
    ]


@pytest.mark.long
@pytest.mark.slow
def test_accuracy_sets_the_baselines_refiner_beside_what_ships_and_gives_means(verb: Verb, sets: Path) -> None:
    shutil.copytree(sets / "ours", sets / "theirs")
    asked = ("benchmark", "accuracy", "--data", sets, "--noise", "hq0.4", "--limit", 1, "--no-grabcut", "--no-cache")
    said = verb(*asked)
    assert [row["method"] for row in said.summary["rows"]] == [
        *("drawn", "baseline refiner", "shipped", "shipped, second look") * 2
    ]
    drawn, baseline_name, once, ours = (row["metrics"]["iou_after"] for row in said.summary["rows"][:4])
    assert min(once, ours) > drawn
    assert baseline_name == pytest.approx(drawn, abs=0.05)
    last = [cell.strip() for cell in said.out.splitlines()[-2].strip("|").split("|")]
    assert last[:5] == ["mean of sets", "hq0.4", "shipped, second look", "6", f"{ours:.3f}"]


@pytest.mark.long
@pytest.mark.slow
def test_where_hq_sams_weights_are_its_masks_have_rows(verb: Verb, sets: Path) -> None:
    weights_folder().mkdir(parents=True)
    save_vit_tiny(weights_folder() / OFFICIAL["vit_tiny"].file)
    asked = ("benchmark", "accuracy", "--data", sets, "--noise", "hq0.4", "--limit", 1, "--no-grabcut")
    said = verb(*asked, "--device", "cpu")
    mine = said.summary["rows"]
    methods = ["drawn", "baseline refiner", "shipped", "vit_tiny, mask", "vit_tiny, mask, then shipped"]
    assert [row["method"] for row in mine] == [*methods, "shipped, second look"]
    # An untaught mask is nothing, and what is refined is its box.
    assert len({round(row["metrics"]["iou_after"], 6) for row in mine[2:5]}) == 3
    without = verb(*asked, "--device", "cpu", "--no-masks")
    assert not any("mask" in row["method"] for row in without.summary["rows"])


def test_data_without_sets_is_told(verb: Verb, tmp_path: Path) -> None:
    said = verb("benchmark", "accuracy", "--data", tmp_path)
    assert (said.code, len(said.sentences)) == (2, 1)
    assert str(tmp_path) in said.sentences[0]


@pytest.mark.long
@pytest.mark.slow
def test_latency_prints_medians_of_core_and_window(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["benchmark", "latency", "--repeats", "3", "--no-sam", "--json"]
    assert main(arguments, window_benchmarks={"drag": lambda device: {"to repaint": 4.25}}) == 0
    said = json.loads(capsys.readouterr().out)
    medians = said["median_ms"]
    assert medians["drag: to repaint"] == 4.25
    assert 0 < medians["refine 1 box"] < medians["refine 32 boxes"]
    assert medians["encode 1920 x 1080, light"] > 0


def test_grab_cut_finds_a_disc_and_only_shrinks() -> None:
    rows, columns = np.mgrid[:120, :160]
    picture = np.full((120, 160, 3), 40, np.uint8)
    picture[(rows - 60) ** 2 + (columns - 80) ** 2 < 30**2] = (200, 60, 30)
    picture += np.random.default_rng(0).integers(0, 12, picture.shape, np.uint8)
    found = grab_cut_box(picture, Box(40, 20, 122, 101))
    assert np.abs(np.subtract(found, (51, 31, 110, 90))).max() <= 2


def test_grab_cut_keeps_what_it_cannot_improve() -> None:
    picture = np.full((50, 60, 3), 90, np.uint8)
    for drawn in (Box(0, 0, 60, 50), Box(10, 10, 11, 11)):
        found = grab_cut_box(picture, drawn)
        assert found.x1 >= drawn.x1 and found.y2 <= drawn.y2


@pytest.mark.long
@pytest.mark.slow
def test_large_pictures_show_what_a_second_look_gains_by_size(verb: Verb, models: list[str], sets: Path) -> None:
    arguments = ["--data", sets, "--noise", "hq0.4", "--limit", 2, "--large", 4, *models]
    said = verb("benchmark", "accuracy", *arguments)
    rows = {row["size"]: row for row in said.summary["rows"]}
    assert (said.code, set(rows)) == (0, {"medium", "large"})
    assert rows["medium"]["looked_twice"] == rows["large"]["looked_twice"] == 1
    for row in rows.values():
        assert row["boxes"] > 0
        assert 0 < row["iou_once"] < 1 and 0 < row["iou_twice"] < 1
    assert said.out.splitlines()[0].startswith("| set ")
    assert verb("benchmark", "accuracy", *arguments, "--large", 0).code == 2


@pytest.mark.long
@pytest.mark.slow
def test_sets_of_large_pictures_have_the_same_rows(verb: Verb, models: list[str], untrained: Path, sets: Path) -> None:
    annotations = sets / "ours" / "annotations.json"
    document = json.loads(annotations.read_text("utf-8"))
    image = document["images"][0]
    with Image.open(annotations.parent / "images" / image["file_name"]) as picture:
        picture.resize((4 * picture.width, 4 * picture.height)).save(annotations.parent / "images" / "large.png")
    image |= {"file_name": "large.png", "width": 4 * image["width"], "height": 4 * image["height"]}
    document["images"] = [image]
    document["annotations"] = [note for note in document["annotations"] if note["image_id"] == image["id"]]
    annotations.write_text(json.dumps(document), "utf-8")
    said = verb("benchmark", "accuracy", "--data", sets, "--noise", "drag", "--no-grabcut", *models)
    methods = [row["method"] for row in said.summary["rows"]]
    assert methods == ["drawn", untrained.name, f"{untrained.name}, second look"]


@pytest.mark.long
@pytest.mark.slow
def test_looks_compares_the_cost_of_second_looks_with_one_look(
    verb: Verb, models: list[str], sets: Path, tmp_path: Path
) -> None:
    arguments = ["--data", sets, "--noise", "hq0.4", "--limit", 2, "--cache", tmp_path / "cache", *models]
    said = verb("benchmark", "looks", *arguments, "--below", 0, 1.01)
    rows = {row["case"]: row for row in said.summary["rows"] if row["set"] == "ours"}
    assert said.code == 0
    assert set(rows) == {"hq0.4, one look", "hq0.4, a crop each", "hq0.4, below 0", "hq0.4, below 1.01"}
    one, each, none, every = rows.values()
    assert (one["looked"], one["times_one_look"], one["crops"]) == (0, 1, 0)
    assert none["iou"] == one["iou"] and none["crops"] == 0
    assert every["looked"] == each["looked"] > 0
    assert 0 < every["work"] < each["work"] and each["times_processor"] > 1
    assert said.out.splitlines()[0].startswith("| set ")
