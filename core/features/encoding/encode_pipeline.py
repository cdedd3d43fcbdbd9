"""Encoding a folder as fast as its slowest part: pictures are read ahead by threads or processes, encoded in batches,
and written by threads behind.

A GPU that runs out of memory gets batches half as large; one that fails altogether hands over to the CPU.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from core.encoders.image_features import ImageFeatures
from core.errors import KnownError, reason
from core.features.cache.feature_cache import FeatureKey
from core.features.encoding.batches import BatchEncoder, Pending, Prepared
from core.features.encoding.read_ahead import PictureReader, read_ahead
from core.features.feature_source import FeatureSource
from core.progress import Job, Progress


@dataclass(frozen=True)
class Pace:
    """How much is under way at once: how many read, pictures in a batch, threads that write.

    Readers are threads, or with `apart` processes, see `read_ahead`.
    """

    readers: int
    batch: int
    writers: int = 4
    apart: bool = False


@dataclass
class Encoded:
    """What became of the pictures: encoded now, cached before, unreadable; the batch and device at the end."""

    encoded: int = 0
    cached: int = 0
    failed: int = 0
    batch: int = 0
    device: str = ""


class EncodePipeline:
    """One run over a folder, into the source's cache."""

    def __init__(
        self,
        source: FeatureSource,
        batches: BatchEncoder,
        pace: Pace,
        *,
        on_cpu: Callable[[], BatchEncoder],
        complain: Callable[[str], None],
    ) -> None:
        """`on_cpu` makes the same encoder on the CPU, for when the GPU fails."""
        self._source = source
        self._batches = batches
        self._pace = pace
        self._batch = pace.batch
        self._on_cpu = on_cpu
        self._complain = complain
        self._writes: deque[Future[None]] = deque()
        self._under_way: deque[tuple[list[FeatureKey], Pending, BatchEncoder]] = deque()

    def run(self, paths: Sequence[Path]) -> Job[Encoded]:
        """Encode what is not cached, until the cache can take no more.

        Closing it stops at the next picture; what was encoded is kept.
        """
        report = Encoded()
        waiting: list[tuple[FeatureKey, Prepared]] = []
        reader = PictureReader(self._source, self._batches.prepare, side=self._batches.side)
        batch = self._pace.batch
        # One batch is under way while the next one comes together.
        ahead = read_ahead(
            paths, reader, count=self._pace.readers, apart=self._pace.apart, slack=2 * batch, held=3 * batch
        )
        with closing(ahead), _pool(self._pace.writers) as writers:
            for done, found in enumerate(ahead):
                yield Progress(done, len(paths), paths[done].name)
                if found is None:
                    report.cached += 1
                elif isinstance(found, KnownError):
                    report.failed += 1
                    self._complain(str(found))
                else:
                    waiting.append(found)
                if len(waiting) >= self._batch:
                    report.encoded += self._encode(waiting, writers)
                    waiting = []
                if self._source.cache is not None and self._source.cache.trouble:
                    break  # what cannot be kept need not be made; the cache tells why
            report.encoded += self._encode(waiting, writers)
            while self._under_way:
                self._finish_one(writers)
            for write in self._writes:
                write.result()
        yield Progress(len(paths), len(paths))
        report.batch, report.device = self._batch, f"{self._batches.device}, {self._batches.precision}"
        return report

    def _encode(self, items: list[tuple[FeatureKey, Prepared]], writers: ThreadPoolExecutor) -> int:
        """Start batches, and finish those before them meanwhile; gives how many pictures."""
        left = list(items)
        while left:
            now = left[: self._batch]
            pending = self._start([prepared for _, prepared in now])
            if pending is None:
                continue  # with a smaller batch, or on the CPU
            self._under_way.append(([key for key, _ in now], pending, self._batches))
            left = left[len(now) :]
            while len(self._under_way) > 1:
                self._finish_one(writers)
        return len(items)

    def _start(self, prepared: list[Prepared]) -> Pending | None:
        try:
            return self._batches.start(prepared, size=self._batch)
        except torch.OutOfMemoryError as error:
            self._shrink(error)
        except RuntimeError as error:
            self._hand_over(error)
        return None

    def _finish_one(self, writers: ThreadPoolExecutor) -> None:
        keys, pending, began = self._under_way.popleft()
        for key, features in zip(keys, self._features(pending, began), strict=True):
            self._writes.append(writers.submit(self._put, key, features))
        while len(self._writes) > 2 * self._pace.batch + self._pace.writers:
            self._writes.popleft().result()

    def _features(self, pending: Pending, began: BatchEncoder) -> list[ImageFeatures]:
        """A GPU's fault may show only here, and then in every batch that it had begun; they are begun again."""
        while True:
            try:
                return pending.features()
            except RuntimeError as error:
                if began is self._batches:
                    self._shrink(error) if isinstance(error, torch.OutOfMemoryError) else self._hand_over(error)
            again = None
            while again is None:
                again = self._start(list(pending.prepared))
            pending, began = again, self._batches

    def _put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """A writer's thread."""
        assert self._source.cache is not None
        self._source.cache.put(key, features)

    def _shrink(self, error: RuntimeError) -> None:
        if self._batch == 1:
            self._hand_over(error)
            return
        self._batch //= 2
        torch.cuda.empty_cache()
        self._complain(f"The GPU ran out of memory: batches of {self._batch} pictures from here on.")

    def _hand_over(self, error: RuntimeError) -> None:
        if self._batches.device.type == "cpu":
            raise error
        self._complain(f"The GPU failed ({reason(error)}): the CPU goes on, more slowly.")
        self._batches = self._on_cpu()
        self._batch = 1


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads whose waiting work is dropped when the job is closed."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
