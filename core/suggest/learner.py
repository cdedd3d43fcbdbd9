"""HeadLearner: learns what a project's user labels, and measures on left-out pictures how far that can be trusted."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from core.encoders.image_features import ImageFeatures
from core.geometry import as_boxes
from core.head_records import PictureLabels
from core.progress import Job, Progress
from core.suggest.learn import Head, learn_head
from core.suggest.lessons import Labelled, Lesson, make_lesson, read_cells
from core.suggest.network import SuggestNetwork
from core.suggest.suggester import Known, Suggester
from core.suggest.trust import Tried, Trust, match_finds, trust_in
from core.translation import tr

MOST_PICTURES = 300
"""Pictures that a head learns from, the last ones first."""

MOST_TRIED = 12
"""Pictures that are left out once each."""

MOST_OBJECTS = 400
"""Objects of one picture that a lesson takes; more do not teach more."""


FeaturesOf = Callable[[int], ImageFeatures | None]
"""The features of a picture by its id; None if they are not to be had."""


class HeadLearner:
    """Learns the heads of one project on one encoder's features; it keeps the lessons of unchanged pictures.

    Not safe to share between threads.
    """

    def __init__(self, network: SuggestNetwork, *, encoder: str) -> None:
        """`encoder` is the identity of the encoder whose features the network reads."""
        self._network, self._encoder = network, encoder
        self._lessons: OrderedDict[int, tuple[PictureLabels, Lesson]] = OrderedDict()

    def learn(self, labels: Sequence[PictureLabels], features_of: FeaturesOf) -> Job[Suggester | None]:
        """Learn from the labels of pictures, the last ones first; the job returns None if they show no object.

        Pictures without features are left out. Raises what `features_of` raises.
        """
        usable = [entry for entry in labels if entry.says_something][:MOST_PICTURES]
        lessons: list[tuple[PictureLabels, Lesson]] = []
        for done, entry in enumerate(usable):
            yield Progress(done, len(usable) + 1, tr("reading labelled images"))
            lesson = self._lesson(entry, features_of)
            if lesson is not None:
                lessons.append((entry, lesson))
        self._forget({entry.id for entry in usable})
        names = sorted({name for entry, _ in lessons for _, name in entry.boxes})
        if not names:
            return None
        trust = yield from self._try(lessons, names, features_of)
        yield Progress(len(usable), len(usable) + 1, tr("learning"))
        head = learn_head([lesson for _, lesson in lessons], names, self._network)
        return Suggester(self._network, head, trust, encoder=self._encoder, identity=identity_of(head))

    def _lesson(self, entry: PictureLabels, features_of: FeaturesOf) -> Lesson | None:
        kept = self._lessons.get(entry.id)
        if kept is not None and kept[0] == entry:
            return kept[1]
        features = features_of(entry.id)
        if features is None:
            return None
        lesson = self._read(entry, features)
        self._lessons[entry.id] = entry, lesson
        return lesson

    def _read(self, entry: PictureLabels, features: ImageFeatures) -> Lesson:
        cells = read_cells(self._network, features, encoder=self._encoder)
        return make_lesson(self._network, cells, features.frame, _labelled(entry), seed=entry.id)

    def _forget(self, ids: set[int]) -> None:
        for id in [id for id in self._lessons if id not in ids]:
            del self._lessons[id]

    def _try(
        self, lessons: Sequence[tuple[PictureLabels, Lesson]], names: Sequence[str], features_of: FeaturesOf
    ) -> Job[Trust]:
        """Leave out some pictures, each once, and see what a head of the others finds there."""
        tried: list[Tried] = []
        chosen = [at for at, (entry, _) in enumerate(lessons) if entry.boxes or entry.done][:MOST_TRIED]
        for count, out in enumerate(chosen):
            yield Progress(count, len(chosen), tr("checking what was learned"))
            entry = lessons[out][0]
            features = features_of(entry.id)
            if features is None:
                continue
            others = [lesson for at, (_, lesson) in enumerate(lessons) if at != out]
            head = learn_head(others, names, self._network)
            tried.append(self._find(head, entry, features))
        return trust_in(tried)

    def _find(self, head: Head, entry: PictureLabels, features: ImageFeatures) -> Tried:
        known = set(head.names)
        true = [(box, name) for box, name in entry.boxes if name in known]
        if not known or not (true or entry.done):
            return Tried.none()
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
        return Tried(peaks.logits[rows], found[rows] >= 0, tuple(names[row] for row in rows), len(true))


def learn_from_examples(
    network: SuggestNetwork, features: ImageFeatures, examples: Known, *, encoder: str, rejected: Known = ()
) -> Suggester:
    """Learn from some objects of one picture, to find the others in it. `examples` are boxes in image pixels.

    How far that can be trusted was measured when the network was trained; see `Trust`.
    """
    labels = PictureLabels(0, tuple(examples), rejected=tuple(rejected))
    cells = read_cells(network, features, encoder=encoder)
    lesson = make_lesson(network, cells, features.frame, _labelled(labels))
    head = learn_head([lesson], sorted({name for _, name in examples}), network)
    return Suggester(network, head, Trust(), encoder=encoder, identity=identity_of(head))


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
