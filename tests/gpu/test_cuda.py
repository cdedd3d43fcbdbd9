"""On a CUDA device: the same answers as on the CPU. Skipped with a reason where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.geometry import Frame
from core.refiner.checkpoint import load_refiner

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]


def test_the_gpu_refines_as_the_cpu_does() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    picture[80:200, 100:260] = 20
    drawn = [[80, 70, 280, 230], [0, 0, 400, 300]]
    found = []
    for device in ("cpu", "cuda"):
        encoder = load_encoder("light", device)
        features = encoder.encode(picture, Frame.whole(width=400, height=300))
        found.append([refinement.box for refinement in load_refiner(None, encoder).refine(features, drawn)])
    assert np.array(found[0]) == pytest.approx(np.array(found[1]), abs=0.5)
