"""Boxes around nothing: flat content, or nothing that the refiner could find an edge of."""

from __future__ import annotations

from collections.abc import Iterator

from core.audit.context import AuditContext
from core.audit.finding import AuditFinding, Kind
from core.translation import tr

FLAT = 2.5
"""Standard deviation of the brightness, of 255, below which the content of a box is flat."""

LOST = 0.25
"""The refiner's expected IoU below which it has found no object."""

_FOUND = 0.7


def check_contents(context: AuditContext) -> Iterator[AuditFinding]:
    """Boxes with flat content unless the refiner finds an object there, and boxes where it finds none."""
    for entry in context.boxes:
        look, answer = context.looks.get(entry.image_id), context.answers.get(entry.id)
        spread = None if look is None else look.spreads.get(entry.id)
        category = context.category_of(entry)
        if spread is not None and spread < FLAT and (answer is None or answer.score < _FOUND):
            sentence = tr("This box of “{category}” is on an even area.", category=category)
            yield context.of_box(Kind.NOTHING, 0.6, sentence, entry)
        elif answer is not None and answer.score < LOST:
            sentence = tr(
                "The refiner finds no object in this box of “{category}” (it expects an IoU of {score} %).",
                category=category,
                score=round(100 * answer.score),
            )
            yield context.of_box(Kind.NOTHING, 0.5 - answer.score, sentence, entry)
