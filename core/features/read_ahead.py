"""Reading pictures ahead of an encoder: in threads, or in processes where many cores feed a GPU.

Threads share one interpreter, which lets about seventy pictures of 1920 x 1080 a second through, however many cores
there are: a GPU with a small encoder would wait. Only Linux can begin processes at once, by forking.
"""

from __future__ import annotations

import math
import multiprocessing
import shutil
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, get_worker_info

from core.encoders.batches import Prepared
from core.errors import KnownError, StorageError, reason
from core.features.feature_key import FeatureKey
from core.features.feature_source import FeatureSource
from core.geometry import Frame
from core.images import Picture

T = TypeVar("T")
Found = tuple[FeatureKey, Prepared] | KnownError | None
"""A picture to encode, why it cannot be read, or (None) that its features are cached."""

_SHARED_MEMORY = Path("/dev/shm")
_BYTES_EACH = 4 << 20  # a prepared picture is 3 MiB at most
_CHUNK = 8


class PictureReader:
    """Finds out whether a picture must be encoded, and prepares it if so; for any thread."""

    def __init__(self, source: FeatureSource, prepare: Callable[[Picture, Frame], Prepared]) -> None:
        self._source = source
        self._prepare = prepare

    def read(self, path: Path) -> Found:
        """What becomes of one picture; never raises for what is wrong with it."""
        source = self._source
        try:
            known = source.recall(path)
            if known is not None and source.holds(path, known):
                return None
            picture, known = source.read(path)
            if source.holds(path, known):
                return None
            key = source.key_of(path, known)
            return key, self._prepare(picture, key.frame)
        except KnownError as error:
            return error

    def begin_apart(self) -> None:
        """Let go of what may not be shared with the process that this one was forked from."""
        cv2.setNumThreads(0)  # its threads stayed behind in the other process
        cache = self._source.cache
        self._source = FeatureSource(self._source.encoder, cache and cache.again())


def can_read_apart(count: int) -> bool:
    """Whether processes can be forked here, with shared memory enough for `count` pictures under way.

    Containers often have 64 MiB of it, and a process that runs out of it is killed without a word.
    """
    try:
        return sys.platform == "linux" and shutil.disk_usage(_SHARED_MEMORY).free > count * _BYTES_EACH
    except OSError:
        return False


def read_ahead(
    paths: Sequence[Path], reader: PictureReader, *, count: int, apart: bool, slack: int
) -> Generator[Found, None, None]:
    """What becomes of each picture, in their order, read by `count` at once, up to `slack` more pictures ahead.

    Readers are threads, or processes where `apart` and possible. Closing it ends them. Raises StorageError where the
    system took a process away.
    """
    if apart and can_read_apart(2 * count * _CHUNK + slack):
        yield from _in_processes(paths, reader, count=count, slack=slack)
    else:
        yield from _in_threads(paths, reader, count=count, slack=slack)


def _in_threads(
    paths: Sequence[Path], reader: PictureReader, *, count: int, slack: int
) -> Generator[Found, None, None]:
    futures: deque[Future[Found]] = deque()
    threads = ThreadPoolExecutor(count)
    try:
        for path in paths:
            futures.append(threads.submit(reader.read, path))
            if len(futures) > count + slack:
                yield futures.popleft().result()
        while futures:
            yield futures.popleft().result()
    finally:
        threads.shutdown(cancel_futures=True)


class _Chunks(Dataset["_Chunk"]):
    """A few pictures at a time: each message costs the receiving process a dozen system calls, whatever it holds."""

    def __init__(self, paths: Sequence[Path], reader: PictureReader) -> None:
        self.paths = paths
        self.reader = reader

    def __len__(self) -> int:
        return math.ceil(len(self.paths) / _CHUNK)

    def __getitem__(self, index: int) -> _Chunk:
        start = index * _CHUNK
        return _Chunk.of([self.reader.read(path) for path in self.paths[start : start + _CHUNK]])


@dataclass(frozen=True)
class _Chunk:
    """What became of a few pictures, with the pixels of all in one piece of shared memory."""

    found: list[Found]
    pixels: Tensor | None

    @classmethod
    def of(cls, found: list[Found]) -> _Chunk:
        own = [entry[1].pixels for entry in found if isinstance(entry, tuple)]
        nothing = torch.empty(0)
        bare = [(e[0], replace(e[1], pixels=nothing)) if isinstance(e, tuple) else e for e in found]
        return cls(bare, torch.stack(own) if own else None)

    def unpacked(self) -> Iterator[Found]:
        rows = iter(() if self.pixels is None else self.pixels)
        for entry in self.found:
            yield (entry[0], replace(entry[1], pixels=next(rows))) if isinstance(entry, tuple) else entry


def _in_processes(
    paths: Sequence[Path], reader: PictureReader, *, count: int, slack: int
) -> Generator[Found, None, None]:
    loader: DataLoader[_Chunk] = DataLoader(
        _Chunks(paths, reader),
        batch_size=None,
        num_workers=count,
        prefetch_factor=1 + slack // (count * _CHUNK),
        collate_fn=_unchanged,
        worker_init_fn=_begin_apart,
        multiprocessing_context=multiprocessing.get_context("fork"),
    )
    with warnings.catch_warnings():
        # Python warns of forking beside threads; the readers use none of what those may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        chunks = iter(loader)
    try:
        for chunk in chunks:
            yield from chunk.unpacked()
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise StorageError(f"A process that reads pictures ended ({reason(error)}): use fewer --readers.") from error


def _unchanged(found: T) -> T:
    return found


def _begin_apart(_: int) -> None:
    info = get_worker_info()
    assert info is not None and isinstance(info.dataset, _Chunks)
    info.dataset.reader.begin_apart()
