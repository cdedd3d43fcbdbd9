"""Shards as Parquet tables: a row has a picture's name, its encoded bytes, and its boxes.

Columns: `file_name`, text; `picture`, bytes; `annotations`, a list of structs with `bbox` [x, y, width, height] in
pixels of the upright picture, `category`, and, optional, `drawn_bbox`. Rows come in small groups, because a group is
the least that a reader takes.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from core.arrow import load_pyarrow
from core.object_store.address import Address
from core.object_store.folder import ObjectEntry, ObjectFolder
from core.object_store.remote_file import Member
from core.shards.sample import Labelled, Sample, content_of, damaged, sample_of
from core.translation import tr

SUFFIX = ".parquet"
GROUP = 16
"""Pictures of a group of rows."""

_KEPT_BYTES = 256 * 1024**2
"""Pictures of groups that were read last, which stay in memory."""

_LARGEST_GROUP = 1024**3
_PICTURE = "picture"
_NEEDED = (_PICTURE, "annotations")


@dataclass(frozen=True)
class TablePicture(Member):
    """The picture in the row `row` of the group `group` of a table."""

    group: int = 0
    row: int = 0

    def read(self) -> bytes:
        """Read the picture's group of rows, or take it from those read last. Raises KnownError with one sentence."""
        return _pictures.of(self)[self.row]


class _RecentGroups:
    """The pictures of the groups that were read last, in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._groups: OrderedDict[tuple[object, ...], list[bytes]] = OrderedDict()

    def of(self, picture: TablePicture) -> list[bytes]:
        key = (picture.folder, picture.place, picture.stamp.partition("@")[0], picture.group)
        with self._lock:
            if key in self._groups:
                self._groups.move_to_end(key)
                return self._groups[key]
        found = _group_of(picture)  # without the lock: others read other groups meanwhile
        with self._lock:
            self._groups[key] = found
            while len(self._groups) > 1 and sum(map(_nbytes, self._groups.values())) > _KEPT_BYTES:
                self._groups.popitem(last=False)
        return found

    def forget(self) -> None:
        self._groups.clear()
        self._lock = threading.Lock()


_pictures = _RecentGroups()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pictures.forget)  # the lock may be held by a thread that the child lacks


def _nbytes(pictures: Sequence[bytes]) -> int:
    return sum(map(len, pictures))


def _group_of(picture: TablePicture) -> list[bytes]:
    found: list[bytes] = []
    with ObjectFolder(picture.folder).opened(picture.place) as file:
        try:
            with _opened(file) as table:
                about = table.metadata.row_group(picture.group)
                columns = [about.column(number) for number in range(about.num_columns)]
                if any(each.total_uncompressed_size > _LARGEST_GROUP for each in columns):
                    raise ValueError(tr("its groups of rows are too large"))
                group = table.read_row_group(picture.group, columns=[_PICTURE], use_threads=False)
            found = [value for value in group.column(0).to_pylist() if isinstance(value, bytes)]
            if len(found) != group.num_rows or picture.row >= len(found):
                raise ValueError(tr("a picture is missing"))
        except errors() as error:
            raise damaged(picture.folder / picture.place, error) from error
    return found


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Any]:
    """Open a table. Arrow's own errors of damaged files become ValueErrors; those of the file stay as they are."""
    _, parquet = load_pyarrow()
    try:
        with parquet.ParquetFile(file, pre_buffer=False) as table:  # ahead, it would read the whole file
            yield table
    except OSError as error:
        if type(error) is not OSError or error.errno is not None:  # of the store, such as a timeout
            raise
        raise ValueError(str(error)) from error


def errors() -> tuple[type[Exception], ...]:
    """What a damaged shard makes `read` raise, besides the errors of the file. Raises BadInputError without pyarrow."""
    arrow, _ = load_pyarrow()
    return arrow.ArrowException, ValueError, LookupError, TypeError, AttributeError


def read(file: BinaryIO, folder: Address, shard: ObjectEntry) -> list[Sample]:
    """Read the samples of an opened shard in `folder`, but no picture. Raises as `errors` lists."""
    samples: list[Sample] = []
    with _opened(file) as table:
        there = set(table.schema_arrow.names)
        if lacking := [name for name in _NEEDED if name not in there]:
            raise ValueError(tr("it lacks the columns {columns}", columns=", ".join(lacking)))
        columns = ["annotations", *(["file_name"] if "file_name" in there else [])]
        for group in range(table.num_row_groups):
            rows = table.read_row_group(group, columns=columns, use_threads=False).to_pylist()
            for row, values in enumerate(rows):
                name = str(values.get("file_name") or f"{shard.name}-{group}-{row}")
                stamp = f"{shard.stamp}@{group}/{row}"
                picture = TablePicture(folder, shard.name, 0, stamp, name, group, row)
                samples.append(sample_of(picture, name, values["annotations"] or []))
    return samples


def write(file: BinaryIO, pictures: Iterable[Labelled], *, first: int) -> None:
    """Write a shard, group by group; `first` is not needed. Raises BadFileError, OSError, BadInputError."""
    arrow, parquet = load_pyarrow()
    box = arrow.list_(arrow.float64())
    note = arrow.struct([("bbox", box), ("category", arrow.string()), ("drawn_bbox", box)])
    schema = arrow.schema(
        [("file_name", arrow.string()), (_PICTURE, arrow.binary()), ("annotations", arrow.list_(note))]
    )
    # Pictures are compressed already.
    with parquet.ParquetWriter(file, schema, compression={"file_name": "zstd"}, use_dictionary=False) as writer:
        for some in _groups(pictures):
            names, paths, notes = zip(*some, strict=True)
            columns = [list(names), [content_of(path) for path in paths], [list(each) for each in notes]]
            arrays = [arrow.array(column, type=kind.type) for column, kind in zip(columns, schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema), row_group_size=GROUP)


def _groups(pictures: Iterable[Labelled]) -> Iterator[Sequence[Labelled]]:
    left = iter(pictures)
    while some := list(islice(left, GROUP)):
        yield some
