"""Toning: makes the copy of the open picture that the canvas shows in other tones; only the canvas uses it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

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
        session.picture_changed.connect(self._follow)
        session.tones_changed.connect(self._follow)

    def _follow(self) -> None:
        session = self._session
        self._lane.drop(_GROUP)  # at most one copy waits, while one is being made
        if session.picture is None or session.tones == AS_IT_IS:
            session.set_toned(None)
            return
        self._lane.run(
            partial(in_tones, session.picture, session.tones),
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


def in_tones(picture: CanvasPicture, tones: Tones) -> CanvasPicture:
    """Any lane: copy a picture in other tones. Raises BadFileError if there is not enough memory."""
    try:
        levels = tuple(toned_image(level, tones) for level in picture.levels)
    except MemoryError as error:
        raise BadFileError(
            tr("There is not enough memory to show this picture in other tones: cut it into smaller ones.")
        ) from error
    tiles = picture.tiles.in_tones(tones) if picture.tiles is not None else None
    return replace(picture, levels=levels, tiles=tiles)


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
