"""What the refiner's network does in another way for many boxes, asked on a CPU: the same sums, sooner.

Values are laid out channels last then, which convolutions and enlarging take as they are, a look into the features is a
sum of rows of a table, and what edges gather is a product of matrices. In float32 the boxes are as far from those of
double precision (thousandths of a pixel) as the network's own. A single box is no sooner by it, and in the window it is
later: more of its steps are shared out to threads, which wait for each other. Tried, too, and left out since it saved
hardly any time: packing the convolutions' weights, fewer boxes at a time, convolving the places line by line.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def is_asked_on_cpu(values: Tensor) -> bool:
    """Whether these values go through the network on a CPU and no gradient will come back."""
    return not torch.is_grad_enabled() and values.device.type == "cpu"


def are_many(values: Tensor) -> bool:
    """Whether these values (N, C, H, W), asked on a CPU, are laid out channels last, as they are for many boxes."""
    return is_asked_on_cpu(values) and values.is_contiguous(memory_format=torch.channels_last)


def laid_out(values: Tensor) -> Tensor:
    """The same values (N, C, H, W) laid out channels last."""
    return values.contiguous(memory_format=torch.channels_last)


def turned(features: Tensor) -> Tensor:
    """Features (C, H, W) in half precision -> (1, C, H, W) float32, laid out channels last.

    Turned around as a table of two dimensions and before they are widened, which is quicker than both at once.
    """
    cells = features.flatten(1).t().contiguous().float()
    return cells.view(*features.shape[1:], -1).permute(2, 0, 1)[None]


def looked_up(features: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Features (B, C, H, W) bilinearly where the lines x and y (B, K, cells) cross: (B * K, C, cells, cells).

    x and y are in cells of the features, 0 the middle of the first one; outside there is nothing. The features and
    the answer, float32, are laid out channels last.
    """
    images, channels, height, width = features.shape
    many, cells = x.shape[1:]
    table = features.permute(0, 2, 3, 1).reshape(-1, channels).float()
    columns, beside = _neighbours(x[:, :, None, :], width)
    rows, above = _neighbours(y[:, :, :, None], height)
    first = torch.arange(images, dtype=torch.int32).view(-1, 1, 1, 1) * height
    which = torch.stack([(first + row) * width + column for row in rows for column in columns], dim=-1)
    share = torch.stack([down * across for down in above for across in beside], dim=-1)
    found = F.embedding_bag(which.view(-1, 4), table, mode="sum", per_sample_weights=share.view(-1, 4))
    return found.view(images * many, cells, cells, channels).permute(0, 3, 1, 2)


def _neighbours(line: Tensor, length: int) -> tuple[list[Tensor], list[Tensor]]:
    """The two cells (int32) about each point on a line of `length` cells, and the share of each, 0 outside."""
    before = line.floor()
    beyond = line - before
    cells, shares = [before, before + 1], [1 - beyond, beyond]
    inside = [share * ((cell >= 0) & (cell < length)) for cell, share in zip(cells, shares, strict=True)]
    return [cell.clamp(0, length - 1).int() for cell in cells], inside


def gathered_pairs(fine: Tensor, weight: Tensor) -> list[Tensor]:
    """fine (N, C, H, W), weight (N, 4, H, W) of the four edges -> lines of left and right, and of top and bottom.

    Both are (N * 2, 2 * C, cells), the two edges of a box side by side: the sum that an edge finds along its direction
    by its weight, and the largest value there.
    """
    cells = fine.permute(0, 2, 3, 1)
    down = torch.einsum("nehw,nhwc->newc", weight[:, 0::2].softmax(dim=2), cells)
    across = torch.einsum("nehw,nhwc->nehc", weight[:, 1::2].softmax(dim=3), cells)
    largest = cells.amax(dim=1), cells.amax(dim=2)
    return [
        torch.cat([sums, most[:, None].expand_as(sums)], dim=-1).flatten(0, 1).transpose(1, 2)
        for sums, most in zip((down, across), largest, strict=True)
    ]
