"""Augmented views: an image mirrored and cropped, with its boxes, so that few labelled images teach more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from core.errors import StorageError, reason
from core.geometry import Boxes
from core.images import Picture, read_picture
from core.refiner.margins import Margin
from core.training.lessons import Lesson
from core.translation import tr

MIRRORED = " (mirrored)"
CROP_SHARE = 0.6
"""Side of a crop, as a share of the image's."""

LONGEST_VIEW = 1024
"""Long side of a view in pixels: that of the input of HQ-SAM's encoders; the light encoder's is shorter."""

LARGEST_ZOOM = 3.0
"""A random part has at least this fraction, 1 / LARGEST_ZOOM, of the image's sides."""


def views(lessons: Sequence[Lesson], folder: Path) -> tuple[Lesson, ...]:
    """Append views to training examples: each image mirrored, and cropped to its four corners, saved in `folder`.

    A crop has the boxes that lie wholly inside it; crops without boxes are left out. Views are encoded and cached like
    other images. Raises BadFileError if an image cannot be read, StorageError on a full disk.
    """
    return (*lessons, *(view for number, lesson in enumerate(lessons) for view in _views(lesson, number, folder)))


def _views(lesson: Lesson, number: int, folder: Path) -> Iterator[Lesson]:
    picture = read_picture(lesson.path)
    yield _save(mirror(lesson, picture.shape[1]), picture[:, ::-1], folder / f"{number} mirrored.png")
    height, width = (round(CROP_SHARE * side) for side in picture.shape[:2])
    for at, (top, left) in enumerate(
        (y, x) for y in (0, picture.shape[0] - height) for x in (0, picture.shape[1] - width)
    ):
        part = crop(lesson, left=left, top=top, width=width, height=height)
        if len(part):
            path = folder / f"{number} crop {at}.png"
            yield _save(part, picture[top : top + height, left : left + width], path)


def add_views(
    lessons: Sequence[Lesson], margins: Mapping[str, Margin], folder: Path, *, each: int, most: int, seed: int
) -> tuple[tuple[Lesson, ...], dict[str, Margin]]:
    """Append `each` views of the first `most` training examples, saved in `folder`, and return all with their margins.

    The first view is the mirrored image, the others are random parts around one of its boxes, some of them mirrored.
    Mirrored boxes have categories of their own, whose margins are mirrored too. Raises what `views` raises.
    """
    seen: list[Lesson] = []
    in_mirror = {name + MIRRORED: replace(edge, left=edge.right, right=edge.left) for name, edge in margins.items()}
    edges = {**margins, **in_mirror}
    for number, lesson in enumerate(lessons[:most] if each > 0 else ()):
        picture = read_picture(lesson.path)
        random = np.random.default_rng([seed, number])
        views_of_it = [(_mirror(lesson, picture), f"{number} mirrored.png")]
        for at in range(1, each):
            part = _part(lesson, picture, random)
            part = _mirror(*part) if random.random() < 0.5 else part
            views_of_it.append((part, f"{number} part {at}.png"))
        for (view, pixels), name in views_of_it:
            view, pixels = _shrink(view, pixels, edges)
            seen.append(_save(view, pixels, folder / name))
    return (*lessons, *seen), edges


def _mirror(lesson: Lesson, picture: Picture) -> tuple[Lesson, Picture]:
    turned = mirror(lesson, picture.shape[1])
    return replace(turned, categories=tuple(name + MIRRORED for name in turned.categories)), picture[:, ::-1]


def _shrink(lesson: Lesson, picture: Picture, edges: dict[str, Margin]) -> tuple[Lesson, Picture]:
    """Shrink an image to the encoders' input size, since saving and reading a photograph takes longer than encoding it.

    The scaled margins of a smaller image are added to `edges`, under categories of their own.
    """
    height, width = picture.shape[:2]
    scale = LONGEST_VIEW / max(height, width)
    if scale >= 1:
        return lesson, picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    ratio = np.tile([size[0] / width, size[1] / height], 2)
    names = tuple(f"{name} (at {scale:.4g})" for name in lesson.categories)
    edges |= {new: edges[old].scaled(ratio) for new, old in zip(names, lesson.categories, strict=True) if old in edges}
    pixels = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    smaller = replace(lesson, accepted=lesson.accepted * ratio, drawn=lesson.drawn * ratio, categories=names)
    return smaller, pixels


def _part(lesson: Lesson, picture: Picture, random: np.random.Generator) -> tuple[Lesson, Picture]:
    """Crop a random part that holds one random box wholly."""
    size = np.array([picture.shape[1], picture.shape[0]])
    box = lesson.accepted[random.integers(len(lesson))]
    low, high = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
    wanted = np.ceil(size / LARGEST_ZOOM ** random.random()).astype(int)
    extent = np.minimum(np.maximum(high - low, wanted), size)
    first, last = np.maximum(high - extent, 0), np.minimum(low, size - extent)
    (left, top), (width, height) = random.integers(first, last + 1).tolist(), extent.tolist()
    pixels = picture[top : top + height, left : left + width]
    return crop(lesson, left=left, top=top, width=width, height=height), pixels


def mirror(lesson: Lesson, width: int) -> Lesson:
    """Mirror the boxes of an image `width` pixels wide: left and right are exchanged."""

    def turned(boxes: Boxes) -> Boxes:
        return np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)

    return replace(lesson, accepted=turned(lesson.accepted), drawn=turned(lesson.drawn))


def crop(lesson: Lesson, *, left: int, top: int, width: int, height: int) -> Lesson:
    """Keep the corrections whose accepted boxes lie wholly in a part of the image, in pixels of that part."""
    part = np.array([left, top, left + width, top + height])
    low, high = lesson.accepted[:, :2] >= part[:2], lesson.accepted[:, 2:] <= part[2:]
    inside = np.asarray(np.concatenate([low, high], axis=1).all(axis=1))
    kept, offset = lesson.rows(inside), np.array([left, top, left, top])
    return replace(kept, accepted=kept.accepted - offset, drawn=kept.drawn - offset)


def _save(lesson: Lesson, picture: Picture, path: Path) -> Lesson:
    try:
        Image.fromarray(np.ascontiguousarray(picture)).save(path, compress_level=1)
    except OSError as error:
        raise StorageError(
            tr("{path} cannot be written ({why}): make room on the disk.", path=path, why=reason(error))
        ) from error
    return replace(lesson, path=path, key=f"{lesson.key} {path.name}")
