"""Episodes of the judge: heads that learn from a few labelled pictures of a set, and what they find on other ones.

Each head learns as it does in a project, and its finds are refined; what is known about each find is recorded with
whether it is right. So are the finds on labelled pictures that the learner leaves out.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.encoders.image_features import Encoder, ImageFeatures
from core.geometry import Box, Frame, iou
from core.head_records import PictureLabels
from core.images import read_picture
from core.pretraining.judge_config import JudgeConfig
from core.pretraining.judge_records import Records, RecordsMaker
from core.progress import Job, Progress
from core.refiner.protocol import Refiner
from core.suggest.extracts import read_cells
from core.suggest.learner import RIGHT, HeadLearner, learn_from_examples
from core.suggest.network import SuggestNetwork
from core.suggest.suggester import Known, Refined, Suggester

LEAST_OBJECTS = 4
"""Objects of one category that a picture must have to be asked for the rest of them."""

MOST_UNLIKELY = 60
"""Recorded finds of a picture with a logit below zero: more than an app refines, as a judge learns from wrong ones."""

GIVEN = (1, 3)
"""Examples in the picture itself, where its other objects are to be found."""


@dataclass(frozen=True)
class Labelled:
    """A picture of a set with its boxes."""

    path: Path
    id: int
    boxes: tuple[tuple[Box, str], ...]


@dataclass(frozen=True)
class Tools:
    """What finds are made with."""

    network: SuggestNetwork
    encoder: Encoder
    refiner: Refiner

    def features_of(self, path: Path) -> ImageFeatures:
        """Encode a whole picture. Raises BadFileError if it cannot be read."""
        picture = read_picture(path)
        return self.encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))


def record_set(name: str, pictures: Sequence[Labelled], config: JudgeConfig, seed: int, tools: Tools) -> Job[Records]:
    """Record one draw of a set: the last `tested` pictures in random order are searched, the first ones labelled.

    Raises BadFileError if a picture cannot be read.
    """
    random = np.random.default_rng([config.seed, seed, zlib.crc32(name.encode())])
    mixed = [pictures[at] for at in random.permutation(len(pictures))]
    # At least half of a small set can be labelled.
    tested = mixed[-min(config.tested, max(1, len(mixed) // 2)) :]
    kept: dict[int, ImageFeatures] = {}

    def features_of(picture: Labelled) -> ImageFeatures:
        if picture.id not in kept:
            kept[picture.id] = tools.features_of(picture.path)
        return kept[picture.id]

    made = RecordsMaker()
    for done, size in enumerate(sorted(config.sizes)):
        yield Progress(done, len(config.sizes), f"{name} {seed}, {size} labelled")
        if size == 0:
            yield from _rest(made, tested, features_of, random, tools)
        elif size + len(tested) <= len(mixed):
            whole = bool(random.random() >= config.undone_share)
            yield from _next(made, mixed[:size], tested, features_of, tools, whole=whole)
    return made.records()


def _next(
    made: RecordsMaker,
    labelled: Sequence[Labelled],
    tested: Sequence[Labelled],
    features_of: Callable[[Labelled], ImageFeatures],
    tools: Tools,
    *,
    whole: bool,
) -> Job[None]:
    """Record a head of several pictures, `whole`: that are marked as done."""
    by_id = {picture.id: picture for picture in labelled}
    learner = HeadLearner(
        tools.network, encoder=tools.encoder.identity, refiner=tools.refiner, most_unlikely=MOST_UNLIKELY
    )
    labels = [PictureLabels(picture.id, picture.boxes, done=whole) for picture in labelled]
    suggester = yield from learner.learn(labels, lambda id: features_of(by_id[id]))
    if suggester is None:
        return
    boxes = sum(len(picture.boxes) for picture in tested)
    made.episode(size=len(labelled), given=0, boxes=boxes, tested=len(tested), trust=suggester.trust, whole=whole)
    for tried in learner.tried:
        if tried.judged is not None:
            made.left_out(tried.judged, suggester.names)
    for picture in tested:
        found = _found(suggester, features_of(picture), tools)
        made.finds(found, suggester, *_truth(found, picture.boxes), picture=picture.id)


def _rest(
    made: RecordsMaker,
    tested: Sequence[Labelled],
    features_of: Callable[[Labelled], ImageFeatures],
    random: np.random.Generator,
    tools: Tools,
) -> Job[None]:
    """Record heads of some objects of a picture, which find the others in it; all pictures are one episode."""
    for given in GIVEN:
        cases = []
        for picture in tested:
            names = [name for _, name in picture.boxes]
            most = max(sorted(set(names)), key=names.count) if names else ""
            own = [box for box, each in picture.boxes if each == most]
            if len(own) >= max(LEAST_OBJECTS, 2 * given):
                cases.append((picture, most, [own[at] for at in random.permutation(len(own))]))
        if not cases:
            continue
        first: Suggester | None = None
        for picture, name, own in cases:
            yield Progress(0, 1, f"{picture.path.name}, the rest")
            examples = [(box, name) for box in own[:given]]
            features = features_of(picture)
            suggester = learn_from_examples(tools.network, features, examples, encoder=tools.encoder.identity)
            if first is None:
                first = suggester
                boxes = sum(len(each) - given for _, _, each in cases)
                made.episode(size=0, given=given, boxes=boxes, tested=len(cases), trust=suggester.trust, whole=False)
            found = _found(suggester, features, tools, known=examples)
            made.finds(found, suggester, *_truth(found, [(box, name) for box in own[given:]]), picture=picture.id)


def _found(suggester: Suggester, features: ImageFeatures, tools: Tools, *, known: Known = ()) -> Refined:
    cells = read_cells(tools.network, features, encoder=suggester.encoder)
    return suggester.find_refined(features, tools.refiner, cells, known=known, most_unlikely=MOST_UNLIKELY)


def _truth(found: Refined, true: Known) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The highest IoU (N,) of each find with a true box of its category, and the row (N,) of that box, or -1."""
    best, rows = np.zeros(len(found.names)), np.full(len(found.names), -1, np.int64)
    for at, (box, name) in enumerate(true):
        own = np.array([each == name for each in found.names], bool)
        overlap = np.where(own, iou(found.boxes, np.tile(np.array(box, np.float64), (len(own), 1))), 0.0)
        better = (overlap >= RIGHT) & (overlap > best)
        best, rows = np.where(better, overlap, best), np.where(better, at, rows)
    return best, rows
