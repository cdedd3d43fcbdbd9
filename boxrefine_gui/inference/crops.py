"""Crops of boxes with their surroundings: cut on a lane for the boxes that are visible, and kept up to a size."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QPixmap

from boxrefine_gui.inference.image_loader import as_qimage
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.lanes.timers import timer
from core.errors import KnownError
from core.geometry import Box

_GROUP = "crops"
_FIRST = -(10**9)
"""Before the thumbnails of the image list, which share the lane."""

_AIR = 0.35
_LEAST_AIR = 8.0
_KEPT_BYTES = 96 * 1024**2
_MOST_WAITING = 300
_LARGEST_KEPT_PICTURE = 96 * 1024**2


@dataclass(frozen=True)
class Wish:
    """A crop that is wanted: the box in its picture, as it is and as it was before, and the long side in pixels."""

    path: Path
    box: Box
    before: Box
    side: int


@dataclass(frozen=True)
class Crop:
    """The pixels of a part of a picture; `region` is the part in image pixels. None: the picture cannot be read."""

    pixmap: QPixmap | None
    region: Box


class Crops:
    """Gives crops that are there, and cuts missing ones in the background; then it calls `on_ready`.

    What was painted last is cut first, one picture at a time. Of the boxes that were scrolled away, the earliest are
    not cut at all.
    """

    def __init__(self, lane: QueueLane, on_ready: Callable[[], None]) -> None:
        self._lane = lane
        self._on_ready = on_ready
        self._kept: OrderedDict[Wish, Crop] = OrderedDict()
        self._bytes = 0
        self._fresh: dict[Wish, None] = {}  # wanted since the last request
        self._waiting: dict[Wish, None] = {}  # wanted before
        self._running: tuple[Wish, ...] = ()
        self._soon = timer(0, self._ask)
        self._pictures = _LastPicture()
        self.cut = 0

    def of(self, wish: Wish) -> Crop | None:
        """The crop; None if it is not cut yet."""
        if wish in self._kept:
            self._kept.move_to_end(wish)
            return self._kept[wish]
        if wish not in self._running:
            self._fresh[wish] = None
            if not self._soon.isActive():
                self._soon.start()
        return None

    def forget(self) -> None:
        """Drop all that is kept or wanted, because another project is open or the files may have changed."""
        self._soon.stop()
        self._kept.clear()
        self._fresh.clear()
        self._waiting.clear()
        self._bytes = 0
        self._pictures = _LastPicture()

    def close(self) -> None:
        """End all requests; the outcome of a running one is ignored."""
        self.forget()
        self._lane.drop(_GROUP)
        self._on_ready = lambda: None

    def _ask(self) -> None:
        if self._running:
            return
        queue = {**self._fresh, **self._waiting}
        self._fresh.clear()
        self._waiting = dict.fromkeys(islice(queue, _MOST_WAITING))
        if not queue:
            return
        path = next(iter(queue)).path
        self._running = tuple(wish for wish in self._waiting if wish.path == path)
        for wish in self._running:
            del self._waiting[wish]
        self._lane.run(
            partial(cut, path, self._running, self._pictures),
            on_done=partial(self._arrived, self._running),
            on_error=partial(self._failed, self._running),
            priority=_FIRST,
            group=_GROUP,
        )

    def _arrived(self, wishes: Sequence[Wish], images: Sequence[tuple[QImage, Box]]) -> None:
        for wish, (image, region) in zip(wishes, images, strict=True):
            self._keep(wish, Crop(QPixmap.fromImage(image), region))
            self.cut += 1
        self._go_on()

    def _failed(self, wishes: Sequence[Wish], error: Exception) -> None:
        if not isinstance(error, KnownError):
            self._running = ()
            raise error
        for wish in wishes:
            self._keep(wish, Crop(None, wish.box))
        self._go_on()

    def _go_on(self) -> None:
        self._running = ()
        self._on_ready()
        if self._waiting or self._fresh:
            self._soon.start()

    def _keep(self, wish: Wish, crop: Crop) -> None:
        if wish in self._kept:
            return
        self._kept[wish] = crop
        self._bytes += _nbytes(crop)
        while self._bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= _nbytes(self._kept.popitem(last=False)[1])


class _LastPicture:
    """The picture that was decoded last, for the next boxes of the same one; used on the lane only."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._pixels: NDArray[np.uint8] | None = None

    def read(self, path: Path) -> NDArray[np.uint8]:
        """The pixels (height, width, 3) of a picture, RGB. Raises BadFileError."""
        from core.images import read_picture

        if path == self._path and self._pixels is not None:
            return self._pixels
        self._path = self._pixels = None
        pixels = read_picture(path)
        if pixels.nbytes <= _LARGEST_KEPT_PICTURE:
            self._path, self._pixels = path, pixels
        return pixels


def cut(path: Path, wishes: Sequence[Wish], pictures: _LastPicture) -> list[tuple[QImage, Box]]:
    """Any lane: cut the boxes of one picture, each with its region. Raises BadFileError if it cannot be read."""
    import cv2  # imported here so that the window opens without waiting for it

    picture = pictures.read(path)
    height, width = picture.shape[:2]
    found = []
    for wish in wishes:
        region = region_of(wish.box, wish.before, width=width, height=height)
        left, top, right, bottom = (int(edge) for edge in region)
        part = picture[top:bottom, left:right]
        scale = wish.side / max(part.shape[:2])
        if scale < 1:
            size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
            part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
        found.append((as_qimage(part), region))
    return found


def region_of(box: Box, before: Box, *, width: int, height: int) -> Box:
    """The part of a picture of this size that shows both boxes and their surroundings, in whole pixels."""
    x1, y1 = min(box.x1, before.x1), min(box.y1, before.y1)
    x2, y2 = max(box.x2, before.x2), max(box.y2, before.y2)
    side = max(x2 - x1, y2 - y1) + 2 * max(_AIR * max(x2 - x1, y2 - y1), _LEAST_AIR)
    middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
    left, top = max(0, round(middle_x - side / 2)), max(0, round(middle_y - side / 2))
    right, bottom = min(width, round(middle_x + side / 2)), min(height, round(middle_y + side / 2))
    left, top = min(left, width - 1), min(top, height - 1)  # a box outside its picture shows the nearest pixel
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))


def _nbytes(crop: Crop) -> int:
    return 0 if crop.pixmap is None else 4 * crop.pixmap.width() * crop.pixmap.height()
