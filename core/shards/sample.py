"""Sample: a picture of a shard with its boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import BadFileError, reason
from core.geometry import Box
from core.object_store.address import Address
from core.object_store.remote_file import RemoteFile
from core.translation import tr

Labelled = tuple[str, Path, list[dict[str, Any]]]
"""A picture to pack: its name, its file, and its annotations (`bbox` [x, y, width, height], `category`)."""


@dataclass(frozen=True)
class Sample:
    """A picture of a shard with its N boxes in image pixels; `drawn` has None where no drawn box is known.

    name: of the picture before it was packed
    """

    picture: RemoteFile
    name: str
    boxes: tuple[Box, ...] = ()
    drawn: tuple[Box | None, ...] = ()
    categories: tuple[str, ...] = ()


def sample_of(picture: RemoteFile, name: str, notes: Sequence[Mapping[str, Any]]) -> Sample:
    """Read the annotations of a picture. Raises ValueError for a box without an area, TypeError, KeyError."""
    return Sample(
        picture,
        name,
        tuple(_box(note["bbox"]) for note in notes),
        tuple(_box(note["drawn_bbox"]) if note.get("drawn_bbox") else None for note in notes),
        tuple(str(note.get("category") or "object") for note in notes),
    )


def _box(bbox: Sequence[float]) -> Box:
    x, y, width, height = (float(value) for value in bbox)
    if not (width > 0 and height > 0):
        raise ValueError(f"a box is {width:g} x {height:g} pixels")
    return Box(x, y, x + width, y + height)


def damaged(shard: Address, error: Exception) -> BadFileError:
    """The error of a shard that cannot be read."""
    why = reason(error).partition("\n")[0]
    return BadFileError(tr("The shard {file} cannot be read ({why}): write it again.", file=shard, why=why))


def content_of(picture: Path) -> bytes:
    """Read a picture to pack. Raises BadFileError."""
    try:
        return picture.read_bytes()
    except OSError as error:
        raise BadFileError(
            tr("The picture {path} cannot be read ({why}): bring it back.", path=picture, why=reason(error))
        ) from error
