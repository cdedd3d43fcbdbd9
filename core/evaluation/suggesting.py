"""Suggestions on labelled sets: what a head finds after K labelled pictures, and in the rest of a picture.

A find is right if its category is that of a labelled box that it overlaps by at least the IoU of the figure, each
labelled box once. *Saved* is what a labeller does not have to draw: (right - wrong) / boxes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.evaluation.labelled_set import named_boxes
from core.features.feature_source import FeatureSource
from core.geometry import Box, as_boxes
from core.head_records import PictureLabels
from core.progress import Job, Progress, run
from core.refiner.protocol import Refiner
from core.suggest.kit import SuggestKit
from core.suggest.suggester import Suggestion
from core.suggest.trust import match_finds

LEAST_OBJECTS = 4
"""Objects of one category that a picture must have to be asked for the rest of them."""

REST = 0
"""The number of labelled pictures of rows of the rest of a picture, from one example."""

_LEAST = 0.02
_SLOW = 95
"""The percentile of the times of single pictures."""


@dataclass(frozen=True)
class SuggestRow:
    """One set after `pictures` labelled pictures; REST: one labelled object in each picture.

    boxes: the number to be found; ap50, ap75: average precision of all categories together; f1: at the best threshold
    saved, precision, recall: at the automatic threshold; learned_s: seconds of learning, features included
    find_ms: milliseconds a picture for all finds that have a chance of 2 %, features in memory
    shown_ms: milliseconds from cached features to what is shown at the automatic threshold, the 95th percentile
    of the pictures; REST: from the features in memory, learning included
    """

    set: str
    pictures: int
    tested: int
    boxes: int
    ap50: float
    ap75: float
    f1: float
    saved: float
    precision: float
    recall: float
    learned_s: float
    find_ms: float
    shown_ms: float


@dataclass(frozen=True)
class _Picture:
    path: Path
    id: int
    boxes: tuple[tuple[Box, str], ...]


@dataclass
class _Found:
    """The finds of one picture: probabilities, right at two IoUs, and which are shown by default."""

    probabilities: list[float]
    right50: NDArray[np.bool_]
    right75: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    boxes: int


def suggest_on_set(
    folder: Path,
    sizes: Sequence[int],
    *,
    kit: SuggestKit,
    source: FeatureSource,
    refiner: Refiner,
    limit: int,
    seed: int = 0,
) -> Job[list[SuggestRow]]:
    """Learn from the first of a set's pictures, in random order, and look for objects in the last `limit` ones.

    `sizes` are numbers of labelled pictures; REST asks for the rest of each picture from one example. Sizes that leave
    no picture are left out. Raises BadFileError if the set or a picture cannot be read.
    """
    pictures = _read(folder)
    order = np.random.default_rng(seed).permutation(len(pictures))
    mixed = [pictures[at] for at in order]
    tested = mixed[max(0, len(mixed) - limit) :]
    rows: list[SuggestRow] = []
    for size in sizes:
        yield Progress(len(rows), len(sizes), f"{folder.name}, {size} labelled")
        if size == REST:
            row = _rest_row(folder.name, tested, kit=kit, source=source, refiner=refiner, seed=seed)
        elif size + len(tested) <= len(mixed):
            row = _next_row(folder.name, mixed[:size], tested, kit=kit, source=source, refiner=refiner)
        else:
            continue
        if row is not None:
            rows.append(row)
    yield Progress(len(sizes), len(sizes), folder.name)
    return rows


def _read(folder: Path) -> list[_Picture]:
    boxes = named_boxes(folder)
    return [
        _Picture(folder / "images" / name, id, tuple((box, category) for category, box in found))
        for id, (name, found) in enumerate(sorted(boxes.items()))
    ]


def _next_row(
    name: str,
    labelled: Sequence[_Picture],
    tested: Sequence[_Picture],
    *,
    kit: SuggestKit,
    source: FeatureSource,
    refiner: Refiner,
) -> SuggestRow | None:
    paths = {picture.id: picture.path for picture in labelled}
    labels = [PictureLabels(picture.id, picture.boxes, done=True) for picture in labelled]
    start = time.perf_counter()
    suggester = run(kit.learner().learn(labels, lambda id: source.of_path(paths[id])))
    seconds = time.perf_counter() - start
    if suggester is None:
        return None
    found, spent = [], 0.0
    shown: list[float] = []
    for picture in tested:
        features = source.of_path(picture.path)
        start = time.perf_counter()
        suggestions = suggester.suggest(features, refiner, threshold=_LEAST)
        middle = time.perf_counter()
        suggester.suggest(source.at_hand(picture.path) or features, refiner)
        spent, shown = spent + middle - start, [*shown, 1000 * (time.perf_counter() - middle)]
        found.append(_compared(suggestions, picture.boxes, suggester.trust.threshold))
    return _row(name, len(labelled), found, (seconds, 1000 * spent / len(tested), _slow(shown)))


def _rest_row(
    name: str,
    tested: Sequence[_Picture],
    *,
    kit: SuggestKit,
    source: FeatureSource,
    refiner: Refiner,
    seed: int,
) -> SuggestRow | None:
    random = np.random.default_rng(seed)
    found, learning, spent, waits = [], 0.0, 0.0, []
    for picture in tested:
        names = [name for _, name in picture.boxes]
        most = max(sorted(set(names)), key=names.count)
        own = [box for box, each in picture.boxes if each == most]
        if len(own) < LEAST_OBJECTS:
            continue
        features = source.of_path(picture.path)
        shown = own.pop(int(random.integers(len(own))))
        start = time.perf_counter()
        suggester = kit.from_examples(features, [(shown, most)])
        middle = time.perf_counter()
        suggestions = suggester.suggest(features, refiner, known=[(shown, most)], threshold=_LEAST)
        end = time.perf_counter()
        suggester.suggest(features, refiner, known=[(shown, most)])
        waits.append(1000 * (middle - start + time.perf_counter() - end))
        learning, spent = learning + middle - start, spent + end - middle
        found.append(_compared(suggestions, [(box, most) for box in own], suggester.trust.threshold))
    if not found:
        return None
    return _row(name, REST, found, (learning / len(found), 1000 * spent / len(found), _slow(waits)))


def _slow(values: Sequence[float]) -> float:
    return float(np.percentile(values, _SLOW))


def _compared(suggestions: Sequence[Suggestion], true: Sequence[tuple[Box, str]], threshold: float) -> _Found:
    boxes = as_boxes([each.answer.box for each in suggestions])
    names = [each.category for each in suggestions]
    labelled, categories = as_boxes([box for box, _ in true]), [name for _, name in true]
    right = [
        match_finds(boxes, names, true=labelled, true_categories=categories, least=least) >= 0 for least in (0.5, 0.75)
    ]
    probabilities = [each.probability for each in suggestions]
    return _Found(probabilities, right[0], right[1], np.array(probabilities) >= threshold, len(true))


def _row(name: str, pictures: int, found: Sequence[_Found], times: tuple[float, float, float]) -> SuggestRow:
    """The row; `times` are seconds of learning, and `find_ms` and `shown_ms`."""
    boxes = sum(one.boxes for one in found)
    order = np.argsort([-p for one in found for p in one.probabilities], kind="stable")
    right50 = np.concatenate([np.zeros(0, bool), *(one.right50 for one in found)])
    right75 = np.concatenate([np.zeros(0, bool), *(one.right75 for one in found)])
    shown = np.concatenate([np.zeros(0, bool), *(one.shown for one in found)])
    hits, count = int((right50 & shown).sum()), int(shown.sum())
    return SuggestRow(
        name,
        pictures,
        len(found),
        boxes,
        ap50=average_precision(right50[order], boxes),
        ap75=average_precision(right75[order], boxes),
        f1=_best_f1(right50[order], boxes),
        saved=(2 * hits - count) / max(boxes, 1),
        precision=hits / count if count else 1.0,
        recall=hits / max(boxes, 1),
        learned_s=times[0],
        find_ms=times[1],
        shown_ms=times[2],
    )


def average_precision(right: NDArray[np.bool_], boxes: int) -> float:
    """The area under the curve of precision over recall of finds (N,), the likeliest first, of so many `boxes`."""
    if not len(right) or not boxes:
        return 0.0
    hits = right.cumsum()
    precision = np.maximum.accumulate((hits / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float((np.diff(hits, prepend=0) * precision).sum() / boxes)


def _best_f1(right: NDArray[np.bool_], boxes: int) -> float:
    if not len(right):
        return 0.0
    return float((2 * right.cumsum() / (np.arange(1, len(right) + 1) + boxes)).max())
