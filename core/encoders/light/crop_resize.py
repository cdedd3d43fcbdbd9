"""Resizing of many crops on a GPU, as OpenCV resizes each on a CPU.

A resize weights the pixels of each axis alone, so it is two matrix products: OpenCV's INTER_AREA weights a pixel by how
much of it lies under the output pixel, INTER_LINEAR the two nearest ones by their distance. In float32 the results are
within one level of 0 .. 255 of OpenCV's, which rounds its weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.encoders.image_features import Cut
from core.geometry import Frame

MOST_PIXELS = 24 * 1024**2
"""Pixels of a batch, each crop counted as the largest: 300 MB in float32."""

Size = tuple[int, int]
"""Width and height in pixels."""


def resized_cuts(cuts: Sequence[Cut], sizes: Sequence[Size], *, side: int, device: torch.device) -> Tensor:
    """Resize N > 0 crops, each to its size: (N, 3, side, side) float32 levels 0 .. 255.

    Zeros are right of the content and below it, as `resize_part` leaves them.
    """
    done = []
    for start, stop in _chunks([cut.crop for cut in cuts]):
        crops, wanted = [cut.crop for cut in cuts[start:stop]], sizes[start:stop]
        across = _Axis([crop.width for crop in crops], [size[0] for size in wanted], device)
        down = _Axis([crop.height for crop in crops], [size[1] for size in wanted], device)
        flat, first, stride = _pixels_of(cuts[start:stop], device)
        places = first + down.places[:, :, None] * stride + across.places[:, None, :]
        pixels = flat[places].permute(0, 3, 1, 2).float()
        shrinks = across.sizes < across.lengths
        wide, tall = across.weights(side, shrinks), down.weights(side, shrinks)
        done.append(tall[:, None] @ (pixels @ wide[:, None].transpose(2, 3)))
    return torch.cat(done).round_().clamp_(0, 255)


def _pixels_of(cuts: Sequence[Cut], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The pixels (P, 3) of N crops in a row, and of each crop the place of its first pixel and of a row: (N, 1, 1).

    A picture whose crops have more pixels than itself is taken whole: large crops overlap.
    """
    by_picture: dict[int, list[int]] = {}
    for number, cut in enumerate(cuts):
        by_picture.setdefault(id(cut.picture), []).append(number)
    parts: list[NDArray[np.uint8]] = []
    first, stride, end = [0] * len(cuts), [0] * len(cuts), 0
    for numbers in by_picture.values():
        picture = cuts[numbers[0]].picture
        height, width = picture.shape[:2]
        is_whole = sum(cuts[each].crop.width * cuts[each].crop.height for each in numbers) >= height * width
        if is_whole:
            parts.append(picture.reshape(-1, 3))
        for number in numbers:
            crop = cuts[number].crop
            if is_whole:
                first[number], stride[number] = end + crop.top * width + crop.left, width
            else:
                part = picture[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
                parts.append(part.reshape(-1, 3))
                first[number], stride[number] = end, crop.width
                end += len(parts[-1])
        end += len(parts[-1]) if is_whole else 0
    flat = torch.cat([torch.from_numpy(part).to(device) for part in parts])
    return flat, torch.tensor(first, device=device)[:, None, None], torch.tensor(stride, device=device)[:, None, None]


def content_mask(sizes: Sequence[Size], *, side: int, device: torch.device) -> Tensor:
    """Whether the pixels of N squares belong to contents of these sizes: (N, 1, side, side)."""
    wide, tall = torch.tensor(sizes, device=device).T
    at = torch.arange(side, device=device)
    inside: Tensor = (at < wide[:, None])[:, None, None, :] & (at < tall[:, None])[:, None, :, None]
    return inside


class _Axis:
    """One axis of N crops: `lengths` and wanted `sizes` (N, 1) in pixels.

    `places` (N, L) are the crops' pixels, L being the longest crop; those beyond a crop repeat its last one, and have
    no weight.
    """

    def __init__(self, lengths: Sequence[int], sizes: Sequence[int], device: torch.device) -> None:
        self.lengths = torch.tensor(lengths, device=device)[:, None]
        self.sizes = torch.tensor(sizes, device=device)[:, None]
        self.places = torch.minimum(torch.arange(max(lengths), device=device), self.lengths - 1)

    def weights(self, side: int, shrinks: Tensor) -> Tensor:
        """Weights (N, side, L) of the pixels of each output pixel; zero beyond `sizes`. `shrinks` (N, 1): by area."""
        length, size = self.lengths[:, :, None], self.sizes[:, :, None]
        scale = length / size
        out = torch.arange(side, device=scale.device)[None, :, None]
        at = torch.arange(self.places.shape[1], device=scale.device)[None, None, :]
        covered = torch.minimum((out + 1) * scale, at + 1) - torch.maximum(out * scale, at)
        center = torch.minimum(((out + 0.5) * scale - 0.5).clamp(min=0), length - 1)
        near = 1 - (center - at).abs()
        # An axis that rounding has made longer cannot be averaged.
        by_area = shrinks[:, :, None] & (scale >= 1)
        found = torch.where(by_area, covered / scale, near).clamp_(min=0)
        return found * ((at < length) & (out < size))


def _chunks(crops: Sequence[Frame]) -> Iterator[tuple[int, int]]:
    """Split crops into runs whose pixels fit into MOST_PIXELS: starts and stops."""
    start = 0
    while start < len(crops):
        stop, width, height = start, 0, 0
        while stop < len(crops):
            width, height = max(width, crops[stop].width), max(height, crops[stop].height)
            if stop > start and (stop + 1 - start) * width * height > MOST_PIXELS:
                break
            stop += 1
        yield start, stop
        start = stop
