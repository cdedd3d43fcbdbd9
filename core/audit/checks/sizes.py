"""Boxes that are beyond the picture, tiny, or as large as the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.audit.context import AuditContext
from core.audit.finding import AuditFinding, Kind
from core.geometry import Box, clip
from core.translation import tr

TINY = 4.0
"""Length of the shorter side, in pixels, below which a box is tiny."""

HUGE = 0.95
"""Share of the picture's area from which on a box is huge."""

_USUAL = 0.8
"""Where half of a category's boxes have this share of the picture, its large boxes are meant so."""

_SLACK = 0.5


def check_outside(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes that reach beyond their picture; the repair clips them."""
    for entry in context.boxes:
        image, box = context.images[entry.image_id], entry.accepted
        beyond = max(-box.x1, -box.y1, box.x2 - image.width, box.y2 - image.height)
        if beyond > _SLACK:
            sentence = tr(
                "This box of “{category}” reaches {pixels} pixels beyond the picture.",
                category=context.category_of(entry),
                pixels=f"{beyond:.1f}",
            )
            inside = Box.of(clip([box], width=image.width, height=image.height)[0])
            yield replace(context.of_box(Kind.OUTSIDE, 0.75, sentence, entry), moves={entry.id: inside})


def check_tiny(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes whose shorter side has hardly any pixels; the repair deletes them."""
    for entry in context.boxes:
        side = min(entry.accepted.width, entry.accepted.height)
        if side < TINY:
            sentence = tr(
                "This box of “{category}” is {width} x {height} pixels small.",
                category=context.category_of(entry),
                width=f"{entry.accepted.width:.1f}",
                height=f"{entry.accepted.height:.1f}",
            )
            found = context.of_box(Kind.TINY, 0.5 if side < TINY / 2 else 0.4, sentence, entry)
            yield replace(found, deletes=(entry.id,))


def check_huge(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes as large as their picture, unless most boxes of their category are."""
    shares: dict[int, list[float]] = {}
    of_box: dict[int, float] = {}
    for entry in context.boxes:
        image = context.images[entry.image_id]
        of_box[entry.id] = entry.accepted.width * entry.accepted.height / max(image.width * image.height, 1)
        shares.setdefault(entry.category_id, []).append(of_box[entry.id])
    usual = {id for id, values in shares.items() if len(values) > 1 and float(np.median(values)) >= _USUAL}
    for entry in context.boxes:
        if of_box[entry.id] >= HUGE and entry.category_id not in usual:
            sentence = tr(
                "This box of “{category}” covers {percent} % of the picture.",
                category=context.category_of(entry),
                percent=round(100 * min(of_box[entry.id], 1)),
            )
            yield context.of_box(Kind.HUGE, 0.3, sentence, entry)
