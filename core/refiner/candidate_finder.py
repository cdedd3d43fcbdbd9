"""CandidateFinder: adds up to three candidates, with probabilities, to a refiner's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from core.encoders.image_features import Encoder, ImageFeatures, check_encoder, check_finite, checked_boxes
from core.encoders.weights.files import in_float32, load_state, load_strictly
from core.errors import BadInputError
from core.geometry import Box, Boxes, clip, iou
from core.records import Candidate, Refinement
from core.refiner.box_refiner import BOXES_AT_ONCE, content, fuse_batch_norms, pad_boxes
from core.refiner.candidates import CandidateNetwork
from core.refiner.checkpoint import WEIGHTS_FILE, read_card, shipped_folder
from core.translation import tr

MOST = 3
SAME = 0.85
"""Hypotheses whose IoU is at least this are one candidate: a user could hardly tell them apart."""
_FOLDER = "candidates"


class CandidateFinder:
    """The candidate network for the features of one encoder; threads may share it."""

    def __init__(self, network: CandidateNetwork, *, encoder: str, device: torch.device) -> None:
        self._network = fuse_batch_norms(network.eval().requires_grad_(False)).to(device)
        self._encoder = encoder
        self._device = device

    def add_candidates(
        self, features: ImageFeatures, drawn: ArrayLike, answers: Sequence[Refinement]
    ) -> list[Refinement]:
        """Return the answers (N) to drawn boxes (N, 4) with candidates; the first is the answer's own box.

        The others follow by probability. Probabilities of a box sum up to 1. Boxes are image pixels, clipped to the
        image. Raises BadInputError if a box is not finite or the features are of another encoder.
        """
        check_encoder(features, self._encoder)
        frame = features.frame
        boxes = clip(checked_boxes(drawn), width=frame.image_width, height=frame.image_height)
        found: list[Refinement] = []
        with torch.inference_mode():
            for start in range(0, len(boxes), BOXES_AT_ONCE):
                hypotheses, shares = self._hypotheses(features, boxes[start : start + BOXES_AT_ONCE])
                for row, (options, share) in enumerate(zip(hypotheses, shares, strict=True)):
                    answer = answers[start + row]
                    found.append(replace(answer, candidates=choose_candidates(answer.box, options, share)))
        return found

    def _hypotheses(self, features: ImageFeatures, boxes: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Hypotheses (N, H, 4) of drawn boxes (N, 4), both in image pixels, and their probabilities (N, H)."""
        frame = features.frame
        embedding, detail = (
            level.to(self._device, torch.float32)[None] for level in (features.embedding, features.detail)
        )
        check_finite(embedding, detail)
        padded = pad_boxes(boxes) if self._device.type == "cuda" else boxes
        drawn = torch.from_numpy(frame.to_frame(padded)).to(self._device, torch.float32)[None]
        answer = self._network(embedding, detail, drawn, content(frame, self._device))[-1]
        flat = frame.to_image(answer.hypotheses[0].flatten(0, 1).double().cpu().numpy())
        rows = clip(flat, width=frame.image_width, height=frame.image_height)
        shares = answer.choice_logits[0].double().softmax(dim=-1).cpu().numpy()
        return rows.reshape(len(padded), -1, 4)[: len(boxes)], shares[: len(boxes)]


def choose_candidates(box: Box, hypotheses: Boxes, shares: NDArray[np.float64]) -> tuple[Candidate, ...]:
    """Merge an answer's box and hypotheses (H, 4) with probabilities (H,) into at most MOST candidates.

    A hypothesis that hardly differs from a candidate adds its probability to it.
    """
    kept, weights = [box], [0.0]
    for row in np.argsort(-shares):
        overlaps = iou(np.tile(hypotheses[row], (len(kept), 1)), np.array(kept))
        if overlaps.max() >= SAME:
            weights[int(overlaps.argmax())] += float(shares[row])
        elif len(kept) < MOST:
            kept.append(Box.of(hypotheses[row]))
            weights.append(float(shares[row]))
    whole = sum(weights) or 1.0
    return tuple(Candidate(each, weight / whole) for each, weight in zip(kept, weights, strict=True))


def load_candidate_finder(encoder: Encoder) -> CandidateFinder:
    """Load the candidates that ship for an encoder.

    Raises BadInputError if none ship for it, BadWeightsError if they are damaged.
    """
    folder = shipped_folder(encoder) / _FOLDER
    if not folder.is_dir() or read_card(folder).encoder != encoder.identity:
        raise BadInputError(
            tr("There are no candidates for the encoder {encoder}: choose the encoder light.", encoder=encoder.name)
        )
    network = CandidateNetwork()
    path: Path = folder / WEIGHTS_FILE
    load_strictly(network, in_float32(load_state(path)), path=path)
    return CandidateFinder(network, encoder=encoder.identity, device=encoder.device)
