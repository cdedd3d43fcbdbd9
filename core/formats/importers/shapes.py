"""The boxes around the shapes that other programs store: rotated rectangles, ellipses, center and size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from core.formats.importers.parsed import is_finite, number_in


def floats(values: Iterable[object]) -> list[float]:
    """The values as finite numbers, also those that are text; empty if one is none."""
    numbers = [number_in(value) if isinstance(value, str) else value for value in values]
    found = [float(value) for value in numbers if is_finite(value)]
    return found if len(found) == len(numbers) else []


def from_corner(values: Iterable[object]) -> list[float]:
    """x1, y1, x2, y2 of x, y, width, height; empty if a number is missing or a side is negative."""
    numbers = floats(values)
    if len(numbers) != 4 or min(numbers[2:]) < 0:
        return []
    x, y, width, height = numbers
    return [x, y, x + width, y + height]


def from_center(values: Iterable[object]) -> list[float]:
    """x1, y1, x2, y2 of the center's x, y, and width, height; empty if that is no box."""
    numbers = floats(values)
    if len(numbers) != 4 or min(numbers[2:]) < 0:
        return []
    x, y, width, height = numbers
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def rotated(corners: Sequence[float], degrees: float, *, about_center: bool) -> list[float]:
    """The four corners x, y, x, y, ... of a box x1, y1, x2, y2 that is turned clockwise on the screen.

    It is turned about its center, or about its first corner. `corners` may be empty; then the result is.
    """
    if len(corners) != 4 or not degrees:
        return list(corners)
    x1, y1, x2, y2 = corners
    px, py = ((x1 + x2) / 2, (y1 + y2) / 2) if about_center else (x1, y1)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    found: list[float] = []
    for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2)):
        found += [px + (x - px) * cos - (y - py) * sin, py + (x - px) * sin + (y - py) * cos]
    return found


def around_ellipse(values: Iterable[object], degrees: float = 0.0) -> list[float]:
    """x1, y1, x2, y2 around an ellipse of center x, y and two radii, turned by `degrees`; empty if that is none."""
    numbers = floats(values)
    if len(numbers) != 4 or min(numbers[2:]) < 0:
        return []
    x, y, across, down = numbers
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    width, height = math.hypot(across * cos, down * sin), math.hypot(across * sin, down * cos)
    return [x - width, y - height, x + width, y + height]
