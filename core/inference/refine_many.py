"""Many drawn boxes of one picture -> refinements, each by the refiner for its category, with a second look."""

from __future__ import annotations

from collections.abc import Sequence

from core.encoders.image_features import ImageFeatures
from core.geometry import Box
from core.inference.guess_drawing import Moves
from core.inference.look_again import Framed, look_again
from core.progress import Job
from core.records import Drawing, HowDrawn, Refinement
from core.refiner.candidate_finder import CandidateFinder
from core.refiner.conservative import refiner_for
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
    first: Sequence[Refinement] | None = None,
) -> Job[tuple[list[Refinement], int]]:
    """Refine N drawn boxes in image pixels; the job returns the answers in order, and how many had a second look.

    `categories` (N,) are names, None for unknown. `features` are those of the whole `picture`. Boxes too small for them
    get a second look; with `closer`, so do others whose first answer is unsure (see `crop_refine.BATCH`). With
    `candidates`, the answers have up to three candidates each, with the margins of their category. `first` (N,) are the
    answers on `features`, if they are known already. Raises the errors of `Refiner.refine` and `FeatureSource.of_path`.
    """
    found: dict[int, Refinement] = {}
    looks = 0
    for asked, rows in rows_by_refiner(refiner, categories):
        boxes = [drawn[row] for row in rows]
        answers = asked.refine(features, boxes) if first is None else [first[row] for row in rows]
        if second_look:
            again = look_again(answers, boxes, features.frame, picture=picture, refiner=asked, closer=closer)
            looks += len((yield from again))
        if candidates is not None:
            margin = margin_for(refiner, categories[rows[0]]) if rows else None
            answers = candidates.add_candidates(features, boxes, answers, margin=margin)
        found.update(zip(rows, answers, strict=True))
    return [found[row] for row in range(len(drawn))], looks


def refine_guessing(
    drawn: Sequence[Box],
    categories: Sequence[str | None],
    *,
    moves: Moves,
    drawing: Drawing | None,
    picture: Framed,
    features: ImageFeatures,
    refiner: Refiner,
    second_look: bool,
    closer: bool = True,
    candidates: CandidateFinder | None = None,
) -> Job[tuple[list[Refinement], int]]:
    """As `refine_many`, for boxes that were drawn in the way `drawing`; None guesses it.

    The guess goes by `moves`, those of the boxes of earlier pictures, to which this adds the boxes of this one until
    they are enough.
    """
    if drawing is None and not moves.are_enough:
        job = refine_many(drawn, categories, picture=picture, features=features, refiner=refiner, second_look=False)
        moves.add(drawn, (yield from job)[0])
    how = moves.guess() if drawing is None else HowDrawn.by(drawing)
    job = refine_many(
        drawn,
        categories,
        picture=picture,
        features=features,
        refiner=refiner_for(refiner, how),
        second_look=second_look,
        closer=closer,
        candidates=candidates,
    )
    return (yield from job)
