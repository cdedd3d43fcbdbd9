"""Prefetch: an image is opened, so its features are made first, then its neighbours'."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from boxrefine_gui.background import QueueLane
from boxrefine_gui.session import Models, Session
from core.errors import BadFileError, StorageError
from core.features.encode_order import encode_order
from core.records import ImageRecord

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures

_GROUP = "features"


class Prefetch:
    """Keeps the encode lane's queue in the order of what the user will need next."""

    def __init__(self, *, session: Session, lane: QueueLane) -> None:
        self._session = session
        self._lane = lane
        self._reported = ""
        session.image_changed.connect(self._requeue)
        session.models_changed.connect(self._requeue)

    def _requeue(self) -> None:
        self._lane.drop(_GROUP)
        models, row = self._session.models, self._session.row
        if models is None or self._session.image is None or row is None:
            return
        kept = models.source.peek(self._session.image.path)
        if kept is not None:
            self._session.set_features(kept)
        order = encode_order(current=row, total=len(self._session.images), direction=self._session.direction)
        for place, wanted in enumerate(order):
            self._queue(models, self._session.images[wanted], place=place, is_kept=place == 0 and kept is not None)

    def _queue(self, models: Models, record: ImageRecord, *, place: int, is_kept: bool) -> None:
        key = (models.encoder_identity, record.id, record.path)
        if is_kept or record.id in self._session.problems or self._lane.has(key):
            return
        self._lane.run(
            partial(models.source.of_path, record.path),
            on_done=partial(self._arrived, models, record.id),
            on_error=self._failed,
            priority=place + 1,
            group=_GROUP,
            key=key,
            title=f"preparing {record.path.name}",
        )

    def _arrived(self, models: Models, image_id: int, features: ImageFeatures) -> None:
        image = self._session.image
        if image is not None and image.id == image_id and models is self._session.models:
            self._session.set_features(features)
        trouble = models.trouble()
        if trouble is not None and trouble != self._reported:
            self._reported = trouble
            self._session.report(StorageError(trouble))

    def _failed(self, error: Exception) -> None:
        # A picture that cannot be read is told of in the canvas when it is opened; that is soon enough.
        if not isinstance(error, BadFileError) and repr(error) != self._reported:
            self._reported = repr(error)
            self._session.report(error)
