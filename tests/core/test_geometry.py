"""Geometry: boxes stay inside, IoU is right, and the way to the model frame and back loses nothing."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry import Box, Frame, area, as_boxes, clip, iou


def test_no_boxes_are_an_empty_table() -> None:
    assert as_boxes([]).shape == (0, 4)
    assert clip([], width=10, height=10).shape == (0, 4)
    assert iou([], []).shape == (0,)


def test_iou_of_known_boxes() -> None:
    first = [[0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 10], [5, 5, 5, 5]]
    second = [[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30], [5, 5, 5, 5]]
    assert iou(first, second) == pytest.approx([1.0, 1 / 3, 0.0, 0.0])


def test_a_box_turned_inside_out_has_no_area() -> None:
    assert area([[10, 10, 5, 20]]) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((-5, -5, 5, 5), (0, 0, 5, 5)),
        ((90, 90, 200, 300), (90, 90, 100, 80)),
        ((30, 20, 10, 5), (10, 5, 30, 20)),
        ((500, 500, 600, 600), (99, 79, 100, 80)),
        ((20, 20, 20, 20), (20, 20, 21, 21)),
    ],
)
def test_clip_keeps_boxes_inside_and_long_enough(box: tuple[float, ...], expected: tuple[float, ...]) -> None:
    found = clip([box], width=100, height=80)[0]
    assert (found[:2] >= 0).all()
    assert found[2] <= 100
    assert found[3] <= 80
    assert (found[2:] - found[:2] >= 1).all()
    if box[1] < 80:
        assert tuple(found) == expected


@pytest.mark.parametrize(("width", "height"), [(1024, 1024), (4000, 3000), (300, 20000), (20, 20), (1, 7)])
def test_frame_there_and_back_is_the_same(width: int, height: int) -> None:
    frame = Frame.whole(width=width, height=height)
    boxes = np.random.default_rng(0).uniform(0, 1, (50, 4)) * [width, height, width, height]
    assert frame.to_image(frame.to_frame(boxes)) == pytest.approx(boxes)
    assert frame.to_frame([[0, 0, width, height]]).max() == pytest.approx(1024)
    assert frame.is_whole


def test_frame_of_a_crop_shifts_and_scales() -> None:
    frame = Frame(100, 50, 256, 128, 1000, 800)
    assert frame.to_frame([[100, 50, 356, 178]])[0] == pytest.approx([0, 0, 1024, 512])
    assert not frame.is_whole


def test_a_box_dragged_backwards_is_put_in_order() -> None:
    assert Box(9, 8, 1, 2).ordered() == Box(1, 2, 9, 8)
    assert Box.of(np.array([[1, 2, 3, 5]])).height == 3
