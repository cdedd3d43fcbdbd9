"""Pictures for the canvas: decoded on a lane, the open one first; the last few are kept in memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from boxrefine_gui.lanes.lane import QueueLane, Ticket
from boxrefine_gui.lanes.timers import AFTER_A_STEP_MS, timer
from boxrefine_gui.state.session import Session
from boxrefine_gui.state.session_state import CanvasPicture
from core.errors import BadFileError, KnownError, reason
from core.features.encoding.encode_order import encode_order
from core.progress import Job
from core.records import ImageRecord
from core.settings import cache_folder
from core.translation import tr

_GROUP = "pictures"
_KEPT_BYTES = 384 * 1024**2
_SMALLEST_LEVEL = 768
SPOOLED = "open-pictures"
"""The folder in the cache for the decoded pixels of the open large picture."""


class Pictures:
    """Provides the open image's pixels to the session, and decodes its neighbors ahead of time."""

    def __init__(self, *, session: Session, lane: QueueLane) -> None:
        self._session = session
        self._lane = lane
        self._kept: OrderedDict[tuple[int, Path], CanvasPicture] = OrderedDict()
        self._ticket: Ticket | None = None  # of the open picture
        self._rest = timer(AFTER_A_STEP_MS, self._read_ahead)
        session.image_changed.connect(self._requeue)

    def stop(self) -> None:
        """Stop reading ahead, and give back the file of a large picture."""
        self._rest.stop()
        for key in [*self._kept]:
            self._drop(key)

    def _requeue(self) -> None:
        self._lane.drop(_GROUP)
        if self._ticket is not None:
            self._ticket.cancel()  # reading a large picture that the user has left
            self._ticket = None
        self._rest.stop()
        image = self._session.image
        if image is None:
            return
        key = (image.id, image.path)
        kept = self._kept.get(key)
        if kept is None:
            self._read_ahead()
            return
        self._arrived(key, kept)
        self._rest.start()

    def _read_ahead(self) -> None:
        """Decode the neighbors, and check whether the file of a kept open picture was replaced."""
        images, row = self._session.way
        if row is None:
            return
        order = encode_order(current=row, total=len(images), direction=self._session.direction, ahead=1)
        for place, record in enumerate(images[wanted] for wanted in order):
            key = (record.id, record.path)
            kept = self._kept.get(key)
            if kept is None:
                self._queue(record, priority=place)
            elif place == 0:
                self._check_file(key, kept)
            else:
                self._kept.move_to_end(key)

    def _queue(self, record: ImageRecord, *, priority: int) -> None:
        key = (record.id, record.path)
        if record.id in self._session.problems or self._lane.has(key):
            return
        is_open = priority == 0
        ticket = self._lane.run_steps(
            partial(self._decode if is_open else decode_small, record.id, record.path),
            on_done=partial(self._came, record),
            on_error=partial(self._failed, record.id),
            on_cancel=partial(self._came, record, None),
            priority=priority,
            group=_GROUP,
            key=key,
        )
        if is_open:
            self._ticket = ticket

    def _came(self, record: ImageRecord, picture: CanvasPicture | None) -> None:
        """Take over a picture; one that was not read, because it is large and was not open, is read now if it is."""
        key, image = (record.id, record.path), self._session.image
        if picture is not None:
            self._arrived(key, picture)
        elif image is not None and (image.id, image.path) == key:
            self._queue(record, priority=0)

    def _check_file(self, key: tuple[int, Path], kept: CanvasPicture) -> None:
        """Decode a kept picture again if its file was replaced."""

        def done(fresh: CanvasPicture | None) -> None:
            if fresh is not None:
                self._arrived(key, fresh)

        self._lane.run_steps(
            partial(decode_if_changed, kept, key[1], partial(self._decode, *key)),
            on_done=done,
            on_error=partial(self._failed, key[0]),
        )

    def _decode(self, image_id: int, path: Path) -> Job[CanvasPicture]:
        """Any lane: see `decode_steps`."""
        folder = cache_folder(self._session.settings) / SPOOLED
        return decode_steps(image_id, path, folder, self._lane, self._session.tiles_changed.emit)

    def _arrived(self, key: tuple[int, Path], picture: CanvasPicture) -> None:
        self._drop(key)
        if picture.tiles is not None:  # a second file of gigabytes might fill the disk
            for other in [other for other, kept in self._kept.items() if kept.tiles is not None]:
                self._drop(other)
        self._kept[key] = picture
        while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > _KEPT_BYTES:
            self._drop(next(iter(self._kept)))
        image = self._session.image
        if image is not None and (image.id, image.path) == key:
            self._session.set_picture(picture)

    def _drop(self, key: tuple[int, Path]) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None and dropped.tiles is not None:
            dropped.tiles.close()

    def _failed(self, image_id: int, error: Exception) -> None:
        if isinstance(error, KnownError):
            self._session.set_problem(image_id, str(error))
        else:
            self._session.set_problem(image_id, tr("This picture cannot be shown because of an error in BoxRefine."))
            self._session.report(error)


def decode_steps(
    image_id: int, path: Path, folder: Path, lane: QueueLane, on_tile: Callable[[], None]
) -> Job[CanvasPicture]:
    """Any lane: decode a picture; a large one into a file in `folder`, step by step. Raises BadFileError."""
    from boxrefine_gui.inference.tiles import Tiles
    from core.images import read_size, spool_picture
    from core.pictures import spool

    stamp, (width, height) = stamp_of(path), read_size(path)
    if width * height < spool.LARGE:
        return decode(image_id, path)
    made = yield from spool_picture(path, folder)
    last = len(made.levels) - 1
    coarsest = as_qimage(made.part(last, 0, 0, *made.size_of(last)))
    tiles = Tiles(made, lane, on_tile)
    return CanvasPicture(image_id, (coarsest,), stamp, finer=last, whole=QSize(*made.size), tiles=tiles)


def decode_small(image_id: int, path: Path) -> Job[CanvasPicture | None]:
    """Any lane: decode a picture unless it is large; then the result is None. Raises BadFileError."""
    from core.images import read_size
    from core.pictures import spool

    width, height = read_size(path)
    yield from ()
    return decode(image_id, path) if width * height < spool.LARGE else None


def decode(image_id: int, path: Path) -> CanvasPicture:
    """Any lane: decode a picture, upright, with halved copies. Raises BadFileError."""
    import cv2  # imported here so that the window opens without waiting for it

    from core.images import read_picture

    stamp = stamp_of(path)
    picture = read_picture(path)
    try:
        levels = levels_of(picture)
    except (MemoryError, OverflowError, cv2.error) as error:
        raise BadFileError(
            tr("The picture {path} cannot be shown ({why}): cut it into smaller ones.", path=path, why=reason(error))
        ) from error
    return CanvasPicture(image_id, levels, stamp)


def levels_of(picture: NDArray[np.uint8]) -> tuple[QImage, ...]:
    """Any lane: an RGB picture (height, width, 3) and halved copies. Raises as `as_qimage`, and cv2.error."""
    import cv2  # imported here so that the window opens without waiting for it

    levels = [as_qimage(picture)]
    while max(picture.shape[:2]) > _SMALLEST_LEVEL and min(picture.shape[:2]) > 1:
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
        levels.append(as_qimage(picture))
    return tuple(levels)


def decode_if_changed(
    kept: CanvasPicture, path: Path, again: Callable[[], Job[CanvasPicture]]
) -> Job[CanvasPicture | None]:
    """Any lane: decode a kept picture `again` if its file has changed, else return None. Raises BadFileError."""
    return (yield from again()) if stamp_of(path) != kept.stamp else None


def stamp_of(path: Path) -> tuple[int, int]:
    """Any lane: return size and modification time of a file; zeros if it is missing, which decoding reports."""
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return stat.st_size, stat.st_mtime_ns


def as_qimage(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> QImage:
    """Any thread: copy an RGB array (height, width, 3) to a QImage, in the format that paints fastest.

    Raises MemoryError, and OverflowError for lines that are too long for Qt.
    """
    height, width = picture.shape[:2]
    pixels = np.ascontiguousarray(picture)
    view = QImage(pixels.data, width, height, width * 3, QImage.Format.Format_RGB888)
    image = view.convertToFormat(QImage.Format.Format_RGB32)
    if image.isNull():
        raise MemoryError(tr("there is not enough memory for it"))
    return image
