"""`boxrefine demo`: the main job, headless."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO

from core.cli.demo_overlay import DRAWN, LEGEND_HEIGHT, REFINED, overlay
from core.geometry import Box
from core.images import read_picture
from core.sample_project import drawn_boxes, sample_pictures
from tests.core.command_line import Verb


@pytest.mark.slow
def test_the_demo_leaves_a_table_overlays_and_an_export_that_pycocotools_loads(
    verb: Verb, models: list[str], tmp_path: Path
) -> None:
    said = verb("demo", "--out", tmp_path / "demo", *models)
    assert (said.code, said.sentences) == (0, [])
    boxes = len(drawn_boxes().annotations)
    rows = [line for line in said.out.splitlines() if line.startswith("| ")]
    assert len(rows) == boxes + 3  # header, rule, mean
    assert (said.summary["images"], said.summary["boxes"]) == (8, boxes)
    assert 0.6 < said.summary["iou_drawn"] < 0.7
    assert said.summary["iou_refined"] == pytest.approx(float(rows[-1].split("|")[4]), abs=1e-3)
    overlays = {path.name for path in (tmp_path / "demo" / "overlays").iterdir()}
    assert overlays == {f"{path.stem}.png" for path in sample_pictures()}
    assert all(name in said.out for name in ("annotations.json", "overlays"))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "demo" / "annotations.json"))
    drawn = drawn_boxes()
    assert {image["file_name"] for image in coco.loadImgs(coco.getImgIds())} == {
        image.file_name for image in drawn.images.values()
    }
    assert len(coco.getAnnIds()) == len(drawn.annotations)
    assert {category["name"] for category in coco.loadCats(coco.getCatIds())} >= {"cup", "coin", "horse"}


@pytest.mark.slow
def test_the_shipped_models_tighten_the_sample_boxes(verb: Verb, tmp_path: Path) -> None:
    said = verb("demo", "--out", tmp_path, "--device", "cpu")
    assert said.summary["refiner"] == "shipped"
    assert said.summary["iou_refined"] > said.summary["iou_drawn"] + 0.1


def test_an_overlay_shows_all_three_boxes_and_a_legend() -> None:
    picture = np.zeros((100, 200, 3), np.uint8)
    shown = overlay(picture, drawn=[Box(20, 20, 100, 80)], refined=[Box(30, 30, 90, 70)], true=[Box(40, 40, 80, 60)])
    zoom = shown.shape[1] // 200
    assert shown.shape == (100 * zoom + LEGEND_HEIGHT, 200 * zoom, 3)
    assert tuple(shown[50 * zoom, 20 * zoom]) == DRAWN
    assert tuple(shown[50 * zoom, 30 * zoom]) == REFINED
    assert tuple(shown[50 * zoom, 40 * zoom]) == (255, 255, 255)
    assert (shown[-LEGEND_HEIGHT:] == REFINED).all(axis=2).any()


def test_overlays_of_every_sample_picture_keep_its_shape() -> None:
    for path in sample_pictures():
        picture = read_picture(path)
        shown = overlay(picture, drawn=[], refined=[], true=[])
        zoom = shown.shape[1] // picture.shape[1]
        assert shown.shape[:2] == (picture.shape[0] * zoom + LEGEND_HEIGHT, picture.shape[1] * zoom)
