"""Reading pictures ahead of an encoder: in threads, or in processes where many cores feed a GPU.

Threads share one interpreter, which lets about seventy pictures of 1920 x 1080 a second through, however many cores
there are: a GPU with a small encoder would wait. Only Linux can begin processes at once, by forking. They leave the
pixels in a ring of shared memory, from which the GPU copies them by itself: what passes through the interpreter is a
few words a picture.
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
from pathlib import Path
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

T = TypeVar("T")
Found = tuple[FeatureKey, Prepared] | KnownError | None
"""A picture to encode, why it cannot be read, or (None) that its features are cached."""

_Entry = tuple[FeatureKey, int, int, Frame] | KnownError | None
"""The same without the pixels."""

_Places = tuple[int, ...]
_Errand = tuple[int, _Places]
"""A chunk of pictures by its number, and places for their pixels."""

_Told = tuple[_Places, list[_Entry]]
"""What became of a chunk, and the places it was lent: each picture has its own, whether it filled it or not."""

_CHUNK = 4


class PictureReader:
    """Finds out whether a picture must be encoded, and prepares it if so; for any thread."""

    def __init__(self, source: FeatureSource, prepare: Callable[[Picture, Frame], Prepared], *, side: int) -> None:
        """`side`: of the square of pixels that `prepare` makes."""
        self.side = side
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
        except (MemoryError, cv2.error) as error:
            return BadFileError(f"The picture {path} cannot be prepared ({reason(error)}): make it smaller.")

    def begin_apart(self) -> None:
        """Let go of what may not be shared with the process that this one was forked from."""
        cv2.setNumThreads(0)  # its threads stayed behind in the other process
        cache = self._source.cache
        self._source = FeatureSource(self._source.encoder, cache and cache.again())


def read_ahead(
    paths: Sequence[Path], reader: PictureReader, *, count: int, apart: bool, slack: int, held: int
) -> Generator[Found, None, None]:
    """What becomes of each picture, in their order, read by `count` at once, up to `slack` more pictures ahead.

    Readers are threads, or processes where `apart` and possible. Pixels stay as they are until more than `held` others
    were taken; pictures without pixels do not count. Closing it ends the readers. Raises StorageError where the system
    has no memory for processes, or took one away.
    """
    if apart and sys.platform == "linux":
        yield from _in_processes(paths, reader, count=count, slack=slack, held=held)
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


class _Ring:
    """Memory for the pixels of a number of pictures, shared with processes that are forked from this one.

    Each place is lent to whoever reads a picture, and comes back once that was used or nothing was put there.
    """

    def __init__(self, places: int, side: int) -> None:
        """Raises StorageError where there is no memory for it."""
        # No name and no file, so nothing is left behind and no small /dev/shm of a container is in the way.
        size = places * side * side * 3
        try:
            self._memory = mmap.mmap(-1, size)
        except OSError as error:
            cure = "use fewer --readers or a smaller --batch"
            raise StorageError(f"There is no memory to read pictures ahead ({size / 1e9:.1f} GB): {cure}.") from error
        self._pixels = torch.frombuffer(self._memory, dtype=torch.uint8).view(places, side, side, 3)
        self._free = deque(range(places))

    def lend(self) -> _Places:
        """Places for a chunk."""
        return tuple(self._free.popleft() for _ in range(_CHUNK))

    def take_back(self, place: int) -> None:
        """Let a place be lent again, which overwrites what is there."""
        self._free.append(place)

    def at(self, place: int) -> Tensor:
        """The pixels (S, S, 3) of a place."""
        return self._pixels[place]

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """Let a GPU, if there is one in use, copy from it without waiting; only after the forks, which must not see it.

        A system that does not allow it makes copies slower.
        """
        if not torch.cuda.is_initialized():
            yield
            return
        calls, at = torch.cuda.cudart(), self._pixels.data_ptr()
        done = int(calls.cudaHostRegister(at, self._pixels.nbytes, 0)) == 0
        try:
            yield
        finally:
            with suppress(RuntimeError):  # a GPU that has failed, of which others told, copies nothing any more
                torch.cuda.synchronize()
            if done:
                calls.cudaHostUnregister(at)


class _Errands(Sampler[_Errand]):
    """Chunks in their order, each with places for its pixels: asked when a process has time for one more."""

    def __init__(self, chunks: int, ring: _Ring) -> None:
        self._chunks = chunks
        self._ring = ring

    def __len__(self) -> int:
        return self._chunks

    def __iter__(self) -> Iterator[_Errand]:
        for chunk in range(self._chunks):
            yield chunk, self._ring.lend()


class _Chunks(Dataset[_Told]):
    """A few pictures at a time: each message costs the receiving process a dozen system calls, whatever it holds."""

    def __init__(self, paths: Sequence[Path], reader: PictureReader, ring: _Ring) -> None:
        self.paths = paths
        self.reader = reader
        self.ring = ring

    def __getitem__(self, errand: _Errand) -> _Told:
        chunk, places = errand
        start = chunk * _CHUNK
        told: list[_Entry] = []
        for path, place in zip(self.paths[start : start + _CHUNK], places, strict=False):
            found = self.reader.read(path)
            if isinstance(found, tuple):
                key, prepared = found
                self.ring.at(place).copy_(prepared.pixels)
                told.append((key, prepared.width, prepared.height, prepared.frame))
            else:
                told.append(found)
        return places, told


def _in_processes(
    paths: Sequence[Path], reader: PictureReader, *, count: int, slack: int, held: int
) -> Generator[Found, None, None]:
    ahead = 1 + slack // (count * _CHUNK)
    # Places for what is being read; for a chunk that was taken, before whose pictures the next one is begun; and for
    # those in use. They are lent, not counted off: nobody knows how many cached pictures lie between two of a batch.
    ring = _Ring((count * ahead + 1) * _CHUNK + held + 1, reader.side)
    with warnings.catch_warnings():
        # Python warns of forking beside threads; the readers use none of what those may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "This DataLoader will create")  # --readers may be more than there are cores
        loader: DataLoader[_Told] = DataLoader(
            _Chunks(paths, reader, ring),
            sampler=_Errands(math.ceil(len(paths) / _CHUNK), ring),
            batch_size=None,
            num_workers=count,
            prefetch_factor=ahead,
            collate_fn=_unchanged,
            worker_init_fn=_begin_apart,
            multiprocessing_context=multiprocessing.get_context("fork"),
        )
        chunks = iter(loader)
    try:
        with ring.pinned():
            yield from _with_pixels(chunks, ring, held=held)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise StorageError(f"A process that reads pictures ended ({reason(error)}): use fewer --readers.") from error


def _with_pixels(chunks: Iterable[_Told], ring: _Ring, *, held: int) -> Iterator[Found]:
    """What was told, with the pixels that go with it."""
    in_use: deque[int] = deque()
    for places, told in chunks:
        for entry, place in zip(told, places, strict=False):
            if not isinstance(entry, tuple):
                ring.take_back(place)
                yield entry
                continue
            if len(in_use) > held:
                ring.take_back(in_use.popleft())
            in_use.append(place)
            key, width, height, frame = entry
            yield key, Prepared(ring.at(place), width, height, frame)


def _unchanged(found: T) -> T:
    return found


def _begin_apart(_: int) -> None:
    info = get_worker_info()
    assert info is not None and isinstance(info.dataset, _Chunks)
    info.dataset.reader.begin_apart()
