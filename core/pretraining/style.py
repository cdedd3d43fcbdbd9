"""Style augmentation: training frames get colors and textures of other frames; outlines stay where they are.

The shipped weights must find outlines in kinds of pictures that the pool lacks. Frames therefore exchange their styles,
and their color channels are mixed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from core.training.augment import Rng

MOST_BORROWED = 0.8


def borrow_looks(pixels: Tensor, rng: Rng, *, share: float) -> Tensor:
    """Mix the Fourier amplitudes of a `share` of the frames (B, 3, H, W), in [0, 1], with another frame's; keep phases.

    The phases hold the outlines, the amplitudes the style (Xu et al., A Fourier-based Framework for Domain
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
    """Replace the color channels of a `share` of the frames (B, 3, H, W), in [0, 1], by random weighted means of them.

    This imitates the false colors of thermal, X-ray and microscope pictures.
    """
    count, device = len(pixels), pixels.device
    weights = torch.rand(count, 3, 3, generator=rng, device=device) ** 3
    weights = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-3)
    plain = torch.eye(3, device=device).expand_as(weights)
    chosen = torch.rand(count, 1, 1, generator=rng, device=device) < share
    return torch.einsum("boi,bihw->bohw", torch.where(chosen, weights, plain), pixels)
