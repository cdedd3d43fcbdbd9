"""Eliding file names so that their numbers stay: `a_very_long_na…_00123.png`."""

from __future__ import annotations

import re
from pathlib import PurePath

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics

_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")
_LEFT, _RIGHT = Qt.TextElideMode.ElideLeft, Qt.TextElideMode.ElideRight


def elided_name(metrics: QFontMetrics, name: str, width: int) -> str:
    """Cut a file name to a width in pixels; its last number stays as long as there is room, then its last digits."""
    if metrics.horizontalAdvance(name) <= width:
        return name
    stem = PurePath(name).stem
    number = _LAST_NUMBER.search(stem)
    if number is None:
        return metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, width)
    head = name[: number.start()]
    for tail in (name[number.start() :], stem[number.start() :], number[0]):
        room = width - metrics.horizontalAdvance(tail)
        if room >= metrics.horizontalAdvance(head[:1] + "…"):
            return metrics.elidedText(head, _RIGHT, room) + tail
    return metrics.elidedText(number[0], _LEFT, width)
