"""LabelledSet: pictures with true boxes, and one walk over them that every benchmark of the refiner uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.box_noise import coarsen
from core.encoders.image_features import ImageFeatures
from core.features.feature_source import FeatureSource
from core.formats.exporters.coco import read_coco
from core.geometry import Boxes, as_boxes
from core.progress import Job, Progress
from core.records import Refinement
from core.refiner.protocol import Refiner

TRUE = "true"
"""In the place of a noise: the true boxes themselves are what is drawn."""
Found = TypeVar("Found")


@dataclass(frozen=True)
class LabelledSet:
    """One folder of images/ and annotations.json, read: N true boxes, and the rows of each picture's."""

    folder: Path
    true: Boxes
    size: NDArray[np.float64]
    """(N, 2) width and height of each box's picture."""
    rows: dict[str, list[int]]

    @property
    def name(self) -> str:
        return self.folder.name

    def drawn(self, noise: str, *, seed: int) -> Boxes:
        """The coarse boxes (N, 4) that `benchmark accuracy` draws, or the true ones."""
        if noise == TRUE:
            return self.true
        random = np.random.default_rng(seed)
        return coarsen(self.true, noise, random, width=self.size[:, 0], height=self.size[:, 1]).round(2)


@dataclass(frozen=True)
class Answers:
    """N boxes before and after: boxes in image pixels, edge confidences (N, 4), expected IoUs (N,)."""

    true: Boxes
    drawn: Boxes
    refined: Boxes
    confidence: NDArray[np.float64]
    score: NDArray[np.float64]

    @classmethod
    def of(cls, refinements: Sequence[Refinement], *, true: Boxes, drawn: Boxes) -> Answers:
        """A refiner's answers to N > 0 boxes, in their order."""
        return cls(
            true,
            drawn,
            as_boxes([answer.box for answer in refinements]),
            np.array([answer.edge_confidence for answer in refinements], np.float64),
            np.array([answer.score for answer in refinements], np.float64),
        )

    @classmethod
    def together(cls, parts: Sequence[Answers]) -> Answers:
        """All answers of one or more parts in a row."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def read_labelled_set(folder: Path, *, limit: int | None = None) -> LabelledSet:
    """The first `limit` pictures that have boxes, with all their boxes. Raises BadFileError."""
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


def over_pictures(
    labelled: LabelledSet, source: FeatureSource, look: Callable[[ImageFeatures, list[int]], Found]
) -> Job[list[Found]]:
    """What `look` finds in each picture, given its features and its rows. Raises BadFileError for a bad picture."""
    found: list[Found] = []
    for done, (name, rows) in enumerate(labelled.rows.items()):
        yield Progress(done, len(labelled.rows), f"{labelled.name} {name}")
        found.append(look(source.of_path(labelled.folder / "images" / name), rows))
    yield Progress(len(found), len(found), labelled.name)
    return found


def refined_set(
    labelled: LabelledSet, *, source: FeatureSource, refiner: Refiner, noises: Sequence[str], seed: int = 0
) -> Job[dict[str, Answers]]:
    """The refiner's answers to all boxes of a set, drawn anew with each noise (see coarsen) or TRUE."""
    drawn = {noise: labelled.drawn(noise, seed=seed) for noise in noises}

    def look(features: ImageFeatures, rows: list[int]) -> dict[str, Answers]:
        # All noises at once: a box costs half as much in company.
        refinements = refiner.refine(features, np.concatenate([boxes[rows] for boxes in drawn.values()]))
        return {
            noise: Answers.of(
                refinements[at * len(rows) : (at + 1) * len(rows)], true=labelled.true[rows], drawn=boxes[rows]
            )
            for at, (noise, boxes) in enumerate(drawn.items())
        }

    parts = yield from over_pictures(labelled, source, look)
    return {noise: Answers.together([part[noise] for part in parts]) for noise in noises}
