"""Refining and suggesting on workers: a task holds the models and takes one picture after the other.

`WorkOnPictures` is the class for Ray Data's `map_batches`, `work_on_frames` the function for Spark's `mapInPandas`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.encoders.image_features import ImageFeatures
from core.engine.answers import Json, boxes_of, known_of, refinement_json, suggestion_json
from core.engine.encoding import load_plan, sentence_of_killer
from core.engine.plan import WorkerPlan, differs
from core.engine.rows import DONE, FAILED, REFUSED, Rows, columns, numbers_of, pictures_of
from core.engine.witness import Witness
from core.errors import BadInputError, KnownError, reason
from core.features.feature_source import FeatureSource, OpenedPicture
from core.inference.crop_refine import pays_for
from core.inference.refine_many import refine_many
from core.object_store.remote_file import PictureFile
from core.progress import run
from core.records import HowDrawn
from core.refiner.candidate_finder import CandidateFinder, load_candidate_finder
from core.refiner.checkpoint import load_refiner
from core.refiner.conservative import refiner_for
from core.refiner.learned_margins import LearnedMargins
from core.refiner.margins import Margin
from core.refiner.protocol import Refiner
from core.suggest.kit import kit_for
from core.suggest.suggester import Suggester
from core.translation import tr

if TYPE_CHECKING:
    import pandas as pd


class Task(Protocol):
    """What is done with each picture; it goes to the workers, which load it once. `about` and answers are JSON."""

    @property
    def text(self) -> str:
        """All that the answers depend on besides picture, encoder and `about`."""
        ...

    def load(self, source: FeatureSource) -> None:
        """Load what the task needs besides the encoder. Raises KnownError."""

    def do(self, picture: OpenedPicture, features: ImageFeatures, about: Json) -> Json:
        """Work on one picture. Raises KnownError, and ValueError, TypeError or KeyError for an unusable `about`."""


@dataclass
class RefineTask:
    """Refines boxes: `about` is `core.engine.answers.about_boxes`, the answer {"answers": N, "second_looks": number}.

    identity: that of the refiner, empty to take what is there; refiner: its folder on the worker, None for the shipped
    one; refine_by, careful: as for load_refiner; margins: by category; how: how the boxes were drawn
    second_look: refine boxes again on crops, where that pays with the encoder; candidates: find them, too
    exact: compute as the window does, and not faster in bfloat16
    """

    identity: str = ""
    refiner: Path | None = None
    refine_by: str = "auto"
    careful: bool = False
    margins: Mapping[str, Margin] = field(default_factory=dict)
    how: HowDrawn = HowDrawn()
    second_look: bool = True
    candidates: bool = False
    exact: bool = False
    _loaded: Refiner | None = field(default=None, init=False, repr=False, compare=False)
    _finder: CandidateFinder | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def text(self) -> str:
        """See `Task.text`; the identity stands for the folder."""
        return repr(replace(self, refiner=None))

    def load(self, source: FeatureSource) -> None:
        """See `Task.load`."""
        refiner = checked_refiner(
            self.refiner,
            source,
            self.identity,
            refine_by=self.refine_by,
            careful=self.careful,
            rounds=not self.exact,
        )
        self._loaded = refiner_for(LearnedMargins(refiner, self.margins) if self.margins else refiner, self.how)
        self._finder = load_candidate_finder(source.encoder) if self.candidates else None
        self.second_look = self.second_look and pays_for(source.encoder.name)

    def do(self, picture: OpenedPicture, features: ImageFeatures, about: Json) -> Json:
        """See `Task.do`."""
        boxes, names = boxes_of(about)
        assert self._loaded is not None
        job = refine_many(
            boxes,
            names,
            picture=picture,
            features=features,
            refiner=self._loaded,
            second_look=self.second_look,
            candidates=self._finder,
        )
        answers, looks = run(job)
        return {"answers": [refinement_json(answer) for answer in answers], "second_looks": looks}


@dataclass
class SuggestTask:
    """Suggests boxes by a head that was learned before: `about` is `about_known`, the answer a list of suggestions.

    head: what `SuggestKit.pack` makes; learned: the identity of its suggester; threshold: least probability
    identity, refiner: as of `RefineTask`
    """

    head: bytes
    learned: str
    threshold: float
    categories: Sequence[str] | None = None
    identity: str = ""
    refiner: Path | None = None
    _loaded: Refiner | None = field(default=None, init=False, repr=False, compare=False)
    _suggester: Suggester | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def text(self) -> str:
        """See `Task.text`."""
        return repr((self.learned, self.threshold, self.categories, self.identity))

    def load(self, source: FeatureSource) -> None:
        """See `Task.load`."""
        self._loaded = checked_refiner(self.refiner, source, self.identity)
        self._suggester = kit_for(source.encoder, self._loaded).unpack(self.head)

    def do(self, picture: OpenedPicture, features: ImageFeatures, about: Json) -> Json:
        """See `Task.do`."""
        known, rejected = known_of(about)
        assert self._loaded is not None and self._suggester is not None
        found = self._suggester.suggest(
            features,
            self._loaded,
            known=known,
            rejected=rejected,
            threshold=self.threshold,
            categories=self.categories,
        )
        return [suggestion_json(each) for each in found]


def checked_refiner(
    folder: Path | None,
    source: FeatureSource,
    identity: str,
    *,
    refine_by: str = "auto",
    careful: bool = False,
    rounds: bool = True,
) -> Refiner:
    """Load a refiner. Raises BadInputError where it is another than that of `identity`, and as `load_refiner`."""
    found = load_refiner(folder, source.encoder, refine_by=refine_by, careful=careful, rounds=rounds)
    if identity and found.identity != identity:
        raise BadInputError(differs(found.identity, identity))
    return found


Answer = tuple[str, str, str, int, int]
"""State, note, answer as JSON, width and height of the picture."""


class WorkOnPictures:
    """The callable for batches of pictures: reads each, encodes what is not cached, and does a task.

    Rows have the columns of `EncodePictures` and `about`, JSON text. They come back with `picture`, `state` (done,
    failed or refused), `note`, `width` and `height` of the picture in pixels, and `answer`, JSON text, empty where
    there is none.
    """

    def __init__(self, plan: WorkerPlan, task: Task, witness: Witness | None = None) -> None:
        """Load encoder and task. A worker that plan or task refuse answers each row so."""
        self._task, self._witness = copy.copy(task), witness
        self._source, self._refused = load_plan(plan)
        if self._source is not None:
            try:
                self._task.load(self._source)
            except KnownError as error:
                self._refused = str(error)

    def __call__(self, rows: Rows) -> Rows:
        """Do the task on the pictures of a batch."""
        numbers, pictures = numbers_of(rows), pictures_of(rows)
        killers = self._witness.start(numbers[0]) if self._witness is not None and numbers else None
        found: list[Answer] = []
        for number, picture, about in zip(numbers, pictures, rows["about"], strict=True):
            if killers is not None and self._witness is not None:
                if number in killers:
                    found.append((FAILED, sentence_of_killer(picture), "", 0, 0))
                    continue
                self._witness.begin(numbers[0], number)
            found.append(self._do(picture, str(about)))
        if self._source is not None and self._source.cache is not None and self._source.cache.shared is not None:
            self._source.cache.shared.flush()
        names = ("state", "note", "answer", "width", "height")
        by_column = zip(*found, strict=True) if found else [()] * len(names)
        texts = [str(picture) for picture in pictures]
        return columns(number=numbers, picture=texts, **dict(zip(names, map(list, by_column), strict=True)))

    def _do(self, picture: PictureFile, about: str) -> Answer:
        if self._refused or self._source is None:
            return REFUSED, self._refused, "", 0, 0
        try:
            opened = self._source.opened(picture, keep_crops=False)
            features = opened.of()
            answer = self._task.do(opened, features, json.loads(about))
            frame = features.frame
            return DONE, "", json.dumps(answer), frame.image_width, frame.image_height
        except KnownError as error:
            return FAILED, str(error), "", 0, 0
        except (MemoryError, ArithmeticError, ValueError, TypeError, KeyError, RuntimeError) as error:
            why = reason(error)
            note = tr("The picture {path} or its boxes cannot be used ({why}): check them.", path=picture, why=why)
            return FAILED, note, "", 0, 0


def work_on_frames(frames: Iterable[pd.DataFrame], plan: WorkerPlan, task: Task) -> Iterator[pd.DataFrame]:
    """Do a task on data frames: `functools.partial(work_on_frames, plan=plan, task=task)` for Spark's `mapInPandas`.

    Frames have the columns `picture` and `about`, and may have `number`; those that come back have the columns of
    `WorkOnPictures`.
    """
    import pandas as pd

    worker = WorkOnPictures(plan, task)
    for frame in frames:
        found: dict[str, Any] = worker({name: frame[name].tolist() for name in frame.columns})
        yield pd.DataFrame(found)
