"""MaskRefiner: HQ-SAM predicts a mask for a drawn box, and the mask's tight box is the refinement."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.encoders.hq_sam.encoder import BOXES_AT_ONCE, resized, to_frame, to_image
from core.encoders.image_features import ImageFeatures, MaskEncoder, check_encoder, checked_boxes
from core.geometry import MODEL_SIZE, Box, Boxes, Frame, clip
from core.records import EdgeConfidence, Refinement
from core.refiner.mask_outline import outline_of
from core.refiner.mask_shape import MaskShape, mask_shape, sample

_CONFIDENCE_SHARE = 0.05
_CONFIDENCE_PIXELS = 2.0


class MaskRefiner:
    """Refines by HQ-SAM's published weights alone.

    `score` is SAM's predicted IoU of the mask (not of its box), clamped to [0, 1] and not calibrated.
    `edge_confidence` measures how much an edge moves between the mask at logits -1, 0 and +1: 1 if it stays, 0.5 if it
    moves by the tolerance of EdgeConfidence. If the mask is empty or misses the drawn box, the refinement is the drawn
    box with score and confidences 0.
    """

    def __init__(self, encoder: MaskEncoder) -> None:
        self._encoder = encoder

    refines_by_masks = True
    """The window describes such a refiner by this instead of its name, which no user has chosen."""

    @property
    def name(self) -> str:
        return "hq-mask"

    @property
    def identity(self) -> str:
        return f"hq-mask-{self._encoder.sha256[:12]}"

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """Refine drawn boxes (N, 4) in image pixels; return N refinements in order, each with its mask.

        Boxes are clipped to the image first. Raises BadInputError if a box is not finite or the features are of another
        encoder.
        """
        check_encoder(features, self._encoder.identity)
        frame = features.frame
        boxes = clip(checked_boxes(drawn), width=frame.image_width, height=frame.image_height)
        return list(self._refined(features, boxes))

    def _refined(self, features: ImageFeatures, boxes: Boxes) -> Iterator[Refinement]:
        # In chunks, so that a thousand boxes need no more memory than a few.
        for start in range(0, len(boxes), BOXES_AT_ONCE):
            chunk = boxes[start : start + BOXES_AT_ONCE]
            logits, scores = self._encoder.masks(features, to_frame(chunk, features.frame))
            for box, values, score in zip(chunk, logits.numpy(), scores.tolist(), strict=True):
                yield refinement_of(values, Box.of(box), frame=features.frame, score=score)


def refinement_of(logits: NDArray[np.float32], drawn: Box, *, frame: Frame, score: float) -> Refinement:
    """Convert mask logits (256, 256) over a frame to a tight box with confidences and mask, in image pixels."""
    shape = mask_shape(logits, drawn=Box.of(to_frame(drawn, frame)), extent=resized(frame))
    if shape is None:
        return Refinement(drawn, (0.0, 0.0, 0.0, 0.0), 0.0)
    boxes = to_image([shape.box, shape.loose_box, shape.strict_box or shape.box], frame)
    width, height = frame.image_width, frame.image_height
    tight, loose, strict = (Box.of(row) for row in clip(boxes, width=width, height=height))
    confidence = _confidence(tight, loose, strict)
    if shape.strict_box is None:  # no pixel is sure to be object, so no edge is sure
        confidence = (0.0, 0.0, 0.0, 0.0)
    score = float(np.clip(score, 0.0, 1.0)) if np.isfinite(score) else 0.0
    mask = _mask_within(tight, logits, shape, frame)
    outline = outline_of(mask, left=int(np.floor(tight.x1)), top=int(np.floor(tight.y1)))
    return Refinement(tight, confidence, score, mask, outline)


def _confidence(tight: Box, loose: Box, strict: Box) -> EdgeConfidence:
    edges = np.array([tight, loose, strict])
    moved = np.abs(edges[1:] - edges[0]).max(axis=0)
    sides = np.array([tight.width, tight.height, tight.width, tight.height])
    tolerance = np.maximum(sides * _CONFIDENCE_SHARE, _CONFIDENCE_PIXELS)
    left, top, right, bottom = (float(value) for value in 1 / (1 + np.square(moved / tolerance)))
    return left, top, right, bottom


def _mask_within(box: Box, logits: NDArray[np.float32], shape: MaskShape, frame: Frame) -> NDArray[np.bool_]:
    """Return the mask at the image pixels floor(x1, y1) .. ceil(x2, y2) of `box`: (height, width)."""
    across = np.arange(np.floor(box.x1), np.ceil(box.x2)) + 0.5
    down = np.arange(np.floor(box.y1), np.ceil(box.y2)) + 0.5
    width, height = resized(frame)
    columns = (across - frame.left) * (width / frame.width)
    rows = (down - frame.top) * (height / frame.height)
    # The logits define the edges, the component selects one of several objects. The component is dilated by a frame
    # pixel, so that in a large image the finer logits cut the mask, not the coarse steps of the component.
    chosen = cv2.dilate(shape.inside.astype(np.uint8), np.ones((3, 3), np.uint8))
    chosen_columns = np.clip(columns.astype(np.int64) - shape.left, 0, chosen.shape[1] - 1)
    chosen_rows = np.clip(rows.astype(np.int64) - shape.top, 0, chosen.shape[0] - 1)
    cells = MODEL_SIZE // logits.shape[0]
    over = sample(logits, rows=rows / cells - 0.5, columns=columns / cells - 0.5) > 0
    return over & (chosen[np.ix_(chosen_rows, chosen_columns)] > 0)
