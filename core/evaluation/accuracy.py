"""Accuracy on labelled sets: IoU and related figures of drawn boxes, GrabCut, refiners and masks, by box noise."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from core.encoders.image_features import ImageFeatures
from core.errors import BadInputError
from core.evaluation.box_metrics import BoxMetrics, compare
from core.evaluation.grab_cut import grab_cut_box
from core.evaluation.labelled_set import how_drawn, read_labelled_set
from core.features.feature_source import FeatureSource, OpenedPicture
from core.geometry import Box, Boxes, as_boxes, iou
from core.images import Picture, read_picture
from core.inference.look_again import look_again
from core.progress import Job, Progress, run
from core.records import Drawing, HowDrawn, Refinement
from core.refiner.candidate_finder import CandidateFinder
from core.refiner.conservative import refiner_for
from core.refiner.protocol import Refiner

DRAWN, GRAB_CUT = "drawn", "OpenCV GrabCut"
ANNOTATIONS = "annotations.json"


@dataclass(frozen=True)
class AccuracyRow:
    """The figures of one method on one set under one noise; `ms_per_box` excludes decoding and encoding."""

    set: str
    noise: str
    method: str
    metrics: BoxMetrics
    ms_per_box: float


@dataclass(frozen=True)
class MaskWay:
    """An HQ-SAM encoder to compare with: its name, the source of its features, and the refiner that makes its masks."""

    name: str
    source: FeatureSource
    refiner: Refiner


@dataclass(frozen=True)
class _Scene:
    """The input of all methods for one picture; `opened` decodes it once, for all its crops.

    true: (N, 4) the true boxes of the picture, in the order of the drawn ones
    others: features of other encoders by their names, filled when first requested
    """

    path: Path
    opened: OpenedPicture
    features: ImageFeatures
    true: Boxes
    others: dict[str, ImageFeatures] = field(default_factory=dict)

    def features_by(self, way: MaskWay) -> ImageFeatures:
        """The features of another encoder; the picture is encoded once for all noises."""
        if way.name not in self.others:
            self.others[way.name] = way.source.of_path(self.path)
        return self.others[way.name]

    @cached_property
    def picture(self) -> Picture:
        return read_picture(self.path)


Method = Callable[[_Scene, Boxes], Boxes]


@dataclass
class _Trial:
    """Boxes before and after one method under one noise; their rows are the set's annotations."""

    noise: str
    name: str
    method: Method
    drawn: Boxes
    after: Boxes
    seconds: float = 0.0

    def run(self, scene: _Scene, rows: list[int]) -> None:
        """Apply the method to `rows`, the boxes of one picture, and add up the time."""
        start = time.perf_counter()
        self.after[rows] = self.method(scene, self.drawn[rows])
        self.seconds += time.perf_counter() - start


def find_sets(folder: Path) -> list[Path]:
    """Find the sets below `folder`, each with images/ and annotations.json. Raises BadInputError if there is none."""
    sets = sorted(path.parent for path in folder.glob(f"*/{ANNOTATIONS}"))
    if (folder / ANNOTATIONS).exists():
        sets.insert(0, folder)
    if not sets:
        raise BadInputError(f"{folder} holds no set: give a folder of folders with images/ and {ANNOTATIONS}.")
    return sets


def measure_set(
    folder: Path,
    *,
    source: FeatureSource,
    refiner: Refiner,
    noises: Sequence[str],
    beside: Sequence[Refiner] = (),
    masks: Sequence[MaskWay] = (),
    grab_cut: bool = True,
    second_look: bool = False,
    candidates: CandidateFinder | None = None,
    drawing: Drawing | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Job[list[AccuracyRow]]:
    """Measure the first `limit` pictures of one set; each picture is encoded once, and decoded at most twice.

    `beside` are refiners to compare with; their names differ. Each of `masks` gets two rows: the boxes of its masks,
    and these boxes refined again by `refiner`. The time of these rows includes the encoding if it was not cached.
    `drawing` is what the refiners take as how boxes were drawn; None guesses it by `refiner`, as `boxrefine refine`
    does. `second_look` adds a row for the second look, and `candidates` one for the best candidate of each box. The
    time of a second look includes encoding the crops, and decoding the picture if its features were cached. Raises
    BadFileError if the set or one of its pictures cannot be read.
    """
    labelled = read_labelled_set(folder, limit=limit)
    true = labelled.true
    drawn = {noise: labelled.drawn(noise, seed=seed) for noise in noises}
    hows = yield from how_drawn(labelled, drawn, source=source, refiner=refiner, drawing=drawing)

    def methods(how: HowDrawn) -> dict[str, Method]:
        found: dict[str, Method] = {DRAWN: lambda _, boxes: boxes}
        if grab_cut:
            found[GRAB_CUT] = lambda scene, boxes: as_boxes([grab_cut_box(scene.picture, Box.of(row)) for row in boxes])
        for each in (*beside, refiner):
            found[each.name] = partial(_refine, refiner_for(each, how))
        asked = refiner_for(refiner, how)
        for way in masks:
            found[f"{way.name}, mask"] = partial(_mask, way)
            found[f"{way.name}, mask, then {refiner.name}"] = partial(_mask_and_refine, way, refiner)
        if second_look:
            found[f"{refiner.name}, second look"] = lambda scene, boxes: _look_twice(scene, boxes, asked)
        if candidates is not None:
            found[f"{refiner.name}, best candidate"] = partial(_best_candidates, candidates, asked, second_look)
        return found

    trials = [
        _Trial(noise, name, method, boxes, boxes.copy())
        for noise, boxes in drawn.items()
        for name, method in methods(hows[noise]).items()
    ]
    for done, (name, rows) in enumerate((groups := labelled.rows).items()):
        yield Progress(done, len(groups), f"{folder.name} {name}")
        path = folder / "images" / name
        opened = source.opened(path, keep_crops=False)
        scene = _Scene(path, opened, opened.of(), true[rows])
        for trial in trials:
            trial.run(scene, rows)
    yield Progress(len(groups), len(groups), folder.name)
    used = sorted(row for rows in groups.values() for row in rows)
    return [_row(folder.name, trial, true, used) for trial in trials]


def _refine(refiner: Refiner, scene: _Scene, boxes: Boxes) -> Boxes:
    return _boxes_of(refiner.refine(scene.features, boxes))


def _mask(way: MaskWay, scene: _Scene, boxes: Boxes) -> Boxes:
    return _boxes_of(way.refiner.refine(scene.features_by(way), boxes))


def _mask_and_refine(way: MaskWay, refiner: Refiner, scene: _Scene, boxes: Boxes) -> Boxes:
    return _refine(refiner, scene, _mask(way, scene, boxes))


def _boxes_of(answers: Sequence[Refinement]) -> Boxes:
    return as_boxes([answer.box for answer in answers])


def _look_twice(scene: _Scene, boxes: Boxes, refiner: Refiner) -> Boxes:
    answers = refiner.refine(scene.features, boxes)
    run(look_again(answers, boxes, scene.features.frame, picture=scene.opened, refiner=refiner))
    return _boxes_of(answers)


def _best_candidates(
    finder: CandidateFinder, refiner: Refiner, second_look: bool, scene: _Scene, boxes: Boxes
) -> Boxes:
    """Of each box's candidates, the one that is nearest to the true box: what a user gets who chooses among them."""
    answers = refiner.refine(scene.features, boxes)
    if second_look:
        run(look_again(answers, boxes, scene.features.frame, picture=scene.opened, refiner=refiner))
    best = []
    for answer, true in zip(finder.add_candidates(scene.features, boxes, answers), scene.true, strict=True):
        options = as_boxes([candidate.box for candidate in answer.candidates])
        best.append(options[iou(options, np.tile(true, (len(options), 1))).argmax()])
    return as_boxes(best)


def _row(name: str, trial: _Trial, true: Boxes, used: list[int]) -> AccuracyRow:
    metrics = compare(true=true[used], before=trial.drawn[used], after=trial.after[used].round(3))
    return AccuracyRow(name, trial.noise, trial.name, metrics, 1000 * trial.seconds / len(used))
