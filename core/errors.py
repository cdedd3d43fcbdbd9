"""KnownError and its kinds: errors of the environment or of input, each one sentence with what to do about it."""

from __future__ import annotations

from core.translation import tr


class KnownError(Exception):
    """An error that is no bug. The user sees the message as it is, so it names the file and what to do next."""


class BadFileError(KnownError):
    """A file that is missing, damaged, of the wrong kind or not accessible."""


class BadInputError(KnownError):
    """Content that cannot be used as it is: a box, an id, an option, a configuration key."""


class NoLongerDrawnError(BadInputError):
    """A drawn box that another window has accepted or discarded in the meantime."""


class BadWeightsError(KnownError):
    """Weights that are missing, truncated, of another model or that do not match their checksum."""


class GpuError(KnownError):
    """A GPU that ran out of memory or was lost; the caller can use the CPU instead."""


class StorageError(KnownError):
    """A disk that is full, read-only or gone; a database that is locked or from a newer version."""


class ProjectUnwritableError(StorageError):
    """A project that cannot be written to its file; it can be saved elsewhere."""


class ProjectGoneError(ProjectUnwritableError):
    """An open project whose file was deleted, moved, replaced or unmounted; nothing was written to its path."""


class ProjectReadOnlyError(ProjectUnwritableError):
    """A project that is opened to read only; nothing was written."""


def reason(error: BaseException) -> str:
    """The short cause of an OSError or another exception, without errno or path: `No space left on device`."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnicodeDecodeError):
        return tr("it holds no text")
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
