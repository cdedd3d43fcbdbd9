"""Boxes that are unusual for their category, and categories without boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from core.audit.context import AuditContext, short_name
from core.audit.finding import AuditFinding, Kind
from core.records import Correction
from core.translation import tr

LEAST_BOXES = 20
"""Categories of fewer boxes have no usual range."""

FAR = 6.0
"""So many robust standard deviations from the median a value is unusual."""

_LEAST_SPREAD = 0.1
"""Least robust standard deviation of logarithms: boxes of one size are not unusual for a tenth more."""


def check_outliers(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes whose size in the picture, or whose shape, is far from the range of their category."""
    groups: dict[int, list[Correction]] = {}
    for entry in context.boxes:
        groups.setdefault(entry.category_id, []).append(entry)
    for boxes in groups.values():
        if len(boxes) >= LEAST_BOXES:
            yield from _outliers(context, boxes)


def _outliers(context: AuditContext, boxes: Sequence[Correction]) -> Iterator[AuditFinding]:
    rows = np.array([entry.accepted for entry in boxes], np.float64)
    sides = np.maximum(rows[:, 2:] - rows[:, :2], 1e-3)
    pictures = [context.images[entry.image_id] for entry in boxes]
    areas = np.array([max(image.width * image.height, 1) for image in pictures], np.float64)
    by_size = _far(np.log(sides.prod(axis=1) / areas) / 2)
    by_shape = _far(np.log(sides[:, 0] / sides[:, 1]))
    for entry, size, shape in zip(boxes, by_size.tolist(), by_shape.tolist(), strict=True):
        far = max(abs(size), abs(shape))
        if far < FAR:
            continue
        yield context.of_box(Kind.OUTLIER, min(0.2 + far / 100, 0.45), _words(context, entry, size, shape), entry)


def _words(context: AuditContext, entry: Correction, size: float, shape: float) -> str:
    category = context.category_of(entry)
    if abs(size) >= abs(shape):
        if size > 0:
            return tr("This box is far larger than others of “{category}”.", category=category)
        return tr("This box is far smaller than others of “{category}”.", category=category)
    if shape > 0:
        return tr("This box is far wider, for its height, than others of “{category}”.", category=category)
    return tr("This box is far higher, for its width, than others of “{category}”.", category=category)


def _far(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many robust standard deviations values (N,) are from their median, with signs."""
    middle = np.median(values)
    spread = max(1.4826 * float(np.median(np.abs(values - middle))), _LEAST_SPREAD)
    far: NDArray[np.float64] = (values - middle) / spread
    return far


def check_unused(context: AuditContext) -> Iterator[AuditFinding]:
    """Categories without a box."""
    used = {entry.category_id for entry in context.dataset.corrections}
    for category in context.dataset.categories:
        if category.id not in used:
            sentence = tr("The category “{category}” has no box.", category=short_name(category.name))
            yield AuditFinding(Kind.UNUSED, 0.1, sentence)
