"""LabelledSet: pictures with true boxes, and the loop over them that the benchmarks of the refiner share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.box_noise import coarsen
from core.encoders.image_features import ImageFeatures
from core.features.feature_source import FeatureSource
from core.formats.exporters.coco import read_coco
from core.formats.importers.coco_import import category_names
from core.geometry import Box, Boxes, as_boxes
from core.inference.guess_drawing import MOST_PICTURES, guess_for_source
from core.progress import Job, Progress
from core.records import Drawing, HowDrawn, Refinement
from core.refiner.conservative import refiner_for
from core.refiner.protocol import Refiner

TRUE = "true"
"""Used instead of the name of a noise: the drawn boxes are the true boxes."""
Found = TypeVar("Found")


@dataclass(frozen=True)
class LabelledSet:
    """One folder of images/ and annotations.json: N true boxes, and the rows of each picture's boxes by file name."""

    folder: Path
    true: Boxes
    size: NDArray[np.float64]
    """(N, 2) width and height of each box's picture."""
    rows: dict[str, list[int]]

    @property
    def name(self) -> str:
        return self.folder.name

    def drawn(self, noise: str, *, seed: int) -> Boxes:
        """Coarse boxes (N, 4) by `coarsen`, the same as in `benchmark accuracy`; the true boxes if `noise` is TRUE."""
        if noise == TRUE:
            return self.true
        random = np.random.default_rng(seed)
        return coarsen(self.true, noise, random, width=self.size[:, 0], height=self.size[:, 1]).round(2)


@dataclass(frozen=True)
class Answers:
    """N boxes before and after refinement, in image pixels, with edge confidences (N, 4) and predicted IoUs (N,)."""

    true: Boxes
    drawn: Boxes
    refined: Boxes
    confidence: NDArray[np.float64]
    score: NDArray[np.float64]

    @classmethod
    def of(cls, refinements: Sequence[Refinement], *, true: Boxes, drawn: Boxes) -> Answers:
        """Collect a refiner's answers to N > 0 boxes, in their order."""
        return cls(
            true,
            drawn,
            as_boxes([answer.box for answer in refinements]),
            np.array([answer.edge_confidence for answer in refinements], np.float64),
            np.array([answer.score for answer in refinements], np.float64),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Answers]) -> Answers:
        """Concatenate the answers of one or more parts."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def read_labelled_set(folder: Path, *, limit: int | None = None) -> LabelledSet:
    """Read a set, of which `rows` lists only the first `limit` pictures that have boxes. Raises BadFileError."""
    coco = read_coco(folder / "annotations.json")
    rows: dict[str, list[int]] = {}
    for row, note in enumerate(coco.annotations):
        rows.setdefault(coco.images[note.image_id].file_name, []).append(row)
    images = [coco.images[note.image_id] for note in coco.annotations]
    return LabelledSet(
        folder,
        as_boxes([note.box for note in coco.annotations]),
        np.array([(image.width, image.height) for image in images], np.float64).reshape(-1, 2),
        dict(list(rows.items())[:limit]),
    )


def first_pictures(folder: Path, *, limit: int, seed: int) -> tuple[dict[str, list[tuple[str, Box]]], tuple[str, ...]]:
    """The true boxes with their categories of `limit` random pictures of a set, by file name, and all its categories.

    Pictures without boxes are left out. Raises BadFileError if the set cannot be read.
    """
    found = named_boxes(folder)
    order = np.random.default_rng(seed).permutation(len(found))[:limit]
    pictures = sorted(found)
    chosen = {pictures[at]: found[pictures[at]] for at in order}
    return chosen, tuple(sorted({name for boxes in found.values() for name, _ in boxes if name}))


def named_boxes(folder: Path) -> dict[str, list[tuple[str, Box]]]:
    """The true boxes of a set with their categories, by file name; "" is a box without one. Raises BadFileError."""
    coco = read_coco(folder / "annotations.json")
    names = category_names(coco)
    found: dict[str, list[tuple[str, Box]]] = {}
    for note in coco.annotations:
        found.setdefault(coco.images[note.image_id].file_name, []).append((names[note.index] or "", note.box))
    return found


def over_pictures(
    labelled: LabelledSet, source: FeatureSource, measure: Callable[[ImageFeatures, list[int]], Found]
) -> Job[list[Found]]:
    """Call `measure` with the features and the rows of each picture, and list what it returns.

    Raises BadFileError if a picture cannot be read.
    """
    found: list[Found] = []
    for done, (name, rows) in enumerate(labelled.rows.items()):
        yield Progress(done, len(labelled.rows), f"{labelled.name} {name}")
        found.append(measure(source.of_path(labelled.folder / "images" / name), rows))
    yield Progress(len(found), len(found), labelled.name)
    return found


def refined_set(
    labelled: LabelledSet,
    *,
    source: FeatureSource,
    refiner: Refiner,
    noises: Sequence[str],
    drawing: Drawing | None = None,
    seed: int = 0,
) -> Job[dict[str, Answers]]:
    """Refine all boxes of a set, drawn with each of `noises` (see `coarsen`, or TRUE); return the answers by noise.

    `drawing` is what the refiner takes as how they were drawn; None guesses it, as `boxrefine refine` does.
    """
    drawn = {noise: labelled.drawn(noise, seed=seed) for noise in noises}
    hows = yield from how_drawn(labelled, drawn, source=source, refiner=refiner, drawing=drawing)
    groups: dict[HowDrawn, list[str]] = {}
    for noise, how in hows.items():
        groups.setdefault(how, []).append(noise)
    refiners = {how: refiner_for(refiner, how) for how in groups}

    def refine(features: ImageFeatures, rows: list[int]) -> dict[str, Answers]:
        found: dict[str, Answers] = {}
        for how, alike in groups.items():
            # All noises in one call, since a box in a batch costs half as much.
            refinements = refiners[how].refine(features, np.concatenate([drawn[noise][rows] for noise in alike]))
            for at, noise in enumerate(alike):
                answers = refinements[at * len(rows) : (at + 1) * len(rows)]
                found[noise] = Answers.of(answers, true=labelled.true[rows], drawn=drawn[noise][rows])
        return found

    parts = yield from over_pictures(labelled, source, refine)
    return {noise: Answers.concatenate([part[noise] for part in parts]) for noise in noises}


def how_drawn(
    labelled: LabelledSet,
    drawn: Mapping[str, Boxes],
    *,
    source: FeatureSource,
    refiner: Refiner,
    drawing: Drawing | None = None,
) -> Job[dict[str, HowDrawn]]:
    """What a refiner takes as how the boxes of a set were drawn, by noise; None guesses it (see `guess_drawing`)."""
    if drawing is not None:
        return {noise: HowDrawn.by(drawing) for noise in drawn}
    read = lru_cache(maxsize=MOST_PICTURES)(source.of_path)
    found: dict[str, HowDrawn] = {}
    for noise, boxes in drawn.items():

        def moves_on(name: str, boxes: Boxes = boxes) -> Job[tuple[Boxes, list[Refinement]]]:
            yield Progress(0, len(labelled.rows), f"{labelled.name} {name}")
            mine = boxes[labelled.rows[name]]
            return mine, refiner.refine(read(labelled.folder / "images" / name), mine)

        found[noise] = yield from guess_for_source(list(labelled.rows), moves_on)
    return found
