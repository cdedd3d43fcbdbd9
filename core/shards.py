"""Labelled sets in shards: tar files as WebDataset reads them, each with many pictures and their boxes.

A sample is two members of one key: `00000012.jpg`, the picture, and `00000012.json`:

    {"file_name": "a/b.jpg", "annotations": [{"bbox": [x, y, width, height], "category": "cup"}]}

with boxes in pixels of the upright picture, and, optional, `drawn_bbox`. Training reads a picture by its place in the
shard, also of one in an object store, so nothing is unpacked.
"""

from __future__ import annotations

import io
import json
import secrets
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import BadFileError, StorageError, reason
from core.geometry import Box
from core.object_store.address import Address
from core.object_store.folder import ObjectEntry, ObjectFolder
from core.object_store.remote_file import PackedFile
from core.pictures.kinds import is_picture
from core.progress import Job, Progress
from core.translation import tr

_LARGEST_JSON = 16 * 1024**2


@dataclass(frozen=True)
class Sample:
    """A picture of a shard with its N boxes in image pixels; `drawn` has None where no drawn box is known.

    name: of the picture before it was packed
    """

    picture: PackedFile
    name: str
    boxes: tuple[Box, ...] = ()
    drawn: tuple[Box | None, ...] = ()
    categories: tuple[str, ...] = ()


def read_shards(place: Path | Address) -> Job[list[Sample]]:
    """Read the samples of all `.tar` files in a folder or at an address, in the order of their names.

    Raises BadFileError without any, or where one is damaged, and as `ObjectFolder.entries`.
    """
    address = place if isinstance(place, Address) else Address(f"file://{place.absolute()}")
    folder = ObjectFolder(address)
    shards = sorted((entry for entry in folder.entries() if entry.name.endswith(".tar")), key=lambda entry: entry.name)
    if not shards:
        raise BadFileError(tr("There are no shards (.tar) in {folder}: boxrefine shards writes some.", folder=place))
    samples: list[Sample] = []
    for done, shard in enumerate(shards):
        yield Progress(done, len(shards), shard.name)
        samples += _samples(folder, shard)
    yield Progress(len(shards), len(shards))
    return samples


def _samples(folder: ObjectFolder, shard: ObjectEntry) -> list[Sample]:
    where = folder.address / shard.name
    with folder.opened(shard.name) as file:
        try:
            return _read(file, folder.address, shard)
        except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadFileError(
                tr("The shard {file} cannot be read ({why}): write it again.", file=where, why=reason(error))
            ) from error


def _read(file: BinaryIO, folder: Address, shard: ObjectEntry) -> list[Sample]:
    pictures: dict[str, PackedFile] = {}
    labels: dict[str, dict[str, Any]] = {}
    for name, start, size in _members(file, shard.nbytes):
        key, _, ending = name.partition(".")
        if ending == "json" and size <= _LARGEST_JSON:
            file.seek(start)
            labels[key] = json.loads(file.read(size))
        elif is_picture(name):
            pictures[key] = PackedFile(folder, shard.name, size, f"{shard.stamp}@{start}", start, name)
    return [_sample(picture, labels.get(key, {})) for key, picture in pictures.items()]


def _members(file: BinaryIO, nbytes: int) -> Iterator[tuple[str, int, int]]:
    """Name, place and bytes of each file of an archive, by its plain headers. Raises ValueError, tarfile.TarError.

    tarfile's own reader also follows others, such as sparse files, which a few bytes may unfold to gigabytes.
    """
    at = 0
    while True:
        file.seek(at)
        block = file.read(tarfile.BLOCKSIZE)
        if len(block) < tarfile.BLOCKSIZE:
            raise ValueError("it is cut off")
        if not block.strip(b"\0"):
            return
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        at += tarfile.BLOCKSIZE
        if info.size < 0 or at + info.size > nbytes:
            raise ValueError("it is cut off")
        if info.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
            yield info.name, at, info.size
        elif info.type == tarfile.GNUTYPE_LONGNAME:
            raise ValueError("names of over 100 characters")
        at += -(-info.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _sample(picture: PackedFile, label: dict[str, Any]) -> Sample:
    notes = label.get("annotations", [])
    return Sample(
        picture,
        str(label.get("file_name", picture.member)),
        tuple(_box(note["bbox"]) for note in notes),
        tuple(_box(note["drawn_bbox"]) if note.get("drawn_bbox") else None for note in notes),
        tuple(str(note.get("category", "object")) for note in notes),
    )


def _box(bbox: Sequence[float]) -> Box:
    x, y, width, height = (float(value) for value in bbox)
    if not (width > 0 and height > 0):
        raise ValueError(f"a box is {width:g} x {height:g} pixels")
    return Box(x, y, x + width, y + height)


def write_shards(pictures: Sequence[tuple[str, Path, list[dict[str, Any]]]], out: Path, *, per_shard: int) -> Job[int]:
    """Write pictures, each with its name and annotations, into shards of so many in `out`; return how many shards.

    A shard is whole or not there. Raises BadFileError for a picture that cannot be read, StorageError.
    """
    count = 0
    for start in range(0, len(pictures), per_shard):
        chosen = pictures[start : start + per_shard]
        yield Progress(start, len(pictures), chosen[0][0])
        path = out / f"shard-{count:06}.tar"
        beside = path.with_name(f".{path.name}-{secrets.token_hex(4)}.partial")
        try:
            out.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as file, _archive(file) as archive:
                _fill(archive, chosen, first=start)
            beside.replace(path)
        except OSError as error:
            raise StorageError(
                tr("{file} cannot be written ({why}): make room there.", file=path, why=reason(error))
            ) from error
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
        count += 1
    yield Progress(len(pictures), len(pictures))
    return count


def _archive(file: BinaryIO) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT)


def _fill(archive: tarfile.TarFile, pictures: Iterable[tuple[str, Path, list[dict[str, Any]]]], *, first: int) -> None:
    for number, (name, path, notes) in enumerate(pictures, start=first):
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadFileError(
                tr("The picture {path} cannot be read ({why}): bring it back.", path=path, why=reason(error))
            ) from error
        label = json.dumps({"file_name": name, "annotations": notes}).encode()
        for ending, data in ((path.suffix.lower(), content), (".json", label)):
            member = tarfile.TarInfo(f"{number:08}{ending}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
