"""The cost of the feature cache's codecs: boxes refined on the encoder's own features and on decoded ones."""

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
    """The results of one codec for N boxes of M pictures.

    as_made, as_kept: (N,) IoU of the refined with the true box, on the encoder's own features and on decoded ones
    moved: (N,) mean distance between the edges of both refined boxes, as a share of the side
    nbytes, ms: (M,) size of the encoded features in bytes, and decoding time in milliseconds
    """

    as_made: NDArray[np.float64]
    as_kept: NDArray[np.float64]
    moved: NDArray[np.float64]
    nbytes: NDArray[np.float64]
    ms: NDArray[np.float64]

    @classmethod
    def concatenate(cls, parts: Sequence[Found]) -> Found:
        """Concatenate the results of one or more parts."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


@dataclass(frozen=True)
class CodecRow:
    """Means over one set; `lost` is the mean IoU that the codec costs."""

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
    """Refine all boxes of a set, drawn with `noise` (see `coarsen`), on the features decoded from each of CODECS."""
    drawn = labelled.drawn(noise, seed=seed)

    def measure(features: ImageFeatures, rows: list[int]) -> dict[str, Found]:
        as_made = as_boxes([answer.box for answer in refiner.refine(features, drawn[rows])])
        true = labelled.true[rows]
        side = np.tile(true[:, 2:] - true[:, :2], 2)
        found = {}
        for codec in CODECS:
            kept, nbytes, ms = _round_trip(features, codec)
            boxes = as_boxes([answer.box for answer in refiner.refine(kept, drawn[rows])])
            moved = (np.abs(boxes - as_made) / side).mean(axis=1)
            found[codec] = Found(
                iou(true, as_made), iou(true, boxes), moved, np.array([nbytes], np.float64), np.array([ms])
            )
        return found

    parts = yield from over_pictures(labelled, source, measure)
    return {codec: Found.concatenate([part[codec] for part in parts]) for codec in CODECS}


def codec_row(name: str, codec: str, found: Found) -> CodecRow:
    """Average the results of one or more pictures."""
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


def _round_trip(features: ImageFeatures, codec: str) -> tuple[ImageFeatures, int, float]:
    """Encode and decode features: the decoded features, their encoded size in bytes, the milliseconds of decoding."""
    key = replace(FeatureKey("", features.encoder, features.frame), codec=codec)
    data = safetensors.torch.save(encoded(features, codec))
    start = time.perf_counter()
    back = decoded(safetensors.torch.load(data), key)
    return back, len(data), 1000 * (time.perf_counter() - start)
