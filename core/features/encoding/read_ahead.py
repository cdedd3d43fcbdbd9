"""Read pictures ahead of an encoder: in threads, or in processes where many cores feed a GPU.

Threads share one interpreter, whose lock limits them to about seventy pictures of 1920 x 1080 a second on any number of
cores: a GPU with a small encoder would wait. Processes have no such limit, but only Linux starts them quickly, by
forking. They write the pixels into a ring of shared memory, from which the GPU copies them directly; the message to the
main process is a few bytes a picture.
"""

from __future__ import annotations

import math
import mmap
import multiprocessing
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info

from core.errors import BadFileError, KnownError, StorageError, reason
from core.features.cache.feature_key import FeatureKey
from core.features.encoding.batches import Prepared
from core.features.feature_source import FeatureSource
from core.geometry import Frame
from core.images import Picture
from core.object_store.remote_file import PictureFile
from core.translation import tr

T = TypeVar("T")
Found = tuple[FeatureKey, Prepared] | KnownError | None
"""The result for one picture: its key and pixels, the error why it cannot be read, or None if it is cached."""

_Entry = tuple[FeatureKey, int, int, Frame] | KnownError | None
"""A result without the pixels: key, width, height, frame."""

_Places = tuple[int, ...]
_Task = tuple[int, _Places]
"""A chunk of pictures by its number, and places in the ring for their pixels."""

_Results = tuple[_Places, list[_Entry]]
"""The results of a chunk, and its places: one for each picture, also for those without pixels."""

_CHUNK = 4
"""Pictures in a chunk."""


class PictureReader:
    """Decides whether a picture must be encoded, and prepares it if so; for any thread."""

    def __init__(self, source: FeatureSource, prepare: Callable[[Picture, Frame], Prepared], *, side: int) -> None:
        """`side`: the side, in pixels, of the square that `prepare` makes."""
        self.side = side
        self._source = source
        self._prepare = prepare

    def read(self, path: PictureFile) -> Found:
        """Read one picture; errors of the file are returned, never raised."""
        source = self._source
        try:
            known = source.recall(path)
            if known is not None and source.holds(path, known):
                source.share(path, known)
                return None
            picture, known = source.read(path)
            if source.holds(path, known):
                source.share(path, known)
                return None
            key = source.key_of(path, known)
            return key, self._prepare(picture, key.frame)
        except KnownError as error:
            return error
        except (MemoryError, ArithmeticError, ValueError, RuntimeError, cv2.error) as error:
            # One odd picture of a hundred thousand must not end the others.
            return BadFileError(
                tr("The picture {path} cannot be prepared ({why}): make it smaller.", path=path, why=reason(error))
            )

    def reset_after_fork(self) -> None:
        """Replace the objects that this forked process may not share with its parent."""
        cv2.setNumThreads(0)  # a fork does not copy OpenCV's threads
        cache = self._source.cache
        self._source = FeatureSource(self._source.encoder, cache and cache.reopen())


def read_ahead(
    paths: Sequence[PictureFile], reader: PictureReader, *, count: int, in_processes: bool, slack: int, held: int
) -> Generator[Found, None, None]:
    """Read pictures by `count` readers, up to `slack` more pictures ahead, and yield the results in order.

    Readers are threads, or processes where `in_processes` is set and the system is Linux. The pixels of a result stay
    valid until more than `held` further results with pixels were taken. Closing the generator ends the readers. Raises
    StorageError where the system has no memory for processes, or killed one.
    """
    if in_processes and sys.platform == "linux":
        yield from _in_processes(paths, reader, count=count, slack=slack, held=held)
    else:
        yield from _in_threads(paths, reader, count=count, slack=slack)


def _in_threads(
    paths: Sequence[PictureFile], reader: PictureReader, *, count: int, slack: int
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


class _Ring:
    """Memory for the pixels of a number of pictures, shared with processes that are forked from this one.

    Each place is lent to the reader of a picture, and returned after its pixels were used, or where it has none.
    """

    def __init__(self, places: int, side: int) -> None:
        """Raises StorageError where there is no memory for it."""
        # Anonymous memory: no file stays behind, and the small /dev/shm of a container is no limit.
        size = places * side * side * 3
        try:
            self._memory = mmap.mmap(-1, size)
        except OSError as error:
            raise StorageError(
                tr(
                    "There is no memory to read pictures ahead ({size} GB): use fewer --readers or a smaller --batch.",
                    size=f"{size / 1e9:.1f}",
                )
            ) from error
        self._pixels = torch.frombuffer(self._memory, dtype=torch.uint8).view(places, side, side, 3)
        self._free = deque(range(places))

    def lend(self) -> _Places:
        """Lend places for a chunk."""
        return tuple(self._free.popleft() for _ in range(_CHUNK))

    def take_back(self, place: int) -> None:
        """Return a place, whose next reader overwrites its pixels."""
        self._free.append(place)

    def at(self, place: int) -> Tensor:
        """The pixels (S, S, 3) of a place."""
        return self._pixels[place]

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Pin the memory, if a GPU is in use, so that it copies asynchronously; only after the forks.

        Where the system refuses to pin it, copies are slower.
        """
        if not torch.cuda.is_initialized():
            yield
            return
        calls, at = torch.cuda.cudart(), self._pixels.data_ptr()
        done = int(calls.cudaHostRegister(at, self._pixels.nbytes, 0)) == 0
        try:
            yield
        finally:
            with suppress(RuntimeError):  # a GPU that has failed copies no longer; the pipeline reports it
                torch.cuda.synchronize()
            if done:
                calls.cudaHostUnregister(at)


class _TaskSampler(Sampler[_Task]):
    """Chunks in their order, each with places for its pixels; the loader takes one when a process is free."""

    def __init__(self, chunks: int, ring: _Ring) -> None:
        self._chunks = chunks
        self._ring = ring

    def __len__(self) -> int:
        return self._chunks

    def __iter__(self) -> Iterator[_Task]:
        for chunk in range(self._chunks):
            yield chunk, self._ring.lend()


class _Chunks(Dataset[_Results]):
    """Reads chunks in a process. A message of any size costs its receiver a dozen system calls, so it holds a chunk."""

    def __init__(self, paths: Sequence[PictureFile], reader: PictureReader, ring: _Ring) -> None:
        self.paths = paths
        self.reader = reader
        self.ring = ring

    def __getitem__(self, task: _Task) -> _Results:
        chunk, places = task
        start = chunk * _CHUNK
        entries: list[_Entry] = []
        for path, place in zip(self.paths[start : start + _CHUNK], places, strict=False):
            found = self.reader.read(path)
            if isinstance(found, tuple):
                key, prepared = found
                self.ring.at(place).copy_(prepared.pixels)
                entries.append((key, prepared.width, prepared.height, prepared.frame))
            else:
                entries.append(found)
        return places, entries


def _in_processes(
    paths: Sequence[PictureFile], reader: PictureReader, *, count: int, slack: int, held: int
) -> Generator[Found, None, None]:
    ahead = 1 + slack // (count * _CHUNK)
    # Places for the chunks being read, for one chunk that was taken while the next one is started, and for the pictures
    # in use. They are lent one by one, because any number of cached pictures may lie between two of a batch.
    ring = _Ring((count * ahead + 1) * _CHUNK + held + 1, reader.side)
    with warnings.catch_warnings():
        # Python warns about forking a process with threads; the readers use no lock that those may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        # torch warns where --readers exceeds the number of cores.
        warnings.filterwarnings("ignore", "This DataLoader will create")  # untranslated: torch's warning
        loader: DataLoader[_Results] = DataLoader(
            _Chunks(paths, reader, ring),
            sampler=_TaskSampler(math.ceil(len(paths) / _CHUNK), ring),
            batch_size=None,
            num_workers=count,
            prefetch_factor=ahead,
            collate_fn=_keep,
            worker_init_fn=_start_worker,
            multiprocessing_context=multiprocessing.get_context("fork"),
        )
        chunks = iter(loader)
    try:
        with ring.pinned():
            yield from _attach_pixels(chunks, ring, held=held)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):  # untranslated: torch's words
            raise
        raise StorageError(
            tr("A process that reads pictures ended ({why}): use fewer --readers.", why=reason(error))
        ) from error


def _attach_pixels(chunks: Iterable[_Results], ring: _Ring, *, held: int) -> Iterator[Found]:
    """Yield the results with their pixels in the ring, and return places after `held` further ones."""
    in_use: deque[int] = deque()
    for places, entries in chunks:
        for entry, place in zip(entries, places, strict=False):
            if not isinstance(entry, tuple):
                ring.take_back(place)
                yield entry
                continue
            if len(in_use) > held:
                ring.take_back(in_use.popleft())
            in_use.append(place)
            key, width, height, frame = entry
            yield key, Prepared(ring.at(place), width, height, frame)


def _keep(found: T) -> T:
    """Collate nothing: a chunk is one item."""
    return found


def _start_worker(_: int) -> None:
    info = get_worker_info()
    assert info is not None and isinstance(info.dataset, _Chunks)
    info.dataset.reader.reset_after_fork()
