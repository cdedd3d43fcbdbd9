"""COCO's run-length encoded masks: the box around one, without making its pixels.

The form is that of pycocotools: runs of 0 and 1 in turns, down the columns; as a list of numbers, or as text with six
bits a character, where each number from the third on is the difference to the one two places before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.formats.importers.parsed import is_number

_MOST_RUNS = 4_000_000


def box_of_rle(mask: dict[str, Any]) -> list[float] | None:
    """x, y, width, height in pixels around a mask {"size": [height, width], "counts"}; None if it is no such mask."""
    size, counts = mask.get("size"), mask.get("counts")
    if not isinstance(size, list) or len(size) != 2 or not all(is_number(side) and 0 < side < 1e6 for side in size):
        return None
    height, width = int(size[0]), int(size[1])
    runs = _decoded(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or len(runs) > _MOST_RUNS or not all(type(run) is int and run >= 0 for run in runs):
        return None
    return _around(runs, height) if sum(runs) <= height * width else None


def _decoded(text: str) -> list[int] | None:
    """The runs that a compressed mask stands for, None if the text is no such mask."""
    runs: list[int] = []
    value = shift = 0
    for char in text:
        bits = ord(char) - 48
        if not 0 <= bits < 64 or shift > 30 or len(runs) > _MOST_RUNS:
            return None
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs if not shift else None


def _around(runs: Sequence[int], height: int) -> list[float] | None:
    at, left, right, top, bottom = 0, None, 0, height, 0
    for place, run in enumerate(runs):
        if place % 2 and run:
            first, last = divmod(at, height), divmod(at + run - 1, height)
            left = first[0] if left is None else left
            right = last[0]
            # A run over the end of a column covers the bottom of one and the top of the next.
            top = min(top, first[1] if first[0] == last[0] else 0)
            bottom = max(bottom, last[1] if first[0] == last[0] else height - 1)
        at += run
    return None if left is None else [left, top, right - left + 1, bottom - top + 1]
