"""BoxRefiner: a learned network as a Refiner, with calibrated doubt, which can leave a drawn box where it is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.encoders.image_features import ImageFeatures, check_encoder, check_finite, checked_boxes
from core.encoders.light.encoder import AnyModule
from core.geometry import Box, Boxes, Frame, clip
from core.records import EdgeConfidence, Refinement
from core.refiner.baseline_network import BaselineNetwork
from core.refiner.cpu_kernels import turned
from core.refiner.margins import Margin
from core.refiner.network import RefinerNetwork

BOXES_AT_ONCE = 64
TURNED_FROM = 4
"""Boxes of one picture from which on it pays, on a CPU, to turn its features around; see `cpu_kernels`."""
Convolution = torch.nn.Conv1d | torch.nn.Conv2d


@dataclass(frozen=True)
class Calibration:
    """Platt scaling of the network's own logits (p = sigmoid(scale * logit + shift)), and how far a box is moved.

    A drawn box stays where its own expected IoU is higher than the refined box's less `keep_margin`; a negative
    margin asks for that much proof before a refinement is thrown away. Edges move by the share
    confidence ** `caution` of the way that the network proposes: 0 goes all the way, whatever the doubt. Boxes whose
    drawn shorter side has fewer than `sure_side` frame pixels, too few for the features' grid, go that much less. Moves
    by less than about the share `least_move` of the drawn side fade away: an edge that is right already stays.
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
    """Refiner of a learned network, ours or the baseline; holds weights and no image, so threads may share it."""

    def __init__(
        self,
        network: RefinerNetwork | BaselineNetwork,
        *,
        name: str,
        identity: str,
        encoder: str,
        device: torch.device,
        calibration: Calibration,
    ) -> None:
        self.name = name
        self.identity = identity
        self._encoder = encoder
        self._device = device
        self._calibration = calibration
        self._margin = Margin()
        self._network = folded(network.eval().requires_grad_(False)).to(device)
        self._turns = device.type == "cpu" and isinstance(network, RefinerNetwork)

    def with_margin(self, margin: Margin) -> BoxRefiner:
        """The same network, whose boxes get a margin around what it sees."""
        other = copy.copy(self)
        other._margin = margin
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
        """Features (C, H, W) as the network wants them for `count` boxes: (1, C, H, W) float32."""
        if self._turns and count >= TURNED_FROM:
            return turned(features.cpu())
        return features.to(self._device, torch.float32)[None]

    def _refined(self, embedding: Tensor, detail: Tensor, boxes: Boxes, frame: Frame) -> list[Refinement]:
        asked = filled_up(boxes) if self._device.type == "cuda" else boxes
        start = torch.from_numpy(frame.to_frame(asked)).to(self._device, torch.float32)[None]
        answer = self._network(embedding, detail, start, content(frame, self._device))[-1]
        moved, confidence, score = decided(
            answer.boxes,
            answer.confidence_logits,
            answer.score_logits,
            start,
            self._calibration,
            widen=partial(self._margin.widen, pixel=frame.scale),
        )
        rows = clip(frame.to_image(moved[0].double().cpu().numpy()), width=frame.image_width, height=frame.image_height)
        answers = zip(rows, confidence[0].tolist(), score[0].tolist(), strict=True)
        found = [Refinement(Box.of(row), _four(edges), value) for row, edges, value in answers]
        return found[: len(boxes)]


def filled_up(boxes: Boxes) -> Boxes:
    """As many boxes as the next power of two, the last one repeated.

    A GPU's libraries choose and load kernels anew for each number of boxes, which takes up to seconds.
    """
    missing = (1 << (len(boxes) - 1).bit_length()) - len(boxes)
    return np.concatenate([boxes, np.repeat(boxes[-1:], missing, axis=0)])


def content(frame: Frame, device: torch.device) -> Tensor:
    """Where the image lies in the frame, (1, 4) frame pixels; a crop's image goes on beyond the frame."""
    whole = [[0.0, 0.0, float(frame.image_width), float(frame.image_height)]]
    return torch.from_numpy(frame.to_frame(whole)).to(device, torch.float32)


def decided(
    boxes: Tensor,
    confidence_logits: Tensor,
    score_logits: Tensor,
    drawn: Tensor,
    calibration: Calibration,
    *,
    widen: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes (B, K, 4), calibrated confidences (B, K, 4), scores (B, K), once doubt has had its say.

    Shapes of the arguments: as in `StageAnswer`, drawn (B, K, 4). `widen` puts a margin around what was found, before
    doubt is asked: a box that was drawn with the margin is right already.
    """
    boxes = boxes if widen is None else widen(boxes)
    boxes = cautious(boxes, confidence_logits, drawn, calibration)
    confidence = (confidence_logits * calibration.confidence_scale + calibration.confidence_shift).sigmoid()
    scores = (score_logits * calibration.score_scale + calibration.score_shift).sigmoid()
    keep = scores[..., 1] > scores[..., 0] - calibration.keep_margin
    score = torch.where(keep, scores[..., 1], scores[..., 0])
    return torch.where(keep[..., None], drawn, boxes), confidence, score


def cautious(boxes: Tensor, confidence_logits: Tensor, drawn: Tensor, calibration: Calibration) -> Tensor:
    """Boxes (..., 4) whose edges stay nearer to the drawn ones where there is doubt; see Calibration."""
    side = (drawn[..., 2:] - drawn[..., :2]).clamp(min=1e-6)
    seen = (side.amin(dim=-1, keepdim=True) / max(calibration.sure_side, 1e-6)).clamp(max=1.0)
    move = boxes - drawn
    # Smooth, since an edge that jumped at a threshold would flicker under the hand.
    squared = (move / torch.cat([side, side], dim=-1)) ** 2
    worth = squared / (squared + max(calibration.least_move, 1e-6) ** 2)
    return drawn + move * worth * seen * confidence_logits.float().sigmoid() ** calibration.caution


def folded(network: AnyModule) -> AnyModule:
    """The same network with each batch normalisation folded into the convolution before it: fewer passes a box."""
    for module in list(network.modules()):
        if not isinstance(module, torch.nn.Sequential):
            continue
        for first, second in zip(list(module), list(module)[1:], strict=False):
            if isinstance(first, Convolution) and isinstance(second, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
                index = next(i for i, entry in enumerate(module) if entry is first)
                module[index] = fuse_conv_bn_eval(first, second)
                module[index + 1] = torch.nn.Identity()
    return network


def _four(values: list[float]) -> EdgeConfidence:
    left, top, right, bottom = values
    return left, top, right, bottom
