"""Likeness by features: alike for copies, whatever the size of the picture; nothing for empty features."""

from __future__ import annotations

import pytest
import torch

from core.audit.likeness import likeness_of
from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.geometry import Frame


def features(embedding: torch.Tensor, width: int, height: int) -> ImageFeatures:
    detail = torch.zeros(DETAIL_SHAPE, dtype=torch.float16)
    return ImageFeatures(embedding.to(torch.float16), detail, Frame.whole(width=width, height=height), "none")


@pytest.mark.parametrize(("width", "height"), [(200, 100), (100, 200), (4000, 3), (64, 64)])
def test_noise_hardly_changes_it_and_another_picture_does(width: int, height: int) -> None:
    chance = torch.Generator().manual_seed(0)
    first, other, noise = (torch.randn(EMBEDDING_SHAPE, generator=chance) for _ in range(3))
    one, same, far = (likeness_of(features(each, width, height)) for each in (first, first + 0.2 * noise, other))
    assert one.shape == (512,) and float(one @ one) == pytest.approx(1, abs=1e-5)
    assert float(one @ same) > 0.95
    assert abs(float(one @ far)) < 0.3


def test_padding_does_not_count() -> None:
    one = torch.ones(EMBEDDING_SHAPE)
    padded = one.clone()
    padded[:, 32:] = 9
    found = [likeness_of(features(each, 200, 100)) for each in (one, padded)]
    assert float(found[0] @ found[1]) == pytest.approx(1, abs=1e-5)


def test_empty_features_are_like_nothing() -> None:
    assert not likeness_of(features(torch.zeros(EMBEDDING_SHAPE), 20, 20)).any()
