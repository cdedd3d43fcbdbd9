"""Suggester: proposes boxes of a picture that the user did not draw, by a head and the refiner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.encoders.image_features import ImageFeatures
from core.geometry import Box, Boxes, as_boxes, clip, iou
from core.head_records import SAME_OBJECT, SAME_PLACE
from core.records import Refinement
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import rows_by_refiner
from core.suggest.extracts import read_cells, seen_cells
from core.suggest.judge import Judge
from core.suggest.judging import Figures, describe
from core.suggest.learn import Head, find_objects
from core.suggest.network import Cells, SuggestNetwork
from core.suggest.peaks import Peaks, merge_same
from core.suggest.trust import Trust

MOST = 500
"""Suggestions of one picture."""

LEAST_SIDE_PX = 3.0
LEAST_LOGIT = -4.0

LEAST_JUDGED, MOST_JUDGED = -2.0, 20
"""Only finds with this logit or more are refined to be judged, and at most so many of which it is below zero."""


@dataclass(frozen=True)
class Suggestion:
    """A box that the user did not draw: as the head found it and as the refiner answered, in image pixels.

    `probability` is that of an object of this category at this place.
    """

    found: Box
    category: str
    probability: float
    answer: Refinement


Known = Sequence[tuple[Box, str]]
"""Boxes in image pixels with the names of their categories."""


@dataclass(frozen=True)
class Refined:
    """N finds of one picture that were refined: peaks in image pixels, categories, answers, and `KNOWN` of each."""

    peaks: Peaks
    names: list[str]
    answers: list[Refinement]
    known: Figures

    @property
    def boxes(self) -> Boxes:
        """The refined boxes (N, 4) in image pixels."""
        return as_boxes([answer.box for answer in self.answers])


class Suggester:
    """A head with its network; it holds no state of a picture, so threads may share it."""

    def __init__(
        self,
        network: SuggestNetwork,
        head: Head,
        trust: Trust,
        *,
        encoder: str,
        identity: str,
        judge: Judge | None = None,
    ) -> None:
        """`encoder` is the identity of the encoder whose features the network reads.

        The judge is that of the trust; without one, the head's own logits decide which finds are right.
        """
        self.network, self.head, self.trust = network, head, trust
        self.judge = judge
        self.encoder, self.identity = encoder, identity

    @property
    def names(self) -> tuple[str, ...]:
        """The categories that it suggests."""
        return self.head.names

    def suggest(
        self,
        features: ImageFeatures,
        refiner: Refiner,
        *,
        known: Known = (),
        rejected: Known = (),
        threshold: float | None = None,
        categories: Sequence[str] | None = None,
    ) -> list[Suggestion]:
        """Suggest boxes for one picture, likeliest first, at most MOST.

        `known` are boxes that it has, `rejected` ones that its user does not want; neither comes again. `threshold` is
        the least probability, by default the automatic one; `categories` are those to suggest, by default all. Raises
        BadInputError for features of another encoder.
        """
        least = self.trust.threshold if threshold is None else threshold
        cells = read_cells(self.network, features, encoder=self.encoder)
        wanted = set(self.names if categories is None else categories)
        if self.judge is not None:
            refined = self.find_refined(features, refiner, cells, known=known, rejected=rejected)
            return self._judged(self.judge, refined, known, wanted, least)
        peaks, names, probabilities = self.find(features, cells, known=known, rejected=rejected)
        chosen = (probabilities >= least) & np.array([name in wanted for name in names], bool)
        rows = np.flatnonzero(chosen)[:MOST]
        peaks, names, probabilities = peaks.only(rows), [names[row] for row in rows], probabilities[rows]
        answers = refine_found(refiner, features, peaks.boxes, names)
        kept = _without_twins(peaks, answers, known)
        return [
            Suggestion(Box.of(peaks.boxes[row]), names[row], float(probabilities[row]), answers[row]) for row in kept
        ]

    def _judged(self, judge: Judge, found: Refined, known: Known, wanted: set[str], least: float) -> list[Suggestion]:
        """Those of refined finds that are right by a judge, of the wanted categories."""
        probabilities = self.trust.probability(judge.logits(found.known), found.names)
        order = np.argsort(-probabilities, kind="stable")
        rows = [row for row in order.tolist() if probabilities[row] >= least and found.names[row] in wanted][:MOST]
        peaks, answers = found.peaks.only(np.array(rows, np.int64)), [found.answers[row] for row in rows]
        return [
            Suggestion(Box.of(peaks.boxes[at]), found.names[rows[at]], float(probabilities[rows[at]]), answers[at])
            for at in _without_twins(peaks, answers, known)
        ]

    def find_refined(
        self,
        features: ImageFeatures,
        refiner: Refiner,
        cells: Cells,
        *,
        known: Known = (),
        rejected: Known = (),
        most_unlikely: int = MOST_JUDGED,
    ) -> Refined:
        """Find objects and refine those that are not hopeless, for a judge. The head must have a gallery.

        At most `most_unlikely` finds with a logit below zero are refined.
        """
        assert self.head.gallery is not None
        peaks, names, _ = self.find(features, cells, known=known, rejected=rejected)
        order = np.argsort(-peaks.logits, kind="stable")
        likely = int((peaks.logits > 0).sum())
        rows = order[peaks.logits[order] >= LEAST_JUDGED][: min(likely + most_unlikely, MOST)]
        peaks, names = peaks.only(rows), [names[row] for row in rows]
        answers = refine_found(refiner, features, peaks.boxes, names)
        numbers = describe(self.network, self.head, self.head.gallery, cells, features.frame, peaks, answers)
        return Refined(peaks, names, answers, numbers)

    def find(
        self, features: ImageFeatures, cells: Cells, *, known: Known = (), rejected: Known = ()
    ) -> tuple[Peaks, list[str], np.ndarray]:
        """Find objects without refining: peaks in image pixels, their categories (N,) and probabilities (N,)."""
        frame = features.frame
        peaks = find_objects(self.head, self.network, cells, seen_cells(frame), least=LEAST_LOGIT)
        boxes = clip(frame.to_image(peaks.boxes), width=frame.image_width, height=frame.image_height)
        peaks = Peaks(boxes, peaks.logits, peaks.categories, peaks.places)
        names = [self.names[at] for at in peaks.categories]
        large = (boxes[:, 2:] - boxes[:, :2] >= LEAST_SIDE_PX).all(axis=1)
        rows = np.flatnonzero(large & _is_new(boxes, names, known) & _is_new(boxes, names, rejected))
        names = [names[row] for row in rows]
        peaks = peaks.only(rows)
        probabilities = self.trust.probability(peaks.logits, names)
        order = np.argsort(-probabilities, kind="stable")
        return peaks.only(order), [names[row] for row in order], probabilities[order]


def refine_found(refiner: Refiner, features: ImageFeatures, boxes: Boxes, names: Sequence[str]) -> list[Refinement]:
    """Refine found boxes (N, 4), each by the refiner for its category."""
    answers: dict[int, Refinement] = {}
    for asked, rows in rows_by_refiner(refiner, names):
        answers |= dict(zip(rows, asked.refine(features, boxes[rows]), strict=True))
    return [answers[row] for row in range(len(boxes))]


def _without_twins(peaks: Peaks, answers: Sequence[Refinement], known: Known) -> list[int]:
    """Rows of the finds that are still apart, and apart from known boxes, after they were refined."""
    refined = as_boxes([answer.box for answer in answers])
    # The order by probability is kept; logits of different categories do not compare.
    ranks = Peaks(refined, -np.arange(len(refined), dtype=np.float64), peaks.categories, peaks.places)
    rows = merge_same(ranks)
    taken = as_boxes([box for box, _ in known])
    return [row for row in rows if not len(taken) or _overlap(refined[row], taken).max() <= SAME_PLACE]


def _is_new(boxes: Boxes, names: Sequence[str], known: Known) -> np.ndarray:
    """Whether boxes (N, 4) are no known ones: (N,) bool. A known box of another category must overlap by more."""
    new = np.ones(len(boxes), bool)
    for box, name in known:
        most = np.array([SAME_OBJECT if each == name else SAME_PLACE for each in names])
        new &= iou(boxes, np.tile(np.array(box, np.float64), (len(boxes), 1))) <= most
    return new


def _overlap(box: np.ndarray, others: Boxes) -> np.ndarray:
    return iou(np.tile(box, (len(others), 1)), others)
