"""Many drawn boxes of one picture -> refinements, each by the refiner for its category, with a second look."""

from __future__ import annotations

from collections.abc import Sequence

from core.encoders.image_features import ImageFeatures
from core.geometry import Box
from core.inference.look_again import Framed, look_again
from core.progress import Job
from core.records import Refinement
from core.refiner.candidate_finder import CandidateFinder
from core.refiner.learned_margins import margin_for
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import rows_by_refiner


def refine_many(
    drawn: Sequence[Box],
    categories: Sequence[str | None],
    *,
    picture: Framed,
    features: ImageFeatures,
    refiner: Refiner,
    second_look: bool,
    closer: bool = True,
    candidates: CandidateFinder | None = None,
) -> Job[tuple[list[Refinement], int]]:
    """Refine N drawn boxes in image pixels; the job returns the answers in order, and how many had a second look.

    `categories` (N,) are names, None for unknown. `features` are those of the whole `picture`. Boxes too small for them
    get a second look; with `closer`, so do others whose first answer is unsure (see `crop_refine.BATCH`). With
    `candidates`, the answers have up to three candidates each, with the margins of their category. Raises the errors of
    `Refiner.refine` and `FeatureSource.of_path`.
    """
    found: dict[int, Refinement] = {}
    looks = 0
    for asked, rows in rows_by_refiner(refiner, categories):
        boxes = [drawn[row] for row in rows]
        answers = asked.refine(features, boxes)
        if second_look:
            again = look_again(answers, boxes, features.frame, picture=picture, refiner=asked, closer=closer)
            looks += len((yield from again))
        if candidates is not None:
            margin = margin_for(refiner, categories[rows[0]]) if rows else None
            answers = candidates.add_candidates(features, boxes, answers, margin=margin)
        found.update(zip(rows, answers, strict=True))
    return [found[row] for row in range(len(drawn))], looks
