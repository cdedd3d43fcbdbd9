"""Pictures for the canvas: decoded on a lane, the open one first, and the last few kept."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.lanes.timers import AFTER_A_STEP_MS, timer
from boxrefine_gui.state.session import Session
from boxrefine_gui.state.session_state import CanvasPicture
from core.errors import BadFileError, KnownError, reason
from core.features.encoding.encode_order import encode_order
from core.records import ImageRecord

_GROUP = "pictures"
_KEPT_BYTES = 384 * 1024**2
_SMALLEST_LEVEL = 768


class Pictures:
    """Brings the open image's pixels to the session, and reads its neighbours ahead."""

    def __init__(self, *, session: Session, lane: QueueLane) -> None:
        self._session = session
        self._lane = lane
        self._kept: OrderedDict[tuple[int, Path], CanvasPicture] = OrderedDict()
        self._rest = timer(AFTER_A_STEP_MS, self._read_ahead)
        session.image_changed.connect(self._requeue)

    def stop(self) -> None:
        """Read nothing more."""
        self._rest.stop()

    def _requeue(self) -> None:
        self._lane.drop(_GROUP)
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
        """The neighbours; and the open one, if it was there, may have been replaced since."""
        row = self._session.row
        if row is None:
            return
        order = encode_order(current=row, total=len(self._session.images), direction=self._session.direction, ahead=1)
        for place, record in enumerate(self._session.images[wanted] for wanted in order):
            key = (record.id, record.path)
            kept = self._kept.get(key)
            if kept is None:
                self._queue(record, priority=place)
            elif place == 0:
                self._look_again(key, kept)
            else:
                self._kept.move_to_end(key)

    def _queue(self, record: ImageRecord, *, priority: int) -> None:
        key = (record.id, record.path)
        if record.id in self._session.problems or self._lane.has(key):
            return
        self._lane.run(
            partial(decode, record.id, record.path),
            on_done=partial(self._arrived, key),
            on_error=partial(self._failed, record.id),
            priority=priority,
            group=_GROUP,
            key=key,
        )

    def _look_again(self, key: tuple[int, Path], kept: CanvasPicture) -> None:
        """The file may have been replaced since it was read."""

        def done(fresh: CanvasPicture | None) -> None:
            if fresh is not None:
                self._arrived(key, fresh)

        self._lane.run(partial(decode_anew, kept, key[1]), on_done=done, on_error=partial(self._failed, key[0]))

    def _arrived(self, key: tuple[int, Path], picture: CanvasPicture) -> None:
        self._kept[key] = picture
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(kept.nbytes for kept in self._kept.values()) > _KEPT_BYTES:
            self._kept.popitem(last=False)
        image = self._session.image
        if image is not None and (image.id, image.path) == key:
            self._session.set_picture(picture)

    def _failed(self, image_id: int, error: Exception) -> None:
        if isinstance(error, KnownError):
            self._session.set_problem(image_id, str(error))
        else:
            self._session.set_problem(image_id, "This picture cannot be shown because of a fault in BoxRefine.")
            self._session.report(error)


def decode(image_id: int, path: Path) -> CanvasPicture:
    """Any lane: the upright picture as QImages, halved until it is small. Raises BadFileError."""
    import cv2  # here and not above, so that the window need not wait for it

    from core.images import read_picture

    stamp = stamp_of(path)
    picture = read_picture(path)
    try:
        levels = [as_qimage(picture)]
        while max(picture.shape[:2]) > _SMALLEST_LEVEL and min(picture.shape[:2]) > 1:
            half = (picture.shape[1] // 2, picture.shape[0] // 2)
            picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
            levels.append(as_qimage(picture))
    except (MemoryError, OverflowError, cv2.error) as error:
        raise BadFileError(
            f"The picture {path} cannot be shown ({reason(error)}): cut it into smaller ones."
        ) from error
    return CanvasPicture(image_id, tuple(levels), stamp)


def decode_anew(kept: CanvasPicture, path: Path) -> CanvasPicture | None:
    """Any lane: the picture if its file is another one than it was, else None. Raises BadFileError."""
    return decode(kept.image_id, path) if stamp_of(path) != kept.stamp else None


def stamp_of(path: Path) -> tuple[int, int]:
    """Any lane: size and date of a file; of one that is gone, nothing, and reading it says so."""
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return stat.st_size, stat.st_mtime_ns


def as_qimage(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> QImage:
    """Any thread: (height, width, 3) RGB as an image of its own memory, in the format that paints fastest.

    Raises MemoryError, and OverflowError for lines that are too long for Qt.
    """
    height, width = picture.shape[:2]
    pixels = np.ascontiguousarray(picture)
    view = QImage(pixels.data, width, height, width * 3, QImage.Format.Format_RGB888)
    image = view.convertToFormat(QImage.Format.Format_RGB32)
    if image.isNull():
        raise MemoryError("there is not enough memory for it")
    return image
