"""Second looks where they pay: unsure boxes only, on inputs as small as enough, and neighbors on one crop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from core.encoders.catalogue import load_encoder
from core.encoders.guarded import GuardedEncoder
from core.encoders.image_features import (
    Cut,
    Encoder,
    ImageFeatures,
    crops_at_once,
    encode_all_filling,
    encode_filling,
)
from core.encoders.light import encoder as light_encoder
from core.encoders.light.encoder import resize_part
from core.features.feature_source import FeatureSource
from core.geometry import Box, Boxes, Frame, as_boxes, clip
from core.images import Picture, read_picture
from core.inference.crop_refine import (
    BATCH,
    LEAST_CLOSER_GAIN,
    LEAST_SMALL_GAIN,
    LIVE,
    ROOM,
    Effort,
    Look,
    closer_crop,
    combine,
    crop_around,
    fill_for,
    look_at,
    looks_for,
)
from core.inference.look_again import in_batches, look_again
from core.progress import run
from core.records import Refinement
from core.refiner.checkpoint import load_refiner
from core.refiner.protocol import Refiner
from core.sample_project import sample_pictures
from tests.core.feature_files import CountingEncoder, save_picture

pytestmark = pytest.mark.slow

SMALL = Frame.whole(width=640, height=480)
EVERY = BATCH._replace(sure=2.0)
"""The effort of a batch, for every box."""


class Shipped(NamedTuple):
    """The shipped models, and a picture of the sample project."""

    encoder: Encoder
    refiner: Refiner
    path: Path
    frame: Frame


@pytest.fixture(scope="module")
def shipped() -> Shipped:
    encoder = load_encoder("light", "cpu")
    path = next(path for path in sample_pictures() if path.stem == "motorcycle_left")
    height, width = read_picture(path).shape[:2]
    return Shipped(encoder, load_refiner(None, encoder), path, Frame.whole(width=width, height=height))


def box_at(x: float, y: float, side: float) -> tuple[float, float, float, float]:
    return (x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def answer_to(box: tuple[float, float, float, float], score: float) -> Refinement:
    return Refinement(Box.of(box), (0.9, 0.9, 0.9, 0.9), score)


def random_boxes(count: int, *, low: float, high: float, width: int, height: int) -> Boxes:
    random = np.random.default_rng(3)
    sides = random.uniform(low, high, (count, 2))
    corners = random.uniform(0, 1, (count, 2)) * (np.array([width, height]) - sides)
    return np.concatenate([corners, corners + sides], axis=1)


def refined(shipped: Shipped, boxes: Boxes, effort: Effort) -> list[Refinement]:
    """Both looks at the boxes."""
    picture = FeatureSource(shipped.encoder, None).opened(shipped.path)
    features = picture.of()
    answers = shipped.refiner.refine(features, boxes)
    run(look_again(answers, boxes, features.frame, picture=picture, refiner=shipped.refiner, effort=effort))
    return answers


@pytest.mark.parametrize("effort", [BATCH, LIVE])
def test_a_sure_first_answer_has_no_second_look(effort: Effort) -> None:
    box = box_at(300, 200, 60)
    assert look_at(box, SMALL, answer_to(box, effort.sure), effort=effort) is None
    assert look_at(box, SMALL, answer_to(box, effort.sure - 0.01), effort=effort) is not None
    assert look_at(box, SMALL, effort=effort) is not None
    boxes = [box_at(x, 200, 60) for x in (100, 300, 500)]
    scores = (effort.sure + 0.1, effort.sure - 0.1, effort.sure + 0.1)
    answers = [answer_to(box, score) for box, score in zip(boxes, scores, strict=True)]
    assert list(looks_for(boxes, SMALL, answers, effort=effort).values()) == [[1]]


def test_a_box_too_small_for_the_features_has_a_second_look_however_sure() -> None:
    photograph, box = Frame.whole(width=6000, height=4000), box_at(3000, 2000, 60)
    look = look_at(box, photograph, answer_to(box, 0.99), effort=BATCH)
    assert look is not None and look.replaces
    assert look == look_at(box, photograph, effort=LIVE)


def test_the_input_is_as_small_as_still_magnifies_and_full_in_the_window() -> None:
    fills = set()
    frame = Frame.whole(width=720, height=540)
    for side in range(8, 220, 2):
        box = box_at(360, 270, side)
        look, live = look_at(box, frame, effort=BATCH), look_at(box, frame, effort=LIVE)
        if look is None or live is None:
            assert look == live and side > 100
            continue
        assert (live.crop, live.fill) == (look.crop, 1.0)
        assert look.fill == 1 or look.crop.scale * look.fill >= LEAST_SMALL_GAIN * frame.scale
        smaller = [fill for fill in BATCH.fills if fill < look.fill]
        assert all(look.crop.scale * fill < LEAST_SMALL_GAIN * frame.scale for fill in smaller)
        fills.add(look.fill)
    assert fills == set(BATCH.fills)


def test_neighbors_share_a_crop_and_distant_boxes_do_not() -> None:
    photograph = Frame.whole(width=3000, height=2000)
    near = [box_at(1000, 1000, 150), box_at(1170, 1000, 150), box_at(1000, 1140, 120)]
    assert list(looks_for(near, photograph).values()) == [[0, 1, 2]]
    far = [box_at(400, 400, 150), box_at(2000, 400, 150), box_at(400, 1600, 150)]
    assert list(looks_for(far, photograph).values()) == [[0], [1], [2]]
    assert len(looks_for(near, photograph, effort=BATCH._replace(shared_times=1.0))) == 3


@pytest.mark.parametrize("size", [(640, 480), (3000, 2000)])
def test_a_shared_crop_holds_its_boxes_with_room_and_costs_less(size: tuple[int, int]) -> None:
    width, height = size
    frame = Frame.whole(width=width, height=height)
    boxes = random_boxes(120, low=41 / frame.scale, high=160 / frame.scale, width=width, height=height)
    looks = looks_for(boxes, frame)
    alone = looks_for(boxes, frame, effort=BATCH._replace(shared_times=1.0))
    assert sorted(row for rows in looks.values() for row in rows) == sorted(sum(alone.values(), []))
    assert sum(look.fill**2 for look in looks) < sum(look.fill**2 for look in alone)
    owns = {closer_crop(box, frame) for box in boxes}
    for look, rows in looks.items():
        for row in rows:
            own = closer_crop(boxes[row], frame)
            assert own is not None
            if look.crop == own:
                continue
            x1, y1, x2, y2 = clip(boxes[row], width=width, height=height)[0]
            room, crop = ROOM * max(x2 - x1, y2 - y1), look.crop
            assert max(x1 - room, 0) >= crop.left and min(x2 + room, width) <= crop.left + crop.width
            assert max(y1 - room, 0) >= crop.top and min(y2 + room, height) <= crop.top + crop.height
            assert max(crop.width, crop.height) <= BATCH.shared_times * max(own.width, own.height)
            assert crop.scale * look.fill >= LEAST_CLOSER_GAIN * frame.scale
            assert crop.scale >= LEAST_SMALL_GAIN * frame.scale or crop in owns


def test_a_box_alone_has_the_crop_of_its_own() -> None:
    for box in random_boxes(60, low=10, high=200, width=640, height=480):
        own = closer_crop(box, SMALL)
        expected = {} if own is None else {Look(own, False, fill_for(own, SMALL, BATCH.fills)): [0]}
        assert crop_around(box, SMALL) is None
        assert looks_for([box], SMALL) == expected


def test_the_order_of_the_boxes_does_not_matter_for_the_crops() -> None:
    boxes = random_boxes(80, low=15, high=150, width=640, height=480)
    order = np.random.default_rng(1).permutation(len(boxes))
    looks = looks_for(boxes, SMALL)
    mixed = {look: sorted(order[rows].tolist()) for look, rows in looks_for(boxes[order], SMALL).items()}
    assert mixed == looks
    assert list(mixed) == list(looks)


def test_the_same_boxes_in_another_order_have_the_same_answers(shipped: Shipped) -> None:
    frame = shipped.frame
    boxes = random_boxes(14, low=40, high=160, width=frame.image_width, height=frame.image_height)
    order = np.random.default_rng(1).permutation(len(boxes))
    plain, mixed = refined(shipped, boxes, EVERY), refined(shipped, boxes[order], EVERY)
    for at, row in enumerate(order):
        assert mixed[at].box == pytest.approx(plain[row].box, abs=0.02)
        assert mixed[at].score == pytest.approx(plain[row].score, abs=1e-3)


def test_a_box_alone_in_the_window_is_answered_from_its_crop_at_full_size(shipped: Shipped) -> None:
    drawn = as_boxes([(300, 180, 420, 290)])
    pixels = read_picture(shipped.path)
    crop = closer_crop(drawn[0], shipped.frame)
    assert crop is not None
    looks = (shipped.refiner.refine(shipped.encoder.encode(pixels, frame), drawn)[0] for frame in (shipped.frame, crop))
    wanted = combine(*looks)
    [found] = refined(shipped, drawn, LIVE._replace(sure=2.0))
    assert found.box == pytest.approx(wanted.box, abs=1e-3)
    assert found.edge_confidence == pytest.approx(wanted.edge_confidence, abs=1e-5)
    features = shipped.encoder.encode(pixels, shipped.frame)
    [first] = shipped.refiner.refine(features, drawn)
    assert refined(shipped, drawn, LIVE._replace(sure=0.0)) == [first]


def square_picture() -> tuple[Picture, Frame, tuple[float, float, float, float]]:
    """A dark square on a light ground, its frame and its box."""
    pixels = np.full((480, 640, 3), 220, np.uint8)
    pixels[200:260, 300:370] = 30
    return pixels, Frame.whole(width=640, height=480), (300, 200, 370, 260)


@pytest.mark.parametrize("fill", [0.5, 0.75])
def test_a_smaller_input_shows_the_crop_in_the_corner_of_a_larger_frame(shipped: Shipped, fill: float) -> None:
    pixels, frame, true = square_picture()
    crop = closer_crop(true, frame)
    assert crop is not None
    features = encode_filling(shipped.encoder, pixels, crop, fill=fill)
    cells = round(64 * fill)
    assert features.embedding.shape == (256, 64, 64) and features.detail.shape == (32, 256, 256)
    assert torch.all(features.embedding[:, cells:] == 0) and torch.all(features.embedding[:, :, cells:] == 0)
    assert torch.all(features.detail[:, 4 * cells :] == 0) and torch.any(features.embedding[:, :cells, :cells] != 0)
    assert (features.frame.left, features.frame.top) == (crop.left, crop.top)
    assert features.frame.scale == pytest.approx(fill * crop.scale, rel=0.01)
    [found] = shipped.refiner.refine(features, [(292, 195, 376, 268)])
    assert found.box == pytest.approx(true, abs=2.5)


def test_an_encoder_without_smaller_inputs_encodes_at_full_size(tmp_path: Path) -> None:
    crop = Frame(100, 100, 64, 64, 640, 480)
    encoder = CountingEncoder()
    picture = FeatureSource(encoder, None).opened(save_picture(tmp_path / "a.bmp", gray=90, width=640, height=480))
    assert picture.once(crop, fill=0.5).frame == crop
    assert GuardedEncoder(encoder).encode_small(np.zeros((480, 640, 3), np.uint8), crop, fill=0.5).frame == crop


def test_a_guarded_encoder_takes_smaller_inputs_too(shipped: Shipped) -> None:
    pixels, frame, true = square_picture()
    crop = closer_crop(true, frame)
    assert crop is not None

    def encoded(encoder: Encoder) -> ImageFeatures:
        return encode_filling(encoder, pixels, crop, fill=0.5)

    plain, guarded = encoded(shipped.encoder), encoded(GuardedEncoder(shipped.encoder))
    assert plain.frame == guarded.frame
    assert torch.equal(plain.embedding, guarded.embedding)


def resized_by_opencv(cuts: Sequence[Cut], sizes: Sequence[tuple[int, int]], *, side: int, **_: object) -> torch.Tensor:
    parts = [resize_part(cut.picture, cut.crop, size=size, side=side) for cut, size in zip(cuts, sizes, strict=True)]
    return torch.from_numpy(np.stack(parts)).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("same_pixels", [True, False])
def test_crops_in_one_batch_give_the_features_of_each(
    shipped: Shipped, monkeypatch: pytest.MonkeyPatch, same_pixels: bool
) -> None:
    if same_pixels:
        monkeypatch.setattr(light_encoder, "resized_cuts", resized_by_opencv)
    # Pixels that are a level off, which those of a batch may be, change the features by more than its arithmetic does.
    off = 2e-2 if same_pixels else 0.15
    pixels = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    monkeypatch.setattr(shipped.encoder, "crops_at_once", 3)
    crops = [Frame(0, 0, 64, 64, 640, 480), Frame(500, 20, 128, 100, 640, 480), Frame(30, 300, 90, 180, 640, 480)]
    for encoder in (shipped.encoder, GuardedEncoder(shipped.encoder)):
        assert crops_at_once(encoder) == 3
        for fill in (0.5, 1.0):
            together = encode_all_filling(encoder, [Cut(pixels, crop) for crop in crops], fill=fill)
            for crop, features in zip(crops, together, strict=True):
                alone = encode_filling(encoder, pixels, crop, fill=fill)
                assert features.frame == alone.frame
                torch.testing.assert_close(features.embedding, alone.embedding, rtol=1e-2, atol=off)
                torch.testing.assert_close(features.detail, alone.detail, rtol=1e-2, atol=off)
    assert crops_at_once(CountingEncoder()) == 1


def test_looks_are_grouped_by_the_input_that_their_crops_need() -> None:
    crops = [Frame(64 * n, 0, 64, 64, 640, 480) for n in range(6)]
    fills = [0.5, 1.0, 0.5, 0.5, 1.0]
    looks = [Look(crop, False, fill) for crop, fill in zip(crops, fills, strict=False)] + [Look(crops[5], True)]
    asked = [("first" if number < 3 else "second", look) for number, look in enumerate(looks)]
    assert in_batches(asked, 1) == [[each] for each in asked]
    assert in_batches(asked, 2) == [[asked[0], asked[2]], [asked[3]], [asked[1], asked[4]], [asked[5]]]


def test_second_looks_in_batches_answer_as_one_by_one(
    shipped: Shipped, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pixels, frame, true = square_picture()
    Image.fromarray(pixels).save(tmp_path / "square.png")
    picture = FeatureSource(shipped.encoder, None).opened(tmp_path / "square.png")
    drawn = [[true[0] + shift, true[1], true[2] + shift, true[3]] for shift in (-12, -4, 5, 11)]

    def answers() -> list[Refinement]:
        first = [replace(each, score=0.1) for each in shipped.refiner.refine(picture.of(), drawn)]
        run(look_again(first, drawn, frame, picture=picture, refiner=shipped.refiner, effort=LIVE))
        return first

    one_by_one = answers()
    monkeypatch.setattr(shipped.encoder, "crops_at_once", 4)
    for one, other in zip(one_by_one, answers(), strict=True):
        assert one.box == pytest.approx(other.box, abs=0.2)
