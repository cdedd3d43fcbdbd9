"""The table of refined boxes in Parquet: its columns, and writing and reading them in groups of rows.

pyarrow is an extra, and is imported only here, when a table is written or read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from core.arrow import load_pyarrow
from core.bounded import open_regular
from core.errors import BadFileError, StorageError, reason
from core.files import written_whole
from core.progress import Job, Progress
from core.translation import tr

PARQUET = "parquet"
MAIN_FILE = "boxes.parquet"
MAGIC = b"PAR1"
GROUP = 100_000
"""Rows of a group; a group is in memory as a whole."""

ACCEPTED, TO_CHECK, SUGGESTED, EMPTY = "accepted", "to_check", "suggested", "empty"
"""Values of `status`: the user accepted the box, it came in a file, a head suggested it; the picture has no object."""

Edges = tuple[float, float, float, float] | tuple[None, None, None, None]
NO_EDGES: Edges = (None, None, None, None)


def _edges(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{edge}" for edge in ("x0", "y0", "x1", "y1"))


_TEXTS = ("picture", "content", "split", "category", "status", "doubtful", "verdict", "comment", "flag")
_IDENTITIES = ("refiner", "encoder", "head", "source", "annotator")
_SIDES = ("left", "top", "right", "bottom")
COLUMNS: dict[str, str] = {
    **dict.fromkeys(("picture", "content"), "text"),
    **dict.fromkeys(("width", "height"), "int"),
    **dict.fromkeys(("split", "category"), "text"),
    **dict.fromkeys((*_edges("drawn"), *_edges("refined"), *_edges("accepted")), "float"),
    **dict.fromkeys([f"confidence_{side}" for side in _SIDES], "float"),
    **dict.fromkeys(("expected_iou", "score"), "float"),
    **dict.fromkeys(("status", "doubtful", "verdict", "comment"), "text"),
    "done": "flag",
    "flag": "text",
    **dict.fromkeys(_IDENTITIES, "text"),
    "seconds": "float",
    **dict.fromkeys(("created", "changed"), "text"),
}
"""Name of a column -> the kind of its values; each may be null. A row of the table is a tuple in this order."""

NAMES = tuple(COLUMNS)
_AT_LEAST = ("picture", *_edges("accepted"))


@dataclass(frozen=True)
class TableBox:
    """A row of the table, as it is read; what the table has no column for is None, and so is what is null."""

    values: dict[str, Any]

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> float | None:
        value = self.values.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def four(self, *names: str) -> tuple[float, float, float, float] | None:
        """Four numbers; None if one is missing."""
        a, b, c, d = (self.number(name) for name in names)
        return None if a is None or b is None or c is None or d is None else (a, b, c, d)

    def edges(self, name: str) -> tuple[float, float, float, float] | None:
        return self.four(*_edges(name))

    @property
    def confidence(self) -> tuple[float, float, float, float] | None:
        return self.four(*(f"confidence_{side}" for side in _SIDES))


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does."""
    try:
        with open_regular(path) as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):
        return False


def write_table(path: Path, rows: Iterable[Sequence[Any]], *, message: str, total: int = 0) -> Job[int]:
    """Write rows in the order of COLUMNS, atomically; return how many. `total` is that number, if it is known.

    Raises BadInputError without pyarrow, and StorageError if the file cannot be written.
    """
    arrow, parquet = load_pyarrow()
    schema = _schema(arrow)
    done, left = 0, iter(rows)
    yield Progress(0, total, message)
    try:
        with written_whole(path) as temporary, parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
            while some := list(islice(left, GROUP)):
                columns = [list(column) for column in zip(*some, strict=True)]
                arrays = [arrow.array(_clean(c), type=field.type) for c, field in zip(columns, schema, strict=True)]
                writer.write_table(arrow.Table.from_arrays(arrays, schema=schema), row_group_size=GROUP)
                done += len(some)
                yield Progress(done, total, message)
    except OSError as error:
        raise StorageError(
            tr("{file} cannot be written ({why}): check the folder and the disk.", file=path, why=reason(error))
        ) from error
    return done


def _clean(column: list[Any]) -> list[Any]:
    """Texts without the bytes of names that are no valid Unicode, which Parquet cannot hold."""
    if not any(type(value) is str and not value.isascii() for value in column):
        return column
    return [os.fsencode(value).decode("utf-8", "replace") if type(value) is str else value for value in column]


def row_count(path: Path) -> int:
    """The number of rows of a table. Raises as `read_rows`."""
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def read_rows(path: Path, *, only: Sequence[str] = NAMES) -> Iterator[list[TableBox]]:
    """Read the rows of a table in groups, with the columns `only` and no others.

    Raises BadInputError without pyarrow, and BadFileError if the file cannot be read or is no table of boxes.
    """
    with _opened(path) as file:
        there = set(file.schema_arrow.names)
        lacking = [name for name in _AT_LEAST if name not in there]
        if lacking:
            raise BadFileError(
                tr(
                    "{file} is no table of boxes, it lacks the columns {columns}: rename its columns.",
                    file=path,
                    columns=", ".join(lacking),
                )
            )
        names = [name for name in only if name in there]
        for batch in file.iter_batches(batch_size=GROUP // 4, columns=names, use_threads=False):
            columns = [column.to_pylist() for column in batch.columns]
            yield [TableBox(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    arrow, parquet = load_pyarrow()
    try:
        # Arrow would read all column chunks ahead, and keep the whole file in memory to the end.
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            yield file
    except (OSError, arrow.ArrowException) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadFileError(
            tr("{file} cannot be read as Parquet ({why}): export it again.", file=path, why=why)
        ) from error


def _schema(arrow: Any) -> Any:  # noqa: ANN401 - pyarrow is optional, and has no types
    kinds = {"text": arrow.string(), "int": arrow.int32(), "float": arrow.float64(), "flag": arrow.bool_()}
    return arrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
