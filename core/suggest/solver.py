"""The closed form in which examples become a category: a plane in the space of cells, and how far its edges are.

The plane is that of logistic regression, held at the plane that all objects have in common; the reaches are a ridge
regression of what the network's are off by. Both are exact minima, so they need no learning rate, come out the same
each time, and are found in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.suggest.network import Prior

STEPS = 8
EXAMPLE_CELLS = 4.0
"""An example counts as so many cells, whatever its size."""

_LEAST_CURVATURE = 0.002
_CLOSE = 1e-3
_LENGTHS = (1.0, 0.5, 0.2, 0.05, 0.0)
_BIAS_STIFFNESS = 0.1


@dataclass(frozen=True)
class Evidence:
    """N cells of each of E categories, with what is known of them.

    vectors: (E, N, D); target: (E, N) in [0, 1]; weight: (E, N), 0 for cells that do not count
    misses: (E, N, 4) the true reaches minus those of the network; share: (E, N) how much a cell's reaches count
    """

    vectors: Tensor
    target: Tensor
    weight: Tensor
    misses: Tensor
    share: Tensor


@dataclass(frozen=True)
class Learned:
    """E categories: planes (E, D + 1), their bias last, and corrections of the reaches (E, 4, D + 1)."""

    planes: Tensor
    reaches: Tensor


def solve(evidence: Evidence, prior: Prior) -> Learned:
    """Find the categories that the evidence shows; gradients flow to vectors, misses and prior."""
    vectors = with_bias(evidence.vectors)
    return Learned(_planes(vectors, evidence, prior), _reaches(vectors, evidence, prior))


def with_bias(vectors: Tensor) -> Tensor:
    """Append a one to vectors (..., D): (..., D + 1)."""
    return F.pad(vectors, (0, 1), value=1.0)


def _planes(vectors: Tensor, evidence: Evidence, prior: Prior) -> Tensor:
    start = prior.plane.expand(len(vectors), -1)
    stiff = prior.stiffness.exp() * _held(vectors)
    trains = torch.is_grad_enabled()
    with torch.no_grad():
        planes = start.clone()
        for _ in range(STEPS):
            step = _step(planes, vectors, evidence, start, stiff)
            planes = planes - _lengths(planes, step, vectors, evidence, start, stiff)[:, None] * step
            if not trains and step.abs().max() < _CLOSE:
                break
    if not torch.is_grad_enabled():
        return planes
    # At the minimum, Newton's step is zero, but its gradients are those of the minimum (the implicit function theorem).
    step = _step(planes, vectors, evidence, start, stiff)
    return planes - (step - step.detach())


def _step(planes: Tensor, vectors: Tensor, evidence: Evidence, start: Tensor, stiff: Tensor) -> Tensor:
    """Newton's step (E, D + 1). Without its lower bound, a small curvature would make the step far too long."""
    chance = torch.einsum("end,ed->en", vectors, planes).sigmoid()
    slope = torch.einsum("end,en->ed", vectors, evidence.weight * (chance - evidence.target))
    slope = slope + stiff * (planes - start)
    with torch.no_grad():
        bend = evidence.weight * (chance * (1 - chance)).clamp(min=_LEAST_CURVATURE)
        curvature = torch.einsum("end,enf->edf", vectors * bend[..., None], vectors) + torch.diag(stiff)
    return _divided(slope[..., None], curvature)[..., 0]


def _lengths(planes: Tensor, step: Tensor, vectors: Tensor, evidence: Evidence, start: Tensor, stiff: Tensor) -> Tensor:
    """How much of Newton's step to take (E,): of some lengths the one with the lowest loss, which never rises so."""
    along, before = (torch.einsum("end,ed->en", vectors, each) for each in (step, planes))
    losses = []
    for length in _LENGTHS:
        fit = F.binary_cross_entropy_with_logits(before - length * along, evidence.target, reduction="none")
        away = planes - length * step - start
        losses.append((fit * evidence.weight).sum(dim=1) + 0.5 * (stiff * away**2).sum(dim=1))
    return torch.tensor(_LENGTHS, device=planes.device)[torch.stack(losses).argmin(dim=0)]


def _reaches(vectors: Tensor, evidence: Evidence, prior: Prior) -> Tensor:
    shares = vectors * evidence.share[..., None]
    curvature = torch.einsum("end,enf->edf", shares, vectors) + torch.diag(prior.reach_stiffness.exp() * _held(vectors))
    wanted = torch.einsum("end,enc->edc", shares, evidence.misses)
    return _divided(wanted, curvature).transpose(1, 2)


def _divided(values: Tensor, by: Tensor) -> Tensor:
    """Solve by @ x = values for positive definite matrices `by` (E, D + 1, D + 1), in double precision."""
    found: Tensor = torch.cholesky_solve(values.double(), torch.linalg.cholesky(by.double()))
    return found.to(values.dtype)


def _held(vectors: Tensor) -> Tensor:
    """(D + 1,) how strongly each number of a plane is held; the bias, which differs most between categories, less."""
    held = torch.ones(vectors.shape[-1], device=vectors.device)
    held[-1] = _BIAS_STIFFNESS
    return held


def weights(target: Tensor, share: Tensor, known: Tensor, seen: Tensor, prior: Prior) -> Tensor:
    """How much cells count: (..., 128, 128), as `target` and `share` (see `Painted`).

    known: bool, whether the cell is known to belong to an object or to none; seen: 1.0 where the frame has an image
    """
    empty = torch.where(known, prior.background, prior.unknown).exp()
    return (EXAMPLE_CELLS * share + (1 - target) * empty) * seen


def apply(learned: Learned, vectors: Tensor, reaches: Tensor) -> tuple[Tensor, Tensor]:
    """The raw scores (E, Q, H, W) and reaches (E, Q, 4, H, W) of E categories in Q frames each.

    vectors: (E, Q, D, H, W); reaches: (E, Q, 4, H, W)
    """
    planes, corrections = learned.planes, learned.reaches
    scores = torch.einsum("eqdhw,ed->eqhw", vectors, planes[:, :-1]) + planes[:, -1].view(-1, 1, 1, 1)
    more = torch.einsum("eqdhw,ecd->eqchw", vectors, corrections[..., :-1])
    return scores, reaches + more + corrections[..., -1].view(len(planes), 1, 4, 1, 1)


def raw_scores(planes: Tensor, vectors: Tensor) -> Tensor:
    """The raw scores (C, H, W) of C categories in one frame of vectors (D, H, W)."""
    flat = planes[:, :-1] @ vectors.flatten(1) + planes[:, -1:]
    return flat.view(len(planes), *vectors.shape[1:])
