"""Encode a folder in a pipeline, as fast as its slowest stage.

Threads or processes read pictures ahead, the encoder computes batches, and threads write the features. A GPU that runs
out of memory gets batches half as large; the CPU replaces a GPU that fails altogether.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass

import torch

from core.encoders.image_features import ImageFeatures
from core.errors import KnownError, reason
from core.features.cache.feature_cache import FeatureKey
from core.features.encoding.batches import BatchEncoder, Pending, Prepared
from core.features.encoding.read_ahead import Found, PictureReader, read_ahead
from core.features.feature_source import FeatureSource
from core.object_store.remote_file import PictureFile
from core.progress import Job, Progress
from core.translation import tr, tr_plural


@dataclass(frozen=True)
class Pace:
    """The sizes of the stages: number of readers, pictures in a batch, number of threads that write.

    Readers are threads, or processes with `in_processes`, see `read_ahead`.
    """

    readers: int
    batch: int
    writers: int = 4
    in_processes: bool = False


@dataclass
class Encoded:
    """Numbers of pictures encoded now, cached before, and unreadable; batch size and device at the end."""

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
        notice: Callable[[Found], None] | None = None,
    ) -> None:
        """`on_cpu` makes the same encoder on the CPU, where the GPU fails; `complain` shows a sentence to the user.

        `notice` gets the result of reading each picture, in the order of the pictures.
        """
        self._source = source
        self._batches = batches
        self._pace = pace
        self._batch = pace.batch
        self._on_cpu = on_cpu
        self._complain = complain
        self._notice = notice
        self._writes: deque[Future[None]] = deque()
        self._under_way: deque[tuple[list[FeatureKey], Pending, BatchEncoder]] = deque()

    def run(self, paths: Sequence[PictureFile]) -> Job[Encoded]:
        """Encode the pictures that are not cached; stop where the cache cannot store features any more.

        Closing the job stops at the next picture; the encoded features are kept.
        """
        report = Encoded()
        waiting: list[tuple[FeatureKey, Prepared]] = []
        reader = PictureReader(self._source, self._batches.prepare, side=self._batches.side)
        batch = self._pace.batch
        # The device computes one batch while the readers fill the next one.
        ahead = read_ahead(
            paths,
            reader,
            count=self._pace.readers,
            in_processes=self._pace.in_processes,
            slack=2 * batch,
            held=3 * batch,
        )
        with closing(ahead), _pool(self._pace.writers) as writers:
            for done, found in enumerate(ahead):
                yield Progress(done, len(paths), paths[done].name)
                if self._notice is not None:
                    self._notice(found)
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
                    break  # features that cannot be stored need not be computed; the caller reports `trouble`
            report.encoded += self._encode(waiting, writers)
            while self._under_way:
                self._finish_one(writers)
            for write in self._writes:
                write.result()
        yield Progress(len(paths), len(paths))
        report.batch, report.device = self._batch, f"{self._batches.device}, {self._batches.precision}"
        return report

    def _encode(self, items: list[tuple[FeatureKey, Prepared]], writers: ThreadPoolExecutor) -> int:
        """Start batches of `items`, and meanwhile finish the batches before them; return the number of items."""
        left = list(items)
        while left:
            now = left[: self._batch]
            pending = self._start([prepared for _, prepared in now])
            if pending is None:
                continue  # try again with a smaller batch, or on the CPU
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
        """Wait for a batch. A GPU's error may surface only here, in every batch that it had started: restart them."""
        while True:
            try:
                return pending.features()
            except RuntimeError as error:
                if began is self._batches:
                    self._shrink(error) if isinstance(error, torch.OutOfMemoryError) else self._hand_over(error)
            restarted = None
            while restarted is None:
                restarted = self._start(list(pending.prepared))
            pending, began = restarted, self._batches

    def _put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """Store features; runs on a writer's thread."""
        assert self._source.cache is not None
        self._source.cache.put(key, features)

    def _shrink(self, error: RuntimeError) -> None:
        if self._batch == 1:
            self._hand_over(error)
            return
        self._batch //= 2
        torch.cuda.empty_cache()
        self._complain(
            tr_plural(
                "The GPU ran out of memory: batches of {count} picture from here on.",
                "The GPU ran out of memory: batches of {count} pictures from here on.",
                self._batch,
            )
        )

    def _hand_over(self, error: RuntimeError) -> None:
        if self._batches.device.type == "cpu":
            raise error
        self._complain(tr("The GPU failed ({why}): the CPU goes on, more slowly.", why=reason(error)))
        self._batches = self._on_cpu()
        self._batch = 1


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads that drops its waiting work when the job is closed."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
