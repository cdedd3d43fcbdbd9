"""Encode pictures in batches: any thread prepares them, and features are read back while the next batch is computed."""

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
from core.translation import tr

PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Prepared:
    """One picture's frame as the input of an encoder.

    pixels: (S, S, 3) uint8, the content at the top left, padding right and below
    width, height: of the content in these pixels
    """

    pixels: Tensor
    width: int
    height: int
    frame: Frame


@dataclass(frozen=True)
class Pending:
    """A batch that its device computes; `prepared` is kept to restart it on another device."""

    prepared: tuple[Prepared, ...]
    embedding: Tensor
    detail: Tensor
    ready: torch.cuda.Event | None
    identity: str

    def features(self) -> list[ImageFeatures]:
        """Wait for the batch: features on the CPU in fp16, which share its memory; copy those that you keep."""
        if self.ready is not None:
            self.ready.synchronize()
        return [
            ImageFeatures(embedding, detail, entry.frame, self.identity)
            for entry, embedding, detail in zip(self.prepared, self.embedding, self.detail, strict=True)
        ]


class BatchEncoder:
    """An encoder for batches; any thread may call `prepare`, and one thread the rest."""

    def __init__(self, encoder: Encoder, *, precision: str = "auto", compiled: bool = False) -> None:
        """Wrap an encoder.

        precision: one of PRECISIONS; auto is bf16 for HQ-SAM on a GPU, else fp32 (the light encoder is fast enough in
            fp32, and bf16 moves its boxes)
        compiled: torch.compile the network, which takes a minute and pays for thousands of pictures

        Raises BadInputError for another precision, and for an encoder without batches.
        """
        if precision not in PRECISIONS:
            raise BadInputError(
                tr(
                    "There is no precision {precision}: use one of {names}.",
                    precision=precision,
                    names=", ".join(PRECISIONS),
                )
            )
        if not isinstance(encoder, BatchedEncoder):
            raise BadInputError(
                tr("The encoder {name} takes one picture at a time: choose another one.", name=encoder.name)
            )
        self.encoder = encoder
        self.device = encoder.device
        prefers_half = self.device.type == "cuda" and encoder.is_exact_in_half
        self.is_half = precision == "bf16" or (precision == "auto" and prefers_half)
        self._compiled = compiled
        self._network = encoder.batch_network()
        if compiled:
            self._network.compile()

    @property
    def precision(self) -> str:
        """The number format of the computation: bf16 or fp32."""
        return "bf16" if self.is_half else "fp32"

    @property
    def side(self) -> int:
        """Side, in pixels, of the square that the network takes."""
        return self.encoder.input_side

    def prepare(self, picture: Picture, frame: Frame) -> Prepared:
        """Resize and pad a frame of an upright (height, width, 3) uint8 RGB picture."""
        pixels, width, height = self.encoder.resize(picture, frame, fast=self.is_half)
        return Prepared(pixels, width, height, frame)

    def start(self, batch: Sequence[Prepared], *, size: int) -> Pending:
        """Start a batch of up to `size` pictures; on a GPU this returns before it is done. Raises torch's errors."""
        # Each new shape costs a GPU seconds, in which its libraries choose and load kernels.
        one_shape = self._compiled or self.device.type == "cuda"
        padded = [*batch, *[batch[-1]] * (size - len(batch))] if one_shape else list(batch)
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_half):
            values = self._normalize(padded)
            embedding, detail = self._network(values)
            return self._read_back(tuple(batch), embedding[: len(batch)], detail[: len(batch)])

    def time_alone(self, prepared: Sequence[Prepared], *, size: int, warm_up: int = 2, times: int = 3) -> float:
        """Milliseconds a picture of the network alone, in batches of `size` of these pictures."""
        chosen = list(itertools.islice(itertools.cycle(prepared), size))
        spent = []
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.is_half):
            values = self._normalize(chosen)
            for _ in range(warm_up + times):
                start = time.perf_counter()
                self._network(values)
                if self.device.type == "cuda":
                    torch.cuda.synchronize()
                spent.append(time.perf_counter() - start)
        return 1000 * statistics.median(spent[warm_up:]) / size

    def count_operations(self) -> int:
        """Count the multiplications and additions a picture."""
        network = self.encoder.batch_network()  # not the compiled one, whose operations the counter does not see
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            network(torch.zeros(1, 3, self.side, self.side, device=self.device))
        return int(counter.get_total_flops())

    def _normalize(self, batch: Sequence[Prepared]) -> Tensor:
        pixels = self._to_device([entry.pixels for entry in batch])
        values = (pixels.permute(0, 3, 1, 2).float() - self._network.mean) / self._network.std
        values *= self._content_mask(batch, self.side)
        return values.contiguous(memory_format=torch.channels_last)

    def _to_device(self, squares: Sequence[Tensor]) -> Tensor:
        """N times (S, S, 3) uint8 -> (N, S, S, 3) uint8 on the device."""
        on_gpu = self.device.type == "cuda"
        shape = len(squares), self.side, self.side, 3
        if on_gpu and all(square.is_pinned() for square in squares):
            moved = torch.empty(shape, dtype=torch.uint8, device=self.device)
            for place, square in zip(moved, squares, strict=True):
                place.copy_(square, non_blocking=True)
            return moved
        # Stacked straight into pinned memory, from which a GPU copies: otherwise everything would be copied twice.
        stacked = torch.empty(shape, dtype=torch.uint8, pin_memory=on_gpu)
        torch.stack(list(squares), out=stacked)
        return stacked.to(self.device, non_blocking=True)

    def _content_mask(self, batch: Sequence[Prepared], side: int) -> Tensor:
        """(N, 1, S, S): 1 in the content, 0 in the padding, which must be zero after normalizing, too."""
        ends = torch.tensor([(entry.height, entry.width) for entry in batch]).to(self.device, non_blocking=True)
        at = torch.arange(side, device=self.device)
        inside = (at < ends[..., None]).float()  # (N, 2, S)
        return inside[:, None, 0, :, None] * inside[:, None, 1, None, :]

    def _read_back(self, batch: tuple[Prepared, ...], embedding: Tensor, detail: Tensor) -> Pending:
        halves = [values.to(torch.float16).contiguous() for values in (embedding, detail)]
        if self.device.type != "cuda":
            return Pending(batch, halves[0], halves[1], None, self.encoder.identity)
        on_host = [torch.empty(values.shape, dtype=torch.float16, pin_memory=True) for values in halves]
        for target, source in zip(on_host, halves, strict=True):
            target.copy_(source, non_blocking=True)
        ready = torch.cuda.Event()
        ready.record()
        return Pending(batch, on_host[0], on_host[1], ready, self.encoder.identity)
