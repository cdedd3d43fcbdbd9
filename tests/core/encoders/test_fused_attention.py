"""SAM's attention without its table of scores gives the same answers from the same parameters."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from core.encoders.hq_sam.fused_attention import FusedAttention, fuse_attention


def small_encoder() -> nn.Module:
    """The package's own image encoder, with a window that does not divide the grid, and every parameter random."""
    from segment_anything_hq.modeling.image_encoder import ImageEncoderViT

    generator = torch.Generator().manual_seed(1)
    encoder: nn.Module = ImageEncoderViT(
        img_size=160, patch_size=16, embed_dim=48, depth=3, num_heads=3, out_chans=16, use_rel_pos=True,
        window_size=4, global_attn_indexes=(1,), norm_layer=partial(nn.LayerNorm, eps=1e-6),
    )  # fmt: skip
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return encoder.eval()


def test_an_image_encoder_gives_the_same_features_with_fused_attention() -> None:
    encoder = small_encoder()
    pixels = torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        embedding, early = encoder(pixels)
        keys = set(encoder.state_dict())
        assert fuse_attention(encoder) == 3
        again, early_again = encoder(pixels)
    assert set(encoder.state_dict()) == keys
    assert torch.allclose(again, embedding, atol=1e-4)
    assert torch.allclose(early_again[0], early[0], atol=1e-4)


@pytest.mark.parametrize("size", [(4, 4), (3, 7)])
def test_rows_and_columns_are_not_mixed_up(size: tuple[int, int]) -> None:
    from segment_anything_hq.modeling.image_encoder import Attention

    height, width = size
    generator = torch.Generator().manual_seed(3)
    original = Attention(24, num_heads=2, use_rel_pos=True, input_size=size)
    with torch.no_grad():
        for parameter in original.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        values = torch.randn(2, height, width, 24, generator=generator)
        assert torch.allclose(FusedAttention(original)(values), original(values), atol=1e-4)


def test_what_has_no_such_attention_stays_as_it_is() -> None:
    assert fuse_attention(nn.Sequential(nn.Linear(2, 2))) == 0
