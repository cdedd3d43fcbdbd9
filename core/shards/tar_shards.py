"""Shards as tar files, which WebDataset reads, too.

A sample is two members of one key: `00000012.jpg`, the picture, and `00000012.json`:

    {"file_name": "a/b.jpg", "annotations": [{"bbox": [x, y, width, height], "category": "cup"}]}

with boxes in pixels of the upright picture, and, optional, `drawn_bbox`.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from core.object_store.address import Address
from core.object_store.folder import ObjectEntry
from core.object_store.remote_file import PackedFile
from core.pictures.kinds import is_picture
from core.shards.sample import Labelled, Sample, content_of, sample_of

SUFFIX = ".tar"
ERRORS = (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What a damaged shard makes `read` raise, besides the errors of the file."""

_LARGEST_JSON = 16 * 1024**2


def read(file: BinaryIO, folder: Address, shard: ObjectEntry) -> list[Sample]:
    """Read the samples of an opened shard in `folder`. Raises ERRORS."""
    pictures: dict[str, PackedFile] = {}
    labels: dict[str, dict[str, Any]] = {}
    for name, start, size in _members(file, shard.nbytes):
        key, _, ending = name.partition(".")
        if ending == "json" and size <= _LARGEST_JSON:
            file.seek(start)
            labels[key] = json.loads(file.read(size))
        elif is_picture(name):
            pictures[key] = PackedFile(folder, shard.name, size, f"{shard.stamp}@{start}", name, start)
    return [_sample(picture, labels.get(key, {})) for key, picture in pictures.items()]


def _sample(picture: PackedFile, label: dict[str, Any]) -> Sample:
    return sample_of(picture, str(label.get("file_name", picture.member)), label.get("annotations", []))


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


def write(file: BinaryIO, pictures: Iterable[Labelled], *, first: int) -> None:
    """Write a shard; its first picture is the one of number `first`. Raises BadFileError, OSError."""
    with tarfile.open(fileobj=file, mode="w|", format=tarfile.USTAR_FORMAT) as archive:
        for number, (name, path, notes) in enumerate(pictures, start=first):
            content = content_of(path)
            label = json.dumps({"file_name": name, "annotations": notes}).encode()
            for ending, data in ((path.suffix.lower(), content), (".json", label)):
                member = tarfile.TarInfo(f"{number:08}{ending}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
