"""Many pictures at once through an encoder: prepared on any thread, computed in batches, and read back while the next
batch is computed.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from core.encoders.batched import BatchedEncoder
from core.encoders.image_features import Encoder, ImageFeatures
from core.errors import BadInputError
from core.geometry import Frame
from core.images import Picture

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Prepared:
    """One picture's frame as an encoder takes it: (S, S, 3) uint8, its content at the top left, padding right and
    below.
    """

    pixels: Tensor
    width: int
    height: int
    frame: Frame


@dataclass(frozen=True)
class Pending:
    """A batch under way on its device; `prepared` is kept to begin again elsewhere."""

    prepared: tuple[Prepared, ...]
    embedding: Tensor
    detail: Tensor
    ready: torch.cuda.Event | None
    identity: str

    def features(self) -> list[ImageFeatures]:
        """Wait for it; features on the CPU, fp16, in the batch's memory: copy what is to be kept."""
        if self.ready is not None:
            self.ready.synchronize()
        return [
            ImageFeatures(embedding, detail, entry.frame, self.identity)
            for entry, embedding, detail in zip(self.prepared, self.embedding, self.detail, strict=True)
        ]


class BatchEncoder:
    """An encoder of the catalogue for batches; `prepare` may be called on any thread, the rest on one."""

    def __init__(self, encoder: Encoder, *, precision: str = "auto", compiled: bool = False) -> None:
        """`precision` of PRECISIONS: auto is bf16 for HQ-SAM on a GPU, else fp32: the light encoder is fast enough in
        fp32, and bf16 moves its boxes. `compiled`: torch.compile the network,
        which takes a minute and pays for thousands of pictures. Raises BadInputError for an encoder without batches.
        """
        if precision not in PRECISIONS:
            raise BadInputError(f"There is no precision {precision}: use one of {', '.join(PRECISIONS)}.")
        if not isinstance(encoder, BatchedEncoder):
            raise BadInputError(f"The encoder {encoder.name} takes one picture at a time: choose another one.")
        self.encoder = encoder
        self.device = encoder.device
        pays = self.device.type == "cuda" and encoder.half_pays
        self.is_half = precision == "bf16" or (precision == "auto" and pays)
        self._compiled = compiled
        self._network = encoder.batch_network()
        if compiled:
            self._network.compile()

    @property
    def precision(self) -> str:
        """What it computes in."""
        return "bf16" if self.is_half else "fp32"

    @property
    def side(self) -> int:
        """Of the square of pixels that the network takes."""
        return self.encoder.input_side

    def prepare(self, picture: Picture, frame: Frame) -> Prepared:
        """A frame of an upright (height, width, 3) uint8 RGB picture, resized and padded."""
        pixels, width, height = self.encoder.laid_out(picture, frame, fast=self.is_half)
        return Prepared(pixels, width, height, frame)

    def start(self, batch: Sequence[Prepared], *, size: int) -> Pending:
        """Begin a batch of up to `size`; on a GPU this returns before it is done. Raises what torch raises."""
        # Each new shape costs a GPU seconds, in which its libraries choose and load kernels anew.
        one_shape = self._compiled or self.device.type == "cuda"
        padded = [*batch, *[batch[-1]] * (size - len(batch))] if one_shape else list(batch)
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_half):
            values = self._normalised(padded)
            embedding, detail = self._network(values)
            return self._read_back(tuple(batch), embedding[: len(batch)], detail[: len(batch)])

    def time_alone(self, prepared: Sequence[Prepared], *, size: int, warm_up: int = 2, times: int = 3) -> float:
        """Milliseconds a picture of the network, in batches of `size` of these pictures, nothing read back."""
        chosen = list(itertools.islice(itertools.cycle(prepared), size))
        spent = []
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_half):
            values = self._normalised(chosen)
            for _ in range(warm_up + times):
                start = time.perf_counter()
                self._network(values)
                if self.device.type == "cuda":
                    torch.cuda.synchronize()
                spent.append(time.perf_counter() - start)
        return 1000 * statistics.median(spent[warm_up:]) / size

    def count_operations(self) -> int:
        """Multiplications and additions a picture."""
        network = self.encoder.batch_network()  # not the compiled one, into which the counter cannot look
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(torch.zeros(1, 3, self.side, self.side, device=self.device))
        return int(counter.get_total_flops())

    def _normalised(self, batch: Sequence[Prepared]) -> Tensor:
        pixels = self._moved([entry.pixels for entry in batch])
        values = (pixels.permute(0, 3, 1, 2).float() - self._network.mean) / self._network.std
        values *= self._content(batch, self.side)
        return values.contiguous(memory_format=torch.channels_last)

    def _moved(self, squares: Sequence[Tensor]) -> Tensor:
        """(N, S, S, 3) uint8 on the device."""
        on_gpu = self.device.type == "cuda"
        shape = len(squares), self.side, self.side, 3
        if on_gpu and all(square.is_pinned() for square in squares):
            there = torch.empty(shape, dtype=torch.uint8, device=self.device)
            for place, square in zip(there, squares, strict=True):
                place.copy_(square, non_blocking=True)
            return there
        # Straight into memory that a GPU copies from: stacked first, all of it would be copied twice.
        stacked = torch.empty(shape, dtype=torch.uint8, pin_memory=on_gpu)
        torch.stack(list(squares), out=stacked)
        return stacked.to(self.device, non_blocking=True)

    def _content(self, batch: Sequence[Prepared], side: int) -> Tensor:
        """(N, 1, S, S): 1 where a picture is, else 0: what is none is zero after normalising, too."""
        ends = torch.tensor([(entry.height, entry.width) for entry in batch]).to(self.device, non_blocking=True)
        at = torch.arange(side, device=self.device)
        inside = (at < ends[..., None]).float()  # (N, 2, S)
        return inside[:, None, 0, :, None] * inside[:, None, 1, None, :]

    def _read_back(self, batch: tuple[Prepared, ...], embedding: Tensor, detail: Tensor) -> Pending:
        halves = [values.to(torch.float16).contiguous() for values in (embedding, detail)]
        if self.device.type != "cuda":
            return Pending(batch, halves[0], halves[1], None, self.encoder.identity)
        on_host = [torch.empty(values.shape, dtype=torch.float16, pin_memory=True) for values in halves]
        for here, there in zip(on_host, halves, strict=True):
            here.copy_(there, non_blocking=True)
        ready = torch.cuda.Event()
        ready.record()
        return Pending(batch, on_host[0], on_host[1], ready, self.encoder.identity)
