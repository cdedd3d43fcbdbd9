"""CandidateFinder: adds up to three candidates, with probabilities, to a refiner's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from core.encoders.fusing import fuse_batch_norms
from core.encoders.guarded import guarded
from core.encoders.image_features import Encoder, ImageFeatures, check_encoder, check_finite, checked_boxes
from core.encoders.weights.files import in_float32, load_state, load_strictly
from core.errors import BadInputError
from core.geometry import Box, Boxes, Frame, clip, iou
from core.records import Candidate, Refinement
from core.refiner.box_refiner import BOXES_AT_ONCE, content, missing_to_power, pad_boxes
from core.refiner.candidates import CandidateNetwork
from core.refiner.checkpoint import WEIGHTS_FILE, read_card, shipped_folder
from core.refiner.margins import OUTWARD, Margin
from core.refiner.protocol import Refiner
from core.refiner.widening import edge_margin
from core.translation import tr

MOST = 3
LEAST_SIDE = 1.0
"""Shortest side of a candidate, in image pixels."""
LEAST_SHARE = 0.1
"""A less probable candidate is not worth a key press."""
NEAR_SHARE, NEAR_PIXELS = 0.05, 2.0
"""Edges this near, as a share of the side or in image pixels, are the same for an edge confidence."""
SAME = 0.85
"""Hypotheses whose IoU is at least this are one candidate: a user hardly sees a difference."""
_FOLDER = "candidates"


class CandidateFinder:
    """The candidate network for the features of one encoder; threads may share it."""

    def __init__(self, network: CandidateNetwork, *, encoder: str, device: torch.device) -> None:
        self._network = fuse_batch_norms(network.eval().requires_grad_(False)).to(device)
        self._encoder = encoder
        self._device = device

    def add_candidates(
        self, features: ImageFeatures, drawn: ArrayLike, answers: Sequence[Refinement], *, margin: Margin | None = None
    ) -> list[Refinement]:
        """Return the answers (N) to drawn boxes (N, 4) with candidates; the first is the answer's own box.

        The others follow by probability, widened by `margin`, which the answers have already. Probabilities of a box
        sum up to 1. Boxes are image pixels, clipped to the image. Raises BadInputError if a box is not finite or the
        features are of another encoder.
        """
        check_encoder(features, self._encoder)
        frame = features.frame
        boxes = clip(checked_boxes(drawn), width=frame.image_width, height=frame.image_height)
        found: list[Refinement] = []
        with torch.inference_mode():
            for start in range(0, len(boxes), BOXES_AT_ONCE):
                boxes_of_rows, shares = self._hypotheses(features, boxes[start : start + BOXES_AT_ONCE])
                for row, (options, share) in enumerate(zip(boxes_of_rows, shares, strict=True)):
                    answer = answers[start + row]
                    own = Candidate(answer.box, 0.0, margin=answer.margin)
                    hypotheses = _widened(options, share, margin, frame)
                    found.append(replace(answer, candidates=choose_candidates(own, hypotheses)))
        return found

    def judged_candidates(
        self, features: ImageFeatures, drawn: Box, answer: Refinement, *, refiner: Refiner, margin: Margin | None = None
    ) -> tuple[Candidate, ...]:
        """Return the candidates of one drawn box, with the edge confidences and scores of `refiner`, which answered.

        A candidate is judged by the refiner's answer to it. An edge that both have has the answer's confidence; where
        they differ, the candidate is right at most where the answer is wrong. Candidates less probable than LEAST_SHARE
        are left out. Raises as `add_candidates`.
        """
        [found] = guarded(lambda: self.add_candidates(features, [drawn], [answer], margin=margin))
        own, *others = found.candidates
        others = [other for other in others if other.probability >= LEAST_SHARE]
        judged = refiner.refine(features, [other.box for other in others]) if others else []
        own = replace(own, edge_confidence=answer.edge_confidence, score=answer.score)
        return (own, *(_judged(other, judge) for other, judge in zip(others, judged, strict=True)))

    def _hypotheses(self, features: ImageFeatures, boxes: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Hypotheses (N, H, 4) of drawn boxes (N, 4), both in image pixels, and their probabilities (N, H)."""
        frame = features.frame
        embedding, detail = (
            level.to(self._device, torch.float32)[None] for level in (features.embedding, features.detail)
        )
        check_finite(embedding, detail)
        missing = missing_to_power(len(boxes)) if self._device.type == "cuda" else 0
        padded = pad_boxes(boxes, len(boxes) + missing)
        drawn = torch.from_numpy(frame.to_frame(padded)).to(self._device, torch.float32)[None]
        answer = self._network(embedding, detail, drawn, content([frame], self._device))[-1]
        flat = frame.to_image(answer.hypotheses[0].flatten(0, 1).double().cpu().numpy())
        rows = clip(flat, width=frame.image_width, height=frame.image_height)
        shares = answer.choice_logits[0].double().softmax(dim=-1).cpu().numpy()
        return rows.reshape(len(padded), -1, 4)[: len(boxes)], shares[: len(boxes)]


def choose_candidates(own: Candidate, hypotheses: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Merge an answer, as `own`, and hypotheses into at most MOST candidates, whose probabilities sum up to 1.

    A hypothesis that hardly differs from a candidate adds its probability to it. One without an area, or that is not
    finite, is left out.
    """
    kept, weights = [own], [0.0]
    for hypothesis in sorted(filter(_is_usable, hypotheses), key=lambda each: -each.probability):
        overlaps = iou(np.tile(hypothesis.box, (len(kept), 1)), np.array([candidate.box for candidate in kept]))
        if overlaps.max() >= SAME:
            weights[int(overlaps.argmax())] += hypothesis.probability
        elif len(kept) < MOST:
            kept.append(hypothesis)
            weights.append(hypothesis.probability)
    whole = sum(weights)
    if whole <= 0:
        return (replace(own, probability=1.0),)
    return tuple(replace(each, probability=weight / whole) for each, weight in zip(kept, weights, strict=True))


def _is_usable(hypothesis: Candidate) -> bool:
    box = hypothesis.box
    return bool(np.isfinite([*box, hypothesis.probability]).all()) and min(box.width, box.height) >= LEAST_SIDE


def _widened(boxes: Boxes, shares: NDArray[np.float64], margin: Margin | None, frame: Frame) -> list[Candidate]:
    """Hypotheses (H, 4) in image pixels with their probabilities (H,), widened by a margin."""
    if margin is None:
        return [Candidate(Box.of(box), share) for box, share in zip(boxes, shares.tolist(), strict=True)]
    out = margin.outwards(boxes)
    wide = clip(boxes + out * OUTWARD, width=frame.image_width, height=frame.image_height)
    each = zip(wide, shares.tolist(), out, strict=True)
    return [Candidate(Box.of(box), share, margin=edge_margin(added)) for box, share, added in each]


def _judged(candidate: Candidate, judge: Refinement) -> Candidate:
    sides = (candidate.box.width, candidate.box.height) * 2
    edges = zip(candidate.box, judge.box, judge.edge_confidence, sides, strict=True)
    left, top, right, bottom = (
        sure if abs(one - other) <= max(NEAR_SHARE * side, NEAR_PIXELS) else 1.0 - sure
        for one, other, sure, side in edges
    )
    overlap = float(iou(np.array([candidate.box]), np.array([judge.box]))[0])
    return replace(candidate, edge_confidence=(left, top, right, bottom), score=judge.score * overlap)


def load_candidate_finder(encoder: Encoder) -> CandidateFinder:
    """Load the candidates that ship for an encoder.

    Raises BadInputError if none ship for it, BadWeightsError if they are damaged.
    """
    found = find_candidate_finder(encoder)
    if found is None:
        raise BadInputError(
            tr("There are no candidates for the encoder {encoder}: choose the encoder light.", encoder=encoder.name)
        )
    return found


def find_candidate_finder(encoder: Encoder) -> CandidateFinder | None:
    """Load the candidates that ship for an encoder, None if there are none. Raises BadWeightsError if damaged."""
    folder = shipped_folder(encoder) / _FOLDER
    if not folder.is_dir() or read_card(folder).encoder != encoder.identity:
        return None
    network = CandidateNetwork()
    path: Path = folder / WEIGHTS_FILE
    load_strictly(network, in_float32(load_state(path)), path=path)
    return CandidateFinder(network, encoder=encoder.identity, device=encoder.device)
