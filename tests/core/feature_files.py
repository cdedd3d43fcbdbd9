"""Small features and pictures on real files, for the tests of the feature cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.encoders.image_features import ImageFeatures
from core.features.cache.feature_cache import FeatureKey
from core.geometry import Frame
from core.images import Picture

FRAME = Frame.whole(width=40, height=30)
SMALL_BYTES = 2 * (256 * 2 * 2 + 32 * 8 * 8)


def key_of(content: str, *, encoder: str = "counting-1", frame: Frame = FRAME) -> FeatureKey:
    return FeatureKey(content, encoder, frame)


def small_features(value: float, key: FeatureKey) -> ImageFeatures:
    """Features of a few kilobytes that all hold one value."""
    embedding = torch.full((256, 2, 2), value, dtype=torch.float16)
    return ImageFeatures(embedding, torch.full((32, 8, 8), value, dtype=torch.float16), key.frame, key.encoder)


def features_files(folder: Path) -> list[Path]:
    """The features files of a cache folder."""
    return sorted(folder.glob("??/*.safetensors"))


def save_picture(path: Path, *, gray: int, width: int = 40, height: int = 30) -> Path:
    """A BMP of one gray, whose size in bytes does not depend on it."""
    Image.new("RGB", (width, height), (gray, gray, gray)).save(path, "BMP")
    return path


class CountingEncoder:
    """The one fake: gives the picture's mean as features and counts how often it was asked."""

    name = "counting"
    identity = "counting-1"
    device = torch.device("cpu")

    def __init__(self) -> None:
        self.encoded = 0

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        self.encoded += 1
        part = picture[frame.top : frame.top + frame.height, frame.left : frame.left + frame.width]
        return small_features(float(np.mean(part)), key_of("", encoder=self.identity, frame=frame))
