"""Pictures of many discs and squares, with their boxes: an easy kind of thing to find."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from core.geometry import Box
from core.head_records import PictureLabels

WIDTH, HEIGHT = 320, 240


def save_discs(path: Path, *, seed: int, discs: int = 6, squares: int = 4) -> PictureLabels:
    """Write a picture, and return the labels of all its discs and squares; `seed` is its id, too."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 60, (HEIGHT, WIDTH, 3), np.uint8)
    places = [(x, y) for x in range(35, WIDTH - 20, 62) for y in range(35, HEIGHT - 20, 58)]
    chosen = random.permutation(len(places))[: discs + squares]
    boxes = []
    for at, row in enumerate(chosen):
        x, y = (int(value + random.integers(-6, 7)) for value in places[row])
        half = int(random.integers(14, 21))
        if at < discs:
            cv2.circle(pixels, (x, y), half, (40, 200, 230), -1)
        else:
            cv2.rectangle(pixels, (x - half, y - half), (x + half, y + half), (220, 90, 40), -1)
        boxes.append((Box(x - half, y - half, x + half + 1, y + half + 1), "disc" if at < discs else "square"))
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)
    return PictureLabels(seed, tuple(boxes), done=True)
