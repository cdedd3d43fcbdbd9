"""The rows that engines move between machines: plain numbers and texts, by columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.object_store.address import Address, is_address
from core.object_store.remote_file import PictureFile, RemoteFile

Rows = dict[str, Any]
"""Column -> its values, one for each row; numpy arrays, or lists."""

DECODED, ENCODED, CACHED, DONE, FAILED, REFUSED = "decoded", "encoded", "cached", "done", "failed", "refused"
"""What became of a picture. `refused`: the worker is of another version or has other weights, see the column `note`."""


def rows_of(pictures: Iterable[tuple[int, PictureFile]]) -> list[dict[str, Any]]:
    """One row for each numbered picture: number, picture, and of an object nbytes and stamp of its listing."""
    return [{"number": number} | _columns(picture) for number, picture in pictures]


def _columns(picture: PictureFile) -> dict[str, Any]:
    if isinstance(picture, RemoteFile):
        text = (picture.folder / picture.place).text
        return {"picture": text, "nbytes": picture.nbytes, "stamp": picture.stamp}
    return {"picture": str(picture.absolute()), "nbytes": -1, "stamp": ""}  # workers may have another folder


def pictures_of(rows: Rows) -> list[PictureFile]:
    """The pictures in the column `picture`: paths, or addresses; `nbytes` and `stamp` may be missing."""
    texts = [str(text) for text in rows["picture"]]
    sizes = [int(size) for size in rows.get("nbytes", [-1] * len(texts))]
    stamps = [str(stamp) for stamp in rows.get("stamp", [""] * len(texts))]
    return [_picture(*about) for about in zip(texts, sizes, stamps, strict=True)]


def _picture(text: str, nbytes: int, stamp: str) -> PictureFile:
    if not is_address(text):
        return Path(text)
    folder, _, name = text.rpartition("/")
    return RemoteFile(Address(folder), name, max(nbytes, 0), stamp)


def numbers_of(rows: Rows) -> list[int]:
    """The column `number`; without it, the rows are counted."""
    return [int(number) for number in rows.get("number", range(len(rows["picture"])))]


def columns(**values: Sequence[Any]) -> Rows:
    """Columns of numbers and of texts as numpy arrays, as Ray Data takes them."""
    return {name: _column(entries) for name, entries in values.items()}


def _column(entries: Sequence[Any]) -> Any:  # noqa: ANN401 - an array of any type
    if entries and isinstance(entries[0], str | bytes):
        column = np.empty(len(entries), object)
        column[:] = list(entries)
        return column
    return np.asarray(entries)
