"""How features are written: as they are (fp16), or each channel in 256 steps (8bit), which halves the bytes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import xxhash
from torch import Tensor

from core.encoders.image_features import ImageFeatures
from core.features.feature_key import FP16, FeatureKey

STEPS = 255
_PARTS = ("embedding", "detail")


def encoded(features: ImageFeatures, codec: str) -> dict[str, Tensor]:
    """The tensors of a features file. fp16: embedding and detail; 8bit: each as uint8 with its steps a channel."""
    parts = {name: getattr(features, name).detach().to("cpu", torch.float16).contiguous() for name in _PARTS}
    if codec == FP16:
        return parts
    tensors: dict[str, Tensor] = {}
    for name, values in parts.items():
        tensors[name], tensors[f"{name}_steps"] = in_steps(values)
    return tensors


def decoded(tensors: Mapping[str, Tensor], key: FeatureKey) -> ImageFeatures:
    """The way back from `encoded`. Raises KeyError or ValueError where tensors are missing or of another kind."""
    if key.codec == FP16:
        parts = [tensors[name] for name in _PARTS]
    else:
        parts = [from_steps(tensors[name], tensors[f"{name}_steps"]) for name in _PARTS]
    return ImageFeatures(parts[0], parts[1], key.frame, key.encoder)


def in_steps(values: Tensor) -> tuple[Tensor, Tensor]:
    """(C, H, W) fp16 -> (C, H, W) uint8 and, float32 (C, 2), each channel's lowest value and step.

    A value comes back within half a step, a step being 1/255 of what its channel spans.
    """
    flat = values.flatten(1).float()
    low, high = torch.aminmax(flat, dim=1)
    step = ((high - low) / STEPS).clamp_min(1e-12)
    level = ((flat - low[:, None]) / step[:, None]).round().clamp(0, STEPS).to(torch.uint8)
    return level.reshape(values.shape), torch.stack([low, step], dim=1)


def from_steps(levels: Tensor, steps: Tensor) -> Tensor:
    """The way back from `in_steps`: (C, H, W) fp16. Raises ValueError where the two do not belong together."""
    if levels.dtype != torch.uint8 or steps.shape != (len(levels), 2):
        raise ValueError("levels and steps do not belong together")
    return torch.addcmul(steps[:, :1, None], levels.float(), steps[:, 1:, None]).half()


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """XXH3 of the tensors' bytes in the order of their names, 16 hex digits."""
    digest = xxhash.xxh3_64()
    for name in sorted(tensors):
        digest.update(tensors[name].contiguous().numpy().data)
    return digest.hexdigest()
