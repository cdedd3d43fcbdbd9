"""A cache pack: features in one tar file, encoded on one machine to be used on another.

Features are identified by the pixels of their pictures, so the paths of the pictures may differ.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from core.bounded import open_regular
from core.errors import BadFileError, BadInputError, StorageError, reason
from core.features.cache.cache_care import cached_files, is_of, key_and_size
from core.features.cache.feature_cache import FeatureCache
from core.features.cache.feature_file import LARGEST_FILE, DamagedFileError, check_bytes, write_new
from core.files import written_whole
from core.progress import Job, Progress
from core.translation import tr

MANIFEST = "boxrefine-features.json"
END = "boxrefine-end"  # tar itself does not detect a file that was cut between two members
PACK_VERSION = 2
_MEMBER = re.compile(r"[0-9a-f]{2}/([0-9a-f]{32})\.safetensors")
_LARGEST_MANIFEST = 1 << 20


@dataclass(frozen=True)
class Packed:
    """Numbers of features written or read, of their bytes, and of damaged features, which were left out."""

    features: int
    nbytes: int
    damaged: int = 0


def export_pack(
    cache: FeatureCache, out: Path, *, encoder: str | None = None, contents: frozenset[str] | None = None
) -> Job[Packed]:
    """Write features into `out`, whole or not at all: those of one encoder and of pictures with `contents`, or all.

    Raises StorageError where there is no room or the folder may not be written, BadInputError where no features match.
    """
    chosen: list[tuple[Path, int]] = []
    for path in cached_files(cache.folder):
        key, size = key_and_size(path)
        if key is not None and is_of(key, encoder) and (contents is None or key.content in contents):
            chosen.append((path, size))
    if not chosen:
        raise BadInputError(
            tr("The cache {folder} holds no such features: run boxrefine encode first.", folder=cache.folder)
        )
    total = sum(size for _, size in chosen)
    try:
        _check_room(out.absolute().parent, total)
        with written_whole(out) as beside, beside.open("xb") as file:
            yield from _write_members(file, chosen, total)
    except OSError as error:
        raise StorageError(
            tr("{file} could not be written ({why}): make room or choose another place.", file=out, why=reason(error))
        ) from error
    return Packed(len(chosen), total)


def _write_members(file: io.BufferedWriter, chosen: list[tuple[Path, int]], total: int) -> Job[None]:
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as pack:
        manifest = json.dumps({"version": PACK_VERSION, "features": len(chosen), "bytes": total}).encode()
        pack.addfile(_member(MANIFEST, len(manifest)), io.BytesIO(manifest))
        for done, (path, _) in enumerate(chosen):
            yield Progress(done, len(chosen), path.stem[:8])
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # another process has just evicted it
            pack.addfile(_member(f"{path.parent.name}/{path.name}", len(data)), io.BytesIO(data))
        pack.addfile(_member(END, 0))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    return member


def import_pack(cache: FeatureCache, pack: Path) -> Job[Packed]:
    """Add the features of a pack to a cache, after checking the bytes of each.

    Raises BadFileError where the file is no pack or is cut short (the features before the cut are kept),
    BadInputError where it is larger than the cache's budget, StorageError where the disk refuses.
    """
    try:
        with open_regular(pack) as file:
            members = _members(file)
            expected, total = _manifest(members, pack)
            if total > cache.disk_budget:
                raise BadInputError(_too_large(pack, total=total, budget=cache.disk_budget))
            return (yield from _read_members(cache, members, expected))
    except (tarfile.TarError, EOFError) as error:
        raise BadFileError(
            tr("{file} is cut short or no cache pack: copy it again; what was whole is kept.", file=pack)
        ) from error
    except OSError as error:
        raise BadFileError(
            tr("{file} cannot be read ({why}): check the path.", file=pack, why=reason(error))
        ) from error


class _Member(NamedTuple):
    """A file in a pack; `data` is None for a kind of file that BoxRefine does not write."""

    name: str
    data: bytes | None


def _members(file: BinaryIO) -> Iterator[_Member]:
    """Read the files of a pack in their order. Raises TarError and EOFError.

    It reads the plain headers that `export_pack` writes. tarfile's own reader also follows others, such as sparse
    files, in which a few bytes stand for gigabytes.
    """
    size = os.fstat(file.fileno()).st_size
    while block := file.read(tarfile.BLOCKSIZE):
        if len(block) < tarfile.BLOCKSIZE:
            raise EOFError
        if not any(block):
            return
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        padded = -(-info.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        if info.size < 0 or file.tell() + padded > size:
            raise EOFError
        if info.type in (tarfile.XHDTYPE, tarfile.XGLTYPE):  # dates and owners, where another program repacked it
            file.seek(padded, os.SEEK_CUR)
        elif info.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and info.size <= LARGEST_FILE:
            yield _Member(info.name, file.read(padded)[: info.size])
        else:
            yield _Member(info.name, None)
            file.seek(padded, os.SEEK_CUR)


def _read_members(cache: FeatureCache, members: Iterator[_Member], expected: int) -> Job[Packed]:
    taken = size = damaged = 0
    for done, (name, data) in enumerate(members):
        yield Progress(done, max(expected, done), name[3:11])
        if name == END:
            return Packed(taken, size, damaged)
        digest = _MEMBER.fullmatch(name)
        if digest is None or data is None:
            damaged += 1
            continue
        try:
            check_bytes(data, digest=digest[1])
        except DamagedFileError:
            damaged += 1
            continue
        if not cache.adopt(digest[1], partial(_write, data=data)):
            raise StorageError(
                cache.trouble or tr("The cache {folder} takes nothing in: check its permissions.", folder=cache.folder)
            )
        taken, size = taken + 1, size + len(data)
    raise EOFError


def _write(path: Path, *, data: bytes) -> int:
    write_new(path, data)
    return len(data)


def _manifest(members: Iterator[_Member], pack: Path) -> tuple[int, int]:
    """Read the numbers of features and bytes in a pack's manifest. Raises BadFileError where the file is no pack."""
    first = next(members, None)
    no_pack = tr("{file} is no cache pack: name a file that boxrefine cache export wrote.", file=pack)
    try:
        is_own = first is not None and first.name == MANIFEST and first.data and len(first.data) <= _LARGEST_MANIFEST
        values = json.loads(first.data or b"") if first is not None and is_own else {}
        version, features, total = (values[name] for name in ("version", "features", "bytes"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadFileError(no_pack) from error
    if any(type(number) is not int or not 0 <= number < 2**63 for number in (version, features, total)):
        raise BadFileError(no_pack)
    if version > PACK_VERSION:
        raise BadFileError(tr("{file} was written by a newer BoxRefine: update BoxRefine.", file=pack))
    if version < PACK_VERSION:
        raise BadFileError(tr("{file} was written by an older BoxRefine: export it anew with this one.", file=pack))
    return features, total


def _check_room(folder: Path, total: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < total:
        raise StorageError(
            tr(
                "{folder} has {free} GB free but the pack needs {size} GB: make room.",
                folder=folder,
                free=f"{free / 1e9:.1f}",
                size=f"{total / 1e9:.1f}",
            )
        )


def _too_large(pack: Path, *, total: int, budget: int) -> str:
    return tr(
        "{file} holds {size} GB but the cache may hold {budget} GB: raise cache_disk_budget (bytes) in settings.toml, "
        "or export fewer pictures.",
        file=pack,
        size=f"{total / 1e9:.1f}",
        budget=f"{budget / 1e9:.1f}",
    )
