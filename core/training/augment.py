"""Augmentation on the device: zoom, flips, transpositions and colors of whole batches of images.

A view maps each pixel of a frame to the stored image, so images, boxes and masks follow from one mapping:
(transpose?) then (flip?) then zoom.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.encoders.light.encoder import INPUT_SIZE

Rng = torch.Generator


@dataclass(frozen=True)
class View:
    """The mapping of B frames to their images; lengths in image pixels.

    origin: (B, 2) image point of the frame's top left corner; extent: (B, 2) image pixels along a frame's sides
    size: (B, 2) the image's width and height after transposition; turned (transposed), flipped: (B,) bool
    """

    origin: Tensor
    extent: Tensor
    size: Tensor
    turned: Tensor
    flipped: Tensor

    def to_picture(self, points: Tensor) -> Tensor:
        """Map frame points (B, ..., 2) in [0, 1] to pixels of the stored image (B, ..., 2)."""
        shape = (-1, *(1,) * (points.dim() - 2), 2)
        there = self.origin.view(shape) + points * self.extent.view(shape)
        x = torch.where(self.flipped.view(shape[:-1]), self.size[:, 0].view(shape[:-1]) - there[..., 0], there[..., 0])
        y = there[..., 1]
        turned = self.turned.view(shape[:-1])
        return torch.stack([torch.where(turned, y, x), torch.where(turned, x, y)], dim=-1)

    def boxes_to_frame(self, boxes: Tensor) -> Tensor:
        """Map boxes (B, J, 4) in pixels of the stored image to frame fractions (B, J, 4), not clipped."""
        swapped = boxes[..., [1, 0, 3, 2]]
        there = torch.where(self.turned.view(-1, 1, 1), swapped, boxes)
        width = self.size[:, 0].view(-1, 1)
        mirrored = torch.stack([width - there[..., 2], there[..., 1], width - there[..., 0], there[..., 3]], dim=-1)
        there = torch.where(self.flipped.view(-1, 1, 1), mirrored, there)
        return (there - self.origin.repeat(1, 2)[:, None]) / self.extent.repeat(1, 2)[:, None]

    def content(self) -> Tensor:
        """The box of the image in the frame, as fractions (B, 4); it may extend beyond the frame."""
        low = -self.origin / self.extent
        return torch.cat([low, low + self.size / self.extent], dim=-1)


def random_view(sizes: Tensor, anchors: Tensor, rng: Rng) -> View:
    """Random views of images with `sizes` (B, 2): some whole, as the app sees them; many zoomed to `anchors` (B, 4).

    `anchors` are boxes in image pixels. No zoom cuts its anchor, because a frame without a whole object teaches
    nothing. Zoomed-in frames simulate the refinement on crops, zoomed-out ones large photographs.
    """
    count, device = len(sizes), sizes.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=rng, device=device) * (high - low) + low

    turned = uniform(0, 1) < 0.15
    flipped = uniform(0, 1) < 0.5
    size = torch.where(turned[:, None], sizes.flip(-1), sizes)
    middle, reach = (anchors[:, :2] + anchors[:, 2:]) / 2, (anchors[:, 2:] - anchors[:, :2]) * 0.55
    reach = torch.where(turned[:, None], reach.flip(-1), reach)
    anchor = torch.where(turned[:, None], middle.flip(-1), middle)
    anchor = torch.stack([torch.where(flipped, size[:, 0] - anchor[:, 0], anchor[:, 0]), anchor[:, 1]], dim=-1)
    kind = uniform(0, 1)
    zoom = torch.where(kind < 0.35, torch.ones_like(kind), torch.exp2(uniform(0, 2.3)))
    zoom = torch.where(kind > 0.85, torch.exp2(uniform(-1.6, 0)), zoom)
    stretch = torch.exp2(uniform(-0.25, 0.25) * (kind > 0.2))
    long_side = size.amax(dim=-1, keepdim=True)
    extent = long_side / zoom[:, None] * torch.stack([stretch, 1 / stretch], dim=-1).clamp(min=1.0)
    extent = torch.maximum(extent, 2 * reach.amax(dim=-1, keepdim=True))
    room = (size - extent).clamp(min=0)
    margin = torch.maximum(reach / extent, torch.tensor(0.15, device=device)).clamp(max=0.5)
    origin = (anchor - extent * torch.lerp(margin, 1 - margin, uniform(0, 1, 2))).clamp(min=0)
    return View(torch.minimum(origin, room), extent, size, turned, flipped)


def frame_points(count: int, device: torch.device) -> Tensor:
    """Pixel centers of `count` frames as fractions: (count, 512, 512, 2)."""
    line = (torch.arange(INPUT_SIZE, device=device) + 0.5) / INPUT_SIZE
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack([x, y], dim=-1).expand(count, -1, -1, -1)


def look_up(pictures: Tensor, points: Tensor) -> Tensor:
    """Sample stored images (B, 3, S, S) uint8 at image pixels (B, H, W, 2): (B, 3, H, W) in [0, 1], border repeated."""
    side = pictures.shape[-1]
    wanted = points * (2.0 / side) - 1.0
    found = F.grid_sample(pictures.float(), wanted, mode="bilinear", padding_mode="border", align_corners=False)
    return found / 255.0


def recoloured(pixels: Tensor, rng: Rng, *, strength: float = 1.0) -> Tensor:
    """Vary brightness, contrast, saturation, channel gains and gamma of (B, 3, H, W) in [0, 1]; some become gray."""
    count, device = len(pixels), pixels.device

    def around_one(spread: float, channels: int = 1) -> Tensor:
        noise = torch.rand(count, channels, 1, 1, generator=rng, device=device) * 2 - 1
        return torch.exp2(noise * spread * strength)

    gray = pixels.mean(dim=1, keepdim=True)
    keep = torch.rand(count, 1, 1, 1, generator=rng, device=device)
    saturation = torch.where(keep < 0.12, torch.zeros_like(keep), around_one(0.7))
    values = gray + (pixels - gray) * saturation
    middle = values.mean(dim=(1, 2, 3), keepdim=True)
    values = middle + (values - middle) * around_one(0.6)
    values = values * around_one(0.5) * around_one(0.15, 3)
    values = values.clamp(0, 1) ** around_one(0.5)
    negative = torch.rand(count, 1, 1, 1, generator=rng, device=device) < 0.04 * strength
    return torch.where(negative, 1 - values, values)


def worn(pixels: Tensor, rng: Rng) -> Tensor:
    """Blur, downsample or add noise to some of (B, 3, H, W) in [0, 1], to simulate cheap cameras and JPEGs."""
    count, device = len(pixels), pixels.device
    pick = torch.rand(count, 1, 1, 1, generator=rng, device=device)
    soft = F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    half = F.interpolate(F.avg_pool2d(pixels, 2), scale_factor=2.0, mode="bilinear", align_corners=False)
    values = torch.where(pick < 0.15, soft, torch.where(pick > 0.85, half, pixels))
    amount = (torch.rand(count, 1, 1, 1, generator=rng, device=device) * 0.1 - 0.05).clamp(min=0)
    noise = torch.randn(values.shape, generator=rng, device=device)
    return (values + noise * amount).clamp(0, 1)
