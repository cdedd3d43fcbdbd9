"""Views: the same picture mirrored and cropped, with its boxes, so that a few labelled pictures tell more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import StorageError, reason
from core.geometry import Boxes
from core.images import Picture, read_picture
from core.refiner.margins import Margin
from core.training.lessons import Lesson

MIRRORED = " (mirrored)"
CROP_SHARE = 0.6
"""Side of a crop, as a share of the picture's."""


def views(lessons: Sequence[Lesson], folder: Path) -> tuple[Lesson, ...]:
    """The lessons, and after them each one mirrored and cropped to its four corners, as pictures saved in `folder`.

    A crop has the boxes that lie wholly inside; without any it is left out. Being pictures like any other, views are
    encoded and cached like them. Raises BadFileError where a picture cannot be read, StorageError on a full disk.
    """
    return (*lessons, *(view for number, lesson in enumerate(lessons) for view in _views(lesson, number, folder)))


def _views(lesson: Lesson, number: int, folder: Path) -> Iterator[Lesson]:
    picture = read_picture(lesson.path)
    yield _saved(mirrored(lesson, picture.shape[1]), picture[:, ::-1], folder / f"{number} mirrored.png")
    height, width = (round(CROP_SHARE * side) for side in picture.shape[:2])
    for at, (top, left) in enumerate(
        (y, x) for y in (0, picture.shape[0] - height) for x in (0, picture.shape[1] - width)
    ):
        part = cropped(lesson, left=left, top=top, width=width, height=height)
        if len(part):
            path = folder / f"{number} crop {at}.png"
            yield _saved(part, picture[top : top + height, left : left + width], path)


def also_mirrored(
    lessons: Sequence[Lesson], margins: Mapping[str, Margin], folder: Path, *, most: int
) -> tuple[tuple[Lesson, ...], dict[str, Margin]]:
    """The lessons and the first `most` of them mirrored, under categories of their own, whose margins are mirrored too.

    Raises what `views` raises.
    """
    turned = []
    for number, lesson in enumerate(lessons[:most]):
        picture = read_picture(lesson.path)
        view = _saved(mirrored(lesson, picture.shape[1]), picture[:, ::-1], folder / f"{number} mirrored.png")
        turned.append(replace(view, categories=tuple(name + MIRRORED for name in view.categories)))
    other = {name + MIRRORED: replace(edge, left=edge.right, right=edge.left) for name, edge in margins.items()}
    return (*lessons, *turned), {**margins, **other}


def mirrored(lesson: Lesson, width: int) -> Lesson:
    """The lesson of a picture `width` pixels wide, left and right exchanged."""

    def turned(boxes: Boxes) -> Boxes:
        return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)

    return replace(lesson, accepted=turned(lesson.accepted), drawn=turned(lesson.drawn))


def cropped(lesson: Lesson, *, left: int, top: int, width: int, height: int) -> Lesson:
    """The corrections whose accepted boxes lie wholly in a part of the picture, in pixels of that part."""
    part = np.array([left, top, left + width, top + height])
    low, high = lesson.accepted[:, :2] >= part[:2], lesson.accepted[:, 2:] <= part[2:]
    inside = np.asarray(np.concatenate([low, high], axis=1).all(axis=1))
    kept, offset = lesson.rows(inside), np.array([left, top, left, top])
    return replace(kept, accepted=kept.accepted - offset, drawn=kept.drawn - offset)


def _saved(lesson: Lesson, picture: Picture, path: Path) -> Lesson:
    try:
        Image.fromarray(np.ascontiguousarray(picture)).save(path, compress_level=1)
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({reason(error)}): make room on the disk.") from error
    return replace(lesson, path=path, key=f"{lesson.key} {path.name}")
