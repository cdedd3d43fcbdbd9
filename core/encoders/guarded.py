"""Convert CUDA errors to GpuError, so that callers can fall back to the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from core.encoders.image_features import Cut, Encoder, ImageFeatures, crops_at_once, encode_all_filling, encode_filling
from core.errors import GpuError, reason
from core.geometry import Frame
from core.images import Picture
from core.translation import tr

T = TypeVar("T")


class GuardedEncoder:
    """An encoder whose CUDA errors are GpuErrors."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.identity = encoder.identity
        self.device = encoder.device
        self.crops_at_once = crops_at_once(encoder)

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        """See `Encoder.encode`. Raises GpuError where the GPU is lost, or twice out of memory."""
        return guarded(lambda: self._encoder.encode(picture, frame))

    def encode_small(self, picture: Picture, crop: Frame, *, fill: float) -> ImageFeatures:
        """See `SmallEncoder.encode_small`; at full size if the encoder takes no smaller input. Raises as `encode`."""
        return guarded(lambda: encode_filling(self._encoder, picture, crop, fill=fill))

    def encode_crops(self, cuts: Sequence[Cut], *, fill: float) -> list[ImageFeatures]:
        """See `CropEncoder.encode_crops`; one by one if the encoder takes no batches. Raises as `encode`."""
        return guarded(lambda: encode_all_filling(self._encoder, cuts, fill=fill))


def guarded(compute: Callable[[], T]) -> T:
    """Return what `compute` returns; where the GPU is out of memory, free its cache and try again. Raises GpuError."""
    try:
        return compute()
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
    except RuntimeError as error:
        raise _as_gpu_error(error) from error
    try:
        return compute()
    except RuntimeError as error:
        raise _as_gpu_error(error) from error


def _as_gpu_error(error: RuntimeError) -> Exception:
    """Turn a CUDA error into a GpuError; return any other error unchanged."""
    if isinstance(error, torch.OutOfMemoryError):
        return GpuError(tr("The GPU has too little memory for this encoder: the CPU goes on, more slowly."))
    if "CUDA" in str(error) or "cuDNN" in str(error) or "CUBLAS" in str(error):
        return GpuError(tr("The GPU failed ({why}): the CPU goes on, more slowly.", why=reason(error)))
    return error
