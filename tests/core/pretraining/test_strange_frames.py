"""Shapes, patterns and looks that training frames get: exact outlines, and edges that stay where they are."""

from __future__ import annotations

import torch
from torch import Tensor

from core.pretraining.shapes import random_pattern, random_shape
from core.pretraining.style import borrow_looks, mix_channels
from core.training.augment import frame_points

COUNT = 40


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def pictures() -> Tensor:
    """Grey frames with a bright square, each darker than the one before."""
    frames = torch.full((4, 3, 64, 64), 0.3) * torch.linspace(1, 0.4, 4).view(-1, 1, 1, 1)
    frames[..., 20:40, 24:48] = 0.9
    return frames


def local() -> Tensor:
    return (frame_points(COUNT, torch.device("cpu"))[:, ::8, ::8] * 2 - 1) * 1.4


def test_shapes_lie_within_their_own_edges_and_some_are_hollow() -> None:
    alpha = random_shape(local(), torch.full((COUNT, 2), 0.35), rng())[:, 0]
    assert alpha.shape == (COUNT, 64, 64)
    assert float(alpha.min()) >= 0 and float(alpha.max()) <= 1
    outside = (local().abs() > 1.25).any(dim=-1)
    assert float(alpha[outside].mean()) < 0.02
    covered = alpha.mean(dim=(1, 2))
    assert float(covered.min()) > 0.005
    hollow = (alpha[:, 30:34, 30:34].mean(dim=(1, 2)) < 0.1) & (covered > 0.01)
    assert 1 <= int(hollow.sum()) < COUNT // 2


def test_patterns_are_colours_that_change_within_the_shape() -> None:
    pattern = random_pattern(local(), rng())
    assert pattern.shape == (COUNT, 3, 64, 64)
    assert float(pattern.min()) >= 0 and float(pattern.max()) <= 1
    assert float(pattern.std(dim=(2, 3)).amax(dim=1).min()) > 0


def test_a_borrowed_look_leaves_the_outline_where_it_was() -> None:
    plain = pictures()
    looks = borrow_looks(plain, rng(), share=1.0)
    assert not torch.allclose(looks, plain, atol=1e-2)
    for frame in looks:
        column, row = frame[0, 30], frame[0, :, 36]
        assert {int(index) for index in (column[1:] - column[:-1]).abs().topk(2).indices} == {23, 47}
        assert {int(index) for index in (row[1:] - row[:-1]).abs().topk(2).indices} == {19, 39}
    assert torch.equal(borrow_looks(plain, rng(), share=0.0), plain)


def test_mixed_channels_are_means_of_the_old_ones() -> None:
    coloured = torch.rand(8, 3, 16, 16, generator=rng())
    mixed = mix_channels(coloured, rng(), share=1.0)
    assert not torch.allclose(mixed, coloured, atol=1e-2)
    assert (mixed <= coloured.amax(dim=1, keepdim=True) + 1e-5).all()
    assert (mixed >= coloured.amin(dim=1, keepdim=True) - 1e-5).all()
    assert torch.allclose(mix_channels(coloured, rng(), share=0.0), coloured)
