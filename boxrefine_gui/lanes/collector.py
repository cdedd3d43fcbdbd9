"""Collector: runs Python's cycle collector on the GUI thread only, since on a lane it could destroy a QObject."""

from __future__ import annotations

import gc
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from boxrefine_gui.lanes.process_tuning import is_on
from boxrefine_gui.state.session import Session

_COLLECT_MS = 1000
_RESTS = 3
"""Rounds without input after which the user counts as idle although a drawn box is active."""

_WHOLE_AFTER_REST = 60
_WHOLE_AT_LATEST = 900
"""Idle rounds, and rounds in all, after which a full collection runs; it takes 40 ms after 200 pictures."""

_MANY = 5_000
"""More new objects a second than this come from an import or a large project and stay: collecting 20,000 takes 20 ms.

Normal work creates hundreds. Frozen objects are still freed by reference counting, unless they are part of a cycle.
"""


class Collector(QObject):
    """Collects when the user does not notice it; with tuning off, it runs a full collection every ten seconds.

    Gain: 100 ms at each collection once the models are loaded, and 20 ms for every 20,000 objects of an import. Running
    on the GUI thread only is not a tuning, so it holds with tuning off, too.
    """

    def __init__(self, session: Session, *, is_busy: Callable[[], bool]) -> None:
        """`is_busy` returns True during imports and scans, which create so many objects that a collection is slow."""
        super().__init__()
        self._session, self._is_busy = session, is_busy
        self._rounds = self._rest = 0
        self._was_scanning = False
        gc.disable()
        self._timer = QTimer(self)
        if is_on():
            session.models_changed.connect(self._freeze)
            session.activity_changed.connect(self._scan_ended)
            for signal in (session.image_changed, session.drawn_changed):
                signal.connect(self._note_input)
            self._timer.setInterval(_COLLECT_MS)
            self._timer.timeout.connect(self._collect)
        else:
            self._timer.setInterval(10 * _COLLECT_MS)
            self._timer.timeout.connect(self._collect_all)
        self._timer.start()

    def stop(self) -> None:
        """Let Python run the collector automatically again."""
        self._timer.stop()
        gc.enable()

    def _freeze(self) -> None:
        """Exclude the objects of the models, which stay for good and cost 100 ms at each collection."""
        if self._session.models is not None:
            gc.freeze()

    def _note_input(self) -> None:
        self._rest = 0

    def _scan_ended(self) -> None:
        """Exclude the records of a large folder, which stay as well."""
        if self._was_scanning and self._session.scan is None:
            gc.freeze()
        self._was_scanning = self._session.scan is not None

    def _collect_all(self) -> None:
        gc.collect()

    def _collect(self) -> None:
        if self._is_busy():
            return
        self._rounds += 1
        self._rest += 1
        if gc.get_count()[0] > _MANY:
            gc.freeze()
            return
        # A full collection would delay input, so it waits for an idle user. A drawn box alone does not mean activity.
        is_idle = self._session.draft is None or self._rest >= _RESTS
        if is_idle and (self._rest >= _WHOLE_AFTER_REST or self._rounds >= _WHOLE_AT_LATEST):
            self._rounds = self._rest = 0
            gc.collect()
        else:
            gc.collect(1)
