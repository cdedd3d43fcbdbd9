"""Overlay pictures: the drawn, the refined and the true boxes, with a legend below."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.geometry import Box
from core.images import Picture

# Color-blind people can distinguish these (Okabe & Ito). True boxes are thin and white with a black outline, so that
# they differ in lightness as well.
DRAWN, REFINED, TRUE = (230, 159, 0), (0, 190, 140), (255, 255, 255)
LEAST_SIDE = 900
LEGEND_HEIGHT = 34


def overlay(picture: Picture, *, drawn: Sequence[Box], refined: Sequence[Box], true: Sequence[Box]) -> Picture:
    """Draw boxes, given in image pixels, on a copy of the picture, which is enlarged where it is small."""
    zoom = -(-LEAST_SIDE // max(picture.shape[:2]))
    large = Image.fromarray(picture).resize(
        (picture.shape[1] * zoom, picture.shape[0] * zoom), Image.Resampling.BICUBIC
    )
    canvas = Image.new("RGB", (large.width, large.height + LEGEND_HEIGHT), "black")
    canvas.paste(large)
    draw = ImageDraw.Draw(canvas)
    for boxes, color, width in ((drawn, DRAWN, 2), (refined, REFINED, 3), (true, TRUE, 2)):
        for box in boxes:
            _outline(draw, box, zoom=zoom, color=color, width=width)
    _legend(draw, large.height)
    return np.asarray(canvas)


def _outline(draw: ImageDraw.ImageDraw, box: Box, *, zoom: int, color: tuple[int, int, int], width: int) -> None:
    x1, y1, x2, y2 = (edge * zoom for edge in box)
    if color == TRUE:
        # One dark line separates the white ones from a bright picture; with a second they would look gray from afar.
        draw.rectangle((x1 - 1, y1 - 1, x2, y2), outline="black", width=1)
    draw.rectangle((x1, y1, x2 - 1, y2 - 1), outline=color, width=width)


def _legend(draw: ImageDraw.ImageDraw, top: int) -> None:
    font, left = ImageFont.load_default(size=16), 12
    # English in every language: the font that Pillow brings along has Latin letters alone.
    for name, color in (("drawn", DRAWN), ("refined", REFINED), ("true", TRUE)):
        draw.rectangle((left, top + 15, left + 26, top + 18), fill=color)
        draw.text((left + 34, top + 7), name, fill="white", font=font)
        left += 60 + int(draw.textlength(name, font=font))
