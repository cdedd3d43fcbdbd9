"""Gradients of a step, by itself and where nothing can be recorded; tests/gpu has what is recorded."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from core.training.gradients import Gradients, RecordedGradients, Troubles, gradients_of
from core.training.precision import Precision

CPU = torch.device("cpu")
KINDS = [
    Gradients,
    pytest.param(
        RecordedGradients, marks=pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU here would record it")
    ),
]


@pytest.mark.parametrize("kind", KINDS)
def test_each_step_has_the_gradients_of_its_own_loss(kind: type[Gradients]) -> None:
    weights = Parameter(torch.tensor([1.0, 2.0]))

    def loss_of(given: Sequence[Tensor]) -> Tensor:
        return (weights * given[0]).sum() ** 2

    gradients = kind(loss_of, [weights], Precision.best(CPU, use_amp=True))
    for values in ([1.0, 0.0], [0.0, 3.0], [2.0, 1.0]):
        given = torch.tensor(values)
        loss = gradients.of([given])
        assert loss == (torch.tensor([1.0, 2.0]) @ given) ** 2
        assert weights.grad is not None
        assert torch.equal(weights.grad, 2 * (torch.tensor([1.0, 2.0]) @ given) * given)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU here would record it")
def test_where_nothing_can_be_recorded_it_says_why() -> None:
    weights = Parameter(torch.ones(2))
    gradients = RecordedGradients(
        lambda given: (weights * given[0]).sum(), [weights], Precision.best(CPU, use_amp=True)
    )
    troubles = Troubles(gradients)
    assert troubles.news() == ""
    gradients.of([torch.ones(2)])
    assert gradients.trouble and gradients.trouble in troubles.news()
    assert troubles.news() == ""  # once is enough


def test_a_cpu_goes_step_by_step() -> None:
    made = gradients_of(lambda given: given[0].sum(), [], Precision.best(CPU, use_amp=True), CPU)
    assert type(made) is Gradients
