"""HQ-SAM's image encoders give the same features by the kernels that are quicker on a CPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from core.encoders.hq_sam.cpu_kernels import quicken
from core.encoders.hq_sam.fused_attention import fuse_attention
from tests.core.encoders.test_fused_attention import small_encoder
from tests.core.hq_weights import empty_vit_tiny


def vit_tiny() -> nn.Module:
    encoder: nn.Module = empty_vit_tiny().eval().image_encoder
    generator = torch.Generator().manual_seed(5)
    for module in encoder.modules():  # norms that would be seen if they were left out
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.uniform_(-0.1, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
    return encoder.requires_grad_(False)


def pixels(side: int) -> Tensor:
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(2))


def answers(encoder: nn.Module, values: Tensor) -> list[Tensor]:
    with torch.inference_mode():
        embedding, early = encoder(values.clone())
    return [embedding, early[0]]


def assert_near(found: list[Tensor], expected: list[Tensor], *, part: float) -> None:
    for one, other in zip(found, expected, strict=True):
        assert float((one.float() - other.float()).norm()) < part * float(other.float().norm())


@pytest.mark.slow
def test_vit_tiny_gives_the_same_features() -> None:
    encoder, values = vit_tiny(), pixels(1024)
    expected = answers(encoder, values)
    quicken(encoder)
    assert not any(isinstance(module, nn.BatchNorm2d | nn.GELU) for module in encoder.modules())
    assert_near(answers(encoder, values), expected, part=1e-5)


@pytest.mark.long
@pytest.mark.slow
def test_vit_tiny_still_computes_in_bf16_where_that_is_asked_for() -> None:
    encoder, values = vit_tiny(), pixels(1024)
    expected = answers(encoder, values)
    quicken(encoder)
    with torch.autocast("cpu", torch.bfloat16):
        assert_near(answers(encoder, values), expected, part=0.05)


def test_the_large_encoders_give_the_same_features() -> None:
    encoder = small_encoder().requires_grad_(False)
    values = pixels(160).repeat(2, 1, 1, 1)
    expected = answers(encoder, values)
    fuse_attention(encoder)
    quicken(encoder)
    assert_near(answers(encoder, values), expected, part=1e-5)
