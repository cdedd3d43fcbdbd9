"""Maintain a feature cache: list its contents, verify them, remove them."""

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
from core.translation import tr


@dataclass(frozen=True)
class Holding:
    """The contents of a cache for one encoder and codec: numbers of whole pictures and of crops, bytes on the disk."""

    encoder: str
    codec: str
    pictures: int
    crops: int
    nbytes: int


@dataclass(frozen=True)
class Verified:
    """Numbers of whole files, of damaged files, which were removed, and of repaired rows and files of the index."""

    whole: int
    damaged: int
    repaired: int


def is_of(key: FeatureKey, encoder: str | None) -> bool:
    """Whether features are of an encoder, given by its name (`vit_b`) or its identity; None: any encoder."""
    return encoder is None or key.encoder == encoder or key.encoder.rpartition("-")[0] == encoder


def survey(folder: Path) -> Job[list[Holding]]:
    """Count the contents of a cache folder by encoder and codec. Raises StorageError where it cannot be read."""
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
    """Read every file, remove the damaged ones, then reconcile index and files.

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
            continue  # another process has just evicted it
        except (DamagedFileError, OSError):
            damaged += 1
            _remove(cache, path.stem)
    return Verified(whole, damaged, cache.repair() if cache.folder.exists() else 0)


def clear(cache: FeatureCache, *, encoder: str | None = None) -> Job[tuple[int, int]]:
    """Remove the features of one encoder, or all; return the numbers of files and bytes. Raises as `verify` does."""
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
    """List the features files of a cache folder; empty where it does not exist. Raises StorageError."""
    try:
        return sorted(files_in(folder).values())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(
            tr(
                "The cache {folder} cannot be read ({why}): check that its drive is there.",
                folder=folder,
                why=reason(error),
            )
        ) from error


def key_and_size(path: Path) -> tuple[FeatureKey | None, int]:
    """A file's key (None where it is damaged or removed) and its bytes."""
    try:
        return read_key(path), path.stat().st_size
    except (DamagedFileError, OSError):
        return None, 0


def _remove(cache: FeatureCache, digest: str) -> None:
    if not cache.remove(digest):
        raise StorageError(
            cache.trouble or tr("The cache {folder} may not be changed: check its permissions.", folder=cache.folder)
        )
