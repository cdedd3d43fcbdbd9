"""A refiner is told how boxes were drawn; one that never was, and weights from before, answer as they did."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder, ImageFeatures
from core.encoders.weights.files import in_float32, load_state, load_strictly
from core.errors import BadWeightsError
from core.geometry import Box, Boxes, Frame, as_boxes, iou
from core.images import read_picture
from core.records import CLEARLY_OFF, Drawing, HowDrawn
from core.refiner.box_refiner import Calibration
from core.refiner.by_drawing import for_drawing
from core.refiner.checkpoint import CARD_FILE, WEIGHTS_FILE, RefinerCard, load_refiner, read_card, save_refiner
from core.refiner.conservative import CarefulRefiner, careful, refiner_for
from core.refiner.drawing_vectors import KNOWN_DRAWINGS
from core.refiner.guarded import GuardedRefiner
from core.refiner.learned_margins import LearnedMargins
from core.refiner.margins import PIXELS, Margin
from core.refiner.network import RefinerNetwork
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import ALL_CATEGORIES
from core.sample_project import drawn_boxes, pictures_folder
from core.training.teach import load_start
from core.training.teach_config import TeachConfig

ALL_KNOWN = {drawing: Calibration() for drawing in KNOWN_DRAWINGS}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


@pytest.fixture(scope="module")
def features(encoder: Encoder) -> ImageFeatures:
    picture = read_picture(pictures_folder() / "coffee.png")
    return encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))


def coffee() -> list[Box]:
    return [note.box for note in drawn_boxes().by_image()[1]]


def boxes_of(refiner: Refiner, features: ImageFeatures) -> Boxes:
    return as_boxes([answer.box for answer in refiner.refine(features, coffee())])


def save_network(folder: Path, encoder: Encoder, *, says: float, margins: dict[str, Margin] | None = None) -> Path:
    """The shipped network; what it is told moves its features by `says`, and 0 is nothing."""
    network = load_start(None, encoder, TeachConfig()).network
    generator = torch.Generator().manual_seed(0)
    for stage in network.stages:
        vectors = stage.drawing.of
        vectors.data = torch.randn(vectors.shape, generator=generator) * says
    card = RefinerCard(encoder.identity, format=3, by_drawing=ALL_KNOWN if says else {}, margins=margins or {})
    save_refiner(folder, network.state_dict(), card)
    return folder


def test_what_it_is_told_changes_the_answer_and_unknown_does_not(
    tmp_path: Path, encoder: Encoder, features: ImageFeatures
) -> None:
    refiner = load_refiner(save_network(tmp_path / "told", encoder, says=2.0), encoder)
    plain = boxes_of(refiner, features)
    answers = {drawing: boxes_of(for_drawing(refiner, drawing), features) for drawing in Drawing}
    assert (answers[Drawing.UNKNOWN] == plain).all()
    assert all(np.abs(answers[drawing] - plain).max() > 0.5 for drawing in KNOWN_DRAWINGS)
    assert (boxes_of(for_drawing(for_drawing(refiner, Drawing.DRAG), Drawing.UNKNOWN), features) == plain).all()


def test_one_box_and_many_boxes_are_told_the_same(tmp_path: Path, encoder: Encoder, features: ImageFeatures) -> None:
    refiner = for_drawing(load_refiner(save_network(tmp_path / "told", encoder, says=2.0), encoder), Drawing.COARSE)
    alone = [refiner.refine(features, [box])[0].box for box in coffee()]
    together = [answer.box for answer in refiner.refine(features, coffee() * 2)][: len(alone)]
    assert iou(as_boxes(alone), as_boxes(together)).min() > 0.995


def test_weights_from_before_load_and_answer_as_before(
    tmp_path: Path, encoder: Encoder, features: ImageFeatures
) -> None:
    folder = save_network(tmp_path / "before", encoder, says=0.0)
    assert not [name for name in load_state(folder / WEIGHTS_FILE) if "drawing" in name]
    refiner = load_refiner(folder, encoder)
    plain = boxes_of(refiner, features)
    for drawing in Drawing:
        assert (boxes_of(for_drawing(refiner, drawing), features) == plain).all()


def test_weights_that_miss_anything_else_do_not_load(tmp_path: Path, encoder: Encoder) -> None:
    state = load_state(save_network(tmp_path / "told", encoder, says=2.0) / WEIGHTS_FILE)
    load_strictly(RefinerNetwork(), in_float32(state), path=tmp_path)
    del state["stages.0.position"]
    with pytest.raises(BadWeightsError, match=r"stages\.0\.position"):
        load_strictly(RefinerNetwork(), in_float32(state), path=tmp_path)


def test_each_drawing_has_its_calibration(tmp_path: Path, encoder: Encoder, features: ImageFeatures) -> None:
    folder = save_network(tmp_path / "told", encoder, says=2.0)
    values = json.loads((folder / CARD_FILE).read_text("utf-8"))
    values["by_drawing"]["placed"]["keep_margin"] = 10.0  # every box stays as it was placed
    (folder / CARD_FILE).write_text(json.dumps(values), "utf-8")
    refiner = load_refiner(folder, encoder)
    assert np.abs(boxes_of(for_drawing(refiner, Drawing.PLACED), features) - as_boxes(coffee())).max() < 0.01
    assert np.abs(boxes_of(for_drawing(refiner, Drawing.DRAG), features) - as_boxes(coffee())).max() > 1


@pytest.mark.parametrize("entry", [[], {"placed": 3}, {"scribbled": {}}, {"drag": {"caution": "much"}}])
def test_a_damaged_entry_of_a_card_is_one_sentence(tmp_path: Path, encoder: Encoder, entry: object) -> None:
    folder = save_network(tmp_path / "told", encoder, says=2.0)
    values = json.loads((folder / CARD_FILE).read_text("utf-8")) | {"by_drawing": entry}
    (folder / CARD_FILE).write_text(json.dumps(values), "utf-8")
    with pytest.raises(BadWeightsError, match="is damaged"):
        read_card(folder)


def test_every_refiner_passes_on_what_it_is_told(tmp_path: Path, encoder: Encoder, features: ImageFeatures) -> None:
    margins = {ALL_CATEGORIES: Margin(2, 2, 2, 2, PIXELS)}
    bare = load_refiner(save_network(tmp_path / "bare", encoder, says=2.0), encoder)
    taught = load_refiner(save_network(tmp_path / "taught", encoder, says=2.0, margins=margins), encoder)
    for refiner in (taught, careful(bare), careful(taught), GuardedRefiner(bare), LearnedMargins(bare, {})):
        asked = for_drawing(refiner, Drawing.DRAG)
        assert type(asked) is type(refiner)
        assert (asked.name, asked.identity) == (refiner.name, refiner.identity)
        assert np.abs(boxes_of(asked, features) - boxes_of(refiner, features)).max() > 0.1


def test_placed_boxes_stay_unless_they_are_clearly_off(encoder: Encoder, features: ImageFeatures) -> None:
    refiner = load_refiner(None, encoder)
    tight = boxes_of(refiner, features)
    placed = refiner_for(refiner, HowDrawn.by(Drawing.PLACED))
    kept = as_boxes([answer.box for answer in placed.refine(features, tight)])
    assert iou(kept, tight).min() > 0.98
    for drawing in (Drawing.UNKNOWN, Drawing.DRAG, Drawing.COARSE):
        assert not isinstance(refiner_for(refiner, HowDrawn.by(drawing)), CarefulRefiner)


def test_a_careful_refiner_stays_as_careful_as_it_is(encoder: Encoder, features: ImageFeatures) -> None:
    refiner = careful(load_refiner(None, encoder))
    asked = refiner_for(refiner, HowDrawn(Drawing.UNKNOWN, CLEARLY_OFF / 2))
    assert (boxes_of(asked, features) == boxes_of(refiner, features)).all()
