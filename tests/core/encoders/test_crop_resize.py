"""Crops that are resized together have the pixels that OpenCV gives each."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.encoders.image_features import Cut
from core.encoders.light import crop_resize
from core.encoders.light.crop_resize import content_mask, resized_cuts
from core.encoders.light.encoder import input_size, resize_part
from core.geometry import Frame

PLACES = [
    *((0, 0, 900, 700), (10, 20, 64, 64), (400, 300, 300, 400), (1, 3, 511, 13)),
    *((100, 100, 512, 512), (100, 100, 512, 511), (200, 100, 256, 3), (899, 699, 1, 1)),
]


@pytest.mark.parametrize("side", [256, 512])
@pytest.mark.parametrize("most", [1000, crop_resize.MOST_PIXELS])
def test_resized_crops_are_within_one_level_of_opencv(side: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crop_resize, "MOST_PIXELS", most)
    random = np.random.default_rng(0)
    pictures = [random.integers(0, 256, (700, 900, 3), np.uint8) for _ in range(2)]
    cuts = [Cut(picture, Frame(*place, 900, 700)) for picture in pictures for place in PLACES]
    cuts += [Cut(random.integers(0, 256, (700, 900, 3), np.uint8), cut.crop) for cut in cuts[1:4]]
    sizes = [input_size(cut.crop, scale=side / max(cut.crop.width, cut.crop.height)) for cut in cuts]
    found = resized_cuts(cuts, sizes, side=side, device=torch.device("cpu")).permute(0, 2, 3, 1).numpy()
    inside = content_mask(sizes, side=side, device=torch.device("cpu"))[:, 0].numpy()
    for (picture, crop), size, levels, mask in zip(cuts, sizes, found, inside, strict=True):
        wanted = resize_part(picture, crop, size=size, side=side).astype(float)
        assert np.abs(levels - wanted).max() <= 1
        assert mask.sum() == size[0] * size[1]
        assert not levels[~mask].any()
