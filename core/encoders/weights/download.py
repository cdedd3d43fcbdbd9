"""Downloading a published weights file: by huggingface_hub, resumed where it broke off, checked before it counts."""

from __future__ import annotations

import os
import queue
import re
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from core.encoders.weights.files import sha256_of
from core.encoders.weights.published import OFFICIAL_REPOSITORY, OfficialWeights, weights_folder
from core.errors import BadWeightsError, KnownError, StorageError, reason
from core.progress import Job, Progress

MEGA = 1_000_000
_PATIENCE_S = 2.0
_SPEED_OVER_S = 10.0
_ASK_EVERY_S = 0.25
_LOCK_PATIENCE_S = 0.2
_CHUNK = 128 * 1024
_TRIES = 5
_PAUSE_S = 1.0
_SILENCE_S = 20.0


class DownloadError(KnownError):
    """The network or the server failed; what came so far is kept."""


def part_of(official: OfficialWeights) -> Path:
    """Where a download is kept until it is whole and checked."""
    return weights_folder() / f"{official.file}.part"


def download(official: OfficialWeights) -> Job[Path]:
    """Bring a published file here, and give where it lies: whole, and with the published SHA-256.

    Progress counts megabytes; its figures are `bytes_per_s` and `seconds_left`. Closing the job keeps what came, and
    the next one goes on from there. The server is huggingface.co or what HF_ENDPOINT names; HTTPS_PROXY is heeded.
    Raises DownloadError for the network, StorageError for the disk, BadWeightsError for a file that is another one.
    """
    part = part_of(official)
    _make_room(part, official)
    if _size(part) < official.size:
        yield Progress(0, official.size // MEGA, f"looking for {official.file}")
        yield from _fetched(official, part)
    yield Progress(official.size // MEGA, official.size // MEGA, f"checking {official.file}")
    if sha256_of(part) != official.sha256:
        part.unlink(missing_ok=True)
        where = f"{endpoint()} gave another file than the published {official.file}"
        raise BadWeightsError(f"{where} (its SHA-256 differs), so it was removed: try again, or another HF_ENDPOINT.")
    return part


def endpoint() -> str:
    """The server that is asked: HF_ENDPOINT names a mirror."""
    return os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or "https://huggingface.co"


def _fetched(official: OfficialWeights, part: Path) -> Job[None]:
    """Run the transfer on a thread of its own, so that it can be told of and cancelled while the network is silent."""
    transfer = _Transfer(official, part)
    thread = threading.Thread(target=transfer.run, name=f"download-{official.encoder}", daemon=True)
    thread.start()
    speed = _Speed(official.size)
    try:
        while thread.is_alive() or not transfer.news.empty():
            try:
                done = transfer.news.get(timeout=_ASK_EVERY_S)
            except queue.Empty:
                done = _size(part)
            yield speed.progress(done, official)
    finally:
        transfer.cancelled.set()
        thread.join(_PATIENCE_S)
    if transfer.error is not None:
        raise transfer.error


class _Transfer:
    """One transfer: what the thread does, and what it tells."""

    def __init__(self, official: OfficialWeights, part: Path) -> None:
        self._official = official
        self._part = part
        self.news: queue.Queue[int] = queue.Queue()
        self.cancelled = threading.Event()
        self.error: KnownError | None = None

    def run(self) -> None:
        """The thread: until all is there, or an error or a cancel ends it."""
        try:
            with _alone(self._part, self._official):
                url = _look_up(self._official)
                self._receive_patiently(url)
        except KnownError as error:
            self.error = error
        except OSError as error:
            cure = "make room or check the disk"
            self.error = StorageError(f"{self._part} could not be written ({reason(error)}): {cure}.")

    def _receive_patiently(self, url: str) -> None:
        """Ask for what is missing until all is there; an answer that breaks off is asked for again a few times."""
        fruitless = 0
        while not self.cancelled.is_set() and (before := _size(self._part)) < self._official.size:
            try:
                with self._part.open("ab") as file:
                    self._receive(url, file)
            except _NetworkError as error:
                fruitless = fruitless + 1 if _size(self._part) == before else 0
                if fruitless >= _TRIES:
                    raise self._broken_off(error) from error
                self.cancelled.wait(_PAUSE_S)

    def _receive(self, url: str, file: BinaryIO) -> None:
        """One answer of the server, written as it comes."""
        from huggingface_hub import get_session

        have = file.tell()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with _network(), get_session().stream("GET", url, headers=headers, timeout=_SILENCE_S) as response:
            response.raise_for_status()
            if "text/html" in response.headers.get("Content-Type", ""):
                raise _no_hub()
            if response.status_code != HTTPStatus.PARTIAL_CONTENT:  # a server that knows no ranges begins anew
                have = 0
                file.truncate(0)
            for chunk in response.iter_bytes(_CHUNK):
                if have + len(chunk) > self._official.size:
                    file.truncate(0)
                    raise _another_file(self._official, f"more than the published {self._official.size} bytes")
                _write(file, chunk)
                have += len(chunk)
                self.news.put(have)
                if self.cancelled.is_set():
                    return
        if have < self._official.size:
            raise _NetworkError("the server ended early")

    def _broken_off(self, error: Exception) -> DownloadError:
        came = f"{_size(self._part) / MEGA:.0f} of {self._official.size / MEGA:.0f} MB"
        what = f"The download of {self._official.file} broke off after {came} ({error})"
        return DownloadError(f"{what}: try again, it goes on from there.")


class _NetworkError(Exception):
    """Whatever the network library raised: it may work the next time."""


class _DiskError(OSError):
    """The file could not be written, which is no fault of the network."""


@contextmanager
def _network() -> Iterator[None]:
    try:
        yield
    except (KnownError, _DiskError):
        raise
    except Exception as error:
        raise _NetworkError(reason(error)) from error


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise _DiskError(error.errno, error.strerror) from error


class _Speed:
    """Speed over the last seconds, and the time that is left at it."""

    def __init__(self, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def progress(self, done: int, official: OfficialWeights) -> Progress:
        """Megabytes so far, and a few words with speed and time left."""
        now = self._clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _SPEED_OVER_S:
            self._seen.popleft()
        seconds, count = now - self._seen[0][0], done - self._seen[0][1]
        figures, words = {}, official.file
        if seconds > 0 and count > 0:
            per_s = count / seconds
            left = (self._total - done) / per_s
            figures = {"bytes_per_s": per_s, "seconds_left": left}
            words = f"{official.file}, {per_s / MEGA:.1f} MB/s, {in_words(left)} left"
        return Progress(min(done, self._total) // MEGA, self._total // MEGA, words, figures)


def in_words(seconds: float) -> str:
    """`40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _look_up(official: OfficialWeights) -> str:
    """Where the pinned revision is served from now. Raises DownloadError, BadWeightsError where its size is wrong."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    server = endpoint()
    url = hf_hub_url(OFFICIAL_REPOSITORY, official.file, revision=official.revision, endpoint=server)
    try:
        found = get_hf_file_metadata(url, token=False, library_name="boxrefine", endpoint=server)
    except Exception as error:  # it may be the network, its proxy, the server, or a page where the server should be
        raise _unreachable(error) from error
    if found.commit_hash is None:
        raise _no_hub()
    if found.size is not None and found.size != official.size:
        raise _another_file(official, f"{found.size} bytes, not the published {official.size}")
    return str(found.location)


def _another_file(official: OfficialWeights, sizes: str) -> BadWeightsError:
    return BadWeightsError(f"{endpoint()} offers another {official.file} ({sizes}): try another HF_ENDPOINT.")


def _unreachable(error: Exception) -> DownloadError:
    from huggingface_hub.errors import EntryNotFoundError, FileMetadataError, RepositoryNotFoundError

    if isinstance(error, FileMetadataError):
        return _no_hub()
    elsewhere = "or fetch it on another computer and take it in (boxrefine models add, in the window: I have the file)"
    if isinstance(error, EntryNotFoundError | RepositoryNotFoundError):
        return DownloadError(f"{endpoint()} does not have the published file: unset HF_ENDPOINT, {elsewhere}.")
    why = re.sub(r"\[Errno -?\d+\] ", "", reason(error))
    return DownloadError(f"{endpoint()} cannot be reached ({why}): check the network and HTTPS_PROXY, {elsewhere}.")


def _no_hub() -> DownloadError:
    what = f"{endpoint()} answers with a web page instead of the file"
    return DownloadError(f"{what}: check HF_ENDPOINT, the proxy, or whether the network wants a login.")


@contextmanager
def _alone(part: Path, official: OfficialWeights) -> Iterator[None]:
    try:
        with FileLock(part.with_name(f".{part.name}.lock"), timeout=_LOCK_PATIENCE_S):
            yield
    except TimeoutError as error:
        message = f"Another BoxRefine is downloading {official.file}: wait for it, or cancel it there."
        raise DownloadError(message) from error


def _make_room(part: Path, official: OfficialWeights) -> None:
    """Raises StorageError where the file and what it is converted to will not fit."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(part.parent).free
    except OSError as error:
        raise StorageError(
            f"{part.parent} cannot be used ({reason(error)}): check it, or set BOXREFINE_WEIGHTS."
        ) from error
    needed = 2 * official.size - _size(part)
    if free < needed:
        sizes = f"{needed / MEGA:.0f} MB for {official.file} but has {free / MEGA:.0f} MB"
        raise StorageError(f"{part.parent} needs {sizes}: make room, or set BOXREFINE_WEIGHTS to another drive.")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
