"""Prefetch: encodes the open image first, then its neighbors, and the rest of the folder when idle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.lanes.timers import AFTER_A_STEP_MS, timer
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.state.level import Level
from boxrefine_gui.state.listed import Images
from boxrefine_gui.state.loaded_models import Models
from boxrefine_gui.state.session import Session
from boxrefine_gui.state.session_state import Readiness
from core.errors import BadFileError
from core.features.encoding.encode_order import encode_order, folder_order
from core.records import ImageRecord

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures

_GROUP = "features"
_OPEN_IMAGE = 1
_FOLDER = 100
_PAUSE_MS = 300
"""Delay after the last move of a drag until other images than the open one are encoded again."""
_AHEAD, _BEHIND = 3, 1


class Prefetch:
    """Keeps the encode lane's queue in the order in which the user will need the images."""

    def __init__(self, *, session: Session, lane: QueueLane) -> None:
        self._session = session
        self._lane = lane
        self._reported = ""
        self._prepared: set[tuple[str, int]] = set()  # encoder identity and image id
        self._folder: Iterator[int] = iter(())
        self._counted: int | None = None
        self._again: int | None = None  # id of the open image, if its features were requested again
        self._shown = self._at_hand = 0
        self._step = timer(AFTER_A_STEP_MS, self._prepare_around)
        self._rest = timer(_PAUSE_MS, lane.release)
        session.image_changed.connect(self._requeue)
        session.models_changed.connect(self._requeue)
        session.listed.reset.connect(self._requeue_around)
        session.settings_changed.connect(self._go_on)
        session.picture_changed.connect(self._count_soon)
        session.picture_changed.connect(self._ask_once_more)
        session.drawn_changed.connect(self._hold)

    def stop(self) -> None:
        """Release everything that is held back, so that the lane can end."""
        self._folder = iter(())
        self._step.stop()
        self._rest.stop()
        self._lane.release()

    def _hold(self) -> None:
        """Encode nothing but the open image during a drag, which needs the processor."""
        if self._session.draft is not None:
            self._lane.hold(above=_OPEN_IMAGE)
            self._rest.start()

    def _requeue_around(self) -> None:
        """Prepare other neighbors, because another list has other ones."""
        if self._session.features is not None:
            self._lane.drop(_GROUP)
            self._prepare_around()

    def _requeue(self) -> None:
        self._lane.drop(_GROUP)
        self._again = None
        self._folder = iter(())
        self._step.stop()
        models, image = self._session.models, self._session.image
        if models is None or image is None:
            return
        kept = models.source.peek(image.path)
        if kept is None:
            self._prepare_around()
            return
        self._session.set_features(kept)
        self._publish()
        self._step.start()

    def _prepare_around(self) -> None:
        models, (images, row) = self._session.models, self._session.way
        if models is None or row is None:
            return
        total, direction = len(images), self._session.direction
        order = encode_order(current=row, total=total, direction=direction, ahead=_AHEAD, behind=_BEHIND)
        for place, wanted in enumerate(order):
            # The open image as well if its features are in memory: its file may have been replaced.
            self._queue(models, images[wanted], place=place)
        self._folder = folder_order(current=row, total=total, direction=direction, reach=models.reach)
        self._publish()

    def _queue(self, models: Models, record: ImageRecord, *, place: int) -> None:
        key = (models.encoder_identity, record.id, record.path)
        if record.id in self._session.problems or self._lane.has(key):
            return
        self._lane.run(
            partial(models.source.of_path, record.path),
            on_done=partial(self._arrived, models, record.id),
            on_error=partial(self._failed, models, record.id),
            priority=_OPEN_IMAGE + place,
            group=_GROUP,
            key=key,
            activity=Activity(ActivityKind.PREPARING, record.path.name),
        )

    def _go_on(self) -> None:
        """Queue the next image of the folder if nothing else waits."""
        models = self._session.models
        if models is None or not self._session.settings.encode_folder or self._lane.waits(_GROUP):
            return
        images, _ = self._session.way
        for row in self._folder:
            if row >= len(images):  # the list shows fewer images by now
                continue
            record = images[row]
            if (models.encoder_identity, record.id) in self._prepared or record.id in self._session.problems:
                continue
            self._lane.run(
                partial(models.source.prepare, record.path),
                on_done=partial(self._folder_prepared, models, record),
                on_error=partial(self._failed, models, record.id),
                priority=_FOLDER,
                group=_GROUP,
                key=(models.encoder_identity, record.id, record.path),
                activity=Activity(ActivityKind.PREPARING_FOLDER, record.path.name),
            )
            return

    def _arrived(self, models: Models, image_id: int, features: ImageFeatures) -> None:
        image = self._session.image
        now = self._session.models
        is_same = now is not None and now.encoder_identity == models.encoder_identity  # whatever the refiner is
        is_open = image is not None and image.id == image_id and is_same
        if is_open and features is not self._session.features:
            self._session.set_features(features)
        self._note_prepared(models, image_id)

    def _folder_prepared(self, models: Models, record: ImageRecord, _: None = None) -> None:
        """Note it; if the user opened the image meanwhile, its features were not queued again, so fetch them now."""
        self._note_prepared(models, record.id)
        image, now = self._session.image, self._session.models
        if image is not None and image.id == record.id and now is not None and self._session.features is None:
            self._queue(now, record, place=0)

    def _note_prepared(self, models: Models, image_id: int, _: None = None) -> None:
        self._prepared.add((models.encoder_identity, image_id))
        trouble = models.trouble()
        if trouble is not None and trouble != self._reported:
            self._reported = trouble
            self._session.tell(trouble, Level.WARNING)
        self._publish()
        self._session.prepared.emit(image_id)
        self._go_on()

    def _failed(self, models: Models, image_id: int, error: Exception) -> None:
        self._prepared.add((models.encoder_identity, image_id))  # an immediate retry would fail again
        # The canvas reports an unreadable picture when the user opens it.
        is_shown = self._session.picture is not None and self._session.picture.image_id == image_id
        if (not isinstance(error, BadFileError) or is_shown) and repr(error) != self._reported:
            self._reported = repr(error)
            self._session.report(error)
        self._ask_once_more()
        self._go_on()

    def _ask_once_more(self) -> None:
        """Retry the features of the open image once it is readable: they failed while its file was missing."""
        models, image = self._session.models, self._session.image
        if models is None or image is None or self._session.picture is None or self._session.features is not None:
            return
        if (models.encoder_identity, image.id) in self._prepared and self._again != image.id:
            self._again = image.id
            self._queue(models, image, place=0)

    # Statistics for the status bar

    def _count_soon(self) -> None:
        """Count after the pending events, in which picture and features may arrive in any order."""
        QTimer.singleShot(0, self._count)

    def _count(self) -> None:
        image = self._session.image
        if image is None or self._session.picture is None or self._session.models is None or image.id == self._counted:
            return
        self._counted = image.id
        self._shown += 1
        self._at_hand += self._session.features is not None
        self._publish()

    def _publish(self) -> None:
        models, (images, row) = self._session.models, self._session.way
        if models is None or row is None:
            return
        stats = models.stats()
        self._session.set_readiness(
            Readiness(
                ahead=self._ahead(models.encoder_identity, images, row),
                shown=self._shown,
                at_hand=self._at_hand,
                ram_bytes=stats.ram_bytes if stats else 0,
                disk_bytes=stats.disk_bytes if stats else 0,
            )
        )

    def _ahead(self, encoder: str, images: Images, row: int) -> int:
        """Count the prepared images in the direction of travel, up to the first unprepared one."""
        step, ahead = self._session.direction, 0
        while 0 <= row + step * (ahead + 1) < len(images):
            if (encoder, images[row + step * (ahead + 1)].id) not in self._prepared:
                break
            ahead += 1
        return ahead
