"""Tiles of a large picture for the canvas: cut on the lane of pictures when they are visible; the last ones stay."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from boxrefine_gui.inference.image_loader import as_qimage
from boxrefine_gui.inference.toning import toned_image
from boxrefine_gui.lanes.lane import QueueLane
from core.tones import AS_IT_IS, Tones

if TYPE_CHECKING:
    from core.pictures.spool import Spool

SIDE = 512
"""Of a tile, in pixels of its level."""

_KEPT_BYTES = 192 * 1024**2
"""A canvas of 3,840 x 2,160 pixels shows at most 150 tiles of 1 MB."""

_GROUP = "tiles"
_FIRST = -2
"""Priority on the lane of pictures: the user looks at the place."""

Key = tuple[int, int, int]


class Tiles:
    """The tiles of one picture in one way of showing it; `on_ready` is called when a tile has come.

    All methods run on the GUI thread, which only asks for tiles.
    """

    side = SIDE

    def __init__(self, spool: Spool, lane: QueueLane, on_ready: Callable[[], None], tones: Tones = AS_IT_IS) -> None:
        self.version = 0
        self._spool, self._lane, self._on_ready, self._tones = spool, lane, on_ready, tones
        self._kept: OrderedDict[Key, QImage] = OrderedDict()
        self._bytes = 0

    def in_tones(self, tones: Tones) -> Tiles:
        """The tiles of the same picture in other tones; none is cut yet."""
        return Tiles(self._spool, self._lane, self._on_ready, tones)

    def forget_wishes(self) -> None:
        """Ask no longer for tiles that are not cut yet, because another part is visible."""
        self._lane.drop(_GROUP)

    def tile(self, level: int, column: int, row: int) -> QImage | None:
        """A tile; None if it is not there yet: it is asked for."""
        key = level, column, row
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        elif not self._lane.has((id(self), key)):
            self._lane.run(
                partial(cut, self._spool, self._tones, level, QRect(column * SIDE, row * SIDE, SIDE, SIDE)),
                on_done=partial(self._arrived, key),
                priority=_FIRST,
                group=_GROUP,
                key=(id(self), key),
            )
        return found

    def close(self) -> None:
        """Give back the file of the picture, on the lane, because removing gigabytes takes long."""
        self.forget_wishes()
        self._lane.run(self._spool.close, priority=_FIRST)

    def _arrived(self, key: Key, tile: QImage | None) -> None:
        if tile is None:
            return
        self._kept[key] = tile
        self._bytes += tile.sizeInBytes()
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].sizeInBytes()
        self.version += 1
        self._on_ready()


def cut(spool: Spool, tones: Tones, level: int, place: QRect) -> QImage | None:
    """Any lane: one part of a level; None once the picture is closed."""
    if level >= len(spool.levels):
        return None
    image = as_qimage(spool.part(level, place.left(), place.top(), place.width(), place.height()))
    return image if tones == AS_IT_IS else toned_image(image, tones)
