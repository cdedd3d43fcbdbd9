"""Gradients of a step's loss; on a GPU the step is recorded once and replayed, since it has more kernels than work.

A step of the refiner is a great many small kernels, which Python begins more slowly than a GPU runs them
(CUDA graphs, see https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from core.errors import reason
from core.training.precision import Precision

Compute = Callable[[Sequence[Tensor]], Tensor]
"""The loss of tensors that have the same shapes in every step, without anything at random."""

TROUBLE = (
    "This GPU could not record the training step ({reason}), so it learns the same step by step, which takes longer: "
    "update its driver, or close other programs that use it."
)

_WARM_UP = 2


class Gradients:
    """Sets the parameters' gradients to those of `compute`'s loss; `trouble` says why that takes long."""

    def __init__(self, compute: Compute, parameters: Sequence[Parameter], precision: Precision) -> None:
        self._compute = compute
        self._parameters = parameters
        self._precision = precision
        self.trouble: str | None = None

    def of(self, given: Sequence[Tensor]) -> Tensor:
        """The loss, without a way back through it."""
        for parameter in self._parameters:
            parameter.grad = None
        with self._precision.forward():
            loss = self._compute(given)
        self._precision.backward(loss)
        return loss.detach()


class RecordedGradients(Gradients):
    """The same on a GPU: the first step is recorded, and all are replayed. The gradients stay where they are.

    Not for fp16, whose scaler looks at each step. A GPU that cannot record goes on step by step; `trouble` says why.
    """

    def __init__(self, compute: Compute, parameters: Sequence[Parameter], precision: Precision) -> None:
        super().__init__(compute, parameters, precision)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._given: list[Tensor] = []
        self._loss = torch.empty(0)

    def of(self, given: Sequence[Tensor]) -> Tensor:
        """See `Gradients.of`; the loss is overwritten by the next step."""
        if self._graph is None and self.trouble is None:
            try:
                self._record(given)
            except RuntimeError as error:  # if it was not the recording that failed, the step by itself fails as well
                self.trouble, self._given = reason(error), []
        if self._graph is None:
            return super().of(given)
        for here, new in zip(self._given, given, strict=True):
            here.copy_(new, non_blocking=True)
        self._graph.replay()
        return self._loss

    def _record(self, given: Sequence[Tensor]) -> None:
        self._given = [values.clone() for values in given]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # what libraries set up at their first use must not be recorded
            for _ in range(_WARM_UP):
                super().of(self._given)
        torch.cuda.current_stream().wait_stream(aside)
        for parameter in self._parameters:
            parameter.grad = None
        graph = torch.cuda.CUDAGraph()
        # Else a thread that pins the next batch's memory meanwhile would fail, and teaching with it.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._loss = super().of(self._given)
        self._graph = graph


class Troubles:
    """What slows steps down, told once."""

    def __init__(self, gradients: Gradients) -> None:
        self._gradients = gradients
        self._told = False

    def news(self) -> str:
        """A sentence for the user, the first time that there is one."""
        if self._told or self._gradients.trouble is None:
            return ""
        self._told = True
        return TROUBLE.format(reason=self._gradients.trouble)


def gradients_of(
    compute: Compute, parameters: Sequence[Parameter], precision: Precision, device: torch.device
) -> Gradients:
    """What suits the device."""
    kind = RecordedGradients if device.type == "cuda" and not precision.scales else Gradients
    return kind(compute, parameters, precision)
