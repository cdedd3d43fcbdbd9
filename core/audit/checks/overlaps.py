"""Boxes on the same place: of one category they are duplicates, of two they contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.audit.context import AuditContext
from core.audit.finding import AuditFinding, Kind
from core.audit.pairing import overlapping
from core.records import Correction
from core.translation import tr

SAME, ONE_OBJECT = 0.95, 0.85
"""IoU from which on two boxes are the same, and from which on they are around one object."""

_ONE_PIXEL = 1.0


def check_duplicates(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes of one category on one place, but for a pixel or by their IoU; the repair deletes the later one."""
    for earlier, later, value in _pairs(context, SAME):
        if earlier.category_id == later.category_id:
            sentence = tr(
                "This box of “{category}” is there twice (IoU {iou}).",
                category=context.category_of(later),
                iou=f"{value:.2f}",
            )
            yield replace(context.of_box(Kind.DUPLICATE, 0.8, sentence, later), deletes=(later.id,))


def check_two_classes(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes of two categories around one object; only a person knows which one is right."""
    for earlier, later, value in _pairs(context, ONE_OBJECT):
        if earlier.category_id != later.category_id:
            sentence = tr(
                "“{first}” and “{second}” are on one place (IoU {iou}).",
                first=context.category_of(earlier),
                second=context.category_of(later),
                iou=f"{value:.2f}",
            )
            yield context.of_box(Kind.TWO_CLASSES, 0.7, sentence, later)


def _pairs(context: AuditContext, least_iou: float) -> Iterator[tuple[Correction, Correction, float]]:
    """Pairs of boxes on one picture, the earlier one first; a box is the later one of one pair at most."""
    for boxes in context.on_image.values():
        if not boxes or boxes[0].image_id not in context.images:
            continue
        rows = [entry.accepted for entry in boxes]
        later_ones: set[tuple[int, bool]] = set()
        for one, other, value in overlapping(rows, rows, least_iou=least_iou):
            key = other, boxes[one].category_id == boxes[other].category_id
            if one < other and key not in later_ones:
                later_ones.add(key)
                yield boxes[one], boxes[other], value
