"""What the world hands to a refiner, ours and the baseline: features, boxes and pictures out of the ordinary."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder, ImageFeatures
from core.errors import BadInputError
from core.geometry import Frame, as_boxes
from core.refiner.baseline_network import BaselineNetwork
from core.refiner.checkpoint import RefinerCard, load_refiner, save_refiner
from core.refiner.protocol import Refiner


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


@pytest.fixture(scope="module", params=["box", "baseline"])
def refiner(request: pytest.FixtureRequest, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Refiner:
    """The shipped one; the baseline's at random weights, whose boxes move further than trained ones."""
    if request.param == "box":
        return load_refiner(None, encoder)
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("baseline")
    save_refiner(folder, BaselineNetwork(xavier=False).state_dict(), RefinerCard(encoder.identity, kind="baseline"))
    return load_refiner(folder, encoder)


def features_of(encoder: Encoder, *, width: int, height: int) -> ImageFeatures:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return encoder.encode(picture, Frame.whole(width=width, height=height))


@pytest.fixture(scope="module")
def features(encoder: Encoder) -> ImageFeatures:
    return features_of(encoder, width=640, height=480)


@pytest.mark.parametrize("level", ["embedding", "detail"])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_told(
    refiner: Refiner, features: ImageFeatures, level: str, value: float
) -> None:
    damaged = getattr(features, level).clone()
    damaged[3, -1, -1] = value
    with pytest.raises(BadInputError, match="not finite: encode the image again"):
        refiner.refine(replace(features, **{level: damaged}), [[10, 10, 60, 60]])


def test_a_box_that_is_not_finite_is_named(refiner: Refiner, features: ImageFeatures) -> None:
    with pytest.raises(BadInputError, match="Box 2 of 2"):
        refiner.refine(features, [[10, 10, 60, 60], [10, float("nan"), 60, 60]])


def test_no_boxes_give_no_refinements(refiner: Refiner, features: ImageFeatures) -> None:
    assert refiner.refine(features, []) == []
    assert refiner.refine(features, np.zeros((0, 4))) == []


@pytest.mark.parametrize(("width", "height"), [(640, 480), (20, 20), (20000, 300), (1, 1)])
def test_any_box_of_any_picture_gives_a_box_inside_it(
    refiner: Refiner, encoder: Encoder, width: int, height: int
) -> None:
    drawn = [
        [0, 0, width, height],
        [width / 2, height / 2, width / 2 + 1, height / 2 + 1],
        [-50, -50, width / 2, height / 2],
        [width + 100, height + 100, width + 900, height + 500],
        [-900, -900, -800, -800],
        [width, height, 0, 0],
        [-1e9, -1e9, 1e9, 1e9],
    ]
    found = refiner.refine(features_of(encoder, width=width, height=height), drawn)
    boxes = as_boxes([entry.box for entry in found])
    assert len(boxes) == len(drawn)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= (width, height)).all()
    assert (boxes[:, 2:] - boxes[:, :2] > 0.999).all()
    assert all(0 <= value <= 1 for entry in found for value in (*entry.edge_confidence, entry.score))


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the memory where Linux keeps it")
def test_thousands_of_boxes_need_little_more_memory_than_a_few(refiner: Refiner, features: ImageFeatures) -> None:
    # Ours takes longer a box; all at once, a thousand of them would already need gigabytes.
    many = 1_000 if refiner.name == "shipped" else 10_000
    low = np.random.default_rng(0).uniform(0, (560, 400), (many, 2))
    drawn = np.concatenate([low, low + 60], axis=1)
    peak_bytes()
    refiner.refine(features, drawn[:128])
    few = peak_bytes()
    found = refiner.refine(features, drawn)
    assert len(found) == many
    assert peak_bytes() - few < 256 * 2**20
    assert found[789].box == pytest.approx(refiner.refine(features, drawn[789:790])[0].box, abs=0.1)


def peak_bytes() -> int:
    """The most memory that this process held since the last call; asking starts it anew."""
    status = Path("/proc/self/status").read_text("ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return int(peak.split()[1]) * 1024
