"""Faster CPU kernels of the refiner's network for many boxes; the results are the same.

In this batch path, values are in channels-last layout, which convolutions and upsampling use directly; sampling
features is a weighted sum of table rows (embedding bag), and gathering along edges is a matrix product. In float32,
boxes differ from double precision by thousandths of a pixel, as in the normal path. For a single box it is not faster,
and in the window it is slower, because more of its steps are split among threads that wait for each other. Rejected,
since they saved hardly any time: packing the weights of convolutions, smaller batches, convolving the position channels
line by line.

On CPUs that multiply in bfloat16, batch jobs let the network compute in it (`rounds` of `BoxRefiner`), which takes
about two thirds of the time (`boxrefine benchmark refine`). Edges then differ by less than a thousandth of the side on
average, and coordinates, distributions and confidences stay in float32. The window does not, so that its boxes are the
same on any machine.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def computes_in_bfloat16() -> bool:
    """Whether this CPU multiplies in bfloat16; others emulate it and take longer than in float32."""
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def runs_on_cpu(values: Tensor) -> bool:
    """Whether these values are on a CPU and no gradients are needed."""
    return not torch.is_grad_enabled() and values.device.type == "cpu"


def takes_batch_path(values: Tensor) -> bool:
    """Whether the network processes these values (N, C, H, W) by the batch path: on a CPU and channels last."""
    return runs_on_cpu(values) and values.is_contiguous(memory_format=torch.channels_last)


def to_channels_last(values: Tensor) -> Tensor:
    """Return the same values (N, C, H, W) in channels-last layout."""
    return values.contiguous(memory_format=torch.channels_last)


def transpose_features(features: Tensor) -> Tensor:
    """Convert features (C, H, W) in half precision to (1, C, H, W) float32 in channels-last layout.

    Transposing a two-dimensional table before the conversion to float32 is faster than both in one step.
    """
    cells = features.flatten(1).t().contiguous().float()
    return cells.view(*features.shape[1:], -1).permute(2, 0, 1)[None]


def gather_bilinear(features: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Sample features (B, C, H, W) bilinearly on the grids of x and y (B, K, cells): (B * K, C, cells, cells).

    x and y are in cells of the features, 0 being the center of the first one; outside, features count as zero. The
    result is float32; features and result are in channels-last layout.
    """
    images, channels, height, width = features.shape
    many, cells = x.shape[1:]
    table = features.permute(0, 2, 3, 1).reshape(-1, channels).float()
    columns, beside = _neighbors(x[:, :, None, :], width)
    rows, above = _neighbors(y[:, :, :, None], height)
    first = torch.arange(images, dtype=torch.int32).view(-1, 1, 1, 1) * height
    which = torch.stack([(first + row) * width + column for row in rows for column in columns], dim=-1)
    share = torch.stack([down * across for down in above for across in beside], dim=-1)
    found = F.embedding_bag(which.view(-1, 4), table, mode="sum", per_sample_weights=share.view(-1, 4))
    return found.view(images * many, cells, cells, channels).permute(0, 3, 1, 2)


def _neighbors(line: Tensor, length: int) -> tuple[list[Tensor], list[Tensor]]:
    """Return the two cells (int32) next to each point on a line of `length` cells, and their weights, 0 outside."""
    before = line.floor()
    beyond = line - before
    cells, shares = [before, before + 1], [1 - beyond, beyond]
    inside = [share * ((cell >= 0) & (cell < length)) for cell, share in zip(cells, shares, strict=True)]
    return [cell.clamp(0, length - 1).int() for cell in cells], inside


def gather_pairs(fine: Tensor, weight: Tensor) -> list[Tensor]:
    """Gather fine (N, C, H, W) along the edges by logits weight (N, 4, H, W); return [left/right, top/bottom].

    Each is (N * 2, 2 * C, cells), with the two edges of a box in a row: the weighted sum along the edge's direction,
    then the maximum.
    """
    cells = fine.permute(0, 2, 3, 1)
    down = torch.einsum("nehw,nhwc->newc", weight[:, 0::2].softmax(dim=2), cells)
    across = torch.einsum("nehw,nhwc->nehc", weight[:, 1::2].softmax(dim=3), cells)
    largest = cells.amax(dim=1), cells.amax(dim=2)
    return [
        torch.cat([sums, most[:, None].expand_as(sums)], dim=-1).flatten(0, 1).transpose(1, 2)
        for sums, most in zip((down, across), largest, strict=True)
    ]
