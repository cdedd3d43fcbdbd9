"""Which images a list shows, and in which order: filters, search and sorting, without Qt and SQL.

Images are numbered by their row, the place in which the project has them. An arrangement is a list of rows; the value
that sorts a row is a number that is kept, so that a row can be found again, and so that the order stays while the user
works on the images.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag, StrEnum
from urllib.parse import quote, unquote_to_bytes

import numpy as np

from core.image_folders import ImageFolders, common_folder, folders_of
from core.marks import Mark
from core.records import DOUBTFUL_BELOW, ImageRecord
from core.splits import SPLITS

_DIGITS = re.compile(r"\d+")
_LONGEST_NUMBER = 18
_NO_DOUBT = 2.0
_CLASS = float(1 << 40)
"""Distance of the classes of Order.USEFUL; larger than any value in a class, and exact in a float."""


class Trait(IntFlag):
    """What the filters ask of an image."""

    BOXES = 1
    """It has stored or drawn boxes."""
    TO_CHECK = 2
    """It has boxes to check, or drawn ones."""
    DOUBTFUL = 4
    """The refiner doubts an edge of one of its boxes that the user has not changed, and it is not done."""
    FLAGGED = 8
    DONE = 16


class Tab(StrEnum):
    """A filter; the values are stored."""

    ALL = "all"
    UNTOUCHED = "untouched"
    IN_WORK = "in_work"
    TO_CHECK = "to_check"
    DOUBTFUL = "doubtful"
    FLAGGED = "flagged"
    DONE = "done"
    EMPTY = "empty"


TABS: Mapping[Tab, tuple[Trait, Trait]] = {
    Tab.ALL: (Trait(0), Trait(0)),
    Tab.UNTOUCHED: (Trait.BOXES | Trait.DONE, Trait(0)),
    Tab.IN_WORK: (Trait.BOXES | Trait.DONE, Trait.BOXES),
    Tab.TO_CHECK: (Trait.TO_CHECK, Trait.TO_CHECK),
    Tab.DOUBTFUL: (Trait.DOUBTFUL, Trait.DOUBTFUL),
    Tab.FLAGGED: (Trait.FLAGGED, Trait.FLAGGED),
    Tab.DONE: (Trait.DONE, Trait.DONE),
    Tab.EMPTY: (Trait.BOXES | Trait.DONE, Trait.DONE),
}
"""Tab -> the traits that it looks at, and those of them that an image must have."""


class Order(StrEnum):
    """How a list is sorted; the values are stored."""

    ADDED = "added"
    NAME = "name"
    DOUBT = "doubt"
    """The least sure edge first."""
    USEFUL = "useful"
    """What to label next: boxes to check by doubt, then untouched images spread over the folder, then the rest."""
    DATE = "date"
    """The boxes that were changed last first."""
    BOXES = "boxes"
    """Most boxes first."""


@dataclass(frozen=True)
class Query:
    """What a list shows: a filter, a category (0: any), the note of a flag (None: any), a text to search, an order.

    `folder` and `split` are those of `ImageFolders`, with all folders below; "" stands for any.
    """

    tab: Tab = Tab.ALL
    category_id: int = 0
    note: str | None = None
    text: str = ""
    order: Order = Order.ADDED
    folder: str = ""
    split: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether it shows all images in the order of the project."""
        return self == Query()


@dataclass(frozen=True)
class Facts:
    """What sorts and filters images, by image id; a missing image has 0 boxes, no doubt and no date.

    `traits` are those of `traits_of`. `doubts` are the lowest edge confidences of the boxes that the user has not
    changed. `dates` are the times of the last change of a box, in seconds since 1970.
    """

    traits: Mapping[int, int] = field(default_factory=dict)
    boxes: Mapping[int, int] = field(default_factory=dict)
    doubts: Mapping[int, float] = field(default_factory=dict)
    dates: Mapping[int, float] = field(default_factory=dict)
    marks: Mapping[int, Mark] = field(default_factory=dict)


def traits_of(*, boxes: int, to_check: int, drawn: int, doubt: float | None, mark: Mark | None) -> int:
    """The traits of an image as a number: a plain integer, because 100,000 flags of an enumeration are slow."""
    found = 1 if boxes or drawn else 0
    if to_check or drawn:
        found |= 2
    if mark is not None:
        found |= 8 if mark.flag is not None else 0
        found |= 16 if mark.done else 0
    if doubt is not None and doubt < DOUBTFUL_BELOW and not found & 16:
        found |= 4
    return found


def is_in(tab: Tab, traits: int) -> bool:
    """Whether an image of these traits belongs to a tab."""
    mask, wanted = TABS[tab]
    return traits & mask == wanted


def text_of(query: Query) -> str:
    """A filter and an order as a text to store; the searched text is left out."""
    place = f"/{query.split}/{quote(os.fsencode(query.folder), safe='')}" if query.folder or query.split else ""
    return f"{query.tab} {query.order} {query.category_id}{place}" + ("" if query.note is None else f" {query.note}")


def query_of(text: str) -> Query:
    """The query that `text_of` stored; a text of another version or by hand gives as much as can be read."""
    parts = text.split(" ", 3)
    tab, order, category = [*parts[:3], "", "", ""][:3]
    category, split, folder = [*category.split("/", 2), "", ""][:3]
    return Query(
        Tab(tab) if tab in {*Tab} else Tab.ALL,
        int(category) if category.isdecimal() and len(category) <= _LONGEST_NUMBER else 0,
        parts[3] if len(parts) > 3 else None,
        order=Order(order) if order in {*Order} else Order.ADDED,
        folder=os.fsdecode(unquote_to_bytes(folder)),
        split=split if split in SPLITS else "",
    )


class Names:
    """Names and ids of a project's images for search and sorting, prepared once for each list of images.

    Only the thread that arranges lists uses it.
    """

    def __init__(self) -> None:
        self._images: Sequence[ImageRecord] = ()
        self._ids: list[int] = []
        self._texts: list[str] = []
        self._ranks: list[float] = []
        self._spread: list[int] = []
        self._folders: ImageFolders | None = None

    def folders(self, images: Sequence[ImageRecord]) -> ImageFolders:
        """The folders of the images."""
        self._look_at(images)
        if self._folders is None:
            self._folders = folders_of(images)
        return self._folders

    def ids(self, images: Sequence[ImageRecord]) -> list[int]:
        """The ids by row."""
        self._look_at(images)
        return self._ids

    def texts(self, images: Sequence[ImageRecord]) -> list[str]:
        """The paths from the deepest common folder on, in lower case, by row."""
        self._look_at(images)
        if not self._texts and images:
            paths = [str(image.path) for image in images]
            # What the first and the last path have in common, all between them have, too.
            shared = common_folder(os.path.dirname(path) for path in (min(paths), max(paths)))  # noqa: PTH120
            start = len(os.path.join(shared, "")) if shared else 0  # noqa: PTH118
            self._texts = [path[start:].casefold() for path in paths]
        return self._texts

    def ranks(self, images: Sequence[ImageRecord]) -> list[float]:
        """The places of the images in the natural order of folders, then of names: `2.jpg` before `10.jpg`; by row."""
        texts = self.texts(images)
        if not self._ranks and images:
            keys = [_by_folder(_DIGITS.sub(_padded, text)) for text in texts]
            self._ranks = [0.0] * len(images)
            for place, row in enumerate(sorted(range(len(images)), key=keys.__getitem__)):
                self._ranks[row] = float(place)
        return self._ranks

    def spread(self, images: Sequence[ImageRecord]) -> list[int]:
        """The row numbers with their bits reversed: sorted by them, each row is far from those before it."""
        count = len(images)
        if len(self._spread) != count:
            width = max(count - 1, 1).bit_length()
            self._spread = [int(f"{row:0{width}b}"[::-1], 2) for row in range(count)]
        return self._spread

    def _look_at(self, images: Sequence[ImageRecord]) -> None:
        if images is not self._images:
            self._images, self._ids, self._texts, self._ranks = images, [image.id for image in images], [], []
            self._folders = None


@dataclass
class Arrangement:
    """The rows that a list shows, in its order; `values` sort all rows of the project, shown or not.

    `best` is the row that a search means most probably, None without a search or without a match.
    """

    query: Query
    rows: list[int]
    values: Sequence[float]
    best: int | None = None

    def place_of(self, row: int) -> int | None:
        """The place of a row in the list; None if the list does not show it."""
        place = self.place_for(row)
        return place if place < len(self.rows) and self.rows[place] == row else None

    def place_for(self, row: int) -> int:
        """The place that a row has or would have in the list."""
        return bisect_left(self.rows, (self.values[row], row), key=lambda row: (self.values[row], row))


def arrange(
    images: Sequence[ImageRecord], facts: Facts, query: Query, *, only: Collection[int] | None, names: Names
) -> Arrangement:
    """Filter, search and sort images; `only`: the ids of those with the category of the query, None without one."""
    rows: Sequence[int] = range(len(images))
    ids = names.ids(images)
    if query.tab is not Tab.ALL:
        mask, wanted = (int(part) for part in TABS[query.tab])
        traits = facts.traits
        rows = [row for row, id in enumerate(ids) if traits.get(id, 0) & mask == wanted and id > 0]
    if only is not None:
        rows = [row for row in rows if ids[row] in only]
    if query.note is not None:
        marks, note = facts.marks, query.note
        rows = [row for row in rows if (mark := marks.get(ids[row])) is not None and mark.flag == note]
    if query.folder or query.split:
        folders = names.folders(images)
        held = folders.matching(query.folder, query.split)[folders.numbers].tolist()
        rows = [row for row in rows if held[row]]
    best = None
    if query.text.strip():
        rows, best = _search(rows, names.texts(images), query.text)
    values = _VALUES[query.order](images, facts, names)
    ordered = list(rows) if query.order is Order.ADDED else _sorted(rows, values)
    if best is None and query.text.strip() and ordered:
        best = ordered[0]
    return Arrangement(query, ordered, values, best)


def matches(image: ImageRecord, facts: Facts, query: Query, *, only: Collection[int] | None) -> bool:
    """Whether one image belongs to a list, but for its name and folder, which never change."""
    if query.tab is not Tab.ALL and (image.id < 0 or not is_in(query.tab, facts.traits.get(image.id, 0))):
        return False
    if only is not None and image.id not in only:
        return False
    if query.note is None:
        return True
    mark = facts.marks.get(image.id)
    return mark is not None and mark.flag == query.note


def find_first(images: Sequence[ImageRecord], text: str, *, names: Names, most: int) -> tuple[list[int], int]:
    """The rows of at most `most` images that a search finds among all, the most probable one first, and their count."""
    if not text.strip():
        return [], 0
    found, best = _search(range(len(images)), names.texts(images), text)
    first = found[:most] if best is None else [best, *(row for row in found[:most] if row != best)][:most]
    return first, len(found)


def finds(name: str, text: str) -> bool:
    """Whether a search for `text` finds an image of this name: all its words are part of it, in any case."""
    folded = name.casefold()
    return all(word in folded for word in text.casefold().split())


def _search(rows: Sequence[int], texts: Sequence[str], text: str) -> tuple[list[int], int | None]:
    """The rows that a search finds; a number finds names with it and the image of that place, counted from 1.

    The second value is the row that a number means: a name with just this number, else the place.
    """
    words = text.casefold().split()
    first, *others = words
    found = [row for row in rows if first in texts[row]]
    for word in others:
        found = [row for row in found if word in texts[row]]
    if others or not first.isdecimal() or len(first) > _LONGEST_NUMBER:
        return found, None
    number = re.compile(rf"(?<!\d)0*{int(first)}(?!\d)")
    best = next((row for row in found if number.search(texts[row])), None)
    place = int(first) - 1
    if 0 <= place < len(texts) and (place in rows):
        best = place if best is None else best
        found = found if place in found else sorted([*found, place])
    return found, best


def _sorted(rows: Sequence[int], values: Sequence[float]) -> list[int]:
    """Sort rows by their values, equal ones by their number; NumPy does not block other threads meanwhile."""
    chosen = np.asarray(rows, np.int64)
    ordered: list[int] = chosen[np.argsort(np.asarray(values, np.float64)[chosen], kind="stable")].tolist()
    return ordered


def _padded(digits: re.Match[str]) -> str:
    """A number with leading zeros, so that texts sort numbers by their size."""
    return digits[0].zfill(_LONGEST_NUMBER)


def _by_folder(text: str) -> tuple[str, str]:
    """What sorts a path by its folder first, then by its name; folders in a folder come right after it."""
    folder, _, name = text.rpartition(os.sep)
    return folder.replace(os.sep, "\0"), name


def _by_use(images: Sequence[ImageRecord], facts: Facts, names: Names) -> list[float]:
    """Values of Order.USEFUL. Neighbors in a folder look alike, so untouched images are spread."""
    ids = names.ids(images)
    traits = np.array([facts.traits.get(id, 0) for id in ids], np.int64)
    doubts = np.array([facts.doubts.get(id, 1.0) for id in ids], np.float64)
    rows, readable = np.arange(len(ids)), np.array(ids, np.int64) > 0
    kinds = (readable & (traits & 2 > 0), readable & (traits & 17 == 0), readable & (traits & 16 == 0), readable)
    spread = np.array(names.spread(images), np.float64)
    values: list[float] = np.select(
        kinds, (doubts, _CLASS + spread, 2 * _CLASS + rows, 3 * _CLASS + rows), 4 * _CLASS + rows
    ).tolist()
    return values


_VALUES: Mapping[Order, Callable[[Sequence[ImageRecord], Facts, Names], Sequence[float]]] = {
    Order.ADDED: lambda images, facts, names: range(len(images)),
    Order.NAME: lambda images, facts, names: names.ranks(images),
    Order.DOUBT: lambda images, facts, names: [facts.doubts.get(id, _NO_DOUBT) for id in names.ids(images)],
    Order.USEFUL: _by_use,
    Order.DATE: lambda images, facts, names: [-facts.dates.get(id, 0.0) for id in names.ids(images)],
    Order.BOXES: lambda images, facts, names: [-float(facts.boxes.get(id, 0)) for id in names.ids(images)],
}
