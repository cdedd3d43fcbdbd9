"""Toning: makes the copy of the open picture that the canvas shows in other tones; only the canvas uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from boxrefine_gui.inference.image_loader import levels_of, stamp_of
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.state.session import Session
from boxrefine_gui.state.session_state import CanvasPicture
from core.errors import BadFileError, KnownError
from core.tones import AS_IT_IS, Channel, Tones
from core.translation import tr

_GROUP = "tones"
_FIRST = -1
"""Priority on the lane of pictures: the user waits for it, and for none of the pictures that are read ahead."""

_PLACES = {Channel.BLUE: 0, Channel.GREEN: 1, Channel.RED: 2}  # in the bytes of QImage.Format_RGB32


class Toning:
    """Follows the open picture and the tones of the session."""

    def __init__(self, *, session: Session, lane: QueueLane) -> None:
        self._session, self._lane = session, lane
        self._deep = DeepValues()
        session.picture_changed.connect(self._follow)
        session.tones_changed.connect(self._follow)

    def _follow(self) -> None:
        session = self._session
        self._lane.drop(_GROUP)  # at most one copy waits, while one is being made
        if session.picture is None or session.image is None or session.tones == AS_IT_IS:
            self._deep = DeepValues()  # a job that still uses the one before keeps that
            session.set_toned(None)
            return
        self._lane.run(
            partial(
                in_tones, session.picture, session.tones, partial(self._deep.of, session.picture, session.image.path)
            ),
            on_done=partial(self._made, session.picture),
            on_error=self._failed,
            priority=_FIRST,
            group=_GROUP,
        )

    def _made(self, of: CanvasPicture, toned: CanvasPicture) -> None:
        if of is self._session.picture and self._session.tones != AS_IT_IS:
            self._session.set_toned(toned)

    def _failed(self, error: Exception) -> None:
        """Show the picture as it is."""
        self._session.set_tones(AS_IT_IS)
        if isinstance(error, KnownError):
            self._session.tell(str(error))
        else:
            self._session.report(error)


class DeepValues:
    """The values of the open picture if it has more than 8 bits a channel, kept while it is shown in other tones."""

    def __init__(self) -> None:
        self._of: CanvasPicture | None = None
        self._values: NDArray[np.uint16] | None = None

    def of(self, picture: CanvasPicture, path: Path) -> NDArray[np.uint16] | None:
        """The lane of pictures: read the values once; None for 8 bits, or if the file is another one by now."""
        if picture is not self._of:
            self._of, self._values = picture, None
            self._values = _values_of(picture, path)
        return self._values


def _values_of(picture: CanvasPicture, path: Path) -> NDArray[np.uint16] | None:
    from core.images import read_values

    if picture.tiles is not None or stamp_of(path) != picture.stamp:
        return None
    try:
        found = read_values(path)
    except BadFileError:
        return None  # the 8 bits that are there can be shown
    size = picture.size
    return found if found is not None and found.shape[:2] == (size.height(), size.width()) else None


def in_tones(
    picture: CanvasPicture, tones: Tones, values_of: Callable[[], NDArray[np.uint16] | None] = lambda: None
) -> CanvasPicture:
    """Any lane: copy a picture in other tones, from its deep values if it has some.

    Raises BadFileError if there is not enough memory.
    """
    try:
        values = values_of()
        if values is not None:
            return replace(picture, levels=levels_of(toned_values(values, tones)))
        levels = tuple(toned_image(level, tones) for level in picture.levels)
    except MemoryError as error:
        raise BadFileError(
            tr("There is not enough memory to show this picture in other tones: cut it into smaller ones.")
        ) from error
    tiles = picture.tiles.in_tones(tones) if picture.tiles is not None else None
    return replace(picture, levels=levels, tiles=tiles)


def toned_values(values: NDArray[np.uint16], tones: Tones) -> NDArray[np.uint8]:
    """Any lane: deep values in other tones as 8-bit RGB (height, width, 3)."""
    if values.ndim == 3 and tones.channel is not Channel.ALL:
        values = values[..., 2 - _PLACES[tones.channel]]
    shown = tones.deep_curve[values]
    return np.repeat(shown[..., None], 3, axis=2) if shown.ndim == 2 else shown


def toned_image(level: QImage, tones: Tones) -> QImage:
    """Any lane: copy an image of Format_RGB32 in other tones. Raises MemoryError."""
    import cv2  # imported here so that the window opens without waiting for it

    made = QImage(level.size(), QImage.Format.Format_RGB32)
    if made.isNull():
        raise MemoryError
    source, target = _pixels(level, level.constBits()), _pixels(made, made.bits())  # bits() would copy a shared one
    if tones.channel is Channel.ALL:
        curves = np.full((1, 256, 4), 255, np.uint8)
        curves[0, :, :3] = tones.curve[:, None]
        cv2.LUT(source, curves, dst=target)
    else:
        gray = cv2.LUT(cv2.extractChannel(source, _PLACES[tones.channel]), tones.curve)
        cv2.cvtColor(gray, cv2.COLOR_GRAY2BGRA, dst=target)
    return made


def _pixels(image: QImage, bits: bytes | bytearray | memoryview) -> NDArray[np.uint8]:
    """The pixels of an image in Format_RGB32 as an array (height, width, 4) that shares its memory."""
    return np.frombuffer(bits, np.uint8).reshape(image.height(), image.width(), 4)
