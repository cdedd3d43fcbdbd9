"""What we rely on in PySide6 itself."""

from __future__ import annotations

import sys

from PySide6.QtGui import QPainter, QPixmap
from pytestqt.qtbot import QtBot


def test_a_call_that_returns_nothing_does_not_eat_a_reference_to_none(qtbot: QtBot) -> None:
    # PySide6 6.12.0 does on Python 3.11, where None can die: after some minutes of painting the process aborts.
    pixmap = QPixmap(8, 8)
    painter = QPainter(pixmap)
    before = sys.getrefcount(None)
    for _ in range(1000):
        painter.save()
        painter.restore()
    lost = before - sys.getrefcount(None)
    painter.end()
    assert lost < 500
