"""Precision: all a training loop must know about number formats; disabled parts are no-ops, so there is one path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer


class Precision:
    """fp32, bf16 or fp16 autocast, with a gradient scaler where fp16 needs one."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._scaler = torch.amp.GradScaler(device.type, enabled=dtype == torch.float16)

    @classmethod
    def best(cls, device: torch.device, *, use_amp: bool) -> Precision:
        """bf16 where the device is good at it, fp16 on older GPUs, fp32 on a CPU or without AMP."""
        if not use_amp or device.type != "cuda":
            return cls(device, torch.float32)
        return cls(device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)

    @property
    def name(self) -> str:
        return str(self._dtype).removeprefix("torch.")

    @property
    def scales(self) -> bool:
        """Whether losses are scaled, so that small gradients survive (fp16)."""
        return bool(self._scaler.is_enabled())

    def forward(self) -> AbstractContextManager[object]:
        """The context that the forward pass runs in."""
        return torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32)

    def backward(self, loss: Tensor) -> None:
        """Gradients of a loss, scaled where they need it."""
        self._scaler.scale(loss).backward()

    def unscale(self, optimizer: Optimizer) -> None:
        """Gradients as they are, before anything is added to them or measured."""
        self._scaler.unscale_(optimizer)

    def apply(self, optimizer: Optimizer, parameters: Iterable[Parameter], *, max_norm: float) -> Tensor:
        """Clip unscaled gradients to `max_norm`, step; gives their norm before clipping. The gradients stay."""
        norm = clip_grad_norm_(parameters, max_norm=max_norm)
        self._scaler.step(optimizer)  # the scaler skips it when a gradient overflowed
        self._scaler.update()
        return norm

    def step(
        self,
        loss: Tensor,
        optimizer: Optimizer,
        parameters: Iterable[Parameter],
        *,
        max_norm: float,
        share: Callable[[Sequence[Parameter]], None] = lambda parameters: None,
    ) -> Tensor:
        """`backward`, `unscale` and `apply`, and away with the gradients; `share` does what processes do with them."""
        learns = list(parameters)
        self.backward(loss)
        self.unscale(optimizer)
        share(learns)
        norm = self.apply(optimizer, learns, max_norm=max_norm)
        optimizer.zero_grad(set_to_none=True)
        return norm
