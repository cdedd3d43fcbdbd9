"""HeadLearner: learns what a project's user labels, and measures on left-out pictures how far that can be trusted."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from core.encoders.image_features import ImageFeatures
from core.geometry import Box, Boxes, as_boxes, iou
from core.head_records import PictureLabels
from core.progress import Job, Progress
from core.refiner.protocol import Refiner
from core.suggest.extracts import Extract, Labelled, extract_of_mistakes, make_extract, read_cells
from core.suggest.judge import Judge
from core.suggest.learn import Head, learn_head
from core.suggest.network import Cells, SuggestNetwork
from core.suggest.suggester import MOST_JUDGED, Known, Suggester
from core.suggest.trust import Judged, Tried, Trust, match_finds, trust_from_examples, trust_in, trust_in_judge
from core.translation import tr

MOST_PICTURES = 300
"""Pictures that a head learns from, the last ones first."""

LEAST_TRIED, MOST_TRIED, MOST_SOLVED = 3, 12, 80
"""Pictures that are left out once each; fewer of them if all categories together would have to be solved more often."""

MOST_MISTAKES = 20
"""Wrong finds of one picture that was left out, the likeliest first, that the head learns to leave alone."""

LEAST_OVERLAP = 0.1
"""A find that overlaps a labelled box by more is not counted as a mistake to learn from."""

MOST_OBJECTS = 400
"""Objects of one picture that an extract takes; more do not teach more."""

RIGHT = 0.5
"""The IoU of a refined find with a labelled box from which on it is right."""

FeaturesOf = Callable[[int], ImageFeatures | None]
"""The features of a picture by its id; None if they are not to be had."""


class HeadLearner:
    """Learns the heads of one project on one encoder's features; it keeps the extracts of unchanged pictures.

    Not safe to share between threads.
    """

    def __init__(
        self,
        network: SuggestNetwork,
        *,
        encoder: str,
        refiner: Refiner | None = None,
        judge: Judge | None = None,
        most_unlikely: int = MOST_JUDGED,
    ) -> None:
        """`encoder` is the identity of the encoder whose features the network reads.

        With a refiner, finds on pictures that are left out are refined, `most_unlikely` as in `find_refined`; a judge
        predicts which finds are right.
        """
        self._network, self._encoder, self._refiner, self._judge = network, encoder, refiner, judge
        self._most_unlikely = most_unlikely
        self.tried: list[Tried] = []
        """What was found on the pictures that the last learning left out."""

        self._extracts: OrderedDict[int, tuple[PictureLabels, Extract]] = OrderedDict()

    def learn(self, labels: Sequence[PictureLabels], features_of: FeaturesOf) -> Job[Suggester | None]:
        """Learn from the labels of pictures, the last ones first; the job returns None if they show no object.

        Pictures without features are left out. Raises what `features_of` raises.
        """
        usable = [entry for entry in labels if entry.says_something][:MOST_PICTURES]
        extracts: list[tuple[PictureLabels, Extract]] = []
        for done, entry in enumerate(usable):
            yield Progress(done, len(usable) + 1, tr("reading labelled images"))
            extract = self._extract(entry, features_of)
            if extract is not None:
                extracts.append((entry, extract))
        self._forget({entry.id for entry in usable})
        names = sorted({name for entry, _ in extracts for _, name in entry.boxes})
        if not names:
            return None
        trust, mistakes = yield from self._try(extracts, names, features_of)
        yield Progress(len(usable), len(usable) + 1, tr("learning"))
        head = learn_head([extract for _, extract in extracts], names, self._network, mistakes=mistakes)
        return Suggester(
            self._network, head, trust, encoder=self._encoder, identity=identity_of(head), judge=self._judge
        )

    def _extract(self, entry: PictureLabels, features_of: FeaturesOf) -> Extract | None:
        kept = self._extracts.get(entry.id)
        if kept is not None and kept[0] == entry:
            return kept[1]
        features = features_of(entry.id)
        if features is None:
            return None
        extract = self._read(entry, features)
        self._extracts[entry.id] = entry, extract
        return extract

    def _read(self, entry: PictureLabels, features: ImageFeatures) -> Extract:
        cells = read_cells(self._network, features, encoder=self._encoder)
        return make_extract(self._network, cells, features.frame, _labelled(entry), seed=entry.id)

    def _forget(self, ids: set[int]) -> None:
        for id in [id for id in self._extracts if id not in ids]:
            del self._extracts[id]

    def _try(
        self, extracts: Sequence[tuple[PictureLabels, Extract]], names: Sequence[str], features_of: FeaturesOf
    ) -> Job[tuple[Trust, list[Extract]]]:
        """Leave out some pictures, each once, and see what a head of the others finds there, and finds wrongly."""
        tried: list[Tried] = []
        mistakes: list[Extract] = []
        chosen = [at for at, (entry, _) in enumerate(extracts) if entry.boxes or entry.done]
        chosen = chosen[: max(LEAST_TRIED, min(MOST_TRIED, MOST_SOLVED // len(names)))]
        for count, out in enumerate(chosen):
            yield Progress(count, len(chosen), tr("checking what was learned"))
            entry = extracts[out][0]
            features = features_of(entry.id)
            if features is None:
                continue
            others = [extract for at, (_, extract) in enumerate(extracts) if at != out]
            head = learn_head(others, names, self._network)
            result, wrong = self._find(head, entry, features)
            tried.append(result)
            mistakes += wrong
        self.tried = tried
        return self._trust_in(tried), mistakes

    def _trust_in(self, tried: Sequence[Tried]) -> Trust:
        judge = self._judge
        if judge is None:
            return trust_in(tried)
        judged = [one.judged for one in tried if one.judged is not None]
        return trust_in_judge(
            np.concatenate([np.zeros(0), *(judge.logits(one.known) for one in judged)]),
            np.concatenate([np.zeros(0, bool), *(one.right for one in judged)]),
            [name for one in judged for name in one.categories],
            objects=sum(one.objects for one in tried if one.judged is not None),
            judge=judge.identity,
            standard=judge.standards.following,
        )

    def _find(self, head: Head, entry: PictureLabels, features: ImageFeatures) -> tuple[Tried, list[Extract]]:
        known = set(head.names)
        true = [(box, name) for box, name in entry.boxes if name in known]
        if not known or not (true or entry.done):
            return Tried.none(), []
        finder = Suggester(self._network, head, Trust(), encoder=self._encoder, identity="")
        cells = read_cells(self._network, features, encoder=self._encoder)
        peaks, names, _ = finder.find(features, cells)
        found = match_finds(
            peaks.boxes,
            names,
            true=as_boxes([box for box, _ in true]),
            true_categories=[name for _, name in true],
        )
        # In a picture that is not done, what matches no label may be right as well.
        rows = np.flatnonzero((found >= 0) | entry.done)
        judged = self._judged(finder, features, cells, true) if entry.done else None
        tried = Tried(peaks.logits[rows], found[rows] >= 0, tuple(names[row] for row in rows), len(true), judged)
        mistakes = [
            (int(peaks.places[row]), names[row])
            for row in np.flatnonzero(found < 0)
            if entry.done and not _touches(peaks.boxes[row], [box for box, name in true if name == names[row]])
        ][:MOST_MISTAKES]
        return tried, [extract_of_mistakes(cells, mistakes)] if mistakes else []

    def _judged(self, finder: Suggester, features: ImageFeatures, cells: Cells, true: Known) -> Judged | None:
        if self._refiner is None:
            return None
        found = finder.find_refined(features, self._refiner, cells, most_unlikely=self._most_unlikely)
        return Judged(found.known, are_right(found.boxes, found.names, true), tuple(found.names))


def are_right(boxes: Boxes, names: Sequence[str], true: Known) -> NDArray[np.bool_]:
    """Whether boxes (N, 4) of these categories overlap a true one of their category by RIGHT or more: (N,)."""
    right = np.zeros(len(boxes), bool)
    for box, name in true:
        own = np.array([each == name for each in names], bool)
        right |= own & (iou(boxes, np.tile(np.array(box, np.float64), (len(boxes), 1))) >= RIGHT)
    return right


def learn_from_examples(
    network: SuggestNetwork,
    features: ImageFeatures,
    examples: Known,
    *,
    encoder: str,
    rejected: Known = (),
    judge: Judge | None = None,
) -> Suggester:
    """Learn from some objects of one picture, to find the others in it. `examples` are boxes in image pixels.

    How far that can be trusted was measured on the training pool; see `trust_from_examples`.
    """
    labels = PictureLabels(0, tuple(examples), rejected=tuple(rejected))
    cells = read_cells(network, features, encoder=encoder)
    extract = make_extract(network, cells, features.frame, _labelled(labels))
    head = learn_head([extract], sorted({name for _, name in examples}), network, rest=True)
    trust = trust_from_examples(len(examples))
    if judge is not None:
        trust = trust_in_judge(
            np.zeros(0), np.zeros(0, bool), (), objects=0, judge=judge.identity, standard=judge.standards.rest
        )
    return Suggester(network, head, trust, encoder=encoder, identity=identity_of(head), judge=judge)


def _touches(found: NDArray[np.float64], boxes: Sequence[Box]) -> bool:
    """Whether a find (4,) is at the place of one of the boxes, however badly it fits: then it is no mistake."""
    middle_x, middle_y = (found[0] + found[2]) / 2, (found[1] + found[3]) / 2
    return any(
        (box.x1 <= middle_x < box.x2 and box.y1 <= middle_y < box.y2)
        or iou(found[None], np.array([box], np.float64))[0] > LEAST_OVERLAP
        for box in boxes
    )


def _labelled(entry: PictureLabels) -> Labelled:
    boxes, rejected = entry.boxes[:MOST_OBJECTS], entry.rejected[:MOST_OBJECTS]
    # Beyond the limit, what is not shown must not count as empty.
    done = entry.done and len(entry.boxes) <= MOST_OBJECTS
    return Labelled(
        as_boxes([box for box, _ in boxes]),
        [name for _, name in boxes],
        done,
        as_boxes([box for box, _ in rejected]),
        [name for _, name in rejected],
    )


def identity_of(head: Head) -> str:
    """`head-` and the first digits of the SHA-256 of what was learned."""
    digest = hashlib.sha256("\n".join(head.names).encode())
    for values in (head.learned.planes, head.learned.reaches, head.examples):
        digest.update(values.numpy().tobytes())
    return f"head-{digest.hexdigest()[:12]}"
