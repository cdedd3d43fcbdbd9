"""Jitter: how much refined edges move while a box is dragged in small steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.encoders.image_features import ImageFeatures
from core.evaluation.labelled_set import LabelledSet, over_pictures
from core.features.feature_source import FeatureSource
from core.geometry import MODEL_SIZE, Box, Boxes, as_boxes, iou
from core.progress import Job
from core.records import Drawing
from core.refiner.by_drawing import for_drawing
from core.refiner.protocol import Refiner

STEPS = 30
JUMP_IOU = 0.5
DRAG_FROM = 0.5
SHAKE = 0.02
Walk = Callable[[Box, np.random.Generator], Boxes]


@dataclass(frozen=True)
class Steps:
    """M steps between consecutive boxes of a path.

    drawn, refined: (M,) mean movement of the four edges, in pixels at a long side of 1024
    jumps: (M,) whether the two refined boxes of a step have an IoU below 0.5
    """

    drawn: NDArray[np.float64]
    refined: NDArray[np.float64]
    jumps: NDArray[np.bool_]
    boxes: int = 1

    @classmethod
    def concatenate(cls, parts: Sequence[Steps]) -> Steps:
        """Concatenate the steps of one or more paths."""
        return cls(
            np.concatenate([part.drawn for part in parts]),
            np.concatenate([part.refined for part in parts]),
            np.concatenate([part.jumps for part in parts]),
            boxes=sum(part.boxes for part in parts),
        )


@dataclass(frozen=True)
class JitterRow:
    """One set and path: medians over its steps, in pixels at a long side of 1024.

    ratio: refined_px / drawn_px; refined_px_95: 95th percentile
    jumps: share of the steps whose two refined boxes have an IoU below 0.5
    """

    set: str
    path: str
    boxes: int
    drawn_px: float
    refined_px: float
    ratio: float
    refined_px_95: float
    jumps: float


def drag(box: Box, random: np.random.Generator) -> Boxes:
    """Simulate the end of a drag, (30, 4): `box` grows from half to all of it, from top left or bottom right."""
    share = np.linspace(DRAG_FROM, 1.0, STEPS)[:, None]
    corners = np.array([box.x1, box.y1]), np.array([box.x2, box.y2])
    start, end = corners if random.random() < 0.5 else corners[::-1]
    pointer = start + (end - start) * share
    fixed = np.broadcast_to(start, pointer.shape)
    return np.concatenate([np.minimum(fixed, pointer), np.maximum(fixed, pointer)], axis=1)


def shake(box: Box, random: np.random.Generator) -> Boxes:
    """Simulate tremor, (30, 4): at each step, a new random offset of each edge of `box` by up to 2 % of its side."""
    side = np.array([box.width, box.height] * 2)
    return as_boxes(np.array(box) + random.uniform(-SHAKE, SHAKE, (STEPS, 4)) * side)


PATHS: Mapping[str, Walk] = {"drag": drag, "shake": shake}


def steps_of(drawn: Boxes, refined: Boxes, *, scale: float) -> Steps:
    """The N - 1 steps of a path of drawn and refined boxes (N, 4); `scale` converts their pixels to those at 1024."""
    moved = [np.abs(np.diff(boxes, axis=0)).mean(axis=1) * scale for boxes in (drawn, refined)]
    return Steps(moved[0], moved[1], iou(refined[:-1], refined[1:]) < JUMP_IOU)


def jitter_of_set(
    labelled: LabelledSet, *, source: FeatureSource, refiner: Refiner, boxes_a_picture: int, noise: str, seed: int = 0
) -> Job[dict[str, Steps]]:
    """Drag and shake coarse versions of up to `boxes_a_picture` boxes of each picture; return the steps by path.

    The refiner takes them as drags, as the window does.
    """
    refiner = for_drawing(refiner, Drawing.DRAG)
    coarse = labelled.drawn(noise, seed=seed)

    def measure(features: ImageFeatures, rows: list[int]) -> dict[str, list[Steps]]:
        random = np.random.default_rng([seed, rows[0]])
        chosen = random.permutation(rows)[:boxes_a_picture]
        return {
            name: [_refine_path(features, refiner, walk(Box.of(coarse[row]), random)) for row in chosen]
            for name, walk in PATHS.items()
        }

    parts = yield from over_pictures(labelled, source, measure)
    return {name: Steps.concatenate([steps for part in parts for steps in part[name]]) for name in PATHS}


def jitter_row(name: str, path: str, steps: Steps) -> JitterRow:
    """Summarize the steps of one or more paths."""
    drawn, refined = float(np.median(steps.drawn)), float(np.median(steps.refined))
    return JitterRow(
        name,
        path,
        boxes=steps.boxes,
        drawn_px=drawn,
        refined_px=refined,
        ratio=refined / max(drawn, 1e-9),
        refined_px_95=float(np.quantile(steps.refined, 0.95)),
        jumps=float(steps.jumps.mean()),
    )


def _refine_path(features: ImageFeatures, refiner: Refiner, drawn: Boxes) -> Steps:
    frame = features.frame
    refined = as_boxes([answer.box for answer in refiner.refine(features, drawn)])
    return steps_of(drawn, refined, scale=MODEL_SIZE / max(frame.image_width, frame.image_height))
