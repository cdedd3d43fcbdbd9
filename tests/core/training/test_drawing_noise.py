"""Simulated drawing: each way of drawing makes boxes that are off as far as such boxes are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from core.records import Drawing
from core.refiner.drawing_vectors import KNOWN_DRAWINGS
from core.training.drawing_noise import draw_carelessly

TRUE = torch.tensor([100.0, 100.0, 300.0, 250.0])
MANY = 4000


def off(drawing: Tensor | None, *, seed: int = 0) -> Tensor:
    """(frames, MANY) the farthest edge of each box, as a fraction of its side."""
    frames = 1 if drawing is None else len(drawing)
    true = TRUE.expand(frames, MANY, 4)
    rng = torch.Generator().manual_seed(seed)
    drawn = draw_carelessly(true, rng, pixel=torch.ones(frames, 1, 1), drawing=drawing)
    return ((drawn - true).abs() / torch.tensor([200.0, 150.0, 200.0, 150.0])).amax(dim=-1)


def test_untold_boxes_are_drawn_as_ever() -> None:
    assert torch.equal(off(None), off(torch.tensor([0])))


def test_all_boxes_of_a_frame_are_drawn_in_its_way() -> None:
    found = off(torch.arange(1 + len(KNOWN_DRAWINGS)))
    typical = dict(zip((Drawing.UNKNOWN, *KNOWN_DRAWINGS), found.median(dim=1).values.tolist(), strict=True))
    assert typical[Drawing.PLACED] < 0.05 < typical[Drawing.DRAG] < typical[Drawing.COARSE]
    right = {
        drawing: float((row < 1e-6).float().mean()) for drawing, row in zip((0, *KNOWN_DRAWINGS), found, strict=True)
    }
    assert right[Drawing.PLACED] == pytest.approx(0.4, abs=0.03)
    assert right[Drawing.DRAG] == right[Drawing.COARSE] == 0


def test_frames_do_not_depend_on_the_ways_of_others() -> None:
    alike = off(torch.tensor([3, 3]))
    assert torch.equal(alike[0], off(torch.tensor([3, 1]))[0])
