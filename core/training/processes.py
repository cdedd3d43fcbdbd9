"""Data-parallel training in processes that torchrun starts; a single process runs the same code.

It uses torch.distributed: Lightning Fabric and Accelerate would add a dependency for these few lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch.nn import Parameter


@dataclass(frozen=True)
class Processes:
    """This process, number `rank` of `count`; the first one saves and reports."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[Parameter]) -> None:
        """Replace the gradients in every process by their mean, in one all-reduce."""
        if self.count == 1:
            return
        grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads])
        dist.all_reduce(flat)
        flat /= self.count
        for grad, part in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(part.view_as(grad))

    def wait(self) -> None:
        """Block until every process has called this."""
        if self.count > 1:
            dist.barrier()


def take_own_gpu() -> None:
    """Make `cuda` mean a GPU of this process alone, by the local rank that torchrun sets."""
    if "LOCAL_RANK" in os.environ and torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the process group of torchrun for the duration of the block; without torchrun there is one process."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
