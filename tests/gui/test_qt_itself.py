"""What we rely on in PySide6 itself."""

from __future__ import annotations

import builtins
import sys

import pytest
from PySide6.QtGui import QPainter, QPixmap
from pytestqt.qtbot import QtBot

from boxrefine_gui.lanes.process_tuning import leave_imports_alone


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


def test_imports_are_pythons_own_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # PySide6 puts its own in their place, which reads the source of all that is imported.
    own = getattr(builtins, "__orig_import__")  # noqa: B009  (PySide6 sets it)
    monkeypatch.setattr(builtins, "__import__", getattr(builtins, "__feature_import__"))  # noqa: B009
    leave_imports_alone()
    assert builtins.__import__ is own
