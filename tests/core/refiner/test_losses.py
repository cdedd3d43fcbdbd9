"""Losses: vectorised, zero for perfect answers, and the same numbers that the definitions give one by one."""

from __future__ import annotations

import pytest
import torch

from core.geometry import iou
from core.refiner.losses import distribution_loss, edge_is_close, giou_loss, mask_loss, pair_iou
from core.refiner.network import BINS


def boxes(count: int, *, seed: int) -> torch.Tensor:
    corner = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed)) * 500
    side = torch.rand(count, 2, generator=torch.Generator().manual_seed(seed + 1)) * 300 + 5
    return torch.cat([corner, corner + side], dim=-1)


def test_pair_iou_is_that_of_geometry() -> None:
    first, second = boxes(200, seed=0), boxes(200, seed=5)
    assert pair_iou(first, second).numpy() == pytest.approx(iou(first.numpy(), second.numpy()), abs=1e-5)


def test_giou_is_zero_for_equal_boxes_and_above_one_for_far_ones() -> None:
    first = boxes(10, seed=0)
    assert giou_loss(first, first).abs().max() < 1e-5
    assert (giou_loss(first, first + 5000) > 1.5).all()


def test_giou_pulls_boxes_that_do_not_touch() -> None:
    apart = torch.tensor([[0.0, 0.0, 10.0, 10.0]], requires_grad=True)
    giou_loss(apart, torch.tensor([[50.0, 0.0, 60.0, 10.0]])).sum().backward()
    assert apart.grad is not None
    assert apart.grad[0, 2] < 0


def test_distribution_loss_is_least_where_the_edge_is() -> None:
    region = torch.tensor([[[0.0, 0.0, 640.0, 640.0]]])
    true = torch.tensor([[[105.0, 105.0, 505.0, 505.0]]])
    at = (torch.arange(BINS) + 0.5) * 10
    logits = -((at - true[..., None]) ** 2) / 50
    right = distribution_loss(logits, region, true)
    wrong = distribution_loss(logits, region, true + 60)
    assert (right < 1.5).all()
    assert (wrong > right + 5).all()


def test_an_edge_is_close_within_five_percent_or_two_pixels() -> None:
    true = torch.tensor([[[0.0, 0.0, 20.0, 400.0]]])
    moved = torch.tensor([[[3.9, 19.0, 24.1, 421.0]]])
    close = edge_is_close(moved, true, pixel=torch.full((1, 1, 1), 2.0))
    assert close.tolist() == [[[1.0, 1.0, 0.0, 0.0]]]


def test_mask_loss_leaves_out_unknown_masks() -> None:
    logits = torch.full((1, 2, 4, 4), 20.0)
    mask = torch.stack([torch.ones(4, 4), torch.zeros(4, 4)])[None]
    assert mask_loss(logits, mask, weight=torch.tensor([[1.0, 0.0]])) < 0.01
    assert mask_loss(logits, mask, weight=torch.tensor([[1.0, 1.0]])) > 1
    assert mask_loss(logits, mask, weight=torch.zeros(1, 2)) == 0
