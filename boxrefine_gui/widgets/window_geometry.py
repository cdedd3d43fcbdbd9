"""Where the window was and how its panels were divided: written into the settings, and read with distrust.

Qt's own format is kept for the place, because it knows of several screens, frames and maximised windows.
"""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMargins, QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QWidget

FRAME = QMargins(8, 32, 8, 8)
"""What the system draws around a window is not known before it is shown; its title must not be out of reach."""


def first_size(wanted: QSize, room: QRect) -> QSize:
    """The size of a window that was never open, so that it fits with its frame."""
    return wanted.boundedTo(room.marginsRemoved(FRAME).size())


def place_text(window: QWidget) -> str:
    """Size, position, and whether it is maximised, as text."""
    return bytes(window.saveGeometry().toBase64().data()).decode("ascii")


def restore_place(window: QWidget, text: str) -> None:
    """Put a window that is not shown yet where it was, and wholly on a screen that is there now."""
    if not text or not window.restoreGeometry(QByteArray.fromBase64(text.encode("ascii", "replace"))):
        return
    rooms = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    place = QRect(window.pos(), window.size().expandedTo(window.minimumSizeHint()))  # as it will be once it is shown
    is_within = any(room.contains(place) for room in rooms)
    if not is_within and not window.isMaximized() and not window.isFullScreen():
        window.setGeometry(fitted(place, [room.marginsRemoved(FRAME) for room in rooms]))


def fitted(place: QRect, rooms: list[QRect]) -> QRect:
    """`place` moved and shrunk into the room that it shares most with; into the first one where it is out of all."""

    def shared(room: QRect) -> int:
        part = room.intersected(place)
        return part.width() * part.height()

    room = max(rooms, key=shared)
    size = place.size().boundedTo(room.size())
    left = min(max(place.left(), room.left()), room.right() + 1 - size.width())
    top = min(max(place.top(), room.top()), room.bottom() + 1 - size.height())
    return QRect(left, top, size.width(), size.height())


def restore_sizes(splitter: QSplitter, sizes: tuple[int, ...]) -> None:
    """Divide a splitter as it was, unless the settings were written for other panels or by hand."""
    are_sizes = all(type(size) is int and 0 <= size < 100_000 for size in sizes)
    if len(sizes) == splitter.count() and are_sizes and any(sizes):
        splitter.setSizes(list(sizes))
