"""A vit_tiny of HQ-SAM at random weights, in the key layout of the official file, for the tests of core."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from core.images import Picture


def empty_vit_tiny() -> Any:
    """A network of the package's own builder, seeded; every parameter random, so that none hides behind a zero."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from segment_anything_hq import sam_model_registry
    generator = torch.Generator().manual_seed(7)
    network = sam_model_registry["vit_tiny"](checkpoint=None)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            # The biases are large, so that ones worked out too early (they begin at zero) would show in every mask.
            spread = 2.0 if name.endswith("attention_biases") else 0.02
            parameter.add_(torch.randn(parameter.shape, generator=generator) * spread)
    return network


def save_vit_tiny(path: Path) -> Path:
    """The random network as a .pth file of the official key layout."""
    torch.save(empty_vit_tiny().state_dict(), path)
    return path


def shapes_picture(*, width: int, height: int) -> Picture:
    """A smooth picture of colours, the same each time."""
    cells = np.random.default_rng(3).integers(0, 255, (9, 13, 3), np.uint8)
    return np.array(Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC))
