"""Strange looks for training frames: colours and textures of other pictures on the same outlines.

What ships must find outlines in kinds of pictures that the pool does not have, so its frames borrow looks from each
other and their colour channels are mixed, while every edge stays where it is.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.training.augment import Rng

MOST_BORROWED = 0.8


def borrow_looks(pixels: Tensor, rng: Rng, *, share: float) -> Tensor:
    """A `share` of (B, 3, H, W) in [0, 1] takes over part of another frame's spectrum: amplitudes mixed, phases kept.

    Outlines live in the phases, looks in the amplitudes (Xu et al., A Fourier-based Framework for Domain
    Generalization, 2021).
    """
    count, device = len(pixels), pixels.device
    rows = torch.nonzero(torch.rand(count, generator=rng, device=device) < share).flatten()
    if len(rows) == 0:
        return pixels
    others = torch.randint(count, (len(rows),), generator=rng, device=device)
    mixed = torch.rand(len(rows), 1, 1, 1, generator=rng, device=device) * MOST_BORROWED
    own, other = torch.fft.rfft2(pixels[rows].float()), torch.fft.rfft2(pixels[others].float())
    amplitude = torch.lerp(own.abs(), other.abs(), mixed)
    looks = torch.fft.irfft2(torch.polar(amplitude, own.angle()), s=pixels.shape[-2:])
    return pixels.index_copy(0, rows, looks.clamp(0, 1).to(pixels.dtype))


def mix_channels(pixels: Tensor, rng: Rng, *, share: float) -> Tensor:
    """A `share` of (B, 3, H, W) in [0, 1] gets new colour channels, each a weighted mean of the old ones, in any order.

    False colours of thermal, X-ray and microscope pictures are nothing that a photograph has.
    """
    count, device = len(pixels), pixels.device
    weights = torch.rand(count, 3, 3, generator=rng, device=device) ** 3
    weights = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-3)
    plain = torch.eye(3, device=device).expand_as(weights)
    chosen = torch.rand(count, 1, 1, generator=rng, device=device) < share
    return torch.einsum("boi,bihw->bohw", torch.where(chosen, weights, plain), pixels)
