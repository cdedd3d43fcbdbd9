"""Widen a refiner's answers by a margin that was learned from accepted boxes; each answer carries what was added."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.encoders.image_features import ImageFeatures
from core.geometry import Box, as_boxes, clip
from core.records import EdgeMargin, Refinement
from core.refiner.margins import OUTWARD, Margin
from core.refiner.protocol import Refiner


@runtime_checkable
class CanWiden(Protocol):
    """A refiner that adds a margin by itself, before it damps its moves."""

    def widened(self, margin: Margin) -> Refiner:
        """Return a refiner whose answers have the margin, and carry it as `Refinement.margin`."""
        ...


class WidenedAnswers:
    """Adds a margin to the answers of a refiner that cannot do so by itself; boxes that it keeps as drawn stay."""

    def __init__(self, refiner: Refiner, margin: Margin) -> None:
        self._refiner = refiner
        self._margin = margin
        self.name = refiner.name
        self.identity = refiner.identity
        self.refines_by_masks: bool = getattr(refiner, "refines_by_masks", False)

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`. A mask keeps its outline and loses its pixels, which do not fit the new box."""
        answers = self._refiner.refine(features, drawn)
        if not answers:
            return []
        size = {"width": features.frame.image_width, "height": features.frame.image_height}
        found, kept = as_boxes([answer.box for answer in answers]), clip(drawn, **size)
        outwards = self._margin.outwards(found) * (found != kept).any(axis=1, keepdims=True)
        boxes = clip(found + outwards * OUTWARD, **size)
        return [
            replace(answer, box=Box.of(row), mask=None, margin=edge_margin(out)) if out.any() else answer
            for answer, row, out in zip(answers, boxes, outwards, strict=True)
        ]


def widened(refiner: Refiner, margin: Margin) -> Refiner:
    """Return a refiner for one category whose answers have the margin."""
    return refiner.widened(margin) if isinstance(refiner, CanWiden) else WidenedAnswers(refiner, margin)


def edge_margin(outwards: NDArray[np.float64]) -> EdgeMargin:
    """Four distances (4,) in image pixels as a record."""
    left, top, right, bottom = outwards.tolist()
    return left, top, right, bottom
