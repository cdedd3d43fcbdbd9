"""Gradients of a step's loss. On a GPU the step is recorded once as a CUDA graph and replayed.

A step of the refiner launches many small kernels, and Python launches them more slowly than a GPU runs them
(see https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from core.errors import reason
from core.training.precision import Precision
from core.translation import tr

Compute = Callable[[Sequence[Tensor]], Tensor]
"""Computes the loss from tensors that have the same shapes in every step, without randomness."""

_WARM_UP = 2


class Gradients:
    """Computes the gradients of `compute`'s loss; if that is slow, `trouble` is the reason."""

    def __init__(self, compute: Compute, parameters: Sequence[Parameter], precision: Precision) -> None:
        self._compute = compute
        self._parameters = parameters
        self._precision = precision
        self.trouble: str | None = None

    def of(self, given: Sequence[Tensor]) -> Tensor:
        """Set the gradients of the parameters, and return the detached loss."""
        for parameter in self._parameters:
            parameter.grad = None
        with self._precision.forward():
            loss = self._compute(given)
        self._precision.backward(loss)
        return loss.detach()


class RecordedGradients(Gradients):
    """Gradients on a GPU: the first step is recorded and every step replays it. The gradients keep their addresses.

    Not for fp16, whose scaler reads the gradients in each step. If recording fails, steps run one by one, and `trouble`
    is the reason.
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
            except RuntimeError as error:  # if the step itself is wrong, it fails again below
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
        with torch.cuda.stream(aside):  # the set-up of libraries at their first use must not be recorded
            for _ in range(_WARM_UP):
                super().of(self._given)
        torch.cuda.current_stream().wait_stream(aside)
        for parameter in self._parameters:
            parameter.grad = None
        graph = torch.cuda.CUDAGraph()
        # In the default mode, the thread that pins the next batch's memory would make the recording fail.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._loss = super().of(self._given)
        self._graph = graph


class Troubles:
    """Reports once that steps are slow, and why."""

    def __init__(self, gradients: Gradients) -> None:
        self._gradients = gradients
        self._is_reported = False

    def news(self) -> str:
        """The sentence for the user the first time that there is trouble; empty in all other steps."""
        if self._is_reported or self._gradients.trouble is None:
            return ""
        self._is_reported = True
        return tr(
            "This GPU could not record the training step ({why}), so it learns the same step by step, which takes "
            "longer: update its driver, or close other programs that use it.",
            why=self._gradients.trouble,
        )


def gradients_of(
    compute: Compute, parameters: Sequence[Parameter], precision: Precision, device: torch.device
) -> Gradients:
    """Choose the implementation for the device."""
    kind = RecordedGradients if device.type == "cuda" and not precision.scales else Gradients
    return kind(compute, parameters, precision)
