"""How far a head can be trusted: measured on labelled pictures that it did not learn from, one after the other.

Each of some pictures is left out once; a head of the others looks for its objects, and what it finds is compared with
the labels. From that follow the probability that a find is right, the precision to expect at each threshold, and the
threshold that is used if the user chooses none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from core.geometry import Boxes, iou

WANTED_PRECISION = 0.8
"""Of the suggestions shown at the automatic threshold, at most one in five should be wrong."""

GOOD_PRECISION = 0.65
"""A newer head of which this precision is expected replaces the one before it, whatever was expected of that.

Heads on pictures that are left out learn from fewer ones, and not from mistakes, so more finds of the head are right
than expected, and a small fall is chance.
"""

LEAST_PROBABILITY = 0.5
"""The automatic threshold is never lower: a box that is likelier wrong than right costs more than it saves."""

MOST_PROBABILITY = 0.65
"""The automatic threshold is not higher, once anything was found on pictures that were left out.

Of a few pictures, hardly a find is likelier, so that the share of right ones among those is chance.
"""

HIT = 0.4
"""A find, before it is refined, is right if its IoU with a labelled box of its category is at least this.

The refiner brings about as many to 0.5.
"""

_PRIOR_SLOPE, _PRIOR_SHIFT = 1.0, 0.0
_SLOPE_WEIGHT, _SHIFT_WEIGHT, _CATEGORY_WEIGHT = 4.0, 1.0, 2.0
_DOUBT, _DOUBTED_PRECISION = 2.0, 0.7
"""Before any find, so many are assumed to have been tried, of which this share was right."""

_SLOPE_OF_JUDGE, _SHIFT_OF_JUDGE, _CATEGORY_OF_JUDGE = 40.0, 30.0, 30.0
"""How strongly the slope, the shift and each category's shift are held at those of the judge."""

_DOUBT_OF_JUDGE = 20.0

THRESHOLD_OF_EXAMPLES = 0.3
"""The automatic threshold for the rest of a picture: its user asks for it, and rejects wrong ones by one key."""

_SLOPE_OF_EXAMPLES, _SHIFT_OF_ONE, _SHIFT_STEP = 1.15, 1.25, 0.75

Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """N refined finds on a picture that was left out: `KNOWN` of each (N, K), whether it is right, and categories."""

    known: Figures
    right: NDArray[np.bool_]
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Tried:
    """N finds on pictures that were left out: logits, whether each was right, and categories; and how many objects
    were there to be found. `judged` are those that were refined, if a judge is to see them."""

    logits: Figures
    right: NDArray[np.bool_]
    categories: tuple[str, ...]
    objects: int
    judged: Judged | None = None

    @classmethod
    def none(cls) -> Tried:
        return cls(np.zeros(0), np.zeros(0, bool), (), 0)


@dataclass(frozen=True)
class Trust:
    """Probabilities of finds (sigmoid(slope * logit + shift), the shift of each category its own), and the threshold.

    probabilities, right: of the finds on pictures that were left out, (N,) each; empty before any was tried
    judge: the identity of the judge whose logits these are; "" for those of the head itself
    usual: the precision at 0, 0.05, .. 1 in sets that the judge did not learn from; empty without a judge
    """

    slope: float = _PRIOR_SLOPE
    shift: float = _PRIOR_SHIFT
    shifts: Mapping[str, float] = field(default_factory=dict)
    threshold: float = WANTED_PRECISION
    probabilities: tuple[float, ...] = ()
    right: tuple[bool, ...] = ()
    objects: int = 0
    judge: str = ""
    usual: tuple[float, ...] = ()

    def probability(self, logits: Figures, categories: Sequence[str]) -> Figures:
        """The probability (N,) that finds with logits (N,) are right."""
        shifts = np.array([self.shift + self.shifts.get(name, 0.0) for name in categories], np.float64)
        found: Figures = 1 / (1 + np.exp(-np.clip(self.slope * logits + shifts, -50, 50)))
        return found

    def expected_precision(self, threshold: float) -> float:
        """The share of the suggestions with at least this probability that is expected to be right."""
        chosen = np.array(self.probabilities) >= threshold
        right = float(np.array(self.right, float)[chosen].sum())
        guess, doubt = max(threshold, _DOUBTED_PRECISION), _DOUBT
        if self.usual:
            at = np.linspace(0, 1, len(self.usual))
            guess, doubt = float(np.interp(threshold, at, self.usual)), _DOUBT_OF_JUDGE
        return (right + doubt * guess) / (float(chosen.sum()) + doubt)

    def expected_share(self, threshold: float) -> float:
        """The share of the objects that is expected to be found at this threshold; 0 before any was tried."""
        chosen = np.array(self.probabilities) >= threshold
        return float(np.array(self.right, float)[chosen].sum()) / max(self.objects, 1)


def match_finds(
    boxes: Boxes, categories: Sequence[str], *, true: Boxes, true_categories: Sequence[str], least: float = HIT
) -> NDArray[np.int64]:
    """Match finds (N, 4), the likeliest first, with labelled boxes (M, 4): the row of each one's, or -1."""
    found = np.full(len(boxes), -1, np.int64)
    free = np.ones(len(true), bool)
    for row, category in enumerate(categories):
        same = np.array([name == category for name in true_categories], bool) & free
        if same.any():
            overlap = np.where(same, iou(np.tile(boxes[row], (len(true), 1)), true), 0.0)
            best = int(overlap.argmax())
            if overlap[best] >= least:
                found[row], free[best] = best, False
    return found


def trust_in(tried: Sequence[Tried]) -> Trust:
    """Fit the probabilities to finds on pictures that were left out, and choose the automatic threshold."""
    logits = np.concatenate([np.zeros(0), *(one.logits for one in tried)])
    right = np.concatenate([np.zeros(0, bool), *(one.right for one in tried)])
    categories = [name for one in tried for name in one.categories]
    objects = sum(one.objects for one in tried)
    if not len(logits):
        return Trust(objects=objects)
    slope, shift, shifts = _fit(logits, right, categories)
    fitted = Trust(slope, shift, shifts)
    probabilities = fitted.probability(logits, categories)
    known = Trust(
        slope, shift, shifts, probabilities=tuple(probabilities.tolist()), right=tuple(right.tolist()), objects=objects
    )
    return Trust(**{**vars(known), "threshold": _automatic(known)})


@dataclass(frozen=True)
class Standard:
    """The automatic threshold of a judge, and the precision at 0, 0.05, .. 1 in sets that it did not learn from."""

    threshold: float
    usual: tuple[float, ...]


def trust_in_judge(
    logits: Figures,
    right: NDArray[np.bool_],
    categories: Sequence[str],
    *,
    objects: int,
    judge: str,
    standard: Standard,
) -> Trust:
    """Trust in the judge of this identity, corrected by finds (N,) on pictures that were left out, with its logits."""
    plain = Trust(1.0, 0.0, threshold=standard.threshold, objects=objects, judge=judge, usual=standard.usual)
    if not len(logits):
        return plain
    held = (_SLOPE_OF_JUDGE, _SHIFT_OF_JUDGE, _CATEGORY_OF_JUDGE)
    slope, shift, shifts = _fit(logits, right, categories, held=held)
    fitted = Trust(slope, shift, shifts)
    chances = tuple(fitted.probability(logits, categories).tolist())
    return replace(plain, slope=slope, shift=shift, shifts=shifts, probabilities=chances, right=tuple(right.tolist()))


def trust_from_examples(count: int) -> Trust:
    """How far finds in a picture can be trusted if `count` > 0 objects in it are the only examples.

    The constants were fitted to what one, two and four examples find in 40 pictures of ten sets of the training pool.
    """
    shift = _SHIFT_OF_ONE - _SHIFT_STEP * float(np.log(count))
    return Trust(_SLOPE_OF_EXAMPLES, shift, threshold=THRESHOLD_OF_EXAMPLES)


def _automatic(trust: Trust) -> float:
    """The lowest threshold in its range at which the expected precision is high enough, or the highest one."""
    within = (p for p in trust.probabilities if LEAST_PROBABILITY < p < MOST_PROBABILITY)
    for threshold in sorted({LEAST_PROBABILITY, *within}):
        if trust.expected_precision(threshold) >= WANTED_PRECISION:
            return float(threshold)
    return MOST_PROBABILITY


_HELD = (_SLOPE_WEIGHT, _SHIFT_WEIGHT, _CATEGORY_WEIGHT)


def _fit(
    logits: Figures,
    right: NDArray[np.bool_],
    categories: Sequence[str],
    *,
    held: tuple[float, float, float] = _HELD,
) -> tuple[float, float, dict[str, float]]:
    """Logistic regression with a shift for each category, held at the prior, by Newton's method."""
    names = sorted(set(categories))
    column = {name: at + 2 for at, name in enumerate(names)}
    design = np.zeros((len(logits), 2 + len(names)))
    design[:, 0], design[:, 1] = logits, 1.0
    design[np.arange(len(logits)), [column[name] for name in categories]] = 1.0
    prior = np.array([_PRIOR_SLOPE, _PRIOR_SHIFT, *([0.0] * len(names))])
    weights = np.array([held[0], held[1], *([held[2]] * len(names))])
    values = prior.copy()
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(design @ values, -50, 50)))
        slope = design.T @ (chance - right) + weights * (values - prior)
        bend = (design * np.maximum(chance * (1 - chance), 1e-3)[:, None]).T @ design + np.diag(weights)
        values = values - np.linalg.solve(bend, slope)
    # A find that scores higher is never less likely right.
    return max(float(values[0]), 0.05), float(values[1]), {name: float(values[column[name]]) for name in names}
