"""Curves of brightness, contrast, gamma and inversion."""

from __future__ import annotations

import numpy as np
import pytest

from core.tones import AS_IT_IS, MOST, Tones


def test_as_it_is_changes_nothing() -> None:
    assert AS_IT_IS.curve.tolist() == list(range(256))


def test_each_tone_does_what_its_name_says() -> None:
    assert (Tones(brightness=20).curve[:200].astype(int) - np.arange(200) == 51).all()
    assert Tones(brightness=MOST).curve[0] == 255 and Tones(brightness=-MOST).curve[255] == 0
    assert Tones(contrast=40).curve[[60, 127, 195]].tolist() == pytest.approx([0, 127, 255], abs=15)
    steep = np.diff(Tones(contrast=MOST).curve.astype(int))[120:134]
    assert steep.mean() == pytest.approx(8, abs=0.5)
    lighter = Tones(gamma=50).curve
    assert lighter[64] == pytest.approx(255 * (64 / 255) ** 0.5, abs=1) and (lighter[0], lighter[255]) == (0, 255)
    assert Tones(gamma=-50).curve[64] < 64
    assert Tones(inverted=True).curve.tolist() == list(range(255, -1, -1))


@pytest.mark.parametrize("brightness", [-MOST, -30, 0, 30, MOST])
@pytest.mark.parametrize("contrast", [-MOST, 0, MOST])
@pytest.mark.parametrize("gamma", [-MOST, 0, MOST])
def test_a_curve_never_falls_unless_it_is_inverted(brightness: int, contrast: int, gamma: int) -> None:
    assert (np.diff(Tones(brightness, contrast, gamma).curve.astype(int)) >= 0).all()
    assert (np.diff(Tones(brightness, contrast, gamma, inverted=True).curve.astype(int)) <= 0).all()
