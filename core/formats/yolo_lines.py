"""The lines of a YOLO label file, so that Ultralytics reads each of them as what it is.

Ultralytics takes every line of a file for a polygon if one has more than six numbers, and it wants the points of a pose
on every line of a data set of poses. So a plain box beside polygons is written as the polygon of its corners, and one
beside poses has points that are marked as absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.formats.exporters.layout import clip_to_image
from core.formats.importers.parsed import is_finite, number_in
from core.formats.importers.yolo_reader import YOLO
from core.records import Correction, ImageRecord

_STEPS = 1_000_000
_FEW = 6
"""Numbers of a line that Ultralytics reads as a box, with its class, at most."""


def label_lines(
    image: ImageRecord, corrections: Sequence[Correction], classes: Mapping[int, int], *, points: int = 0
) -> list[str]:
    """A line for each box: its class and its numbers. `points` is how many numbers the points of a pose have.

    What came from YOLO with more than a box goes back as it came if the box has not moved, but without the confidence
    and the track of a detector, which training code does not read. A pose whose box has moved keeps its points.
    """
    corrections = list(corrections)  # made once, if they come from a table
    came = [_came(item) for item in corrections]
    if points:
        written = [_pose(image, item, words, points) for item, words in zip(corrections, came, strict=True)]
    else:
        shapes = [_shape(item, words) for item, words in zip(corrections, came, strict=True)]
        are_shapes = any(shapes)
        written = [
            shape or (_corners(image, item) if are_shapes else _box(image, item))
            for item, shape in zip(corrections, shapes, strict=True)
        ]
    return [f"{classes[item.category_id]} {' '.join(line)}" for item, line in zip(corrections, written, strict=True)]


def _came(correction: Correction) -> list[str]:
    """The numbers as they came; empty for a box that came with no more than its place."""
    numbers = correction.origin.kept(YOLO).get("numbers") if correction.origin else None
    if not isinstance(numbers, list) or not all(
        isinstance(word, str) and is_finite(number_in(word)) for word in numbers
    ):
        return []
    return numbers


def _shape(correction: Correction, came: Sequence[str]) -> list[str]:
    """The polygon that came, without a confidence; empty if there is none, or if the box has moved since."""
    is_same = correction.origin is not None and correction.accepted == correction.origin.box
    return list(came[: len(came) // 2 * 2]) if is_same and len(came) >= _FEW and not _is_track(came) else []


def _is_track(came: Sequence[str]) -> bool:
    """Whether six numbers are a box, a confidence and the number of a track; corners are fractions."""
    return len(came) == _FEW and came[-1].isdecimal()


def _pose(image: ImageRecord, correction: Correction, came: Sequence[str], points: int) -> list[str]:
    kept = list(came[4 : 4 + points]) if len(came) >= 4 + points else ["0"] * points
    is_same = correction.origin is not None and correction.accepted == correction.origin.box
    return [*(came[:4] if is_same and len(came) >= 4 + points else _box(image, correction)), *kept]


def _edges(image: ImageRecord, correction: Correction) -> tuple[int, int, int, int]:
    """The edges in millionths of the image's sides.

    The edges are rounded, not the center and the size, so that no reader computes an edge at 1.0000005.
    """
    x1, y1, x2, y2 = clip_to_image(correction.accepted, image)
    left, right = round(x1 / image.width * _STEPS), round(x2 / image.width * _STEPS)
    top, bottom = round(y1 / image.height * _STEPS), round(y2 / image.height * _STEPS)
    return left, top, right, bottom


def _box(image: ImageRecord, correction: Correction) -> list[str]:
    left, top, right, bottom = _edges(image, correction)
    parts = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return [f"{part / _STEPS:.7f}" for part in parts]


def _corners(image: ImageRecord, correction: Correction) -> list[str]:
    left, top, right, bottom = _edges(image, correction)
    return [f"{part / _STEPS:.6f}" for part in (left, top, right, top, right, bottom, left, bottom)]
