"""How well rules separate right finds from wrong ones, over the episodes of sets that they have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.pretraining.judge_records import Records
from core.suggest.peaks import Peaks, merge_same

Figures = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True)
class Case:
    """The finds of one episode, without twins, the likeliest first: probabilities (N,) and whether each is right."""

    size: int
    given: int
    set: int
    objects: int
    probabilities: Figures
    right: NDArray[np.bool_]

    def saved(self, threshold: float) -> float:
        """(right - wrong) / objects of the finds shown."""
        shown = self.probabilities >= threshold
        return float(2 * (self.right & shown).sum() - shown.sum()) / max(self.objects, 1)

    def precision(self, threshold: float) -> float:
        """The share of right ones among the finds shown; NaN without any."""
        shown = self.probabilities >= threshold
        return float((self.right & shown).sum()) / float(shown.sum()) if shown.any() else float("nan")

    def recall(self, threshold: float) -> float:
        """The share of the objects that is shown."""
        return float((self.right & (self.probabilities >= threshold)).sum()) / max(self.objects, 1)

    def best_saved(self) -> float:
        """What is saved at the best threshold of the case."""
        gains = np.where(self.right, 1, -1).cumsum() if len(self.right) else np.zeros(1)
        return float(max(gains.max(), 0)) / max(self.objects, 1)

    def average_precision(self) -> float:
        """The area under the curve of precision over recall."""
        if not len(self.right):
            return 0.0
        hits = self.right.cumsum()
        precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
        return float((np.diff(hits, prepend=0) * precision).sum() / max(self.objects, 1))


def cases_of(records: Records, probabilities: Figures) -> list[Case]:
    """The episodes, with the finds on pictures that were searched in the order of `probabilities` (N,)."""
    cases = []
    for episode in range(len(records.size)):
        rows = np.flatnonzero((records.episode == episode) & ~records.left_out)
        kept = []
        for picture in np.unique(records.picture[rows]):
            own = rows[records.picture[rows] == picture]
            own = own[np.argsort(-probabilities[own], kind="stable")]
            ranks = Peaks(
                records.boxes[own].astype(np.float64),
                -np.arange(len(own), dtype=np.float64),
                records.category[own].astype(np.int64),
                records.places[own].astype(np.int64),
            )
            kept += own[merge_same(ranks)].tolist()
        order = np.array(kept, np.int64)
        order = order[np.argsort(-probabilities[order], kind="stable")]
        cases.append(
            Case(
                int(records.size[episode]),
                int(records.given[episode]),
                int(records.set[episode]),
                int(records.objects[episode]),
                probabilities[order],
                _first_of_each(records, order),
            )
        )
    return cases


def _first_of_each(records: Records, order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each find is the first right one of its object."""
    taken: set[tuple[int, int]] = set()
    right = np.zeros(len(order), bool)
    for at, row in enumerate(order):
        key = (int(records.picture[row]), int(records.object[row]))
        if key[1] >= 0 and key not in taken:
            taken.add(key)
            right[at] = True
    return right


def calibration_error(cases: Sequence[Case]) -> float:
    """The expected calibration error of the finds of all cases, in BINS bins of equal width; cases count the same."""
    chance = np.concatenate([np.zeros(0), *(case.probabilities for case in cases)])
    right = np.concatenate([np.zeros(0), *(case.right.astype(float) for case in cases)])
    weight = np.concatenate([np.zeros(0), *(np.full(len(case.right), 1 / max(len(case.right), 1)) for case in cases)])
    if not len(chance):
        return 0.0
    place = np.minimum((chance * BINS).astype(int), BINS - 1)
    error = sum(abs(((chance - right) * weight)[place == each].sum()) for each in range(BINS))
    return float(error / weight.sum())


def precisions(cases: Sequence[Case], thresholds: Sequence[float]) -> tuple[float, float]:
    """The mean precision of the cases that show anything (1 if none does), and the share of right ones of all finds."""
    hits = shown = 0
    each: list[float] = []
    for case, threshold in zip(cases, thresholds, strict=True):
        # The likeliest are first.
        count = int((case.probabilities >= threshold).sum())
        right = int(case.right[:count].sum())
        hits, shown = hits + right, shown + count
        if count:
            each.append(right / count)
    return (float(np.mean(each)) if each else 1.0), hits / max(shown, 1)


def summary(cases: Sequence[Case], thresholds: Sequence[float]) -> dict[str, float]:
    """Means over cases, each at its own threshold; precision over those that show anything, and of all finds shown."""
    pairs = list(zip(cases, thresholds, strict=True))
    precision, right_of_all = precisions(cases, thresholds)
    return {
        "cases": float(len(cases)),
        "saved": float(np.mean([case.saved(threshold) for case, threshold in pairs])),
        "precision": precision,
        "right_of_all": right_of_all,
        "recall": float(np.mean([case.recall(threshold) for case, threshold in pairs])),
        "none": float(sum(not (case.probabilities >= threshold).any() for case, threshold in pairs)),
        "ap50": float(np.mean([case.average_precision() for case in cases])),
        "best_saved": float(np.mean([case.best_saved() for case in cases])),
        "ece": calibration_error(cases),
    }
