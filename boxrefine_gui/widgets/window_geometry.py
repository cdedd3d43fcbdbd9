"""Geometry of the window and its panels, as it is kept in the settings; saved values are checked before use.

The window's place is kept in Qt's own format, which handles several screens, frames and maximized windows.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMargins, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QWidget

FRAME = QMargins(8, 32, 8, 8)
"""An estimate of the frame, whose size is unknown before the window is shown; its title must stay on the screen."""


def first_size(wanted: QSize, room: QRect) -> QSize:
    """The size of a window that was never open: `wanted`, or smaller so that it fits with its frame."""
    return wanted.boundedTo(room.marginsRemoved(FRAME).size())


def place_text(window: QWidget) -> str:
    """Encode size, position and maximized state as text."""
    return bytes(window.saveGeometry().toBase64().data()).decode("ascii")


def restore_place(window: QWidget, text: str) -> None:
    """Restore the place of a window that is not shown yet, moved onto a present screen if necessary."""
    if not text or not window.restoreGeometry(QByteArray.fromBase64(text.encode("ascii", "replace"))):
        return
    rooms = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    place = QRect(window.pos(), window.size().expandedTo(window.minimumSizeHint()))  # its rectangle once it is shown
    is_within = any(room.contains(place) for room in rooms)
    if not is_within and not window.isMaximized() and not window.isFullScreen():
        window.setGeometry(fit_into(place, [room.marginsRemoved(FRAME) for room in rooms]))


def fit_into(place: QRect, rooms: list[QRect]) -> QRect:
    """Move and shrink `place` into the room with the largest overlap, or the first one if there is no overlap."""

    def overlap(room: QRect) -> int:
        part = room.intersected(place)
        return part.width() * part.height()

    room = max(rooms, key=overlap)
    size = place.size().boundedTo(room.size())
    left = min(max(place.left(), room.left()), room.right() + 1 - size.width())
    top = min(max(place.top(), room.top()), room.bottom() + 1 - size.height())
    return QRect(left, top, size.width(), size.height())


def restore_sizes(splitter: QSplitter, sizes: tuple[int, ...]) -> None:
    """Restore the sizes of a splitter's panels; sizes that do not fit the splitter are ignored."""
    are_sizes = all(type(size) is int and 0 <= size < 100_000 for size in sizes)
    if len(sizes) == splitter.count() and are_sizes and any(sizes):
        splitter.setSizes(list(sizes))
