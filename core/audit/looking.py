"""One look at each picture of a dataset: its size, its likeness to others, and how flat its boxes are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import xxhash
from numpy.typing import NDArray

from core.audit.comparing import by_image
from core.audit.context import PictureLook
from core.errors import KnownError
from core.images import read_orientation, read_thumbnail
from core.progress import Job, Progress
from core.records import Correction, Dataset, ImageRecord
from core.translation import tr

SIDE = 512
"""Long side of the thumbnails in which the brightness of boxes is measured, in pixels."""

_LEAST_SIDE = 3
"""Boxes that are smaller in the thumbnail, in pixels, show nothing."""

_FLAT = 3.0
"""Pictures whose brightness spreads less look alike, whatever they show."""

_GRID = 16
_BLOCK = 1 << 20


def look_at(dataset: Dataset) -> Job[dict[int, PictureLook]]:
    """Look at all pictures; one that cannot be read has an error and nothing else."""
    on_image = by_image(dataset)
    looks: dict[int, PictureLook] = {}
    for done, image in enumerate(dataset.images):
        yield Progress(done, len(dataset.images), tr("Looking at {picture}", picture=image.path.name))
        looks[image.id] = _look(image, on_image.get(image.id, []))
    sizes = {image.id: _bytes_of(image.path) for image in dataset.images if not looks[image.id].error}
    times = Counter(sizes.values())
    for image in dataset.images:
        if image.id in sizes and times[sizes[image.id]] > 1:
            looks[image.id] = replace(looks[image.id], content=_digest(image.path))
    return looks


def _look(image: ImageRecord, boxes: Sequence[Correction]) -> PictureLook:
    try:
        width, height, orientation = read_orientation(image.path)
        gray = np.asarray(cv2.cvtColor(read_thumbnail(image.path, side=SIDE), cv2.COLOR_RGB2GRAY), np.uint8)
    except KnownError as error:
        return PictureLook(error=str(error))
    spreads: dict[int, float] = {}
    across, down = gray.shape[1] / max(image.width, 1), gray.shape[0] / max(image.height, 1)
    for entry in boxes:
        box = entry.accepted
        x1, x2 = (round(min(max(x * across, 0), gray.shape[1])) for x in (box.x1, box.x2))
        y1, y2 = (round(min(max(y * down, 0), gray.shape[0])) for y in (box.y1, box.y2))
        if min(x2 - x1, y2 - y1) >= _LEAST_SIDE:
            spreads[entry.id] = float(gray[y1:y2, x1:x2].std())
    mirrored = np.ascontiguousarray(gray[:, ::-1])
    return PictureLook(width, height, orientation, shape_of(gray), shape_of(mirrored), spreads=spreads)


def shape_of(gray: NDArray[np.uint8]) -> int | None:
    """256 bits as a whole number: where the brightness of a small copy rises from left to right; None if it is flat."""
    if gray.std() < _FLAT:
        return None
    small = cv2.resize(gray, (_GRID + 1, _GRID), interpolation=cv2.INTER_AREA).astype(np.int16)
    rises = small[:, 1:] > small[:, :-1]
    return int.from_bytes(np.packbits(rises).tobytes(), "big")


def _bytes_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _digest(path: Path) -> str:
    digest = xxhash.xxh3_128()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
