"""Bring the features of many pictures into the cache: encode the missing ones in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from core.errors import GpuError
from core.features.encoding.batches import BatchEncoder
from core.features.encoding.encode_pipeline import EncodePipeline, Pace
from core.features.feature_source import FeatureSource
from core.object_store.remote_file import PictureFile
from core.progress import Job, Progress
from core.translation import tr


@dataclass(frozen=True)
class Extraction:
    """Numbers of cached and of newly encoded pictures, and a sentence for each one that cannot be read."""

    hits: int
    encoded: int
    bad: tuple[str, ...]

    @property
    def hit_rate(self) -> float:
        """The share of the readable pictures whose features were cached."""
        return self.hits / max(1, self.hits + self.encoded)


def encode_missing(paths: Sequence[PictureFile], source: FeatureSource, *, batch: int) -> Job[Extraction]:
    """Encode the pictures that the cache of `source` does not hold, `batch` at a time.

    It computes in fp32, so that a picture has the same features as in the window. Raises GpuError where the GPU fails.
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
    yield Progress(len(paths), len(paths), tr("prepared"), {"hit_rate": found.hit_rate})
    return found


def _no_other_encoder() -> BatchEncoder:
    """Raise GpuError: training cannot change its encoder's device while it runs, so the user must restart it."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    raise GpuError(tr("The GPU fails while it encodes: start again with --device cpu."))
