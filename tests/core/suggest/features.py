"""Random features of a picture, for what needs no real ones."""

from __future__ import annotations

import torch

from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.geometry import Frame

ENCODER = "light-1"


def features_of(seed: int = 0) -> ImageFeatures:
    generator = torch.Generator().manual_seed(seed)
    embedding, detail = (torch.randn(shape, generator=generator).half() for shape in (EMBEDDING_SHAPE, DETAIL_SHAPE))
    return ImageFeatures(embedding, detail, Frame.whole(width=640, height=480), ENCODER)
