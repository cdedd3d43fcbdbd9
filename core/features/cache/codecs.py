"""How features are written: as they are (fp16), or each channel in 256 steps (8bit), which halves the bytes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import xxhash
from torch import Tensor

from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.encoders.traits import ENCODERS
from core.features.cache.feature_key import FP16, FeatureKey

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
    """The way back from `encoded`. Raises ValueError where tensors are missing, of another kind or not finite."""
    wanted = {*_PARTS} if key.codec == FP16 else {*_PARTS, *(f"{name}_steps" for name in _PARTS)}
    if tensors.keys() != wanted:
        raise ValueError("these are no features")
    for name, whole in zip(_PARTS, (EMBEDDING_SHAPE, DETAIL_SHAPE), strict=True):
        _check_shape(tensors[name], whole, key)  # before anything is computed, since shapes may be made to multiply
    if key.codec == FP16:
        parts = [tensors[name] for name in _PARTS]
    else:
        parts = [from_steps(tensors[name], tensors[f"{name}_steps"]) for name in _PARTS]
    for part in parts:
        # A sum takes a tenth of the time of looking at each number, and neither NaN nor infinity can leave it.
        if part.dtype != torch.float16 or not torch.isfinite(part.sum(dtype=torch.float32)):
            raise ValueError("these are no finite features")
    return ImageFeatures(parts[0], parts[1], key.frame, key.encoder)


def _check_shape(values: Tensor, whole: tuple[int, ...], key: FeatureKey) -> None:
    """Raises ValueError for another shape than all our encoders give; those of others may be smaller."""
    is_ours = key.encoder.rpartition("-")[0] in ENCODERS
    fits = tuple(values.shape) == whole or (
        not is_ours and values.dim() == 3 and all(side <= most for side, most in zip(values.shape, whole, strict=True))
    )
    if not fits or values.numel() == 0:
        raise ValueError(f"features of shape {tuple(values.shape)[:9]}")


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
    if levels.dtype != torch.uint8 or steps.dtype != torch.float32 or steps.shape != (len(levels), 2):
        raise ValueError("levels and steps do not belong together")
    return torch.addcmul(steps[:, :1, None], levels.float(), steps[:, 1:, None]).half()


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """XXH3 of the tensors' bytes in the order of their names, 16 hex digits."""
    digest = xxhash.xxh3_64()
    for name in sorted(tensors):
        digest.update(tensors[name].contiguous().numpy().data)
    return digest.hexdigest()
