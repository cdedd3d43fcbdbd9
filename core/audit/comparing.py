"""Two datasets of the same pictures compared, such as the labels of two annotators: matches, IoU, kappa, edges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.audit.pairing import name_in, pair_boxes, pair_pictures
from core.geometry import Box
from core.progress import Job, Progress
from core.records import Correction, Dataset
from core.translation import tr

NOTHING = ""
"""Stands in `Comparison.table` for the category of a box that the other dataset does not have."""

EDGES = ("left", "top", "right", "bottom")
_STEP = 200


@dataclass(frozen=True)
class PairedPicture:
    """What differs on one picture.

    `a` and `b` are the numbers of boxes, `matched` the pairs, `confused` those of two categories, `mean_iou` that of
    the pairs, None without one. `disagreement` is the number of boxes without a partner, plus the pairs of two
    categories, plus 1 - IoU of the other pairs.
    """

    name: str
    a: int
    b: int
    matched: int
    confused: int
    mean_iou: float | None
    disagreement: float

    @property
    def only_a(self) -> int:
        return self.a - self.matched

    @property
    def only_b(self) -> int:
        return self.b - self.matched


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one category by name.

    `agreed` pairs are of this category in both; `mean_iou` is theirs, None without one. `confused` are the names that
    the other dataset has for boxes that it is matched with, with their numbers, in both directions. `kappa` is Cohen's
    of "this category or not", "no box" counting as not.
    """

    name: str
    a: int
    b: int
    agreed: int
    only_a: int
    only_b: int
    confused: Mapping[str, int]
    mean_iou: float | None
    kappa: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Two datasets compared on the pictures that both have.

    `ious` are those of all pairs, `edges` (N, 4) their differences B - A of left, top, right and bottom, in pixels.
    `table` has the number of pairs of a category of A with one of B; NOTHING stands for no partner. `only_a` and
    `only_b` are names of pictures that the other one does not have; their boxes count nowhere.
    """

    least_iou: float
    pictures: tuple[PairedPicture, ...] = ()
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    ious: tuple[float, ...] = ()
    edges: tuple[tuple[float, float, float, float], ...] = ()
    table: Mapping[tuple[str, str], int] = field(default_factory=dict)
    classes: tuple[ClassFigures, ...] = ()

    @property
    def matched(self) -> int:
        return len(self.ious)

    @property
    def unmatched_a(self) -> int:
        return sum(count for (_, b), count in self.table.items() if b == NOTHING)

    @property
    def unmatched_b(self) -> int:
        return sum(count for (a, _), count in self.table.items() if a == NOTHING)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa of the categories, "no box" among them; None where it is not defined."""
        return cohen_kappa(self.table)

    @property
    def mean_iou(self) -> float | None:
        return float(np.mean(self.ious)) if self.ious else None

    @property
    def mean_edges(self) -> tuple[float, float, float, float] | None:
        """Mean differences B - A of left, top, right and bottom in pixels; positive: to the right or down in B."""
        if not self.edges:
            return None
        left, top, right, bottom = np.mean(self.edges, axis=0).tolist()
        return left, top, right, bottom

    def largest(self, count: int) -> list[PairedPicture]:
        """The pictures of the largest disagreement, the largest first, without those that agree."""
        ranked = sorted(self.pictures, key=lambda picture: (-picture.disagreement, picture.name))
        return [picture for picture in ranked if picture.disagreement > 1e-9][:count]


def cohen_kappa(table: Mapping[tuple[str, str], int]) -> float | None:
    """Cohen's kappa of a table of two raters; None without entries, or if chance alone explains full agreement."""
    total = sum(table.values())
    if not total:
        return None
    of_a, of_b = Counter[str](), Counter[str]()
    for (a, b), count in table.items():
        of_a[a] += count
        of_b[b] += count
    agreed = sum(count for (a, b), count in table.items() if a == b) / total
    by_chance = sum(of_a[name] * of_b[name] for name in of_a) / total**2
    return None if by_chance >= 1 else (agreed - by_chance) / (1 - by_chance)


def compare(first: Dataset, second: Dataset, *, least_iou: float = 0.5) -> Job[Comparison]:
    """Compare the labels of two datasets; suggestions do not count. Pairs of boxes have at least `least_iou`."""
    first, second = first.labels(), second.labels()
    pairs = pair_pictures(first, second)
    tally = Tally(least_iou)
    on_a, on_b = _named_boxes(first), _named_boxes(second)
    for done, (a, b) in enumerate(pairs):
        if done % _STEP == 0:
            yield Progress(done, len(pairs), tr("Comparing boxes"))
        tally.add(name_in(first, a), on_a.get(a.id, ()), on_b.get(b.id, ()))
    paired_a, paired_b = {a.id for a, _ in pairs}, {b.id for _, b in pairs}
    return tally.comparison(
        [category.name for category in (*first.categories, *second.categories)],
        only_a=[name_in(first, image) for image in first.images if image.id not in paired_a],
        only_b=[name_in(second, image) for image in second.images if image.id not in paired_b],
    )


def _named_boxes(dataset: Dataset) -> dict[int, Labelled]:
    """The accepted boxes of each image that has some, with the names of their categories."""
    names = {category.id: category.name for category in dataset.categories}
    return {
        id: [(entry.accepted, names.get(entry.category_id, "?")) for entry in entries]
        for id, entries in by_image(dataset).items()
    }


Labelled = Sequence[tuple[Box, str]]
"""Boxes of a picture, each with the name of its category."""


class Tally:
    """What is counted while the pictures of two datasets are compared one by one."""

    def __init__(self, least_iou: float) -> None:
        self._least_iou = least_iou
        self.pictures: list[PairedPicture] = []
        self.ious: list[float] = []
        self.edges: list[tuple[float, float, float, float]] = []
        self.table: Counter[tuple[str, str]] = Counter()
        self._agreed: dict[str, list[float]] = {}

    def add(self, name: str, a: Labelled, b: Labelled) -> None:
        """Compare one picture by its boxes in both datasets."""
        names_a, names_b = [category for _, category in a], [category for _, category in b]
        boxes_a, boxes_b = [box for box, _ in a], [box for box, _ in b]
        pairs = pair_boxes(
            boxes_a, boxes_b, least_iou=self._least_iou, same=lambda one, other: names_a[one] == names_b[other]
        )
        confused, off = 0, 0.0
        for one, other, iou in pairs:
            self.ious.append(iou)
            self.edges.append(_difference(boxes_a[one], boxes_b[other]))
            self.table[names_a[one], names_b[other]] += 1
            if names_a[one] == names_b[other]:
                self._agreed.setdefault(names_a[one], []).append(iou)
                off += 1 - iou
            else:
                confused += 1
        with_partner_a, with_partner_b = {pair.first for pair in pairs}, {pair.second for pair in pairs}
        self.table.update((name, NOTHING) for row, name in enumerate(names_a) if row not in with_partner_a)
        self.table.update((NOTHING, name) for row, name in enumerate(names_b) if row not in with_partner_b)
        mean = float(np.mean([pair.iou for pair in pairs])) if pairs else None
        alone = len(a) + len(b) - 2 * len(pairs)
        self.pictures.append(PairedPicture(name, len(a), len(b), len(pairs), confused, mean, alone + confused + off))

    def comparison(
        self, categories: Iterable[str], *, only_a: Sequence[str] = (), only_b: Sequence[str] = ()
    ) -> Comparison:
        """What was counted, with the figures of `categories`; the rest are names of pictures that only one has."""
        return Comparison(
            self._least_iou,
            tuple(self.pictures),
            tuple(only_a),
            tuple(only_b),
            tuple(self.ious),
            tuple(self.edges),
            dict(self.table),
            tuple(self._figures_of(name) for name in dict.fromkeys(categories)),
        )

    def _figures_of(self, name: str) -> ClassFigures:
        confused: Counter[str] = Counter()
        for (a, b), count in self.table.items():
            if a != b and NOTHING not in (a, b) and name in (a, b):
                confused[b if a == name else a] += count
        ious = self._agreed.get(name, [])
        return ClassFigures(
            name,
            sum(count for (a, _), count in self.table.items() if a == name),
            sum(count for (_, b), count in self.table.items() if b == name),
            self.table[name, name],
            self.table[name, NOTHING],
            self.table[NOTHING, name],
            dict(confused.most_common()),
            float(np.mean(ious)) if ious else None,
            cohen_kappa(self._one_against_all(name)),
        )

    def _one_against_all(self, name: str) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for (a, b), count in self.table.items():
            found[str(a == name), str(b == name)] += count
        return found


def by_image(dataset: Dataset) -> dict[int, list[Correction]]:
    """The boxes of each image that has some, by the image's id, in the order of the dataset."""
    found: dict[int, list[Correction]] = {}
    for entry in dataset.corrections:
        found.setdefault(entry.image_id, []).append(entry)
    return found


def _difference(a: Box, b: Box) -> tuple[float, float, float, float]:
    return b.x1 - a.x1, b.y1 - a.y1, b.x2 - a.x2, b.y2 - a.y2


def iou_figures(ious: Sequence[float]) -> dict[str, float | None]:
    """Mean, median and lower tenth of the IoU, and the share of pairs from 0.75 and from 0.9 on; None without pairs."""
    if not ious:
        return dict.fromkeys(("mean", "median", "lowest_tenth", "from_0.75", "from_0.9"))
    values = np.asarray(ious, np.float64)
    return {
        "mean": float(values.mean()),
        "median": float(np.median(values)),
        "lowest_tenth": float(np.quantile(values, 0.1)),
        "from_0.75": float((values >= 0.75).mean()),
        "from_0.9": float((values >= 0.9).mean()),
    }
