"""ObjectFolder: the objects below one address, read and written whole; every failure is one sentence.

The driver of the provider (s3fs, gcsfs, adlfs) finds the credentials by itself: environment, files of its tools, role
of the machine. BoxRefine neither asks for them nor stores them.
"""

from __future__ import annotations

import errno
import os
import posixpath
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import BadFileError, BadInputError, KnownError, StorageError, reason
from core.object_store.address import Address, without_secrets
from core.translation import tr

EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure", "adl": "azure"}
"""Protocol -> the extra that installs its driver."""

_S3_OPTIONS: dict[str, Any] = {
    # The library's own limits add up to many minutes in which nothing happens.
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 1}},
    "use_listings_cache": False,
}
_OPTIONS = {"s3": _S3_OPTIONS, "s3a": _S3_OPTIONS}
_TRIES = 2
_PARTIAL = ".partial"
_STAMPS = ("ETag", "etag", "md5Hash", "content_md5", "generation", "LastModified", "last_modified", "updated", "mtime")


class MissingObjectError(BadFileError):
    """There is no object, folder or bucket at an address."""


@dataclass(frozen=True)
class ObjectEntry:
    """An object of a listing: its name below the folder, its bytes, and a text that changes with its content."""

    name: str
    nbytes: int
    stamp: str


class ObjectFolder:
    """The objects below an address. Any thread may use it; a copy in another process connects by itself."""

    def __init__(self, address: Address) -> None:
        """Connect to nothing yet."""
        self.address = address

    def __getstate__(self) -> dict[str, Any]:
        return {"address": self.address}

    def check_driver(self) -> None:
        """Raise BadInputError without the driver of the address; nothing is connected."""
        _ = self._opened

    def read(self, name: str, *, limit: int) -> bytes:
        """Read an object of at most `limit` bytes.

        Raises MissingObjectError, StorageError if the store refuses or cannot be reached, BadFileError if it is larger.
        """
        with self._sentences(name):
            try:
                data = self._files.cat_file(self._path(name), start=0, end=limit + 1)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                data = b""  # S3 has no range of an empty object
        if len(data) > limit:
            raise BadFileError(tr("{file} is larger than a file of its kind: replace it.", file=self.address / name))
        return bytes(data)

    def read_part(self, name: str, *, start: int, nbytes: int) -> bytes:
        """Read so many bytes of an object, fewer at its end. Raises MissingObjectError and StorageError."""
        with self._sentences(name):
            return bytes(self._files.cat_file(self._path(name), start=start, end=start + nbytes)) if nbytes else b""

    @contextmanager
    def opened(self, name: str) -> Iterator[BinaryIO]:
        """Open an object for reading from any place. Raises MissingObjectError and StorageError; so does the file."""
        with self._sentences(name), self._files.open(self._path(name), "rb") as file:
            yield file

    def read_many(self, names: Sequence[str]) -> dict[str, bytes]:
        """Read many objects at once; missing ones are left out. Raises StorageError."""
        if not names:
            return {}
        with self._sentences(""):
            found = self._files.cat([self._path(name) for name in names], on_error="return")
            if not isinstance(found, dict):  # of one path, some file systems return its bytes
                found = {self._path(names[0]): found}
            for value in found.values():
                if isinstance(value, Exception) and not isinstance(value, FileNotFoundError):
                    raise value
        return {
            name: bytes(value)
            for name in names
            if isinstance(value := found.get(self._path(name)), bytes | bytearray | memoryview)
        }

    def write(self, name: str, data: bytes) -> None:
        """Write an object whole or not at all; one of the same name is replaced. Raises StorageError."""
        path = self._path(name)
        try:
            with self._sentences(name):
                if self._is_local:
                    _write_local(Path(path), data)
                else:
                    self._files.pipe_file(path, data)  # one request, which a store takes whole or not at all
        except MissingObjectError as error:
            raise StorageError(
                tr("There is no bucket or folder for {file}: create it, or correct the address.", file=self.address)
            ) from error

    def send(self, path: Path, name: str) -> None:
        """Write an object from a file, as the driver of the store uploads large ones. Raises StorageError.

        S3, Google and Azure show an upload when it is complete.
        """
        if self._is_local:
            self.write(name, path.read_bytes())
            return
        with self._sentences(name):
            self._files.put_file(str(path), self._path(name))

    def holds(self, name: str) -> bool:
        """Whether there is an object of this name. Raises StorageError."""
        try:
            with self._sentences(name):
                self._files.info(self._path(name))
        except MissingObjectError:
            return False
        return True

    def entries(self, under: str = "") -> Iterator[ObjectEntry]:
        """List all objects below the folder, or below its folder `under`; in no order.

        Raises MissingObjectError if there are none, StorageError.
        """
        start = self._path("")
        with self._sentences(under):
            found = self._files.find(self._path(under), detail=True)
        if not found:
            raise MissingObjectError(tr("There is nothing at {file}: check the address.", file=self.address / under))
        for path, about in found.items():
            if not path.endswith(_PARTIAL):
                name = posixpath.relpath(path, start)
                yield ObjectEntry(name, int(about.get("size") or 0), _stamp(about))

    def remove(self, name: str) -> None:
        """Remove an object. Raises MissingObjectError and StorageError."""
        with self._sentences(name):
            self._files.rm_file(self._path(name))

    def _path(self, name: str) -> str:
        root = self._opened[1].rstrip("/")
        return f"{root}/{name}" if name else root

    @property
    def _files(self) -> Any:  # noqa: ANN401 - fsspec has no types
        return self._opened[0]

    @property
    def _is_local(self) -> bool:
        protocol = self._files.protocol
        return "file" in ([protocol] if isinstance(protocol, str) else protocol)

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        """The file system and the path in it. Raises BadInputError without its driver."""
        import fsspec

        protocol = self.address.protocol
        try:
            files, path = fsspec.core.url_to_fs(self.address.text, **_OPTIONS.get(protocol, {}))
        except ImportError as error:
            raise self._no_driver() from error
        except ValueError as error:
            raise BadInputError(
                tr(
                    "{address} is no address of a known kind: use s3://, gs://, az://, hf:// or file://.",
                    address=self.address,
                )
            ) from error
        except Exception as error:
            raise self._refused(self.address, error) from error
        if hasattr(files, "retries"):
            files.retries = _TRIES
        return files, str(path)

    def _no_driver(self) -> BadInputError:
        extra = EXTRAS.get(self.address.protocol)
        if extra is None:
            return BadInputError(
                tr(
                    "The driver for {address} is not installed: install the one that fsspec names.",
                    address=self.address,
                )
            )
        return BadInputError(
            tr(
                "The driver for {address} is not installed: pip install 'boxrefine[{extra}]'.",
                address=self.address,
                extra=extra,
            )
        )

    @contextmanager
    def _sentences(self, name: str) -> Iterator[None]:
        """Convert any error of a driver, which may be of any class, to a KnownError without secrets."""
        where = self.address / name if name else self.address
        try:
            yield
        except KnownError:
            raise
        except FileNotFoundError as error:
            raise MissingObjectError(tr("There is nothing at {file}: check the address.", file=where)) from error
        except Exception as error:
            raise self._refused(where, error) from error

    def _refused(self, where: Address, error: Exception) -> StorageError:
        kind = type(error).__name__
        if isinstance(error, PermissionError) or "AccessDenied" in str(error):
            return StorageError(tr("You may not use {file}: check your rights on it, and sign in again.", file=where))
        if "Credential" in kind or "Credential" in str(error):
            return StorageError(
                tr("There are no credentials for {file}: sign in by the tool of its provider.", file=where)
            )
        return StorageError(
            tr(
                "The object store does not answer for {file} ({why}): check the network and the address.",
                file=where,
                why=without_secrets(reason(error)),
            )
        )


def _write_local(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}{_PARTIAL}")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)  # noqa: PTH105 - the whole line is one step of the file system
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _stamp(about: dict[str, Any]) -> str:
    found = next((about[name] for name in _STAMPS if about.get(name)), "")
    return str(found).strip('"')
