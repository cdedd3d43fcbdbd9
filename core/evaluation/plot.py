"""Plots as PNG files and as lines of text, drawn with Pillow, so that no plotting library is needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from core.errors import StorageError, reason

SIZE = (960, 540)
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 50, 20, 40
_COLORS = ("#c0392b", "#2463a8", "#2a7f3f", "#8e5ba6", "#b8860b", "#444444")
_BARS = "▁▂▃▄▅▆▇█"


def averaged(values: Sequence[float], points: int) -> list[float]:
    """Shorten a curve: the means of at most `points` segments of equal length."""
    count = min(points, len(values))
    ends = [round(index * len(values) / count) for index in range(count + 1)] if count else [0]
    return [math.fsum(values[low:high]) / (high - low) for low, high in zip(ends, ends[1:], strict=False)]


def sparkline(values: Sequence[float], *, width: int = 60) -> str:
    """Draw values as one line of block characters, scaled from the minimum to the maximum."""
    shown = averaged(values, width)
    low, high = (min(shown), max(shown)) if shown else (0.0, 0.0)
    step = (high - low) / (len(_BARS) - 1) or 1.0
    return "".join(_BARS[round((value - low) / step)] for value in shown)


def draw_curves(
    path: Path, curves: Mapping[str, Sequence[float]], *, title: str, from_zero: bool = True, points: int = 60
) -> None:
    """Write a PNG of curves over their index, each averaged into at most `points` segments to smooth noise.

    The vertical axis starts at 0, or without `from_zero` at the minimum. Raises StorageError if the file cannot be
    written.
    """
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=15)
    shown = {name: averaged(values, points) for name, values in curves.items()}
    top = max((value for values in shown.values() for value in values), default=1.0) or 1.0
    bottom = 0.0 if from_zero else min((value for values in shown.values() for value in values), default=0.0)
    room = (top - bottom) or 1.0
    longest = max((len(values) for values in curves.values()), default=1)
    _draw_axes(draw, font, top=top, bottom=bottom, last=longest)
    draw.text((_LEFT, 14), title, fill="black", font=font)
    for row, (name, values) in enumerate(shown.items()):
        color = _COLORS[row % len(_COLORS)]
        stretch = len(curves[name]) / len(values) if values else 1.0
        places = [
            _place((index + 0.5) * stretch / longest, (value - bottom) / room) for index, value in enumerate(values)
        ]
        width = 2 + len(shown) - 1 - row  # wider below, so that curves that coincide stay visible
        draw.line(places, fill=color, width=width, joint="curve")
    for row, name in enumerate(shown):
        place = (SIZE[0] - _RIGHT, 14 + 20 * row)
        draw.rectangle(draw.textbbox(place, name, font=font, anchor="ra"), fill="white")
        draw.text(place, name, fill=_COLORS[row % len(_COLORS)], font=font, anchor="ra")
    _save(picture, path)


def draw_lines(path: Path, lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str) -> None:
    """Write a PNG of lines through points (x, y); the vertical axis spans the range of y.

    Raises StorageError if the file cannot be written.
    """
    picture = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size=15)
    points = [point for line in lines.values() for point in line]
    right = max((x for x, _ in points), default=1.0) or 1.0
    low, high = min((y for _, y in points), default=0.0), max((y for _, y in points), default=1.0)
    room = (high - low) or 1.0
    _draw_axes(draw, font, top=high, bottom=low, last=round(right))
    draw.text((_LEFT, 14), title, fill="black", font=font)
    for row, (name, line) in enumerate(lines.items()):
        color = _COLORS[row % len(_COLORS)]
        places = [_place(x / right, (y - low) / room) for x, y in line]
        draw.line(places, fill=color, width=3, joint="curve")
        for x, y in places:
            draw.ellipse([x - 4, y - 4, x + 4, y + 4], fill=color)
        draw.text((SIZE[0] - _RIGHT, SIZE[1] - _BOTTOM - 24 - 20 * row), name, fill=color, font=font, anchor="ra")
    _save(picture, path)


def _save(picture: Image.Image, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, "PNG")
    except OSError as error:
        raise StorageError(f"{path} could not be written ({reason(error)}): check the disk.") from error


def _place(across: float, up: float) -> tuple[float, float]:
    """Convert fractions of the axes to a pixel of the picture."""
    width, height = SIZE[0] - _LEFT - _RIGHT, SIZE[1] - _TOP - _BOTTOM
    return _LEFT + across * width, _TOP + (1 - up) * height


def _draw_axes(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    *,
    top: float,
    last: int,
    bottom: float = 0.0,
) -> None:
    for quarter in range(5):
        share = quarter / 4
        x, y = _place(share, share)
        draw.line([(_LEFT, y), (SIZE[0] - _RIGHT, y)], fill="#dddddd")
        draw.text((_LEFT - 8, y), f"{bottom + (top - bottom) * share:.4g}", fill="black", font=font, anchor="rm")
        draw.text((x, SIZE[1] - _BOTTOM + 6), f"{last * share:.0f}", fill="black", font=font, anchor="ma")
