"""KnownError: what the world did wrong, in one sentence that names the thing and the cure."""

from __future__ import annotations


class KnownError(Exception):
    """Not our bug: the message is shown to the user as it is, so it names the file and what to do next."""


class BadFileError(KnownError):
    """A file that is missing, damaged, of the wrong kind or not ours to touch."""


class BadInputError(KnownError):
    """Content that cannot be used as it is: a box, an id, an option, a configuration key."""


class NoLongerDrawnError(BadInputError):
    """A drawn box that was accepted or discarded meanwhile, in another window."""


class BadWeightsError(KnownError):
    """Weights that are missing, truncated, of another model or not what their checksum says."""


class GpuError(KnownError):
    """A GPU that ran out of memory or was lost; the CPU can go on."""


class StorageError(KnownError):
    """A disk that is full, read-only or gone; a database that is locked or from a newer version."""


class ProjectUnwritableError(StorageError):
    """A project that cannot be written where it is; saving it elsewhere is a cure."""


class ProjectGoneError(ProjectUnwritableError):
    """An open project whose file was deleted, moved, replaced or unmounted; nothing was written to its place."""


def reason(error: BaseException) -> str:
    """The short cause of an OSError or another exception, without errno or path: `No space left on device`."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnicodeDecodeError):
        return "it holds no text"
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
