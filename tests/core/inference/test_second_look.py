"""The second look: small boxes of large pictures get few, shared crops that hold them with room, others their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.features.cache.feature_cache import FeatureCache
from core.features.feature_source import FeatureSource
from core.geometry import Box, Frame, as_boxes, clip
from core.inference.crop_refine import (
    CONTEXT,
    LEAST_CLOSER_GAIN,
    LEAST_CROP,
    LEAST_GAIN,
    SMALL_SIDE,
    Look,
    choose_better,
    combine,
    crop_around,
    look_at,
    looks_for,
)
from core.inference.look_again import Framed, look_again
from core.progress import run
from core.records import Refinement
from tests.core.feature_files import CountingEncoder, save_picture

SURE = (0.9, 0.9, 0.9, 0.9)
PHOTOGRAPH = Frame.whole(width=6000, height=4000)


def box_at(x: float, y: float, side: float) -> tuple[float, float, float, float]:
    return (x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def test_a_large_box_and_a_small_picture_need_one_look() -> None:
    large = SMALL_SIDE / PHOTOGRAPH.scale + 1
    assert crop_around(box_at(3000, 2000, large), PHOTOGRAPH) is None
    assert crop_around(box_at(3000, 2000, large - 2), PHOTOGRAPH) is not None
    assert crop_around(box_at(300, 200, 10), Frame.whole(width=640, height=480)) is None
    assert crop_around((100, 100, 5900, 140), PHOTOGRAPH) is None  # thin, but as long as the picture


@pytest.mark.parametrize("size", [(6000, 4000), (4000, 6000), (20000, 300), (1100, 1100)])
def test_a_crop_holds_its_box_with_room_and_lies_in_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    frame = Frame.whole(width=width, height=height)
    random = np.random.default_rng(0)
    sides = random.uniform(1, 60 / frame.scale, (500, 2)).clip(1, [width, height])
    corners = random.uniform(0, 1, (500, 2)) * (np.array([width, height]) - sides)
    boxes = np.concatenate([corners, corners + sides], axis=1)
    crops = {look.crop: rows for look, rows in looks_for(boxes, frame, closer=False).items()}
    assert crops
    for crop, rows in crops.items():
        assert crop.left >= 0 and crop.left + crop.width <= width
        assert crop.top >= 0 and crop.top + crop.height <= height
        assert crop.scale >= LEAST_GAIN * frame.scale
        for x1, y1, x2, y2 in boxes[rows]:
            room = 0.25 * max(x2 - x1, y2 - y1)
            assert max(x1 - room, 0) >= crop.left and min(x2 + room, width) <= crop.left + crop.width
            assert max(y1 - room, 0) >= crop.top and min(y2 + room, height) <= crop.top + crop.height
            assert max(crop.width, crop.height) >= min(CONTEXT * max(x2 - x1, y2 - y1), max(size))


def test_neighbouring_boxes_and_a_drag_share_crops() -> None:
    steps = [(1000.0, 1000.0, 1020 + step, 1010 + step) for step in range(30)]
    assert len(looks_for(steps, PHOTOGRAPH)) <= 2
    random = np.random.default_rng(0)
    crowd = [box_at(x, y, 40) for x, y in random.uniform(2000, 2000 + 2 * LEAST_CROP, (1000, 2))]
    assert len(looks_for(crowd, PHOTOGRAPH)) <= 25


def test_boxes_outside_and_no_boxes_are_no_trouble() -> None:
    assert looks_for([], PHOTOGRAPH) == {}
    crop = crop_around((-500, -500, -400, -400), PHOTOGRAPH)
    assert crop is not None
    assert (crop.left, crop.top) == (0, 0)


def test_the_second_answer_stays_unless_it_is_much_less_sure() -> None:
    def sure(score: float) -> Refinement:
        return Refinement(Box(0, 0, 9, 9), SURE, score)

    first = sure(0.7)
    for score, stays in ((0.9, True), (0.65, True), (0.55, False)):
        second = sure(score)
        assert (choose_better(first, second) is second) == stays


class CropRefiner:
    """Says of each box how many pixels wide the crop was, and is sure of it where the box is left of x = 1000."""

    name = identity = "crop-refiner"

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        width = features.frame.width
        return [Refinement(Box(0, 0, width, row[2]), SURE, 0.9 if row[0] < 1000 else 0.1) for row in as_boxes(drawn)]


def test_looking_again_decodes_once_and_replaces_what_is_better(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    path = save_picture(tmp_path / "large.bmp", gray=90, width=3000, height=2000)
    drawn = [box_at(100, 100, 30), box_at(120, 100, 30), box_at(1500, 1000, 900), box_at(2000, 100, 30)]
    with FeatureCache(tmp_path / "cache") as cache:
        source = FeatureSource(encoder, cache)
        picture = source.opened(path)
        frame = picture.of().frame
        answers = [Refinement(Box.of(row), SURE, 0.5) for row in drawn]

        def small(answers: list[Refinement], drawn: ArrayLike, *, picture: Framed) -> set[int]:
            return run(look_again(answers, drawn, frame, picture=picture, refiner=CropRefiner(), closer=False))

        assert small(answers, drawn, picture=picture) == {0, 1, 3}
        assert (source.decoded, encoder.encoded) == (1, 3)
        again = source.opened(path)
        small(answers, drawn, picture=again)
        assert encoder.encoded == 3
        small(answers, [box_at(2000, 1000, 30)], picture=source.opened(path, keep_crops=False))
        assert (encoder.encoded, cache.stats.stored) == (4, 3)
    assert [answer.box[2] for answer in answers] == [LEAST_CROP, LEAST_CROP, drawn[2][2], drawn[3][2]]
    assert [answer.score for answer in answers] == [0.9, 0.9, 0.5, 0.5]


def test_a_box_of_any_size_gets_a_crop_of_its_own_unless_that_hardly_magnifies_it() -> None:
    small = Frame.whole(width=640, height=480)
    assert look_at(box_at(320, 240, 300), small) is None
    random = np.random.default_rng(0)
    for x, y, side in random.uniform([0, 0, 4], [640, 480, 160], (300, 3)):
        x1, y1, x2, y2 = box = clip(box_at(x, y, side), width=640, height=480)[0]
        look = look_at(box, small)
        assert look is not None and not look.replaces
        crop, room = look.crop, 0.25 * max(x2 - x1, y2 - y1)
        assert crop.scale >= LEAST_CLOSER_GAIN * small.scale
        assert max(x1 - room, 0) >= crop.left and min(x2 + room, 640) <= crop.left + crop.width
        assert max(y1 - room, 0) >= crop.top and min(y2 + room, 480) <= crop.top + crop.height


def test_a_small_box_of_a_large_picture_keeps_its_shared_crop() -> None:
    box = box_at(3000, 2000, 40)
    assert look_at(box, PHOTOGRAPH) == Look(not_none(crop_around(box, PHOTOGRAPH)), replaces=True)
    large = look_at(box_at(3000, 2000, 900), PHOTOGRAPH)
    assert large is not None and not large.replaces
    assert looks_for([box_at(3000, 2000, 900)], PHOTOGRAPH, closer=False) == {}


def test_two_answers_meet_where_the_surer_one_sees_each_edge() -> None:
    first = Refinement(Box(10, 10, 50, 50), (0.9, 0.5, 0.2, 0.0), 0.8)
    second = Refinement(Box(20, 20, 60, 60), (0.2, 0.5, 0.9, 0.0), 0.6)
    found = combine(first, second)
    assert found.box == pytest.approx((10, 15, 60, 55), abs=0.1)
    assert found.edge_confidence == pytest.approx((0.55, 0.5, 0.55, 0.0))
    assert found.score == pytest.approx(0.7)


def test_two_answers_that_mean_different_things_are_not_mixed() -> None:
    first = Refinement(Box(100, 0, 140, 40), (0.9, 0.5, 0.1, 0.5), 0.6)
    second = Refinement(Box(0, 0, 40, 40), (0.1, 0.5, 0.9, 0.5), 0.7)
    assert combine(first, second) is second


def test_a_crop_of_its_own_passes_the_cache_by(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    path = save_picture(tmp_path / "small.bmp", gray=90, width=640, height=480)
    with FeatureCache(tmp_path / "cache") as cache:
        source = FeatureSource(encoder, cache)
        picture = source.opened(path)
        look = look_at(box_at(300, 200, 60), picture.of().frame)
        misses = cache.stats.misses
        assert look is not None
        for _ in range(2):
            picture.once(look.crop)
        assert (encoder.encoded, source.decoded, cache.stats.stored, cache.stats.misses) == (3, 1, 1, misses)


def not_none(crop: Frame | None) -> Frame:
    assert crop is not None
    return crop


def test_the_features_of_a_crop_say_which_part_they_are_of(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "large.bmp", gray=90, width=3000, height=2000)
    crop = crop_around(box_at(2000, 1500, 30), Frame.whole(width=3000, height=2000))
    assert crop is not None
    features = FeatureSource(CountingEncoder(), None).opened(path).of(crop)
    assert features.frame == crop
    assert torch.all(features.embedding == 90)


def test_second_looks_are_told_box_by_box(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "small.bmp", gray=90, width=640, height=480)
    drawn = [box_at(100, 100, 60), box_at(300, 100, 60), box_at(500, 300, 90)]
    picture = FeatureSource(CountingEncoder(), None).opened(path)
    answers = [Refinement(Box.of(row), SURE, 0.5) for row in drawn]
    job = look_again(answers, drawn, picture.of().frame, picture=picture, refiner=CropRefiner())
    assert [(progress.done, progress.total) for progress in job] == [(0, 3), (1, 3), (2, 3)]
