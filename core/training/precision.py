"""Precision: number formats of a training loop. Disabled parts are no-ops, so that the loop has one code path."""

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
        """bf16 if the GPU supports it, fp16 on older GPUs, fp32 on a CPU or without AMP."""
        if not use_amp or device.type != "cuda":
            return cls(device, torch.float32)
        return cls(device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)

    @property
    def name(self) -> str:
        return str(self._dtype).removeprefix("torch.")

    @property
    def scales(self) -> bool:
        """Whether losses are scaled, so that small gradients do not underflow (fp16)."""
        return bool(self._scaler.is_enabled())

    def forward(self) -> AbstractContextManager[object]:
        """The context that the forward pass runs in."""
        return torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of a loss, scaled if the format needs it."""
        self._scaler.scale(loss).backward()

    def unscale(self, optimizer: Optimizer) -> None:
        """Undo the scaling; call it before gradients are changed or measured."""
        self._scaler.unscale_(optimizer)

    def apply(self, optimizer: Optimizer, parameters: Iterable[Parameter], *, max_norm: float) -> Tensor:
        """Clip unscaled gradients to `max_norm` and step. Return their norm before clipping; the gradients stay."""
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
        """Run `backward`, `unscale`, `share` (averages over processes) and `apply`, and clear the gradients."""
        learns = list(parameters)
        self.backward(loss)
        self.unscale(optimizer)
        share(learns)
        norm = self.apply(optimizer, learns, max_norm=max_norm)
        optimizer.zero_grad(set_to_none=True)
        return norm
