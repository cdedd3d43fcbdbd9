"""Many corrections in columns: a box that only came in a file takes some 70 bytes instead of a kilobyte."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from core.geometry import Box
from core.records import Correction, ImportedBox, Origin

_MOST_SHARED = 256
MANY = 20_000
"""Fewer corrections are better off as a tuple."""


class Came(NamedTuple):
    """What many boxes of a file have in common, as in `Origin` and `Correction`."""

    file: str
    format: str = ""
    is_crowd: bool = False
    confirmed: bool = False


class CorrectionTable(Sequence[Correction]):
    """A sequence of corrections; each access makes a new object.

    Corrections that were neither refined nor moved since a file brought them are rows of columns: `edges` has four
    numbers for each, `came` the place in `kinds`. `whole` has the others by their places; their rows in the columns
    have only ids and the accepted box. Rows are added and never changed.
    """

    def __init__(self) -> None:
        self.ids, self.image_ids, self.category_ids = array("q"), array("q"), array("q")
        self.edges, self.scores, self.came = array("d"), array("d"), array("i")
        self._kinds: list[tuple[str, str, bool, bool]] = []  # the cycle collector visits no plain tuples of texts
        self.whole: dict[int, Correction] = {}
        self._texts = bytearray()  # shared by the copies that `pick` makes
        self._starts, self._ends = array("q"), array("q")
        self._places: dict[tuple[str, str, bool, bool], int] = {}
        self._shared: dict[str, tuple[int, int]] = {}  # where the first texts are; most of a VOC file are the same

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, row: int) -> Correction: ...

    @overload
    def __getitem__(self, row: slice) -> list[Correction]: ...

    def __getitem__(self, row: int | slice) -> Correction | list[Correction]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        if row < 0:
            row += len(self)
        if (whole := self.whole.get(row)) is not None:
            return whole
        x1, y1, x2, y2 = self.edges[4 * row : 4 * row + 4] or self._refuse(row)
        box, came = Box(x1, y1, x2, y2), self.kind_of(row)
        origin = Origin(came.file, box, "", self.scores[row], came.is_crowd, came.format, self.text(row))
        return Correction(
            self.image_ids[row],
            self.category_ids[row],
            box,
            box,
            id=self.ids[row],
            origin=origin,
            confirmed=came.confirmed,
        )

    def __iter__(self) -> Iterator[Correction]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CorrectionTable | list | tuple):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self)}"

    def _refuse(self, row: int) -> array[float]:
        raise IndexError(row)

    def text(self, row: int) -> str:
        """The box of a row as it was in its file, as in `Origin.entry`."""
        return self._texts[self._starts[row] : self._ends[row]].decode("utf-8", "surrogatepass")

    @property
    def kinds(self) -> list[Came]:
        """What boxes have in common, by the numbers in `came`; the list is a new one."""
        return [Came(*kind) for kind in self._kinds]

    def kind_of(self, row: int) -> Came:
        """The kind of a box that is in the columns."""
        return Came(*self._kinds[self.came[row]])

    def kind(self, came: Came) -> int:
        """The place of a kind in `kinds`."""
        place = self._places.get(came)
        if place is None:
            plain = (came.file, came.format, came.is_crowd, came.confirmed)
            place = self._places[plain] = len(self._kinds)
            self._kinds.append(plain)
        return place

    def add(
        self,
        image_id: int,
        category_id: int,
        box: Sequence[float],
        kind: int,
        *,
        score: float = 0.0,
        text: str = "",
        id: int = 0,
    ) -> None:
        """Add a box as it came in a file: drawn, accepted and original box are one."""
        self.ids.append(id)
        self.image_ids.append(image_id)
        self.category_ids.append(category_id)
        self.edges.extend(box)
        self.scores.append(score)
        self.came.append(kind)
        start, end = self._shared.get(text) or self._kept(text)
        self._starts.append(start)
        self._ends.append(end)

    def _kept(self, text: str) -> tuple[int, int]:
        """Add a text; return where it starts and ends."""
        start = len(self._texts)
        if text:
            self._texts += text.encode("utf-8", "surrogatepass")
        if len(self._shared) < _MOST_SHARED:
            self._shared[text] = start, len(self._texts)
        return start, len(self._texts)

    def append(self, correction: Correction) -> None:
        """Add any correction."""
        origin = correction.origin
        if origin is not None and is_as_it_came(correction, origin):
            came = Came(origin.file, origin.format, origin.is_crowd, correction.confirmed)
            self.add(
                correction.image_id,
                correction.category_id,
                correction.accepted,
                self.kind(came),
                score=origin.probability,
                text=origin.entry,
                id=correction.id,
            )
            return
        self.whole[len(self)] = correction
        self.add(correction.image_id, correction.category_id, correction.accepted, -1, id=correction.id)

    def extend(self, corrections: Iterable[Correction]) -> None:
        """Add corrections."""
        for correction in corrections:
            self.append(correction)

    def pick(self, rows: NDArray[np.int64]) -> CorrectionTable:
        """The rows (N,) of these places, in their order."""
        found = CorrectionTable()
        for name in ("ids", "image_ids", "category_ids", "scores", "came", "_starts", "_ends"):
            column = getattr(self, name)
            setattr(found, name, _array(column.typecode, np.frombuffer(column, column.typecode)[rows]))
        found.edges = _array("d", np.frombuffer(self.edges, np.float64).reshape(-1, 4)[rows])
        found._kinds, found._places, found._texts = list(self._kinds), dict(self._places), self._texts
        if self.whole:
            at = {int(row): place for place, row in enumerate(rows)}
            found.whole = {at[row]: whole for row, whole in self.whole.items() if row in at}
        return found

    def by_status(self, test: Callable[[Correction], bool]) -> CorrectionTable:
        """The corrections for which `test` holds, which goes by their origin and whether they are confirmed only."""
        first = {int(kind): int(row) for kind, row in zip(*np.unique(self.came, return_index=True), strict=True)}
        holds = np.array([kind in first and test(self[first[kind]]) for kind in range(len(self._kinds))] + [False])
        kept = holds[np.frombuffer(self.came, np.int32)] if len(self) else np.zeros(0, bool)
        kept[[row for row, whole in self.whole.items() if test(whole)]] = True
        return self.pick(np.flatnonzero(kept))

    def on_images(self, ids: Collection[int]) -> CorrectionTable:
        """The corrections on some images."""
        kept = np.isin(np.frombuffer(self.image_ids, np.int64), np.fromiter(ids, np.int64, len(ids)))
        return self if kept.all() else self.pick(np.flatnonzero(kept))

    def relabelled(self, new_ids: Mapping[int, int]) -> CorrectionTable:
        """The corrections of some categories (old id -> new id), with the new ids."""
        old = np.frombuffer(self.category_ids, np.int64)
        found = self.pick(np.flatnonzero(np.isin(old, list(new_ids))))
        found.category_ids = array("q", map(new_ids.__getitem__, found.category_ids))
        found.whole = {row: replace(item, category_id=new_ids[item.category_id]) for row, item in found.whole.items()}
        return found

    def rows_by_image(self) -> tuple[NDArray[np.int64], dict[int, tuple[int, int]]]:
        """The rows (N,) sorted by image, in their order on each, and image id -> its slice of them."""
        images = np.frombuffer(self.image_ids, np.int64)
        order = np.argsort(images, kind="stable")
        ids, starts = np.unique(images[order], return_index=True)
        ends = [*starts.tolist(), len(order)][1:]
        return order, dict(zip(ids.tolist(), zip(starts.tolist(), ends, strict=True), strict=True))


def on_images(corrections: Sequence[Correction], ids: Collection[int]) -> Sequence[Correction]:
    """Those of some corrections that are on some images."""
    if isinstance(corrections, CorrectionTable):
        return corrections.on_images(ids)
    return tuple(item for item in corrections if item.image_id in ids)


def origins_in(corrections: Sequence[Correction]) -> Iterator[tuple[str, str]]:
    """The file and the format that some corrections came from; each pair once for a table, else as often as it is."""
    others: Iterable[Correction] = corrections
    if isinstance(corrections, CorrectionTable):
        kinds = corrections.kinds
        for place in sorted(set(corrections.came) - {-1}):
            yield kinds[place].file, kinds[place].format
        others = corrections.whole.values()
    for item in others:
        if item.origin is not None:
            yield item.origin.file, item.origin.format


def is_as_it_came(correction: Correction, origin: Origin) -> bool:
    """Whether a correction has nothing but what a file gave it."""
    return (
        correction.refined is None
        and not origin.head
        and correction.drawn == correction.accepted == origin.box
        and not (correction.encoder or correction.refiner or correction.seconds or correction.outline)
        and correction.edge_confidence is None
        and correction.score is None
        and correction.margin is None
        and correction.choice is None
        and not (correction.doubtful or correction.drawn_by)
    )


class BoxTable(Sequence[ImportedBox]):
    """Boxes of annotation files for an import, in columns; `names` are their categories.

    `corrections` has the place of the category's name as the id of each one's category.
    """

    def __init__(self, boxes: Iterable[ImportedBox] = ()) -> None:
        self.corrections = CorrectionTable()
        self.names: list[str] = []
        self._places: dict[str, int] = {}
        self.extend(boxes)

    def __len__(self) -> int:
        return len(self.corrections)

    @overload
    def __getitem__(self, row: int) -> ImportedBox: ...

    @overload
    def __getitem__(self, row: slice) -> list[ImportedBox]: ...

    def __getitem__(self, row: int | slice) -> ImportedBox | list[ImportedBox]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        correction = self.corrections[row]
        return ImportedBox(self.names[correction.category_id], replace(correction, category_id=0))

    def __iter__(self) -> Iterator[ImportedBox]:
        return (self[row] for row in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoxTable | list | tuple):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self)}"

    def category(self, name: str) -> int:
        """The place of a category's name in `names`."""
        place = self._places.get(name)
        if place is None:
            place = self._places[name] = len(self.names)
            self.names.append(name)
        return place

    def append(self, box: ImportedBox) -> None:
        """Add a box."""
        self.corrections.append(replace(box.correction, category_id=self.category(box.category)))

    def extend(self, boxes: Iterable[ImportedBox]) -> None:
        """Add boxes."""
        for box in boxes:
            self.append(box)

    def with_categories(self, ids: Mapping[str, int]) -> CorrectionTable:
        """The corrections with the ids of their categories, by name, and ids that count from 1."""
        found = self.corrections.relabelled({place: ids[name] for place, name in enumerate(self.names)})
        found.ids = array("q", range(1, len(found) + 1))
        found.whole = {row: replace(item, id=row + 1) for row, item in found.whole.items()}
        return found


def as_sequence(table: CorrectionTable) -> Sequence[Correction]:
    """The corrections of a table as a tuple, unless they are too many to be objects at a time."""
    return table if len(table) >= MANY else tuple(table)


def _array(typecode: str, values: NDArray[Any]) -> array[Any]:
    found: array[Any] = array(typecode)
    found.frombytes(np.ascontiguousarray(values).tobytes())
    return found
