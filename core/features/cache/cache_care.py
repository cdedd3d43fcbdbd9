"""Looking after a feature cache: what it holds, whether all of it is whole, and emptying it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from core.errors import StorageError, reason
from core.features.cache.cache_folder import files_in
from core.features.cache.feature_cache import FeatureCache
from core.features.cache.feature_file import DamagedFileError, check_whole, read_key
from core.features.cache.feature_key import FeatureKey
from core.progress import Job, Progress


@dataclass(frozen=True)
class Holding:
    """What a cache holds of one encoder in one codec: whole pictures, crops of pictures, bytes on the disk."""

    encoder: str
    codec: str
    pictures: int
    crops: int
    nbytes: int


@dataclass(frozen=True)
class Verified:
    """How many files were whole, how many were damaged and have been removed, how many rows or files were mended."""

    whole: int
    damaged: int
    mended: int


def is_of(key: FeatureKey, encoder: str | None) -> bool:
    """Whether features are of an encoder, called by its name (`vit_b`) or its identity; None: of any."""
    return encoder is None or key.encoder == encoder or key.encoder.rpartition("-")[0] == encoder


def survey(folder: Path) -> Job[list[Holding]]:
    """What the files of a cache folder hold, encoder by encoder. Raises StorageError where it cannot be read."""
    pictures: Counter[tuple[str, str]] = Counter()
    crops: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    files = cached_files(folder)
    for done, path in enumerate(files):
        yield Progress(done, len(files), path.stem[:8])
        key, size = key_and_size(path)
        if key is None:
            continue
        kind = key.encoder, key.codec
        (pictures if key.frame.is_whole else crops)[kind] += 1
        sizes[kind] += size
    return [Holding(*kind, pictures[kind], crops[kind], sizes[kind]) for kind in sorted(sizes)]


def verify(cache: FeatureCache) -> Job[Verified]:
    """Read every file, remove those that are damaged, then bring index and files together.

    Raises StorageError where the folder cannot be read, or a damaged file not be removed.
    """
    whole = damaged = 0
    files = cached_files(cache.folder)
    for done, path in enumerate(files):
        yield Progress(done, len(files), path.stem[:8])
        try:
            check_whole(path)
            whole += 1
        except FileNotFoundError:
            continue  # another process has evicted it meanwhile
        except (DamagedFileError, OSError):
            damaged += 1
            _remove(cache, path.stem)
    return Verified(whole, damaged, cache.heal() if cache.folder.exists() else 0)


def clear(cache: FeatureCache, *, encoder: str | None = None) -> Job[tuple[int, int]]:
    """Remove the features of one encoder, or all: how many files, and their bytes. Raises as `verify` does."""
    removed = freed = 0
    files = cached_files(cache.folder)
    for done, path in enumerate(files):
        yield Progress(done, len(files), path.stem[:8])
        key, size = key_and_size(path)
        if encoder is not None and (key is None or not is_of(key, encoder)):
            continue
        _remove(cache, path.stem)
        removed, freed = removed + 1, freed + size
    return removed, freed


def cached_files(folder: Path) -> list[Path]:
    """The features files of a cache folder; none where it was never used. Raises StorageError."""
    try:
        return sorted(files_in(folder).values())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(
            f"The cache {folder} cannot be read ({reason(error)}): check that its drive is there."
        ) from error


def key_and_size(path: Path) -> tuple[FeatureKey | None, int]:
    """A file's key (None: it is damaged, or gone) and its bytes."""
    try:
        return read_key(path), path.stat().st_size
    except (DamagedFileError, OSError):
        return None, 0


def _remove(cache: FeatureCache, digest: str) -> None:
    if not cache.remove(digest):
        raise StorageError(cache.trouble or f"The cache {cache.folder} may not be changed: check its permissions.")
