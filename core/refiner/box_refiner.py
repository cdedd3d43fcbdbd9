"""BoxRefiner: a learned network as a Refiner, with calibrated confidences; it may keep a drawn box as it is."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from core.encoders.fusing import fuse_batch_norms
from core.encoders.image_features import ImageFeatures, check_encoder, check_finite, checked_boxes
from core.geometry import Box, Boxes, Frame, clip
from core.records import Drawing, EdgeConfidence, Refinement
from core.refiner.baseline_network import BaselineNetwork
from core.refiner.cpu_kernels import transpose_features
from core.refiner.drawing_vectors import KNOWN_DRAWINGS
from core.refiner.margins import OUTWARD, Margin
from core.refiner.network import RefinerNetwork

BOXES_AT_ONCE = 64
BATCH_PATH_FROM = 4
"""Number of boxes of one picture from which on the batch path of `cpu_kernels` is faster on a CPU."""


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of the network's logits (p = sigmoid(scale * logit + shift)), and damping of its moves.

    A drawn box is kept if its expected IoU exceeds the refined box's minus `keep_margin`; with a negative margin it
    must exceed it by that much. Edges move by the fraction confidence ** `caution` of the proposed way; with 0 they
    always go all the way. If the shorter drawn side has s < `sure_side` frame pixels, too few for the feature grid,
    moves are scaled by s / `sure_side`. Moves below about the fraction `least_move` of the drawn side are faded out, so
    that an edge that is right already stays.
    """

    confidence_scale: float = 1.0
    confidence_shift: float = 0.0
    score_scale: float = 1.0
    score_shift: float = 0.0
    keep_margin: float = 0.0
    caution: float = 0.0
    sure_side: float = 0.0
    least_move: float = 0.0


class BoxRefiner:
    """Refiner with a learned network (own or baseline); it holds no state of an image, so threads may share it."""

    def __init__(
        self,
        network: RefinerNetwork | BaselineNetwork,
        *,
        name: str,
        identity: str,
        encoder: str,
        device: torch.device,
        calibration: Calibration,
        by_drawing: Mapping[Drawing, Calibration] = MappingProxyType({}),
    ) -> None:
        self.name = name
        self.identity = identity
        self._encoder = encoder
        self._device = device
        self._calibration = calibration
        self._calibration_of = {Drawing.UNKNOWN: calibration, **by_drawing}
        self._drawing: Tensor | None = None
        self._margin = Margin()
        self._learned: Margin | None = None
        self._network = fuse_batch_norms(network.eval().requires_grad_(False)).to(device)
        self._has_batch_path = device.type == "cpu" and isinstance(network, RefinerNetwork)

    def with_margin(self, margin: Margin) -> BoxRefiner:
        """Return a refiner with the same network that widens its boxes by a margin."""
        other = copy.copy(self)
        other._margin = margin
        return other

    def of_drawing(self, drawing: Drawing) -> BoxRefiner:
        """See `ByDrawing`; a network that was not trained for this drawing answers as for UNKNOWN."""
        if drawing not in self._calibration_of:
            return self
        other = copy.copy(self)
        other._calibration = self._calibration_of[drawing]
        number = KNOWN_DRAWINGS.index(drawing) + 1 if drawing in KNOWN_DRAWINGS else 0
        other._drawing = torch.tensor([number], device=self._device) if number else None
        return other

    def widened(self, margin: Margin) -> BoxRefiner:
        """See `CanWiden`; the margin comes on top of that of `with_margin`, and before damping."""
        other = copy.copy(self)
        other._learned = margin
        return other

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        """See `Refiner.refine`."""
        check_encoder(features, self._encoder)
        frame = features.frame
        boxes = clip(checked_boxes(drawn), width=frame.image_width, height=frame.image_height)
        refinements: list[Refinement] = []
        with torch.inference_mode():
            embedding, detail = self._read(features.embedding, len(boxes)), self._read(features.detail, len(boxes))
            check_finite(embedding, detail)
            for start in range(0, len(boxes), BOXES_AT_ONCE):
                refinements += self._refined(embedding, detail, boxes[start : start + BOXES_AT_ONCE], frame)
        return refinements

    def _read(self, features: Tensor, count: int) -> Tensor:
        """Convert features (C, H, W) to the layout for `count` boxes: (1, C, H, W) float32."""
        if self._has_batch_path and count >= BATCH_PATH_FROM:
            return transpose_features(features.cpu())
        return features.to(self._device, torch.float32)[None]

    def _refined(self, embedding: Tensor, detail: Tensor, boxes: Boxes, frame: Frame) -> list[Refinement]:
        padded = pad_boxes(boxes) if self._device.type == "cuda" else boxes
        start = torch.from_numpy(frame.to_frame(padded)).to(self._device, torch.float32)[None]
        options = {} if self._drawing is None else {"drawing": self._drawing}
        answer = self._network(embedding, detail, start, content(frame, self._device), **options)[-1]
        proposed = self._margin.widen(answer.boxes, pixel=frame.scale)
        wider = proposed if self._learned is None else self._learned.widen(proposed, pixel=frame.scale)
        moved, confidence, score = decided(
            wider, answer.confidence_logits, answer.score_logits, start, self._calibration
        )
        rows = clip(frame.to_image(moved[0].double().cpu().numpy()), width=frame.image_width, height=frame.image_height)
        answers = zip(rows, confidence[0].tolist(), score[0].tolist(), strict=True)
        found = [Refinement(Box.of(row), _four(edges), value) for row, edges, value in answers]
        if self._learned is not None:
            outwards = (wider - proposed)[0].double().cpu().numpy() * OUTWARD / frame.scale
            found = [replace(one, margin=_four(edges)) for one, edges in zip(found, outwards.tolist(), strict=True)]
        return found[: len(boxes)]


def pad_boxes(boxes: Boxes) -> Boxes:
    """Repeat the last of N > 0 boxes (N, 4) up to the next power of two.

    The GPU libraries select and load kernels for each new number of boxes, which takes up to seconds.
    """
    missing = (1 << (len(boxes) - 1).bit_length()) - len(boxes)
    return np.concatenate([boxes, np.repeat(boxes[-1:], missing, axis=0)])


def content(frame: Frame, device: torch.device) -> Tensor:
    """Return the image's box in the frame, (1, 4) frame pixels; a crop's image extends beyond the frame."""
    whole = [[0.0, 0.0, float(frame.image_width), float(frame.image_height)]]
    return torch.from_numpy(frame.to_frame(whole)).to(device, torch.float32)


def decided(
    boxes: Tensor,
    confidence_logits: Tensor,
    score_logits: Tensor,
    drawn: Tensor,
    calibration: Calibration,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return boxes (B, K, 4) in frame pixels, calibrated confidences (B, K, 4) and scores (B, K).

    The arguments have the shapes of `StageAnswer`, drawn (B, K, 4). Boxes are damped, or replaced by the drawn ones;
    see `Calibration`. Margins are added before that, so that a box that was drawn with the margin stays.
    """
    boxes = cautious(boxes, confidence_logits, drawn, calibration)
    confidence = (confidence_logits * calibration.confidence_scale + calibration.confidence_shift).sigmoid()
    scores = (score_logits * calibration.score_scale + calibration.score_shift).sigmoid()
    keep = scores[..., 1] > scores[..., 0] - calibration.keep_margin
    score = torch.where(keep, scores[..., 1], scores[..., 0])
    return torch.where(keep[..., None], drawn, boxes), confidence, score


def cautious(boxes: Tensor, confidence_logits: Tensor, drawn: Tensor, calibration: Calibration) -> Tensor:
    """Damp the moves from drawn to refined boxes (..., 4) by confidence, size and distance; see Calibration."""
    side = (drawn[..., 2:] - drawn[..., :2]).clamp(min=1e-6)
    seen = (side.amin(dim=-1, keepdim=True) / max(calibration.sure_side, 1e-6)).clamp(max=1.0)
    move = boxes - drawn
    # Smooth, since with a threshold an edge would flicker during a drag.
    squared = (move / torch.cat([side, side], dim=-1)) ** 2
    worth = squared / (squared + max(calibration.least_move, 1e-6) ** 2)
    return drawn + move * worth * seen * confidence_logits.float().sigmoid() ** calibration.caution


def _four(values: list[float]) -> EdgeConfidence:
    left, top, right, bottom = values
    return left, top, right, bottom
