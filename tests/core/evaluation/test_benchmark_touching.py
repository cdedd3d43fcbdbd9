"""Scenes of things that touch: what is seen of them is what their boxes hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import BadInputError
from core.evaluation.touching import KINDS, Scene, make_scenes
from tests.core.command_line import Verb
from tests.core.labelled_sets import save_discs

pytestmark = [pytest.mark.slow, pytest.mark.long]

RED, BLUE = (200, 30, 30), (30, 30, 200)


def save_squares(folder: Path) -> Path:
    """Two pictures with an outlined square each, a red one and a blue one, on grey."""
    (folder / "squares" / "images").mkdir(parents=True)
    document: dict[str, list[object]] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "square"}]}
    for id, colour in enumerate((RED, BLUE), start=1):
        pixels = np.full((160, 200, 3), 120, np.uint8)
        pixels[50:110, 70:130] = colour
        Image.fromarray(pixels).save(folder / "squares" / "images" / f"{id}.png")
        document["images"].append({"id": id, "file_name": f"{id}.png", "width": 200, "height": 160})
        outline = [70, 50, 130, 50, 130, 110, 70, 110]
        note = {"id": id, "image_id": id, "category_id": 1, "bbox": [70, 50, 60, 60], "segmentation": [outline]}
        document["annotations"].append(note)
    (folder / "squares" / "annotations.json").write_text(json.dumps(document), "utf-8")
    return folder


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    folder = save_squares(tmp_path_factory.mktemp("sets")) / "squares"
    return list(make_scenes(folder, count=24, random=np.random.default_rng(0)))


def test_each_kind_of_scene_is_made(scenes: list[Scene]) -> None:
    assert {scene.kind for scene in scenes} == set(KINDS)


def test_true_boxes_hold_what_is_seen_of_both_things(scenes: list[Scene]) -> None:
    for scene in scenes:
        pixels = scene.picture.astype(int)
        red = (pixels[..., 0] > 160) & (pixels[..., 2] < 80)
        blue = (pixels[..., 2] > 160) & (pixels[..., 0] < 80)
        for box in scene.true:
            found = [abs(np.array(box) - extent(mask)).max() for mask in (red, blue)]
            assert min(found) <= 2.5, scene.kind


def extent(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(mask)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


def test_a_set_without_outlines_is_named(tmp_path: Path) -> None:
    folder = save_discs(tmp_path, "discs") / "discs"
    with pytest.raises(BadInputError, match="no outlined objects"):
        list(make_scenes(folder, count=1, random=np.random.default_rng(0)))


def test_the_verb_gives_a_row_for_each_kind_and_noise(verb: Verb, tmp_path: Path) -> None:
    data = save_squares(tmp_path)
    save_discs(data, "discs")
    said = verb("benchmark", "touching", "--data", data, "--scenes", 4, "--noise", "drag", "--device", "cpu")
    assert said.code == 0
    assert {row["noise"] for row in said.summary["rows"]} == {f"{kind}, drag" for kind in KINDS}
    assert any("no outlined objects" in sentence for sentence in said.sentences)
