"""Refining and suggesting on workers: a task holds the models and takes one picture after the other."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from core.encoders.image_features import ImageFeatures
from core.engine.plan import WorkerPlan
from core.engine.rows import FAILED, REFUSED, Rows, columns, numbers_of, pictures_of
from core.engine.witness import Witness
from core.errors import BadFileError, BadInputError, KnownError
from core.features.feature_source import FeatureSource, OpenedPicture
from core.geometry import Box, Frame
from core.inference.refine_many import refine_many
from core.object_store.remote_file import PictureFile
from core.progress import run
from core.records import HowDrawn, Refinement
from core.refiner.candidate_finder import CandidateFinder, load_candidate_finder
from core.refiner.checkpoint import load_refiner
from core.refiner.conservative import refiner_for
from core.refiner.learned_margins import LearnedMargins
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.suggest.suggester import Known, Suggester, Suggestion
from core.translation import tr

DONE = "done"


class Task(Protocol):
    """What is done with each picture; it goes to the workers, which load it once."""

    def load(self, source: FeatureSource) -> None:
        """Load what the task needs besides the encoder. Raises KnownError."""

    def do(self, picture: OpenedPicture, features: ImageFeatures, about: object) -> object:
        """Work on one picture, for which `about` came; the result goes back. Raises KnownError."""


@dataclass
class RefineTask:
    """Refines boxes: `about` is boxes and names of categories, the result their refinements and how many second looks.

    identity: that of the refiner, empty to take what is there
    """

    identity: str = ""
    refiner: Path | None = None
    refine_by: str = "auto"
    careful: bool = False
    margins: Mapping[str, Margin] = field(default_factory=dict)
    how: HowDrawn = HowDrawn()
    second_look: bool = True
    candidates: bool = False
    _loaded: Refiner | None = field(default=None, init=False, repr=False, compare=False)
    _finder: CandidateFinder | None = field(default=None, init=False, repr=False, compare=False)

    def load(self, source: FeatureSource) -> None:
        """See `Task.load`."""
        refiner = checked_refiner(self.refiner, source, self.identity, refine_by=self.refine_by, careful=self.careful)
        self._loaded = refiner_for(LearnedMargins(refiner, self.margins) if self.margins else refiner, self.how)
        self._finder = load_candidate_finder(source.encoder) if self.candidates else None

    def do(self, picture: OpenedPicture, features: ImageFeatures, about: object) -> tuple[list[Refinement], int]:
        """See `Task.do`."""
        boxes, names = _boxes_of(about)
        assert self._loaded is not None
        return run(
            refine_many(
                boxes,
                names,
                picture=picture,
                features=features,
                refiner=self._loaded,
                second_look=self.second_look,
                candidates=self._finder,
            )
        )


@dataclass
class SuggestTask:
    """Suggests boxes by a head that was learned before: `about` is known and rejected boxes, the result suggestions."""

    suggester: Suggester
    threshold: float
    categories: Sequence[str] | None = None
    identity: str = ""
    refiner: Path | None = None
    _loaded: Refiner | None = field(default=None, init=False, repr=False, compare=False)

    def load(self, source: FeatureSource) -> None:
        """See `Task.load`."""
        self._loaded = checked_refiner(self.refiner, source, self.identity)

    def do(self, picture: OpenedPicture, features: ImageFeatures, about: object) -> list[Suggestion]:
        """See `Task.do`."""
        known, rejected = _known_of(about)
        assert self._loaded is not None
        return self.suggester.suggest(
            features,
            self._loaded,
            known=known,
            rejected=rejected,
            threshold=self.threshold,
            categories=self.categories,
        )


def checked_refiner(
    folder: Path | None, source: FeatureSource, identity: str, *, refine_by: str = "auto", careful: bool = False
) -> Refiner:
    """Load a refiner. Raises BadInputError where it is another than that of `identity`, and as `load_refiner`."""
    found = load_refiner(folder, source.encoder, refine_by=refine_by, careful=careful)
    if identity and found.identity != identity:
        raise BadInputError(
            tr(
                "The worker has the refiner {found} but this run is of {wanted}: install the same version and weights "
                "there.",
                found=found.identity,
                wanted=identity,
            )
        )
    return found


class WorkOnPictures:
    """The callable for batches of pictures: reads each, encodes what is not cached, and does a task.

    Rows have the columns of `EncodePictures` and `about`, a pickled object; they come back with `state` (done, failed
    or refused), `note`, the size of the picture, and `answer`, the pickled result.
    """

    def __init__(self, plan: WorkerPlan, task: Task, witness: Witness | None = None) -> None:
        """Load encoder and task. A worker that plan or task refuse answers each row so."""
        self._task, self._witness = task, witness
        self._refused = ""
        self._source: FeatureSource | None = None
        try:
            self._source = plan.load()
            task.load(self._source)
        except KnownError as error:
            self._refused = str(error)

    def __call__(self, rows: Rows) -> Rows:
        """Do the task on the pictures of a batch."""
        numbers, pictures = numbers_of(rows), pictures_of(rows)
        killers = self._witness.start(numbers[0]) if self._witness is not None and numbers else None
        found: list[tuple[str, str, bytes, Frame | None]] = []
        for number, picture, about in zip(numbers, pictures, rows["about"], strict=True):
            if killers is not None and self._witness is not None:
                if number in killers:
                    note = tr("The picture {path} ends the process that reads it: replace it.", path=picture)
                    found.append((FAILED, note, b"", None))
                    continue
                self._witness.begin(numbers[0], number)
            found.append(self._do(picture, about))
        if self._source is not None and self._source.cache is not None and self._source.cache.shared is not None:
            self._source.cache.shared.flush()
        return columns(
            number=numbers,
            state=[state for state, _, _, _ in found],
            note=[note for _, note, _, _ in found],
            answer=[answer for _, _, answer, _ in found],
            width=[frame.image_width if frame else 0 for _, _, _, frame in found],
            height=[frame.image_height if frame else 0 for _, _, _, frame in found],
        )

    def _do(self, picture: PictureFile, about: bytes) -> tuple[str, str, bytes, Frame | None]:
        if self._refused or self._source is None:
            return REFUSED, self._refused, b"", None
        try:
            opened = self._source.opened(picture, keep_crops=False)
            features = opened.of()
            answer = self._task.do(opened, features, pickle.loads(about))
            return DONE, "", pickle.dumps(answer), features.frame
        except KnownError as error:
            return FAILED, str(error), b"", None
        except (MemoryError, ArithmeticError, ValueError, RuntimeError) as error:
            return FAILED, str(_unworkable(picture, error)), b"", None


def _unworkable(picture: PictureFile, error: Exception) -> BadFileError:
    from core.errors import reason

    return BadFileError(
        tr("The picture {path} cannot be prepared ({why}): make it smaller.", path=picture, why=reason(error))
    )


def _boxes_of(about: object) -> tuple[list[Box], list[str | None]]:
    assert isinstance(about, tuple)
    boxes, names = about
    return [Box.of(row) for row in boxes], list(names)


def _known_of(about: object) -> tuple[Known, Known]:
    assert isinstance(about, tuple)
    known, rejected = about
    return known, rejected


Work = Callable[[int, str, object, tuple[int, int]], None]
"""Takes one result: number, sentence of an error or empty, the answer, width and height of the picture."""


def hand_over(rows: Rows, work: Work) -> None:
    """Give each row of an answer of `WorkOnPictures` to `work`."""
    sizes = zip(np.asarray(rows["width"]).tolist(), np.asarray(rows["height"]).tolist(), strict=True)
    for number, note, answer, size in zip(rows["number"], rows["note"], rows["answer"], sizes, strict=True):
        work(int(number), str(note), pickle.loads(answer) if len(answer) else None, size)
