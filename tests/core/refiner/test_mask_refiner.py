"""A mask's tight box lies between the pixels where the logits say, and belongs to the object that was meant."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from core.encoders.hq_sam.encoder import HqSamEncoder, resized
from core.encoders.image_features import ImageFeatures
from core.errors import BadInputError
from core.geometry import Box, Frame
from core.refiner.mask_refiner import MaskRefiner, refinement_of
from core.refiner.protocol import Refiner

pytestmark = pytest.mark.slow


def plateau(box: Box, frame: Frame, *, slope: float = 0.5) -> NDArray[np.float32]:
    """Logits (256, 256) that rise linearly into `box` (image pixels), `slope` a frame pixel."""
    centres = (np.arange(256) + 0.5) * 4
    width, height = resized(frame)
    x = centres / (width / frame.width) + frame.left
    y = centres / (height / frame.height) + frame.top
    across = np.minimum(x - box.x1, box.x2 - x) * frame.scale
    down = np.minimum(y - box.y1, box.y2 - y) * frame.scale
    return (np.minimum(across[None, :], down[:, None]) * slope).clip(-8, 8).astype(np.float32)


FRAMES = [
    Frame.whole(width=1500, height=1000),
    Frame.whole(width=300, height=427),
    Frame.whole(width=4000, height=3001),
    Frame(200, 100, 800, 600, 1500, 1000),
]


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_the_box_is_found_between_the_pixels(frame: Frame) -> None:
    across, down = frame.width, frame.height
    true = Box(
        frame.left + across * 0.2123, frame.top + down * 0.3371, frame.left + across * 0.7117, frame.top + down * 0.8139
    )
    drawn = Box(true.x1 - across * 0.05, true.y1 + down * 0.04, true.x2 + across * 0.03, true.y2 - down * 0.06)
    found = refinement_of(plateau(true, frame), drawn, frame=frame, score=0.8)
    assert np.abs(np.array(found.box) - true).max() < 0.1 / frame.scale + 0.05
    assert found.score == 0.8
    assert min(found.edge_confidence) > 0.7


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_the_mask_covers_the_pixels_of_the_box(frame: Frame) -> None:
    true = Box(
        frame.left + frame.width * 0.3, frame.top + frame.height * 0.4, frame.left + frame.width * 0.6,
        frame.top + frame.height * 0.55,
    )  # fmt: skip
    found = refinement_of(plateau(true, frame), true, frame=frame, score=1.0)
    low, high = np.floor(found.box[:2]), np.ceil(found.box[2:])
    assert found.mask is not None
    assert found.mask.shape[::-1] == tuple((high - low).astype(int))
    assert found.mask[1:-1, 1:-1].mean() > 0.97


def test_an_object_that_reaches_the_border_ends_there() -> None:
    frame = Frame.whole(width=1500, height=1000)
    found = refinement_of(plateau(Box(-50, -50, 1600, 1100), frame), Box(5, 5, 900, 900), frame=frame, score=1.0)
    assert found.box == pytest.approx((0, 0, 1500, 1000))


def test_of_several_objects_the_one_under_the_drawn_box_is_meant() -> None:
    frame = Frame.whole(width=1024, height=1024)
    small, large = Box(100, 100, 200, 180), Box(400, 300, 900, 900)
    logits = np.maximum(plateau(small, frame), plateau(large, frame))
    found = refinement_of(logits, Box(90, 90, 230, 210), frame=frame, score=1.0)
    assert np.abs(np.array(found.box) - small).max() < 0.2
    assert found.mask is not None
    assert found.mask.shape == (80, 100)


def test_an_empty_mask_or_one_elsewhere_gives_the_drawn_box_without_confidence() -> None:
    frame = Frame.whole(width=1024, height=1024)
    drawn = Box(10, 20, 60, 80)
    nothing = np.full((256, 256), -5, np.float32)
    unsure = np.full((256, 256), -0.5, np.float32)
    elsewhere = plateau(Box(400, 300, 900, 900), frame)
    for logits in (nothing, unsure, elsewhere, np.full((256, 256), np.nan, np.float32)):
        found = refinement_of(logits, drawn, frame=frame, score=0.9)
        assert (found.box, found.edge_confidence, found.score, found.mask) == (drawn, (0, 0, 0, 0), 0, None)


def test_an_edge_that_the_logits_leave_open_is_less_sure() -> None:
    frame = Frame.whole(width=1024, height=1024)
    box = Box(300, 300, 700, 700)
    logits = plateau(box, frame)
    ramp = ((700 - (np.arange(256) + 0.5) * 4) * 0.02).astype(np.float32)  # the right edge rises 25 times slower
    logits = np.minimum(logits, np.where(logits > -8, ramp[None, :], logits))
    logits[:, 176:] = np.maximum(
        logits[:, 176:], np.where(np.abs(np.arange(256) - 125) < 40, ramp[None, :].T, -8).T[:, 176:]
    )
    left, top, right, bottom = refinement_of(logits, box, frame=frame, score=1.0).edge_confidence
    assert right < 0.3 < 0.9 < min(left, top, bottom)


def test_where_nothing_is_sure_no_edge_is() -> None:
    frame = Frame.whole(width=1024, height=1024)
    faint = plateau(Box(300, 300, 700, 700), frame).clip(-8, 0.5)
    assert refinement_of(faint, Box(300, 300, 700, 700), frame=frame, score=1.0).edge_confidence == (0, 0, 0, 0)


@pytest.mark.parametrize(("score", "shown"), [(1.7, 1.0), (-0.2, 0.0), (float("nan"), 0.0), (0.25, 0.25)])
def test_the_score_stays_a_share(score: float, shown: float) -> None:
    frame = Frame.whole(width=1024, height=1024)
    box = Box(300, 300, 700, 700)
    assert refinement_of(plateau(box, frame), box, frame=frame, score=score).score == shown


def test_drawn_boxes_are_refined_in_their_order(hq_encoder: HqSamEncoder, hq_features: ImageFeatures) -> None:
    refiner: Refiner = MaskRefiner(hq_encoder)
    drawn = [[20, 30, 200, 150], [400, 280, 100, 50], [-90, -90, 900, 900], [440, 290, 440, 290]]
    found = refiner.refine(hq_features, drawn)
    assert len(found) == 4
    for each in found:
        assert 0 <= each.box.x1 < each.box.x2 <= 457
        assert 0 <= each.box.y1 < each.box.y2 <= 301
        assert all(0 <= value <= 1 for value in (*each.edge_confidence, each.score))
    alone = [refiner.refine(hq_features, [row])[0] for row in drawn]
    assert np.allclose([each.box for each in alone], [each.box for each in found], atol=0.05)


def test_the_names_tell_what_answered(hq_encoder: HqSamEncoder) -> None:
    refiner = MaskRefiner(hq_encoder)
    assert (refiner.name, refiner.identity) == ("hq-mask", f"hq-mask-{hq_encoder.sha256[:12]}")


def test_no_boxes_give_nothing_and_odd_ones_are_refused(hq_encoder: HqSamEncoder, hq_features: ImageFeatures) -> None:
    refiner = MaskRefiner(hq_encoder)
    assert refiner.refine(hq_features, []) == []
    for bad in (float("nan"), float("inf")):
        with pytest.raises(BadInputError, match="Box 1 of 1 is not finite"):
            refiner.refine(hq_features, [[1, 2, bad, 4]])
    other = ImageFeatures(hq_features.embedding, hq_features.detail, hq_features.frame, "light-123")
    with pytest.raises(BadInputError, match="features are of light-123"):
        refiner.refine(other, [[1, 2, 3, 4]])
