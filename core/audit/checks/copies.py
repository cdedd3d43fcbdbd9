"""Pictures of two splits that are the same or look alike: what is measured on them is too good."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from core.audit.context import AuditContext, PictureLook
from core.audit.finding import AuditFinding, Kind
from core.audit.pairing import name_in
from core.records import ImageRecord
from core.splits import SPLITS
from core.translation import tr

ALIKE = 12
"""Bits of 256 in which the shapes of two pictures that look alike differ at most."""

_BANDS, _BITS = 16, 16
"""Shapes that differ in fewer bits than there are bands have a band in common, so only those are compared."""

NEAR = 0.9
"""Cosine of the features of two pictures that show the same. Copies at half the size, brighter or cropped have 0.86 to
1.00 as measured on 25 pictures of five sets, other pictures of the same set 0.83 at most (blood under a microscope).
"""

_ROWS = 1024
_CROWDED = 400
"""A band that more pictures have in common, such as that of a clear sky, shows nothing."""


def check_copies(context: AuditContext) -> Iterator[AuditFinding]:
    """Each picture of val and test that an earlier split has too: the same bytes, or alike by its shape or features.

    A mirrored copy is found by its shape: features of mirrored pictures differ from the mirrored features too much.
    """
    order = {name: place for place, name in enumerate(SPLITS)}
    images = [image for image in context.dataset.images if context.split_of(image)]
    images.sort(key=lambda image: order[context.split_of(image)])
    if len({context.split_of(image) for image in images}) < 2:
        return
    near = _near(context, images)
    by_content: dict[str, ImageRecord] = {}
    seen: dict[tuple[int, int], list[ImageRecord]] = defaultdict(list)
    for image in images:
        look = context.looks.get(image.id)
        if look is None:
            look = PictureLook()
        split = context.split_of(image)
        same = by_content.get(look.content) if look.content else None
        if same is not None and context.split_of(same) != split:
            sentence = tr("This picture is also {other}, byte by byte.", other=name_in(context.dataset, same))
            yield context.of_picture(Kind.COPY, 0.8, sentence, image)
        elif (alike := _alike(context, look.shape, split, seen) or near.get(image.id)) is not None:
            sentence = tr("This picture looks like {other}.", other=name_in(context.dataset, alike))
            yield context.of_picture(Kind.COPY, 0.7, sentence, image)
        elif (other := _alike(context, look.mirrored, split, seen)) is not None:
            sentence = tr(
                "This picture looks like {other} with left and right exchanged.", other=name_in(context.dataset, other)
            )
            yield context.of_picture(Kind.COPY, 0.7, sentence, image)
        if look.content:
            by_content.setdefault(look.content, image)
        for band in _bands(look.shape):
            seen[band].append(image)


def _alike(
    context: AuditContext, shape: int | None, split: str, seen: dict[tuple[int, int], list[ImageRecord]]
) -> ImageRecord | None:
    """The picture of another split whose shape is the closest, if it is close enough."""
    best: tuple[int, ImageRecord] | None = None
    for band in _bands(shape):
        others = seen.get(band, [])
        for other in others if len(others) <= _CROWDED else ():
            known = context.looks[other.id].shape
            if known is None or shape is None or context.split_of(other) == split:
                continue
            off = (known ^ shape).bit_count()
            if off <= ALIKE and (best is None or off < best[0]):
                best = off, other
    return best[1] if best is not None else None


def _near(context: AuditContext, images: Sequence[ImageRecord]) -> dict[int, ImageRecord]:
    """Image id -> the picture of an earlier split whose features are the nearest, if they are near enough."""
    held = [image for image in images if image.id in context.likenesses]
    splits = [context.split_of(image) for image in held]
    found: dict[int, ImageRecord] = {}
    if len(set(splits)) < 2:
        return found
    rows = np.stack([context.likenesses[image.id] for image in held])
    for split in dict.fromkeys(splits):
        start, end = splits.index(split), splits.index(split) + splits.count(split)
        for first in range(start if start else end, end, _ROWS):
            products = rows[first : min(first + _ROWS, end)] @ rows[:start].T
            nearest = products.argmax(axis=1)
            for row, other in enumerate(nearest.tolist()):
                if products[row, other] >= NEAR:
                    found[held[first + row].id] = held[other]
    return found


def _bands(shape: int | None) -> Iterator[tuple[int, int]]:
    """The parts of a shape, with their places; none without a shape."""
    if shape is not None:
        for place in range(_BANDS):
            yield place, (shape >> (place * _BITS)) & ((1 << _BITS) - 1)
