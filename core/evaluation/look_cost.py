"""What a second look costs and gains: time, crops and accuracy of several efforts, on pictures with cached features."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadInputError
from core.evaluation.box_metrics import compare
from core.evaluation.labelled_set import LabelledSet
from core.features.feature_source import FeatureSource
from core.geometry import Boxes, as_boxes
from core.inference.crop_refine import Effort, looks_for
from core.inference.look_again import look_again
from core.progress import Job, Progress, run
from core.refiner.protocol import Refiner

ONE_LOOK = "one look"


@dataclass(frozen=True)
class LookCost:
    """N boxes before and after under one effort, and what it took.

    looked: (N,) whether a box had a second look; crops: how many were encoded; work: the same, in whole encodes
    seconds: wall clock and processor time of this effort; base: those of one look
    """

    true: Boxes
    drawn: Boxes
    refined: Boxes
    looked: NDArray[np.bool_]
    pictures: int
    crops: int
    work: float
    seconds: NDArray[np.float64]
    base: NDArray[np.float64]

    @classmethod
    def together(cls, parts: Sequence[LookCost]) -> LookCost:
        """All boxes of one or more parts in a row; counts and times are sums."""
        return cls(
            np.concatenate([part.true for part in parts]),
            np.concatenate([part.drawn for part in parts]),
            np.concatenate([part.refined for part in parts]),
            np.concatenate([part.looked for part in parts]),
            pictures=sum(part.pictures for part in parts),
            crops=sum(part.crops for part in parts),
            work=sum(part.work for part in parts),
            seconds=np.sum([part.seconds for part in parts], axis=0),
            base=np.sum([part.base for part in parts], axis=0),
        )


@dataclass(frozen=True)
class LookCostRow:
    """One set under one noise and effort; `times_one_look` compares wall clock, `times_processor` processor time.

    looked: share of boxes; crops and work: crops and whole encodes a box; ms: of a picture
    """

    set: str
    case: str
    boxes: int
    looked: float
    crops: float
    work: float
    ms: float
    times_one_look: float
    times_processor: float
    iou: float
    share_090: float
    harmed: float


def look_cost_row(name: str, case: str, cost: LookCost) -> LookCostRow:
    """Turn the boxes and times of one set into means."""
    metrics = compare(true=cost.true, before=cost.drawn, after=cost.refined)
    wall, processor = (cost.seconds / np.maximum(cost.base, 1e-9)).tolist()
    return LookCostRow(
        name,
        case,
        boxes=metrics.boxes,
        looked=float(cost.looked.mean()),
        crops=cost.crops / metrics.boxes,
        work=cost.work / metrics.boxes,
        ms=float(1000 * cost.seconds[0] / cost.pictures),
        times_one_look=wall,
        times_processor=processor,
        iou=metrics.iou_after,
        share_090=metrics.share_090,
        harmed=metrics.harmed,
    )


def measure_look_cost(
    labelled: LabelledSet,
    *,
    source: FeatureSource,
    refiner: Refiner,
    noises: Sequence[str],
    efforts: Mapping[str, Effort],
    seed: int = 0,
) -> Job[dict[str, LookCost]]:
    """Refine each picture's boxes with one look and under each effort, one after the other: by "noise, effort".

    The times are those of a picture whose features are cached on the disk: reading them, refining, and for a second
    look decoding, encoding and refining of crops. Raises BadFileError where a picture cannot be read, and BadInputError
    where `source` has no cache.
    """
    if source.cache is None:
        raise BadInputError("The cost of looks is measured on cached features: leave out --no-cache.")
    parts: dict[str, list[LookCost]] = {}
    drawn = {noise: labelled.drawn(noise, seed=seed) for noise in noises}
    with source.cache.reopen() as cache:  # without a tier in memory, as in a new process
        cached = FeatureSource(source.encoder, cache)
        for done, (name, rows) in enumerate(labelled.rows.items()):
            yield Progress(done, len(labelled.rows), f"{labelled.name} {name}")
            path = labelled.folder / "images" / name
            cached.prepare(path)
            for noise in noises:
                boxes = labelled.true[rows], drawn[noise][rows]
                for case, cost in _of_picture(path, boxes, source=cached, refiner=refiner, efforts=efforts).items():
                    parts.setdefault(f"{noise}, {case}", []).append(cost)
    yield Progress(len(labelled.rows), len(labelled.rows), labelled.name)
    return {case: LookCost.together(costs) for case, costs in parts.items()}


def _of_picture(
    path: Path, boxes: tuple[Boxes, Boxes], *, source: FeatureSource, refiner: Refiner, efforts: Mapping[str, Effort]
) -> dict[str, LookCost]:
    """Return the costs of one picture's true and drawn boxes by effort, `ONE_LOOK` first."""
    true, drawn = boxes
    found: dict[str, LookCost] = {}
    base = np.zeros(2)
    tried: list[tuple[str, Effort | None]] = [(ONE_LOOK, None), *efforts.items()]
    refiner.refine(source.of_path(path), drawn)  # warms the processor's caches
    for case, effort in tried:
        begun = _now()
        picture = source.opened(path, keep_crops=False)
        features = picture.of()
        answers = refiner.refine(features, drawn)
        first, looked = list(answers), set[int]()
        if effort is not None:
            job = look_again(answers, drawn, features.frame, picture=picture, refiner=refiner, effort=effort)
            looked = run(job)
        seconds = _now() - begun
        base = seconds if effort is None else base
        looks = {} if effort is None else looks_for(drawn, features.frame, first, effort=effort)
        found[case] = LookCost(
            true,
            drawn,
            as_boxes([answer.box for answer in answers]),
            np.array([row in looked for row in range(len(drawn))]),
            pictures=1,
            crops=len(looks),
            work=sum(look.fill**2 for look in looks),
            seconds=seconds,
            base=base,
        )
    return found


def _now() -> NDArray[np.float64]:
    """Return wall clock and processor time in seconds."""
    return np.array([time.perf_counter(), time.process_time()])
