"""The closed form: it finds the plane that separates, holds it at the prior, and has the gradients of its minimum."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from core.suggest.network import Prior
from core.suggest.solver import Evidence, raw_scores, solve, with_bias

WIDTH = 96


def evidence(target: Tensor, vectors: Tensor, *, weight: Tensor | None = None) -> Evidence:
    """One category; no reaches."""
    count = len(target)
    ones = torch.ones(1, count) if weight is None else weight[None]
    return Evidence(vectors[None], target[None], ones, torch.zeros(1, count, 4), torch.zeros(1, count))


@pytest.fixture
def vectors() -> Tensor:
    random = torch.Generator().manual_seed(0)
    return F.normalize(torch.randn(400, WIDTH, generator=random), dim=1) * WIDTH**0.5


@torch.no_grad()
def test_a_plane_separates_what_is_shown(vectors: Tensor) -> None:
    target = (vectors[:, 0] > 1).float()
    plane = solve(evidence(target, vectors), Prior(WIDTH)).planes[0]
    scores = with_bias(vectors) @ plane
    assert scores[target == 1].min() > scores[target == 0].max()


@torch.no_grad()
def test_without_evidence_the_prior_holds(vectors: Tensor) -> None:
    prior = Prior(WIDTH)
    found = solve(evidence(torch.ones(400), vectors, weight=torch.zeros(400)), prior)
    assert torch.allclose(found.planes[0], prior.plane, atol=1e-5)
    assert not found.reaches.any()


@torch.no_grad()
def test_hopelessly_contradictory_labels_give_finite_planes(vectors: Tensor) -> None:
    same = vectors[:1].expand(400, -1)
    target = (torch.arange(400) % 2).float()
    found = solve(evidence(target, same), Prior(WIDTH))
    assert torch.isfinite(found.planes).all()
    assert (with_bias(same) @ found.planes[0]).sigmoid() == pytest.approx(torch.full((400,), 0.5), abs=0.05)


@torch.no_grad()
def test_the_loss_is_at_its_minimum(vectors: Tensor) -> None:
    prior = Prior(WIDTH)
    target = (vectors[:, 0] > 0.5).float()
    shown = evidence(target, vectors, weight=torch.full((400,), 0.2))
    plane = solve(shown, prior).planes[0].clone()

    def loss(values: Tensor) -> Tensor:
        fit = F.binary_cross_entropy_with_logits(with_bias(vectors) @ values, target, reduction="sum") * 0.2
        held = torch.ones(WIDTH + 1)
        held[-1] = 0.1
        return fit + 0.5 * prior.stiffness.exp() * (held * (values - prior.plane) ** 2).sum()

    random = torch.Generator().manual_seed(1)
    for _ in range(20):
        assert loss(plane + 0.05 * torch.randn(WIDTH + 1, generator=random)) > loss(plane)


def test_gradients_are_those_of_the_minimum(vectors: Tensor) -> None:
    prior = Prior(WIDTH)
    target = (vectors[:, 0] > 0.5).float()

    def first_number() -> Tensor:
        return solve(evidence(target, vectors, weight=torch.full((400,), 0.2)), prior).planes[0, 0]

    (slope,) = torch.autograd.grad(first_number(), prior.stiffness)
    with torch.no_grad():
        prior.stiffness += 0.05
        above = first_number()
        prior.stiffness -= 0.1
        below = first_number()
    assert float(slope) == pytest.approx(float(above - below) / 0.1, rel=0.05)


@torch.no_grad()
def test_reaches_are_learned_where_objects_are(vectors: Tensor) -> None:
    shown = evidence(torch.ones(400), vectors)
    misses = torch.full((1, 400, 4), 0.5)
    found = solve(Evidence(shown.vectors, shown.target, shown.weight, misses, torch.ones(1, 400)), Prior(WIDTH))
    more = torch.einsum("nd,cd->nc", with_bias(vectors), found.reaches[0])
    assert more.numpy() == pytest.approx(misses[0].numpy(), abs=0.05)


def test_scores_of_a_frame_are_those_of_its_cells() -> None:
    planes, frame = torch.randn(3, WIDTH + 1), torch.randn(WIDTH, 4, 5)
    scores = raw_scores(planes, frame)
    assert torch.allclose(scores[1, 2, 3], planes[1, :-1] @ frame[:, 2, 3] + planes[1, -1], atol=1e-4)
