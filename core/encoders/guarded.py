"""An encoder on a GPU whose faults are told as such, so that the CPU can take over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from core.encoders.image_features import Encoder, ImageFeatures
from core.errors import GpuError, reason
from core.geometry import Frame
from core.images import Picture

T = TypeVar("T")


class GuardedEncoder:
    """The same encoder; what the GPU does wrong is a GpuError."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name = encoder.name
        self.identity = encoder.identity
        self.device = encoder.device

    def encode(self, picture: Picture, frame: Frame) -> ImageFeatures:
        """See `Encoder.encode`. Raises GpuError where the GPU is out of memory, also at a second try, or lost."""
        return guarded(lambda: self._encoder.encode(picture, frame))


def guarded(compute: Callable[[], T]) -> T:
    """What `compute` gives; out of memory, it is tried once more with what can be freed. Raises GpuError."""
    try:
        return compute()
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
    except RuntimeError as error:
        raise _told(error) from error
    try:
        return compute()
    except RuntimeError as error:
        raise _told(error) from error


def _told(error: RuntimeError) -> Exception:
    """A GPU's fault as a GpuError; any other fault as it is."""
    if isinstance(error, torch.OutOfMemoryError):
        return GpuError("The GPU has too little memory for this encoder: the CPU goes on, more slowly.")
    if "CUDA" in str(error) or "cuDNN" in str(error) or "CUBLAS" in str(error):
        return GpuError(f"The GPU failed ({reason(error)}): the CPU goes on, more slowly.")
    return error
