"""Thumbnails: read on their own lane for visible rows, the latest request first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtGui import QImage, QPixmap

from boxrefine_gui.inference.image_loader import as_qimage
from boxrefine_gui.lanes.lane import QueueLane
from core.errors import KnownError

THUMBNAIL_SIDE = 96
"""Long side in pixels; larger than in the list, for high-resolution screens."""

_KEPT = 1500


class Thumbnails:
    """A cache of thumbnails that reads missing ones in the background; `wishes` counts the requests."""

    def __init__(self, lane: QueueLane, on_ready: Callable[[int], None]) -> None:
        self._lane = lane
        self._on_ready = on_ready
        self._kept: OrderedDict[Path, QPixmap | None] = OrderedDict()
        self.wishes = 0

    def of(self, image_id: int, path: Path) -> QPixmap | None:
        """The thumbnail of an image; None if it is not read yet: `on_ready` is called with the id once it is."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        if not self._lane.has(path):
            # The latest request first: rows that were scrolled away can wait.
            self.wishes += 1
            self._lane.run(
                partial(_read, path),
                on_done=partial(self._arrived, image_id, path),
                on_error=partial(self._failed, path),
                priority=-self.wishes,
                group="thumbnails",
                key=path,
            )
        return None

    def forget(self) -> None:
        """Drop all requests, because another project is open."""
        self._lane.drop("thumbnails")

    def retry(self) -> None:
        """Forget failures, because the files may have changed."""
        for path in [path for path, pixmap in self._kept.items() if pixmap is None]:
            del self._kept[path]

    def _arrived(self, image_id: int, path: Path, image: QImage) -> None:
        self._keep(path, QPixmap.fromImage(image))
        self._on_ready(image_id)

    def _failed(self, path: Path, error: Exception) -> None:
        if not isinstance(error, KnownError):
            raise error
        self._keep(path, None)  # the list shows the error when the image is opened

    def _keep(self, path: Path, pixmap: QPixmap | None) -> None:
        self._kept[path] = pixmap
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _read(path: Path) -> QImage:
    from core.images import read_thumbnail

    return as_qimage(read_thumbnail(path, side=THUMBNAIL_SIDE))
