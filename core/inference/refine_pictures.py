"""Many pictures one after the other; for a GPU, their features are read ahead and their first looks are one batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Generic, TypeVar

import torch

from core.encoders.image_features import ImageFeatures
from core.errors import KnownError
from core.features.feature_source import FeatureSource
from core.geometry import Box, as_boxes
from core.inference.look_again import Again, Framed, look_again_at_all
from core.inference.refine_many import refine_many
from core.object_store.remote_file import PictureFile
from core.progress import Job, Progress, told_as
from core.records import Refinement
from core.refiner.candidate_finder import CandidateFinder
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import rows_by_refiner
from core.refiner.together import Drawn, refine_together
from core.translation import tr

READERS = 4
"""Threads that read cached features for a GPU; more take Python's lock from the thread that feeds it."""

PICTURES_TOGETHER = 16
"""Pictures whose first looks are one batch of a GPU: 100 MB of features; as many more are read ahead."""

MOST_PIXELS = 80 * 1024**2
"""Once the pictures of a batch have so many pixels, no more are added; decoded for second looks they have 250 MB."""

Key = TypeVar("Key")
_NOTHING = Refinement(Box(0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), 0.0)


@dataclass(frozen=True)
class DrawnPicture:
    """A picture, its features, and N drawn boxes in image pixels with the names of their categories (None: unknown)."""

    picture: Framed
    features: ImageFeatures
    boxes: Sequence[Box]
    categories: Sequence[str | None]


@dataclass
class Outcome:
    """The answers to the boxes of a picture, and how many had a second look; or why the picture cannot be used."""

    answers: list[Refinement] = field(default_factory=list)
    second_looks: int = 0
    error: KnownError | None = None


def pictures_together(device: torch.device) -> int:
    """How many pictures a device should get at once: a CPU gains nothing by more than one."""
    return PICTURES_TOGETHER if device.type == "cuda" else 1


class Ahead:
    """Cached features of pictures, read ahead in the order of the pictures; see `reading_ahead`."""

    def __init__(self, source: FeatureSource, paths: Iterable[PictureFile], threads: ThreadPoolExecutor) -> None:
        self._source, self._threads = source, threads
        self._left = iter(paths)
        self._futures: deque[Future[ImageFeatures | None]] = deque()
        self._submit(2 * PICTURES_TOGETHER)

    def next(self) -> ImageFeatures | None:
        """The features of the next picture; None where they are not cached."""
        self._submit(1)
        return self._futures.popleft().result()

    def _submit(self, count: int) -> None:
        self._futures += [self._threads.submit(self._read, path) for path in islice(self._left, count)]

    def _read(self, path: PictureFile) -> ImageFeatures | None:
        try:
            return self._source.at_hand(path)
        except KnownError:
            return None  # opening the picture then finds the error


@contextmanager
def reading_ahead(source: FeatureSource, paths: Iterable[PictureFile]) -> Iterator[Ahead | None]:
    """Read cached features ahead in threads; None beside an encoder on a CPU, whose cores have no time to spare."""
    if source.encoder.device.type != "cuda":
        yield None
        return
    # With threads of their own, readers would make each other wait.
    threads = ThreadPoolExecutor(READERS, "features", initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield Ahead(source, paths, threads)
    finally:
        threads.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Work(Generic[Key]):
    """How pictures, each with a key, are opened and refined.

    opened: opens one, and raises KnownError where it cannot be used; at_once: see `pictures_together`
    refiner, second_look, candidates: as for `refine_many`
    """

    opened: Callable[[Key], DrawnPicture]
    refiner: Refiner
    second_look: bool
    candidates: CandidateFinder | None = None
    at_once: int = 1


def refine_pictures(
    keys: Sequence[Key], work: Work[Key], *, name: Callable[[Key], str], take: Callable[[Key, Outcome], None]
) -> Job[None]:
    """Refine the boxes of pictures in order; `take` gets the outcome of each. `name` is for the messages of progress.

    A picture that cannot be used takes nothing from the others.
    """
    done = 0
    while done < len(keys):
        start, pixels = done, 0
        opened: dict[Key, DrawnPicture] = {}
        while done < len(keys) and done - start < work.at_once and pixels < MOST_PIXELS:
            key = keys[done]
            yield Progress(start, len(keys), name(key))
            done += 1
            try:
                opened[key] = work.opened(key)
                frame = opened[key].features.frame
                pixels += frame.image_width * frame.image_height
            except KnownError as error:
                take(key, Outcome(error=error))
        now = Progress(start, len(keys), name(keys[start]))
        together: list[Outcome] | None = None
        if len(opened) > 1:
            together = yield from told_as(_together(list(opened.values()), work), _within(now))
        for number, (key, drawn) in enumerate(opened.items()):
            known = None if together is None else together[number]
            now = Progress(start + number, len(keys), name(key))
            take(key, (yield from told_as(_refined(drawn, work, known), _within(now))))


def _refined(drawn: DrawnPicture, work: Work[Key], known: Outcome | None) -> Job[Outcome]:
    """Refine the boxes of one picture; `known` are answers that have no candidates yet."""
    try:
        job = refine_many(
            drawn.boxes,
            drawn.categories,
            picture=drawn.picture,
            features=drawn.features,
            refiner=work.refiner,
            second_look=work.second_look and known is None,
            candidates=work.candidates,
            first=None if known is None else known.answers,
        )
        answers, looks = yield from job
        return Outcome(answers, looks if known is None else known.second_looks)
    except KnownError as error:
        return Outcome(error=error)


def _together(pictures: Sequence[DrawnPicture], work: Work[Key]) -> Job[list[Outcome] | None]:
    """The answers to the boxes of some pictures, in one batch for each refiner of a category.

    None if one of the pictures cannot be refined: each alone then shows which.
    """
    by_refiner: dict[int, tuple[Refiner, list[tuple[int, list[int]]]]] = {}
    for number, drawn in enumerate(pictures):
        for asked, rows in rows_by_refiner(work.refiner, drawn.categories):
            by_refiner.setdefault(id(asked), (asked, []))[1].append((number, rows))
    found = [Outcome([_NOTHING] * len(drawn.boxes)) for drawn in pictures]
    try:
        for asked, places in by_refiner.values():
            parts = [
                Drawn(pictures[number].features, as_boxes([pictures[number].boxes[row] for row in rows]))
                for number, rows in places
            ]
            answers = refine_together(asked, parts)
            if work.second_look:
                again = [
                    Again(first, as_boxes(part.boxes), part.features.frame, pictures[number].picture)
                    for first, part, (number, _) in zip(answers, parts, places, strict=True)
                ]
                looked = yield from look_again_at_all(again, asked)
                for (number, _), some in zip(places, looked, strict=True):
                    found[number].second_looks += len(some)
            for (number, rows), own in zip(places, answers, strict=True):
                for row, answer in zip(rows, own, strict=True):
                    found[number].answers[row] = answer
    except KnownError:
        return None
    return found


def _within(pictures: Progress) -> Callable[[Progress], Progress]:
    """Map the progress of one picture's boxes to that of all pictures."""
    return lambda boxes: replace(
        pictures,
        message=tr(
            "{picture}, box {number} of {total}", picture=pictures.message, number=boxes.done + 1, total=boxes.total
        ),
    )
