"""Download a published weights file by huggingface_hub: resumed where it broke off, checked before it is used."""

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
from core.translation import tr

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
    """The network or the server failed; the part downloaded so far is kept."""


def part_of(official: OfficialWeights) -> Path:
    """The partial file of a download, until it is whole and checked."""
    return weights_folder() / f"{official.file}.part"


def download(official: OfficialWeights) -> Job[Path]:
    """Download a published file and return its path: whole, and with the published SHA-256.

    Progress counts megabytes; its figures are `bytes_per_s` and `seconds_left`. Closing the job keeps the partial
    file, which the next one continues. The server is huggingface.co or HF_ENDPOINT; the network library uses
    HTTPS_PROXY. Raises DownloadError for the network, StorageError for the disk, BadWeightsError for another file.
    """
    part = part_of(official)
    _check_room(part, official)
    if _size(part) < official.size:
        yield Progress(0, official.size // MEGA, tr("looking for {file}", file=official.file))
        yield from _fetch(official, part)
    yield Progress(official.size // MEGA, official.size // MEGA, tr("checking {file}", file=official.file))
    if sha256_of(part) != official.sha256:
        part.unlink(missing_ok=True)
        raise BadWeightsError(
            tr(
                "{server} gave another file than the published {file} (its SHA-256 differs), so it was removed: try "
                "again, or another HF_ENDPOINT.",
                server=endpoint(),
                file=official.file,
            )
        )
    return part


def endpoint() -> str:
    """The URL of the server: HF_ENDPOINT for a mirror, else huggingface.co."""
    return os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or "https://huggingface.co"


def _fetch(official: OfficialWeights, part: Path) -> Job[None]:
    """Run the transfer on its own thread, so that the job can report and be cancelled while the network is silent."""
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
    """One transfer on its own thread: `news` holds the bytes so far, `error` the reason why it failed."""

    def __init__(self, official: OfficialWeights, part: Path) -> None:
        self._official = official
        self._part = part
        self.news: queue.Queue[int] = queue.Queue()
        self.cancelled = threading.Event()
        self.error: KnownError | None = None

    def run(self) -> None:
        """The thread's function: returns when the file is whole, at an error, or when it is cancelled."""
        try:
            with _lock(self._part, self._official):
                url = _look_up(self._official)
                self._receive_patiently(url)
        except KnownError as error:
            self.error = error
        except OSError as error:
            self.error = StorageError(
                tr(
                    "{file} could not be written ({why}): make room or check the disk.",
                    file=self._part,
                    why=reason(error),
                )
            )

    def _receive_patiently(self, url: str) -> None:
        """Request the missing bytes until the file is whole; give up after _TRIES responses without a byte."""
        fruitless = 0
        while not self.cancelled.is_set() and (before := _size(self._part)) < self._official.size:
            try:
                with self._part.open("ab") as file:
                    self._receive(url, file)
            except _NetworkError as error:
                fruitless = fruitless + 1 if _size(self._part) == before else 0
                if fruitless >= _TRIES:
                    raise self._broke_off(error) from error
                self.cancelled.wait(_PAUSE_S)

    def _receive(self, url: str, file: BinaryIO) -> None:
        """Write one response of the server to `file` as it arrives."""
        from huggingface_hub import get_session

        have = file.tell()
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with _network(), get_session().stream("GET", url, headers=headers, timeout=_SILENCE_S) as response:
            response.raise_for_status()
            if "text/html" in response.headers.get("Content-Type", ""):
                raise _not_a_hub()
            if response.status_code != HTTPStatus.PARTIAL_CONTENT:  # a server without ranges sends the whole file
                have = 0
                file.truncate(0)
            for chunk in response.iter_bytes(_CHUNK):
                if have + len(chunk) > self._official.size:
                    file.truncate(0)
                    raise BadWeightsError(
                        tr(
                            "{server} offers another {file} (more than the published {size} bytes): try another "
                            "HF_ENDPOINT.",
                            server=endpoint(),
                            file=self._official.file,
                            size=self._official.size,
                        )
                    )
                _write(file, chunk)
                have += len(chunk)
                self.news.put(have)
                if self.cancelled.is_set():
                    return
        if have < self._official.size:
            raise _NetworkError(tr("the server ended early"))

    def _broke_off(self, error: Exception) -> DownloadError:
        return DownloadError(
            tr(
                "The download of {file} broke off after {size} of {total} MB ({why}): try again, it goes on from "
                "there.",
                file=self._official.file,
                size=f"{_size(self._part) / MEGA:.0f}",
                total=f"{self._official.size / MEGA:.0f}",
                why=error,
            )
        )


class _NetworkError(Exception):
    """An error of the network library: the next try may succeed."""


class _DiskError(OSError):
    """The file could not be written; kept apart from errors of the network, which are tried again."""


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
    """The speed over the last _SPEED_OVER_S seconds, and the time left at that speed."""

    def __init__(self, total: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def progress(self, done: int, official: OfficialWeights) -> Progress:
        """Progress in megabytes, with speed and time left in its message and figures."""
        now = self._clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _SPEED_OVER_S:
            self._seen.popleft()
        seconds, count = now - self._seen[0][0], done - self._seen[0][1]
        figures, message = {}, official.file
        if seconds > 0 and count > 0:
            per_s = count / seconds
            left = (self._total - done) / per_s
            figures = {"bytes_per_s": per_s, "seconds_left": left}
            message = tr(
                "{file}, {speed} MB/s, {time} left",
                file=official.file,
                speed=f"{per_s / MEGA:.1f}",
                time=format_duration(left),
            )
        return Progress(min(done, self._total) // MEGA, self._total // MEGA, message, figures)


def format_duration(seconds: float) -> str:
    """`40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return tr("{seconds} s", seconds=max(round(seconds), 1))
    minutes = round(seconds / 60)
    if minutes < 90:
        return tr("{minutes} min", minutes=minutes)
    return tr("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)


def _look_up(official: OfficialWeights) -> str:
    """Find the URL of the pinned revision. Raises DownloadError, BadWeightsError where the server's size is wrong."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    server = endpoint()
    url = hf_hub_url(OFFICIAL_REPOSITORY, official.file, revision=official.revision, endpoint=server)
    try:
        found = get_hf_file_metadata(url, token=False, library_name="boxrefine", endpoint=server)
    except Exception as error:  # of the network, the proxy, the server, or a web page in its place
        raise _unreachable(error) from error
    if found.commit_hash is None:
        raise _not_a_hub()
    if found.size is not None and found.size != official.size:
        raise BadWeightsError(
            tr(
                "{server} offers another {file} ({found} bytes, not the published {size}): try another HF_ENDPOINT.",
                server=server,
                file=official.file,
                found=found.size,
                size=official.size,
            )
        )
    return str(found.location)


def _unreachable(error: Exception) -> DownloadError:
    from huggingface_hub.errors import EntryNotFoundError, FileMetadataError, RepositoryNotFoundError

    if isinstance(error, FileMetadataError):
        return _not_a_hub()
    if isinstance(error, EntryNotFoundError | RepositoryNotFoundError):
        return DownloadError(
            tr(
                "{server} does not have the published file: unset HF_ENDPOINT, or fetch it on another computer and "
                "take it in (boxrefine models add, in the window: I have the file).",
                server=endpoint(),
            )
        )
    return DownloadError(
        tr(
            "{server} cannot be reached ({why}): check the network and HTTPS_PROXY, or fetch it on another computer "
            "and take it in (boxrefine models add, in the window: I have the file).",
            server=endpoint(),
            why=re.sub(r"\[Errno -?\d+\] ", "", reason(error)),
        )
    )


def _not_a_hub() -> DownloadError:
    return DownloadError(
        tr(
            "{server} answers with a web page instead of the file: check HF_ENDPOINT, the proxy, or whether the "
            "network wants a login.",
            server=endpoint(),
        )
    )


@contextmanager
def _lock(part: Path, official: OfficialWeights) -> Iterator[None]:
    """Let one process download a file at a time. Raises DownloadError where another one does."""
    try:
        with FileLock(part.with_name(f".{part.name}.lock"), timeout=_LOCK_PATIENCE_S):
            yield
    except TimeoutError as error:
        raise DownloadError(
            tr("Another BoxRefine is downloading {file}: wait for it, or cancel it there.", file=official.file)
        ) from error


def _check_room(part: Path, official: OfficialWeights) -> None:
    """Raise StorageError where the disk has no room for the file and its conversion to safetensors."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(part.parent).free
    except OSError as error:
        raise StorageError(
            tr(
                "{folder} cannot be used ({why}): check it, or set BOXREFINE_WEIGHTS.",
                folder=part.parent,
                why=reason(error),
            )
        ) from error
    needed = 2 * official.size - _size(part)
    if free < needed:
        raise StorageError(
            tr(
                "{folder} needs {needed} MB for {file} but has {free} MB: make room, or set BOXREFINE_WEIGHTS to "
                "another drive.",
                folder=part.parent,
                needed=f"{needed / MEGA:.0f}",
                file=official.file,
                free=f"{free / MEGA:.0f}",
            )
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
