"""Attention of SAM's image encoders by a fused kernel, which stores no matrix of scores in the GPU's memory.

SAM adds two relative position biases to each score, which depend on the query and on the key's row or column (Li et
al., MViTv2, 2022). Fused kernels (Dao et al., FlashAttention, 2022) take no such biases. So the biases of all rows and
columns are appended to the query, and the key's row and column to the key as one-hot vectors: the product of query and
key then includes the biases.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ALIGNED = 8  # fused kernels want channels in multiples of this


class FusedAttention(nn.Module):
    """Computes the same as segment-anything-hq's `Attention`, with its parameters under the same names."""

    def __init__(self, original: nn.Module) -> None:
        super().__init__()
        theirs: Any = original  # published without types
        self.heads = int(theirs.num_heads)
        self.scale = float(theirs.scale)
        self.qkv, self.proj = theirs.qkv, theirs.proj
        self.rel_pos_h, self.rel_pos_w = theirs.rel_pos_h, theirs.rel_pos_w

    def forward(self, values: Tensor) -> Tensor:
        """(B, H, W, C) -> (B, H, W, C)."""
        count, height, width, channels = values.shape
        mixed: Tensor = self.qkv(values)
        mixed = mixed.reshape(count, height * width, 3, self.heads, channels // self.heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        by_row, by_column = self._row_and_column(query, height, width)
        rows = torch.eye(height, dtype=key.dtype, device=key.device).repeat_interleave(width, dim=0)
        columns = torch.eye(width, dtype=key.dtype, device=key.device).repeat(height, 1)
        spare = -(key.shape[-1] + height + width) % _ALIGNED
        behind = [part.expand(count, self.heads, -1, -1) for part in (rows, columns)]
        long_query = F.pad(torch.cat([query * self.scale, by_row, by_column], dim=-1), (0, spare))
        long_key = F.pad(torch.cat([key, *behind], dim=-1), (0, spare))
        long_value = F.pad(value, (0, long_key.shape[-1] - value.shape[-1]))
        found = F.scaled_dot_product_attention(long_query, long_key, long_value, scale=1.0)
        found = found[..., : value.shape[-1]].transpose(1, 2).reshape(values.shape)
        answer: Tensor = self.proj(found)
        return answer

    def _row_and_column(self, query: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """The biases of each query for the key's row (B, heads, N, H) and for its column (B, heads, N, W)."""
        placed = query.unflatten(2, (height, width))
        by_row = torch.einsum("bnhwc,hkc->bnhwk", placed, _by_distance(self.rel_pos_h, height).to(query.dtype))
        by_column = torch.einsum("bnhwc,wkc->bnhwk", placed, _by_distance(self.rel_pos_w, width).to(query.dtype))
        return by_row.flatten(2, 3), by_column.flatten(2, 3)


def fuse_attention(network: nn.Module) -> int:
    """Replace SAM's attention by FusedAttention in all blocks below `network`; return their number (vit_tiny: 0).

    Blocks with windowed attention gain little by themselves. vit_h took 15.1 ms a picture on an H200 (batches of 8,
    bf16, compiled) with all blocks fused, and 18.6 ms with only the four global ones fused; other programs ran beside
    the second measurement.
    """
    from segment_anything_hq.modeling.image_encoder import Attention

    modules: Any = list(network.modules())
    blocks = [module for module in modules if isinstance(getattr(module, "attn", None), Attention)]
    for block in blocks:
        block.attn = FusedAttention(block.attn)
    return len(blocks)


def _by_distance(table: Tensor, side: int) -> Tensor:
    """Select a parameter's row for each pair of positions along a side: (2 * side - 1, C) -> (side, side, C)."""
    places = torch.arange(side, device=table.device)
    return table[places[:, None] - places[None, :] + side - 1]
