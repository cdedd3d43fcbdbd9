"""Boxes drawn on the stored pixels of a picture that EXIF turns, and labels made for a picture of another size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.audit.context import AuditContext, PictureLook
from core.audit.finding import AuditFinding, Kind
from core.audit.turning import turned
from core.formats.importers.found import SLACK_PX
from core.pictures.orientation import SIDEWAYS
from core.records import ImageRecord
from core.translation import tr

_BETTER = 0.15
"""Least gain of the refiner's agreement, so that a picture's boxes count as those of the unturned one."""


def check_turned(context: AuditContext) -> Iterator[AuditFinding]:
    """Pictures whose boxes fit the unturned picture better, by the refiner; the repair turns them."""
    for image_id, (as_they_are, other) in context.turned.items():
        if other - as_they_are < _BETTER:
            continue
        image, look = context.images[image_id], context.looks[image_id]
        boxes = context.on_image.get(image_id, [])
        sentence = tr(
            "EXIF turns this picture, and its boxes fit the unturned one better, by the refiner ({now} % now, {then} % "
            "turned).",
            now=round(100 * as_they_are),
            then=round(100 * other),
        )
        moves = {
            entry.id: turned(entry.accepted, look.orientation, width=look.width, height=look.height) for entry in boxes
        }
        yield replace(context.of_picture(Kind.TURNED, 0.95, sentence, image), moves=moves)


def check_sizes(context: AuditContext) -> Iterator[AuditFinding]:
    """Pictures of another size than the labels were made for: that of the unturned picture, or any other."""
    for image in context.dataset.images:
        look = context.looks.get(image.id)
        if look is None or look.error:
            continue
        if max(abs(look.width - image.width), abs(look.height - image.height)) <= SLACK_PX:
            continue
        if _is_unturned(image, look):
            sentence = tr(
                "The labels have the size of the unturned picture, {width} x {height}: EXIF turns it, and their boxes "
                "are on the wrong places.",
                width=image.width,
                height=image.height,
            )
            yield context.of_picture(Kind.TURNED, 0.95, sentence, image)
        else:
            sentence = tr(
                "The picture is {width} x {height} pixels, and its labels were made for {old_width} x {old_height}.",
                width=look.width,
                height=look.height,
                old_width=image.width,
                old_height=image.height,
            )
            yield context.of_picture(Kind.SIZE, 0.9, sentence, image)


def _is_unturned(image: ImageRecord, look: PictureLook) -> bool:
    off = abs(look.height - image.width), abs(look.width - image.height)
    return look.orientation in SIDEWAYS and max(off) <= SLACK_PX


def check_readable(context: AuditContext) -> Iterator[AuditFinding]:
    """Pictures that cannot be read."""
    for image in context.dataset.images:
        look = context.looks.get(image.id)
        if look is not None and look.error:
            yield context.of_picture(Kind.UNREAD, 0.7, look.error, image)
