"""Boxes that are looser or tighter than the refiner's sure answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.audit.context import AuditContext
from core.audit.finding import AuditFinding, Kind
from core.geometry import iou
from core.translation import tr

SURE = 0.8
"""The refiner's expected IoU from which on its answer counts."""

LOOSE_BELOW = 0.75
"""IoU of a label with a sure answer below which the label is a finding."""


def check_loose(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes whose IoU with a sure answer is low. The repair is the answer.

    The severity is the expected loss of IoU: the IoU that the answer has with the object, less that of the label.
    """
    for entry in context.boxes:
        answer = context.answers.get(entry.id)
        if answer is None or answer.score < SURE:
            continue
        value = float(iou([entry.accepted], [answer.box])[0])
        if value < LOOSE_BELOW:
            sentence = tr(
                "This box of “{category}” has an IoU of {iou} with the refiner's answer, which is sure ({score} %).",
                category=context.category_of(entry),
                iou=f"{value:.2f}",
                score=round(100 * answer.score),
            )
            found = context.of_box(Kind.LOOSE, answer.score * (1 - value), sentence, entry)
            yield replace(found, moves={entry.id: answer.box})
