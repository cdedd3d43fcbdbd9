"""What the objects in boxes look like by the features of their picture, in short, to compare boxes across pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from core.encoders.image_features import ImageFeatures
from core.geometry import Boxes

Appearances = NDArray[np.float16]
"""(N, 288): means of the embedding and of the detail in each box."""

_STEPS = 5


def appearances_of(features: ImageFeatures, boxes: Boxes) -> Appearances:
    """The means of the features at 5 x 5 points in each of boxes (N, 4), which are in pixels of the picture: (N, 288).

    The points lie in the middle 80 % of a box. Zeros where the features are not finite.
    """
    frame = features.frame.to_frame(np.asarray(boxes, np.float64).reshape(-1, 4))
    steps = np.linspace(0.1, 0.9, _STEPS)
    x = frame[:, 0, None] + (frame[:, 2] - frame[:, 0])[:, None] * steps
    y = frame[:, 1, None] + (frame[:, 3] - frame[:, 1])[:, None] * steps
    side = features.detail.shape[-1] * 4.0
    points = np.stack(np.broadcast_arrays(x[:, None, :], y[:, :, None]), axis=-1).reshape(len(frame), -1, 2)
    grid = torch.as_tensor(2 * points / side - 1, dtype=torch.float32)[None]
    means = [
        F.grid_sample(level.float().cpu()[None], grid, padding_mode="border", align_corners=False)[0].mean(dim=2).T
        for level in (features.embedding, features.detail)
    ]
    found: Appearances = torch.nan_to_num(torch.cat(means, dim=1), posinf=0.0, neginf=0.0).numpy().astype(np.float16)
    return found
