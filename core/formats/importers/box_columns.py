"""The boxes of many label files in columns, from which they are made picture by picture.

As objects, the boxes of 100,000 label files take some 600 bytes each; in columns they take 40.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from core.formats.importers.parsed import ParsedBox
from core.geometry import Box


class BoxColumns:
    """Boxes of label files of one format: edges, and the places of their category and text in `categories` and `texts`.

    `texts` are what files have on boxes, to be kept as JSON; the first one stands for nothing. Rows are added file by
    file.
    """

    def __init__(self, format: str) -> None:
        self.categories: list[str] = []
        self.texts: list[str] = [""]
        self.edges, self.category, self.text = array("d"), array("i"), array("i")
        self._format = format
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.category)

    def place_of(self, category: str) -> int:
        """The place of a category's name in `categories`."""
        place = self._places.get(category)
        if place is None:
            place = self._places[category] = len(self.categories)
            self.categories.append(category)
        return place

    def truncate(self, length: int) -> None:
        """Remove the rows after the first `length`, as those of a file that has more than plain boxes."""
        del self.edges[4 * length :], self.category[length:], self.text[length:]

    def rows(self, start: int, end: int, *, first: int = 0) -> BoxRows:
        """The boxes of some rows, to be made when they are iterated; `first` is the number of the first pixel."""
        return BoxRows(self, start, end, first)

    def boxes(self, start: int, end: int, first: int) -> Iterator[ParsedBox]:
        """Make the boxes of some rows."""
        edges = self.edges[4 * start : 4 * end]
        categories, texts = self.category[start:end], self.text[start:end]
        for place, (category, text) in enumerate(zip(categories, texts, strict=True)):
            x1, y1, x2, y2 = edges[4 * place : 4 * place + 4]
            box = Box(x1 - first, y1 - first, x2, y2)
            yield ParsedBox(self.categories[category], box, None, None, self._format, self.texts[text])


class BoxRows:
    """The boxes of one label file; small, because there may be 100,000 files."""

    __slots__ = ("_columns", "_end", "_first", "_start")

    def __init__(self, columns: BoxColumns, start: int, end: int, first: int) -> None:
        self._columns, self._start, self._end, self._first = columns, start, end, first

    def __iter__(self) -> Iterator[ParsedBox]:
        return self._columns.boxes(self._start, self._end, self._first)
