"""What a smaller codec of the feature cache costs: refined boxes from features as they are, and as they come back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import safetensors.torch
from numpy.typing import NDArray

from core.encoders.image_features import ImageFeatures
from core.evaluation.labelled_set import LabelledSet, over_pictures
from core.features.cache.codecs import decoded, encoded
from core.features.cache.feature_key import CODECS, FeatureKey
from core.features.feature_source import FeatureSource
from core.geometry import as_boxes, iou
from core.progress import Job
from core.refiner.protocol import Refiner


@dataclass(frozen=True)
class Found:
    """N boxes of M pictures in one codec.

    as_made, as_kept: (N,) IoU with the true box of what was refined on features as the encoder made them, and as the
    codec gives them back; moved: (N,) how far the edges lie apart, as a share of the side; nbytes, ms: (M,) bytes and
    milliseconds of decoding.
    """

    as_made: NDArray[np.float64]
    as_kept: NDArray[np.float64]
    moved: NDArray[np.float64]
    nbytes: NDArray[np.float64]
    ms: NDArray[np.float64]

    @classmethod
    def together(cls, parts: Sequence[Found]) -> Found:
        """All of one or more parts in a row."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


@dataclass(frozen=True)
class CodecRow:
    """Means over one set; `lost` is the IoU that the codec costs."""

    set: str
    codec: str
    boxes: int
    iou: float
    lost: float
    moved: float
    megabytes: float
    decode_ms: float


def cost_in_set(
    labelled: LabelledSet, *, source: FeatureSource, refiner: Refiner, noise: str, seed: int = 0
) -> Job[dict[str, Found]]:
    """Refine all boxes of a set, drawn with a noise (see coarsen), on features through each of CODECS."""
    drawn = labelled.drawn(noise, seed=seed)

    def look(features: ImageFeatures, rows: list[int]) -> dict[str, Found]:
        as_made = as_boxes([answer.box for answer in refiner.refine(features, drawn[rows])])
        true = labelled.true[rows]
        side = np.tile(true[:, 2:] - true[:, :2], 2)
        found = {}
        for codec in CODECS:
            kept, nbytes, ms = _through(features, codec)
            boxes = as_boxes([answer.box for answer in refiner.refine(kept, drawn[rows])])
            moved = (np.abs(boxes - as_made) / side).mean(axis=1)
            found[codec] = Found(
                iou(true, as_made), iou(true, boxes), moved, np.array([nbytes], np.float64), np.array([ms])
            )
        return found

    parts = yield from over_pictures(labelled, source, look)
    return {codec: Found.together([part[codec] for part in parts]) for codec in CODECS}


def codec_row(name: str, codec: str, found: Found) -> CodecRow:
    """The means of one or more pictures."""
    return CodecRow(
        name,
        codec,
        boxes=len(found.as_kept),
        iou=float(found.as_kept.mean()),
        lost=float((found.as_made - found.as_kept).mean()),
        moved=float(found.moved.mean()),
        megabytes=float(found.nbytes.mean()) / 1e6,
        decode_ms=float(np.median(found.ms)),
    )


def _through(features: ImageFeatures, codec: str) -> tuple[ImageFeatures, int, float]:
    """Features as they come back from the bytes of a file, the bytes' number, and the milliseconds of the way back."""
    key = replace(FeatureKey("", features.encoder, features.frame), codec=codec)
    data = safetensors.torch.save(encoded(features, codec))
    start = time.perf_counter()
    back = decoded(safetensors.torch.load(data), key)
    return back, len(data), 1000 * (time.perf_counter() - start)
