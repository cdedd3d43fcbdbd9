"""Bringing the features of many pictures into the cache: only the missing ones are encoded, many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from core.errors import GpuError
from core.features.encoding.batches import BatchEncoder
from core.features.encoding.encode_pipeline import EncodePipeline, Pace
from core.features.feature_source import FeatureSource
from core.progress import Job, Progress


@dataclass(frozen=True)
class Extraction:
    """How many pictures were cached, how many had to be encoded, and a sentence for each that cannot be read."""

    hits: int
    encoded: int
    bad: tuple[str, ...]

    @property
    def hit_rate(self) -> float:
        """Share of the readable pictures whose features were there."""
        return self.hits / max(1, self.hits + self.encoded)


def encode_missing(paths: Sequence[Path], source: FeatureSource, *, batch: int) -> Job[Extraction]:
    """Encode the pictures that the cache of `source` does not hold, `batch` at a time.

    In full precision, so that a picture has the same features as in the window. Raises GpuError where the GPU fails.
    """
    readers = 1 if source.encoder.device.type == "cpu" else 4
    bad: list[str] = []
    pipeline = EncodePipeline(
        source,
        BatchEncoder(source.encoder, precision="fp32"),
        Pace(readers=readers, batch=min(batch, max(1, len(paths)))),
        on_cpu=_no_other_encoder,
        complain=bad.append,
    )
    done = yield from pipeline.run(paths)
    found = Extraction(done.cached, done.encoded, tuple(bad))
    yield Progress(len(paths), len(paths), "prepared", {"hit_rate": found.hit_rate})
    return found


def _no_other_encoder() -> BatchEncoder:
    """Training would go on with the same encoder, so it has to be started anew on the CPU."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise GpuError("The GPU fails while it encodes: start again with --device cpu.")
