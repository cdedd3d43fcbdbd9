"""Boxes that are right but for a few: only those that are clearly off are moved, and smoothly so."""

from __future__ import annotations

import numpy as np
import pytest

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder, ImageFeatures
from core.geometry import Box, Frame, as_boxes, iou
from core.images import Picture, read_picture
from core.records import CLEARLY_OFF, Refinement
from core.refiner.checkpoint import load_refiner
from core.refiner.conservative import CarefulByCategory, careful, dampen_moves
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category, rows_by_refiner
from core.sample_project import pictures_folder

DRAWN = as_boxes([(100, 100, 300, 200)])


def moved_by(share: float) -> Box:
    """What becomes of DRAWN where its left edge would go out by a share of the width."""
    answer = Refinement(Box(100 - 200 * share, 100, 300, 200), (0.9,) * 4, 0.9)
    return Box.of(dampen_moves([answer], DRAWN)[0])


def test_what_is_clearly_off_moves_and_what_is_nearly_right_stays() -> None:
    assert moved_by(0.04).x1 == pytest.approx(100, abs=0.1)
    assert moved_by(CLEARLY_OFF).x1 == pytest.approx(100 - 100 * CLEARLY_OFF)
    assert moved_by(0.4).x1 == pytest.approx(20, abs=0.5)
    assert moved_by(0.4)[1:] == (100, 300, 200)


def test_a_box_never_jumps_as_a_proposal_goes_on() -> None:
    lefts = np.array([moved_by(share).x1 for share in np.linspace(0, 0.5, 501)])
    steps = -np.diff(lefts)
    assert steps.min() >= 0
    assert steps.max() < 2.3 * 200 * 0.001


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


@pytest.fixture(scope="module")
def cat(encoder: Encoder) -> ImageFeatures:
    picture = sample_picture()
    return encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))


def sample_picture() -> Picture:
    return read_picture(pictures_folder() / "chelsea.png")


def test_no_boxes_and_boxes_outside_are_no_trouble(encoder: Encoder, cat: ImageFeatures) -> None:
    refiner = load_refiner(None, encoder, careful=True)
    assert refiner.refine(cat, []) == []
    (answer,) = refiner.refine(cat, [(-80, -40, 500, 900)])
    width, height = cat.frame.image_width, cat.frame.image_height
    assert 0 <= answer.box.x1 < answer.box.x2 <= width and 0 <= answer.box.y1 < answer.box.y2 <= height


def test_it_is_the_same_refiner_that_moves_boxes_less(encoder: Encoder, cat: ImageFeatures) -> None:
    plain, slow = (load_refiner(None, encoder, careful=flag) for flag in (False, True))
    assert (slow.name, slow.identity) == (plain.name, plain.identity)
    drawn = as_boxes([(120, 20, 430, 290), (60, 60, 400, 280), (150, 90, 250, 160)])
    before, after = (as_boxes([answer.box for answer in which.refine(cat, drawn)]) for which in (plain, slow))
    assert (iou(after, drawn) >= iou(before, drawn) - 1e-6).all()


class Taught:
    """A refiner that knows one category better."""

    name = identity = "taught"

    def __init__(self, other: Refiner) -> None:
        self.other = other

    def of_category(self, category: str) -> Refiner:
        return self if category == "cup" else self.other

    def refine(self, features: ImageFeatures, drawn: object) -> list[Refinement]:
        return self.other.refine(features, drawn)  # type: ignore[arg-type]


def test_what_was_taught_for_a_category_is_asked_for_it(encoder: Encoder) -> None:
    shipped = load_refiner(None, encoder)
    both = careful(Taught(shipped))
    assert isinstance(both, CarefulByCategory)
    assert isinstance(for_category(both, "cup"), CarefulByCategory)
    assert not isinstance(for_category(both, "spoon"), CarefulByCategory)
    assert len(rows_by_refiner(careful(shipped), ["cup", "spoon", None])) == 1
