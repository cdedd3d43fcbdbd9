"""BoxRefiner: a learned network as a Refiner, with calibrated confidences; it may keep a drawn box as it is."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
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
from core.refiner.cpu_kernels import computes_in_bfloat16, transpose_features
from core.refiner.drawing_vectors import KNOWN_DRAWINGS
from core.refiner.margins import OUTWARD, Margin
from core.refiner.network import RefinerNetwork
from core.refiner.together import Drawn

BOXES_AT_ONCE = 64
"""Boxes of one frame in a batch."""

TOGETHER = (64, 256)
"""Boxes of many frames in a batch of a GPU, to one of which numbers it is filled up: at most about 1 GB of values. The
GPU's libraries plan each convolution for each new number, which takes a second for all; 64 take about as long as 1."""

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
        rounds: bool = False,
    ) -> None:
        """With `rounds`, a CPU that computes in bfloat16 does so; see `cpu_kernels`."""
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
        self._rounds = rounds and self._has_batch_path and computes_in_bfloat16()

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
        boxes, frame = self._checked(features, drawn), features.frame
        refinements: list[Refinement] = []
        with torch.inference_mode():
            embedding, detail = self._read(features.embedding, len(boxes)), self._read(features.detail, len(boxes))
            check_finite(embedding, detail)
            for start in range(0, len(boxes), BOXES_AT_ONCE):
                part = boxes[start : start + BOXES_AT_ONCE]
                many = _to_power(len(part)) if self._device.type == "cuda" else len(part)
                refinements += self._refined(embedding, detail, [part], [frame], many)[0]
        return refinements

    def refine_together(self, asked: Sequence[Drawn]) -> list[list[Refinement]]:
        """See `RefinesTogether`; one after the other on a CPU, which gains nothing."""
        if self._device.type != "cuda" or len(asked) < 2:
            return [self.refine(features, boxes) for features, boxes in asked]
        return self.refine_in_batches(asked)

    def refine_in_batches(self, asked: Sequence[Drawn]) -> list[list[Refinement]]:
        """As `refine_together`, in batches on any device."""
        pieces: list[tuple[int, Boxes]] = []
        for number, (features, drawn) in enumerate(asked):
            rows = self._checked(features, drawn)
            pieces += [(number, rows[at : at + BOXES_AT_ONCE]) for at in range(0, len(rows), BOXES_AT_ONCE)]
        found: list[list[Refinement]] = [[] for _ in asked]
        with torch.inference_mode():
            for batch in batches_of(pieces):
                numbers = [number for number, _ in batch]
                of = [asked[number].features for number in numbers]
                embedding = self._stacked([each.embedding for each in of])
                detail = self._stacked([each.detail for each in of])
                check_finite(embedding, detail)
                boxes, frames = [boxes for _, boxes in batch], [each.frame for each in of]
                wanted = _to_power(max(map(len, boxes))) * len(embedding)
                many = next(total for total in TOGETHER if total >= wanted) // len(embedding)
                answers = self._refined(embedding, detail, boxes, frames, many)
                for number, some in zip(numbers, answers, strict=True):
                    found[number] += some
        return found

    def _checked(self, features: ImageFeatures, drawn: ArrayLike) -> Boxes:
        """Return drawn boxes (N, 4) inside the image. Raises BadInputError as `refine` does."""
        check_encoder(features, self._encoder)
        frame = features.frame
        return clip(checked_boxes(drawn), width=frame.image_width, height=frame.image_height)

    def _stacked(self, parts: Sequence[Tensor]) -> Tensor:
        """Stack features (C, H, W) of N frames: (P, C, H, W) float32, the last frame repeated up to a power of two."""
        moved = [part.to(self._device) for part in parts]  # in half precision, which is half of the way
        return torch.stack(moved + moved[-1:] * missing_to_power(len(moved))).float()

    def _read(self, features: Tensor, count: int) -> Tensor:
        """Convert features (C, H, W) to the layout for `count` boxes: (1, C, H, W) float32."""
        # What rounds takes the batch path for few boxes, too: a box must not depend on how many come with it.
        if self._rounds or (self._has_batch_path and count >= BATCH_PATH_FROM):
            return transpose_features(features.cpu())
        return features.to(self._device).float()[None]

    def _refined(
        self, embedding: Tensor, detail: Tensor, boxes: Sequence[Boxes], frames: Sequence[Frame], many: int
    ) -> list[list[Refinement]]:
        """Refine boxes (K, 4) of each of N frames, filled up to `many` of each.

        There are P >= N features, of which those beyond N repeat the last frame's.
        """
        of = [*frames, *[frames[-1]] * (len(embedding) - len(frames))]
        rows = [frame.to_frame(pad_boxes(some, many)) for some, frame in zip(boxes, frames, strict=True)]
        rows += [rows[-1]] * (len(of) - len(rows))
        start = torch.from_numpy(np.stack(rows)).to(self._device, torch.float32)
        options = {} if self._drawing is None else {"drawing": self._drawing.expand(len(of))}
        with torch.autocast("cpu", torch.bfloat16, enabled=self._rounds):
            answer = self._network(embedding, detail, start, content(of, self._device), **options)[-1]
        pixel = torch.tensor([frame.scale for frame in of], dtype=torch.float32, device=self._device)[:, None, None]
        proposed = self._margin.widen(answer.boxes, pixel=pixel)
        wider = proposed if self._learned is None else self._learned.widen(proposed, pixel=pixel)
        moved, confidence, score = decided(
            wider, answer.confidence_logits.float(), answer.score_logits.float(), start, self._calibration
        )
        outwards = None if self._learned is None else (wider - proposed).double().cpu().numpy()
        found: list[list[Refinement]] = []
        places, edges, scores = moved.double().cpu().numpy(), confidence.tolist(), score.tolist()
        for at, (frame, some) in enumerate(zip(frames, boxes, strict=True)):
            here = clip(frame.to_image(places[at]), width=frame.image_width, height=frame.image_height)
            answers = list(zip(here, edges[at], scores[at], strict=True))[: len(some)]
            own = [Refinement(Box.of(row), _four(sure), value) for row, sure, value in answers]
            if outwards is not None:
                added = (outwards[at] * OUTWARD / frame.scale).tolist()
                own = [replace(one, margin=_four(four)) for one, four in zip(own, added[: len(own)], strict=True)]
            found.append(own)
        return found


def batches_of(pieces: Sequence[tuple[int, Boxes]], most: int = TOGETHER[-1]) -> Iterator[list[tuple[int, Boxes]]]:
    """Split numbered boxes (K, 4) into batches of at most `most` boxes, each padded to a grid of powers of two."""
    batch: list[tuple[int, Boxes]] = []
    longest = 0
    for piece in pieces:
        wanted = max(longest, len(piece[1]))
        if batch and _to_power(len(batch) + 1) * _to_power(wanted) > most:
            yield batch
            batch, wanted = [], len(piece[1])
        batch.append(piece)
        longest = wanted
    if batch:
        yield batch


def _to_power(count: int) -> int:
    return count + missing_to_power(count)


def missing_to_power(count: int) -> int:
    """How many are missing from `count` > 0 to the next power of two.

    The GPU libraries select and load kernels for each new number of boxes, which takes up to seconds.
    """
    return int(1 << (count - 1).bit_length()) - count


def pad_boxes(boxes: Boxes, count: int) -> Boxes:
    """Repeat the last of N > 0 boxes (N, 4): (`count`, 4)."""
    return np.concatenate([boxes, np.repeat(boxes[-1:], count - len(boxes), axis=0)])


def content(frames: Sequence[Frame], device: torch.device) -> Tensor:
    """Return each image's box in its frame, (N, 4) frame pixels; a crop's image extends beyond the frame."""
    rows = [frame.to_frame([[0.0, 0.0, float(frame.image_width), float(frame.image_height)]]) for frame in frames]
    return torch.from_numpy(np.concatenate(rows)).to(device, torch.float32)


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
