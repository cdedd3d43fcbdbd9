"""The gain of the second look by size of the true box, on large pictures tiled from labelled ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.box_noise import coarsen
from core.encoders.image_features import Encoder, ImageFeatures
from core.evaluation.box_metrics import SIZES
from core.features.cache.feature_cache import FeatureKey
from core.features.cache.ram_tier import RamTier
from core.features.pixels import Pixels
from core.formats.exporters.coco import CocoFile, read_coco
from core.geometry import Boxes, Frame, as_boxes, iou
from core.images import Picture, read_picture
from core.inference.look_again import look_again
from core.progress import Job, Progress, run
from core.refiner.protocol import Refiner

GRAY = 114
KEPT_BYTES = 512 * 1024 * 1024
"""Memory for features of crops, which the next noise uses again."""


@dataclass(frozen=True)
class SecondLookRow:
    """One set, noise and size of the true box: mean IoU and share harmed, after one look and after two."""

    set: str
    noise: str
    size: str
    boxes: int
    looked_twice: float
    iou_drawn: float
    iou_once: float
    iou_twice: float
    harmed_once: float
    harmed_twice: float


@dataclass
class _Tally:
    """The results of each box under one noise: its shorter side, whether it was looked at twice, and its IoUs."""

    short: list[float] = field(default_factory=list)
    looked: list[bool] = field(default_factory=list)
    ious: list[NDArray[np.float64]] = field(default_factory=list)  # (3,): drawn, one look, two looks

    def row(self, set_name: str, noise: str, size: str, *, low: float, high: float) -> SecondLookRow | None:
        """Average over the boxes whose shorter side is in [low, high) pixels; None if there is none."""
        short = np.array(self.short)
        part = (short >= low) & (short < high)
        if not part.any():
            return None
        drawn, once, twice = np.array(self.ious)[part].T
        return SecondLookRow(
            set=set_name,
            noise=noise,
            size=size,
            boxes=int(part.sum()),
            looked_twice=float(np.array(self.looked)[part].mean()),
            iou_drawn=float(drawn.mean()),
            iou_once=float(once.mean()),
            iou_twice=float(twice.mean()),
            harmed_once=float((once < drawn - 0.02).mean()),
            harmed_twice=float((twice < drawn - 0.02).mean()),
        )


class PictureInMemory(Pixels):
    """A picture in memory whose frames are encoded on request, and kept."""

    def __init__(self, picture: Picture, encoder: Encoder) -> None:
        super().__init__(picture, encoder)
        self.whole = Frame.whole(width=picture.shape[1], height=picture.shape[0])
        self._kept = RamTier(KEPT_BYTES)

    def of(self, frame: Frame | None = None) -> ImageFeatures:
        """The features of a frame, or of the whole picture for None; kept in memory."""
        key = FeatureKey("", self._encoder.identity, frame or self.whole)
        features = self._kept.get(key)
        if features is None:
            features = super().of(key.frame)
            self._kept.put(key, features)
        return features


def measure_second_look(
    folder: Path,
    *,
    encoder: Encoder,
    refiner: Refiner,
    noises: Sequence[str],
    grid: int,
    limit: int | None = None,
    seed: int = 0,
) -> Job[list[SecondLookRow]]:
    """Measure one set's first `limit` pictures, tiled `grid` by `grid`; one row for each noise and size.

    Raises BadFileError if the set or one of its pictures cannot be read.
    """
    coco = read_coco(folder / "annotations.json")
    random = np.random.default_rng(seed)
    tallies = {noise: _Tally() for noise in noises}
    names = sorted({coco.images[note.image_id].file_name for note in coco.annotations})[:limit]
    total = -(-len(names) // grid**2)
    for done, (pixels, true) in enumerate(large_pictures(coco, folder / "images", names, grid=grid)):
        yield Progress(done, total, f"{folder.name}, {pixels.shape[1]} x {pixels.shape[0]}")
        picture = PictureInMemory(pixels, encoder)
        for noise, tally in tallies.items():
            drawn = coarsen(true, noise, random, width=pixels.shape[1], height=pixels.shape[0]).round(2)
            _look_twice(picture, refiner, true=true, drawn=drawn, tally=tally)
    yield Progress(total, total, folder.name)
    rows = [
        tally.row(folder.name, noise, name, low=low, high=high)
        for noise, tally in tallies.items()
        for name, low, high in SIZES
    ]
    return [row for row in rows if row is not None]


def large_pictures(coco: CocoFile, folder: Path, names: Sequence[str], *, grid: int) -> Iterator[tuple[Picture, Boxes]]:
    """Tile pictures `grid` by `grid`, in square cells that fit the longest side; yield them with their true boxes."""
    boxes_of: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    for note in coco.annotations:
        name = coco.images[note.image_id].file_name
        if name in boxes_of:
            boxes_of[name].append(np.array(note.box))
    for start in range(0, len(names), grid**2):
        pictures = {name: read_picture(folder / name) for name in names[start : start + grid**2]}
        cell = max(max(pixels.shape) for pixels in pictures.values())
        canvas = np.full((grid * cell, grid * cell, 3), GRAY, np.uint8)
        true = []
        for place, (name, pixels) in enumerate(pictures.items()):
            top, left = place // grid * cell, place % grid * cell
            canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
            true.append(as_boxes(boxes_of[name]) + [left, top, left, top])
        yield canvas, np.concatenate(true)


def _look_twice(picture: PictureInMemory, refiner: Refiner, *, true: Boxes, drawn: Boxes, tally: _Tally) -> None:
    answers = refiner.refine(picture.of(), drawn)
    once = as_boxes([answer.box for answer in answers])
    looked = run(look_again(answers, drawn, picture.whole, picture=picture, refiner=refiner))
    twice = as_boxes([answer.box for answer in answers])
    tally.short += np.minimum(true[:, 2] - true[:, 0], true[:, 3] - true[:, 1]).tolist()
    tally.ious += list(np.stack([iou(true, drawn), iou(true, once), iou(true, twice)], axis=1))
    tally.looked += [row in looked for row in range(len(true))]
