"""File names that are cut keep their number."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QApplication

from boxrefine_gui.widgets.elided_name import elided_name


@pytest.fixture
def metrics(qapp: QApplication) -> QFontMetrics:
    return QFontMetrics(QFont())


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("harbour_camera_north_2026-11-30_00123.png", "00123"),
        ("a very long name of a picture 7.tiff", "7"),
        ("IMG_20261130_101500_with a long remark at the end (2).jpeg", "2"),
        ("x" * 300 + "0042.jpg", "0042"),
    ],
)
def test_the_last_number_stays_as_long_as_there_is_room(metrics: QFontMetrics, name: str, number: str) -> None:
    whole = metrics.horizontalAdvance(name)
    assert elided_name(metrics, name, whole) == name
    for width in range(metrics.horizontalAdvance("x…" + number) + 12, whole, 7):
        shown = elided_name(metrics, name, width)
        assert metrics.horizontalAdvance(shown) <= width
        assert number in shown and "…" in shown


def test_without_room_for_the_number_its_last_digits_stay(metrics: QFontMetrics) -> None:
    shown = elided_name(metrics, "frame_0123456789.png", metrics.horizontalAdvance("…6789") + 1)
    assert shown.startswith("…") and "0123456789".endswith(shown[1:]) and len(shown) > 2
    assert elided_name(metrics, "frame_12.png", 0) in ("", "…")


def test_a_name_without_a_number_is_cut_in_the_middle(metrics: QFontMetrics) -> None:
    shown = elided_name(metrics, "a long name without any.png", metrics.horizontalAdvance("a long …y.png"))
    assert shown.startswith("a") and shown.endswith("g") and "…" in shown
