"""Copied boxes: there and back as text, what is refused, and where pasted boxes go."""

from __future__ import annotations

import json

import pytest

from core.copied_boxes import MOST_BOXES, CopiedBox, CopiedBoxes, parse, place, text_of
from core.errors import BadInputError
from core.geometry import Box

COPIED = CopiedBoxes("a.png", (CopiedBox("cup", Box(1.25, 2, 30, 40)), CopiedBox("tea spoon <b>", Box(5, 6, 7, 8))))


def test_copied_boxes_come_back_as_they_were() -> None:
    assert parse(text_of(COPIED)) == COPIED


@pytest.mark.parametrize("text", ["", "hello", "{}", "[1]", '{"boxes": []}', 'boxrefine_boxes: "no JSON"'])
def test_other_texts_are_none_of_ours(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "change",
    [
        {"boxes": []},
        {"boxes": "x"},
        {"boxes": [{"category": "cup", "box": [0, 0, 5]}]},
        {"boxes": [{"category": "cup", "box": [0, 0, 0, 5]}]},
        {"boxes": [{"category": "cup", "box": [0, 0, float("nan"), 5]}]},
        {"boxes": [{"category": "cup", "box": [0, 0, True, 5]}]},
        {"boxes": [{"category": "", "box": [0, 0, 5, 5]}]},
        {"boxes": [{"category": "a\x1b[2J", "box": [0, 0, 5, 5]}]},
        {"boxes": [{"category": "cup", "box": [0, 0, int("9" * 400), 5]}]},
        {"boxes": [{"category": "cup", "box": [0, 0, 5, 5]}] * (MOST_BOXES + 1)},
        {"boxrefine_boxes": 2},
    ],
)
def test_a_damaged_text_is_refused_with_a_sentence(change: dict[str, object]) -> None:
    with pytest.raises(BadInputError, match="copy"):
        parse(json.dumps(json.loads(text_of(COPIED)) | change))


def test_boxes_keep_their_places_where_nothing_equal_is() -> None:
    assert place([Box(1, 1, 9, 9)], taken=[Box(1, 1, 9, 20)], step=5, width=100, height=100) == [Box(1, 1, 9, 9)]


def test_boxes_move_together_from_equal_ones() -> None:
    boxes, taken = [Box(0, 0, 10, 10), Box(20, 20, 30, 30)], [Box(0, 0, 10, 10), Box(5, 5, 15, 15)]
    found = place(boxes, taken=taken, step=5, width=100, height=100)
    assert found == [Box(10, 10, 20, 20), Box(30, 30, 40, 40)]


def test_boxes_at_the_border_move_the_other_way_and_never_out() -> None:
    box, wide = Box(80, 80, 100, 100), Box(0, 80, 100, 100)
    assert place([box], taken=[box], step=5, width=100, height=100) == [Box(75, 75, 95, 95)]
    assert place([wide], taken=[wide], step=5, width=100, height=100) == [Box(0, 75, 100, 95)]
    whole = Box(0, 0, 100, 100)
    assert place([whole], taken=[whole], step=5, width=100, height=100) == [whole]


def test_boxes_of_a_larger_image_are_clipped_or_left_out() -> None:
    found = place([Box(90, 90, 120, 120), Box(150, 10, 160, 20)], taken=[], step=5, width=100, height=100)
    assert found == [Box(90, 90, 100, 100), None]
