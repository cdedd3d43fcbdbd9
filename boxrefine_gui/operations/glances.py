"""Look at the recent projects in the background, for the start page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from boxrefine_gui.inference.image_loader import as_qimage
from boxrefine_gui.lanes.lane import QueueLane
from core.errors import KnownError

if TYPE_CHECKING:
    from core.store.glance import Glance

PREVIEW_SIDE = 128
_GROUP = "glances"


def look_at(
    lane: QueueLane,
    paths: Sequence[Path],
    *,
    on_seen: Callable[[Path, Glance | None, QImage | None], None],
) -> None:
    """Call `on_seen` with each project's progress and preview; both are None if it is gone."""
    lane.drop(_GROUP)
    for priority, path in enumerate(paths):

        def seen(found: tuple[Glance | None, QImage | None], path: Path = path) -> None:
            on_seen(path, *found)

        lane.run(partial(_look, path), on_done=seen, priority=priority, group=_GROUP)


def _look(path: Path) -> tuple[Glance | None, QImage | None]:
    from core.images import read_thumbnail
    from core.store.glance import glance

    found = glance(path)
    if found is None or found.picture is None:
        return found, None
    try:
        return found, as_qimage(read_thumbnail(found.picture, side=PREVIEW_SIDE))
    except (KnownError, OSError):  # the picture is gone or damaged: the row has no preview
        return found, None
