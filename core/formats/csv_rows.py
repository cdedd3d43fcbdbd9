"""Tables of annotations are written in parts, because they may have a million rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

_ROWS_IN_A_PART = 1000


def csv_parts(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The rows as CSV with commas, a part for each thousand of them; one empty part if there are none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % _ROWS_IN_A_PART == 0:
            yield _encoded(text.getvalue())
            text.seek(0)
            text.truncate()
    yield _encoded(text.getvalue())


def short(number: float, decimals: int) -> str:
    """A number with at most so many decimals."""
    return f"{number:.{decimals}f}".rstrip("0").rstrip(".")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
