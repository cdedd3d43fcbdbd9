"""The codecs of features files: unchanged (fp16), or each channel quantized to 256 steps (8bit) in half the bytes."""

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
    """Encode features as the tensors of a file. fp16: embedding and detail; 8bit: both as uint8, with their steps."""
    parts = {name: getattr(features, name).detach().to("cpu", torch.float16).contiguous() for name in _PARTS}
    if codec == FP16:
        return parts
    tensors: dict[str, Tensor] = {}
    for name, values in parts.items():
        tensors[name], tensors[f"{name}_steps"] = quantize(values)
    return tensors


def decoded(tensors: Mapping[str, Tensor], key: FeatureKey) -> ImageFeatures:
    """Decode the tensors of a file. Raises ValueError where one is missing, of another type or shape, or not finite."""
    wanted = {*_PARTS} if key.codec == FP16 else {*_PARTS, *(f"{name}_steps" for name in _PARTS)}
    if tensors.keys() != wanted:
        raise ValueError("these are no features")
    for name, whole in zip(_PARTS, (EMBEDDING_SHAPE, DETAIL_SHAPE), strict=True):
        _check_shape(tensors[name], whole, key)  # first, since forged shapes could make the arithmetic explode
    if key.codec == FP16:
        parts = [tensors[name] for name in _PARTS]
    else:
        parts = [dequantize(tensors[name], tensors[f"{name}_steps"]) for name in _PARTS]
    for part in parts:
        # A sum takes a tenth of the time of testing each number, and any NaN or infinity makes it non-finite.
        if part.dtype != torch.float16 or not torch.isfinite(part.sum(dtype=torch.float32)):
            raise ValueError("these are no finite features")
    return ImageFeatures(parts[0], parts[1], key.frame, key.encoder)


def _check_shape(values: Tensor, whole: tuple[int, ...], key: FeatureKey) -> None:
    """Raise ValueError for another shape than that of BoxRefine's encoders; other encoders may have a smaller one."""
    is_own = key.encoder.rpartition("-")[0] in ENCODERS
    fits = tuple(values.shape) == whole or (
        not is_own and values.dim() == 3 and all(side <= most for side, most in zip(values.shape, whole, strict=True))
    )
    if not fits or values.numel() == 0:
        raise ValueError(f"features of shape {tuple(values.shape)[:9]}")


def quantize(values: Tensor) -> tuple[Tensor, Tensor]:
    """(C, H, W) fp16 -> levels (C, H, W) uint8, and steps (C, 2) float32: each channel's minimum and step.

    A step is 1/255 of the channel's range, so the error of a value is at most half a step.
    """
    flat = values.flatten(1).float()
    low, high = torch.aminmax(flat, dim=1)
    step = ((high - low) / STEPS).clamp_min(1e-12)
    level = ((flat - low[:, None]) / step[:, None]).round().clamp(0, STEPS).to(torch.uint8)
    return level.reshape(values.shape), torch.stack([low, step], dim=1)


def dequantize(levels: Tensor, steps: Tensor) -> Tensor:
    """Levels and steps of `quantize` -> (C, H, W) fp16. Raises ValueError where their types or shapes do not match."""
    if levels.dtype != torch.uint8 or steps.dtype != torch.float32 or steps.shape != (len(levels), 2):
        raise ValueError("levels and steps do not match")
    return torch.addcmul(steps[:, :1, None], levels.float(), steps[:, 1:, None]).half()


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """The XXH3 hash of the tensors' bytes in the order of their names, 16 hex digits."""
    digest = xxhash.xxh3_64()
    for name in sorted(tensors):
        digest.update(tensors[name].contiguous().numpy().data)
    return digest.hexdigest()
