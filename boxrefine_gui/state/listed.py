"""Listed: the images that the image list shows, in its order; stepping and preparing follow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from core.listing import Arrangement
from core.records import ImageRecord

_ID = attrgetter("id")


class Images(Protocol):
    """Images in an order: those of the project, or the listed ones."""

    def __len__(self) -> int: ...

    def __getitem__(self, place: int, /) -> ImageRecord: ...


class Listed(QObject):
    """All images of the project, or those of an arrangement. A row counts in the project, a place in the list.

    A model must know of a change before and after it, so signals come in pairs.
    """

    reset = Signal()  # other images, or another order
    grows = Signal(int, int)  # places, first and last, that are about to be inserted
    shrinks = Signal(int)  # the place that is about to be removed
    changed = Signal()  # what was about to happen has happened

    def __init__(self) -> None:
        super().__init__()
        self._images: tuple[ImageRecord, ...] = ()
        self._arrangement: Arrangement | None = None

    def __len__(self) -> int:
        return len(self._images if self._arrangement is None else self._arrangement.rows)

    def __getitem__(self, place: int) -> ImageRecord:
        return self._images[place if self._arrangement is None else self._arrangement.rows[place]]

    def ids(self, places: slice) -> Iterator[int]:
        """The ids at some places, also of 100,000 within a few milliseconds."""
        if self._arrangement is None:
            return map(_ID, self._images[places])
        return map(_ID, map(self._images.__getitem__, self._arrangement.rows[places]))

    @property
    def rows(self) -> Sequence[int] | None:
        """The rows by place; None if all are listed in the order of the project."""
        return None if self._arrangement is None else self._arrangement.rows

    def row_at(self, place: int) -> int:
        """The row at a place."""
        return place if self._arrangement is None else self._arrangement.rows[place]

    @property
    def is_whole(self) -> bool:
        """Whether all images are listed in the order of the project."""
        return self._arrangement is None

    def place_of(self, row: int | None) -> int | None:
        """The place of a row of the project; None if it is not listed."""
        if row is None or self._arrangement is None:
            return row if row is None or row < len(self._images) else None
        return self._arrangement.place_of(row) if row < len(self._arrangement.values) else None

    def place_after(self, row: int) -> int:
        """The place from which on the images come that follow a row, whether it is listed or not."""
        if self._arrangement is None:
            return row + 1
        if row >= len(self._arrangement.values):
            return len(self)
        return self._arrangement.place_for(row) + (self._arrangement.place_of(row) is not None)

    def set_images(self, images: tuple[ImageRecord, ...]) -> None:
        """Take over the images of the project; a present arrangement stays until another one is shown."""
        before = len(self._images)
        if self._arrangement is not None:
            return
        is_longer = len(images) > before > 0
        if is_longer:
            self.grows.emit(before, len(images) - 1)
        self._images = images
        if is_longer:
            self.changed.emit()
        elif len(images) != before:
            self.reset.emit()

    def show_all(self, images: tuple[ImageRecord, ...]) -> None:
        """List all images."""
        self._images, self._arrangement = images, None
        self.reset.emit()

    def show(self, images: tuple[ImageRecord, ...], arrangement: Arrangement) -> None:
        """List the images of an arrangement, which was made of `images`."""
        self._images, self._arrangement = images, arrangement
        self.reset.emit()

    def drop(self, row: int) -> None:
        """Remove a row from the arrangement, if it is listed."""
        place = self.place_of(row)
        if self._arrangement is not None and place is not None:
            self.shrinks.emit(place)
            del self._arrangement.rows[place]
            self.changed.emit()

    def add(self, row: int) -> None:
        """Insert a row into the arrangement at its place, unless it is listed."""
        arrangement = self._arrangement
        if arrangement is None or row >= len(arrangement.values) or self.place_of(row) is not None:
            return
        place = arrangement.place_for(row)
        self.grows.emit(place, place)
        arrangement.rows.insert(place, row)
        self.changed.emit()
