"""Training examples: images with their drawn and accepted boxes, read from a project or from COCO files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import BadFileError, BadInputError
from core.formats.exporters.coco import CocoFile, read_coco
from core.geometry import Box, Boxes, as_boxes, clip, iou
from core.object_store.address import Address
from core.object_store.remote_file import PictureFile
from core.progress import Job
from core.records import Correction, Dataset
from core.shards.files import read_shards
from core.translation import tr, tr_plural

LEAST_CORRECTIONS = 5
SAME_DRAWN, OTHER_ACCEPTED = 0.8, 0.3
"""Two corrections of a category contradict each other if the IoU of their drawn boxes is above the first number and
that of their accepted boxes below the second."""

_ROWS_AT_ONCE = 64
"""So many boxes are compared with all others of an image at once: a million pairs take 0.1 GB."""

UNRELATED = 0.05
"""A drawn box with a lower IoU with the accepted one than this was drawn around another object."""


@dataclass(frozen=True)
class Lesson:
    """The training example of one image: its N corrections.

    key: its hash decides whether the image is held out; it stays the same when the folder moves
    accepted, drawn: (N, 4) image pixels; drawn is NaN where it is not known
    """

    path: PictureFile
    key: str
    accepted: Boxes
    drawn: Boxes
    categories: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.accepted)

    @property
    def ious(self) -> NDArray[np.float64]:
        """(N,) IoU of each drawn box with the accepted one; all drawn boxes must be known."""
        return iou(self.drawn, self.accepted)

    def rows(self, keep: NDArray[np.bool_] | slice) -> Lesson:
        """Select some of its corrections, by a mask (N,) or a slice."""
        at = np.arange(len(self))[keep].tolist()
        categories = tuple(self.categories[row] for row in at)
        return replace(self, accepted=self.accepted[at], drawn=self.drawn[at], categories=categories)


@dataclass(frozen=True)
class Lessons:
    """The training examples of all usable images, and a sentence for each image or box that was left out."""

    lessons: tuple[Lesson, ...]
    left_out: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.lessons))

    def sampled(self, ratio: float, *, most: int | None = None) -> Lessons:
        """Select a share `ratio` of the images, at most `most` and at least two; the same ones every time."""
        count = max(2, round(ratio * len(self.lessons)))
        chosen = sorted(self.lessons, key=lambda lesson: _place(lesson.key + " sample"))[: min(count, most or count)]
        return replace(self, lessons=tuple(lesson for lesson in self.lessons if lesson in chosen))


def from_project(dataset: Dataset) -> Lessons:
    """Read the accepted boxes of a project, changed or not; boxes still to check are left out."""
    images = {image.id: image for image in dataset.images}
    names = {category.id: category.name for category in dataset.categories}
    by_image: dict[int, list[Correction]] = {}
    for correction in dataset.corrections:
        if correction.confirmed and not (correction.origin and correction.origin.is_crowd):
            by_image.setdefault(correction.image_id, []).append(correction)
    lessons = []
    for image_id, mine in by_image.items():
        lessons.append(
            Lesson(
                path=images[image_id].path,
                key=_key(images[image_id].path, dataset.folder),
                accepted=as_boxes([correction.accepted for correction in mine]),
                drawn=as_boxes([_drawn(correction) for correction in mine]),
                categories=tuple(names[correction.category_id] for correction in mine),
            )
        )
    return keep_usable(lessons)


def from_coco(images: Path, boxes: Path, coarse: Path | None) -> Lessons:
    """Read the boxes of a COCO file as accepted ones; the file `coarse` holds the drawn boxes under the same ids.

    Raises BadFileError if a file cannot be read, BadInputError if the two have no id in common.
    """
    accepted = read_coco(boxes)
    drawn = {} if coarse is None else {note.id: note.box for note in read_coco(coarse).annotations}
    names = {category["id"]: str(category["name"]) for category in accepted.document.get("categories", [])}
    if coarse is not None and not drawn.keys() & {note.id for note in accepted.annotations}:
        raise BadInputError(
            tr(
                "{drawn} holds none of the ids of {true}: give the drawn boxes the ids of the true ones.",
                drawn=coarse,
                true=boxes,
            )
        )
    lessons = []
    for image_id, listed in accepted.by_image().items():
        notes = [note for note in listed if not note.is_crowd]
        name = accepted.images[image_id].file_name
        nothing = (np.nan,) * 4
        lessons.append(
            Lesson(
                path=images / name,
                key=name,
                accepted=as_boxes([note.box for note in notes]),
                drawn=as_boxes([drawn.get(note.id, nothing) for note in notes]),
                categories=tuple(_category(accepted, note.index, names) for note in notes),
            )
        )
    found = keep_usable(lessons)
    return replace(found, left_out=tuple(accepted.problems) + found.left_out)


def from_shards(place: Path | Address) -> Job[Lessons]:
    """Read the samples of the shards in a folder, or at an address; see `core.shards`. Raises as `read_shards`."""
    lessons = []
    for sample in (yield from read_shards(place)):
        if sample.boxes:
            lessons.append(
                Lesson(
                    path=sample.picture,
                    key=sample.name,
                    accepted=as_boxes(sample.boxes),
                    drawn=as_boxes([box or (np.nan,) * 4 for box in sample.drawn]),
                    categories=tuple(sample.categories),
                )
            )
    return keep_usable(lessons)


def keep_usable(lessons: Sequence[Lesson]) -> Lessons:
    """Leave out images whose files are gone, and boxes that contradict each other."""
    left_out: list[str] = []
    usable = []
    for lesson in lessons:
        if isinstance(lesson.path, Path) and not lesson.path.is_file():
            left_out.append(
                tr_plural(
                    "The picture {path} is gone: its {count} box cannot be learned from.",
                    "The picture {path} is gone: its {count} boxes cannot be learned from.",
                    len(lesson),
                    path=lesson.path,
                )
            )
            continue
        keep = ~_contradicting(lesson)
        if not keep.all():
            left_out.append(
                tr_plural(
                    "On {path}, {count} box contradicts another one (much the same drawn box, quite another accepted "
                    "one): it is left out; delete it if it is wrong.",
                    "On {path}, {count} boxes contradict each other (much the same drawn box, quite another accepted "
                    "one): they are left out; delete the wrong ones.",
                    int((~keep).sum()),
                    path=lesson.path,
                )
            )
        if keep.any():
            usable.append(_without_unrelated(lesson.rows(keep)))
    return Lessons(tuple(usable), tuple(left_out))


def require_enough(found: Lessons, source: Path | Address) -> None:
    """Raise BadInputError if there is too little to learn from, BadFileError if that is because images are gone."""
    if not found.lessons and found.left_out:
        raise BadFileError(tr("Nothing in {path} can be learned from: {why}", path=source, why=found.left_out[0]))
    if len(found) < LEAST_CORRECTIONS:
        too_few = tr_plural(
            "{path} holds {count} box to learn from, and teaching needs {least}: accept some more.",
            "{path} holds {count} boxes to learn from, and teaching needs {least}: accept some more.",
            len(found),
            path=source,
            least=LEAST_CORRECTIONS,
        )
        raise BadInputError(
            tr("{sentence} {why}", sentence=too_few, why=found.left_out[0]) if found.left_out else too_few
        )
    if len(found.lessons) < 2:
        raise BadInputError(
            tr(
                "All boxes of {path} are on one picture, so nothing is left to check the result on: "
                "accept some on another picture too.",
                path=source,
            )
        )


def split(found: Lessons, share: float) -> tuple[tuple[Lesson, ...], tuple[Lesson, ...]]:
    """Split into images to learn from and images held out, by a hash of their keys: the same ones in every run.

    Each side has at least one image, and at most half of them are held out.
    """
    ordered = in_hash_order(found.lessons)
    held = [lesson for lesson in ordered if _place(lesson.key) < share] or ordered[:1]
    held = held[: max(1, len(ordered) // 2)]
    keys = {lesson.key for lesson in held}
    return tuple(lesson for lesson in found.lessons if lesson.key not in keys), tuple(held)


def in_hash_order(lessons: Sequence[Lesson], *, salt: str = "") -> list[Lesson]:
    """Sort images by a hash of their keys: a pseudo-random order that is the same every time for a salt."""
    return sorted(lessons, key=lambda lesson: _place(lesson.key + salt))


def fit_to(lesson: Lesson, *, width: int, height: int) -> Lesson:
    """Clip the boxes to an image of this size in pixels."""
    drawn = lesson.drawn.copy()
    known = np.isfinite(drawn).all(axis=1)
    drawn[known] = clip(drawn[known], width=width, height=height)
    return replace(lesson, accepted=clip(lesson.accepted, width=width, height=height), drawn=drawn)


def _without_unrelated(lesson: Lesson) -> Lesson:
    far = iou(lesson.drawn, lesson.accepted) < UNRELATED
    return replace(lesson, drawn=np.where(far[:, None], np.nan, lesson.drawn))


def _contradicting(lesson: Lesson) -> NDArray[np.bool_]:
    """(N,) whether a correction contradicts another one of its category."""
    bad = np.zeros(len(lesson), np.bool_)
    kinds = np.unique(np.array(lesson.categories, dtype=object).astype(str), return_inverse=True)[1]
    for kind in range(kinds.max(initial=-1) + 1):
        rows = np.flatnonzero(kinds == kind)
        for some in np.array_split(rows, -(-len(rows) // _ROWS_AT_ONCE)):
            same, other = (_each_with_each(boxes[some], boxes[rows]) for boxes in (lesson.drawn, lesson.accepted))
            bad[some] = ((same > SAME_DRAWN) & (other < OTHER_ACCEPTED)).any(axis=1)
    return bad


def _each_with_each(first: Boxes, second: Boxes) -> NDArray[np.float64]:
    """(N, M) IoUs of boxes (N, 4) with boxes (M, 4)."""
    pairs = np.repeat(first, len(second), axis=0), np.tile(second, (len(first), 1))
    return iou(*pairs).reshape(len(first), len(second))


def _drawn(correction: Correction) -> Box:
    """The drawn box; NaN for a suggested one, and for an imported one accepted as it came: no user drew them."""
    origin = correction.origin
    is_as_it_came = origin is not None and (bool(origin.head) or correction.drawn == correction.accepted)
    return Box(np.nan, np.nan, np.nan, np.nan) if is_as_it_came else correction.drawn


def _category(coco: CocoFile, index: int, names: dict[object, str]) -> str:
    return names.get(coco.document["annotations"][index].get("category_id"), "object")


def _key(path: Path, folder: Path | None) -> str:
    inside = folder is not None and path.is_relative_to(folder)
    return path.relative_to(folder).as_posix() if inside and folder is not None else path.name


def _place(key: str) -> float:
    """Hash a key to a number in [0, 1)."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
