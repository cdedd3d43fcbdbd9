"""Python's cycle collector, on the GUI thread alone: on a lane it could destroy a QObject."""

from __future__ import annotations

import gc
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from boxrefine_gui.lanes.process_tuning import is_on
from boxrefine_gui.state.session import Session

_COLLECT_MS = 1000
_RESTS = 3
"""Rounds after which a hand that has drawn a box does something else."""

_WHOLE_AFTER_REST = 60
_WHOLE_AT_LATEST = 900
"""Rounds of rest, and of work, after which all objects are looked through; that takes 40 ms after 200 pictures."""

_MANY = 5_000
"""Objects made in a second that come of an import, or of a large project, and stay: looking through 20,000 takes 20 ms.

Work makes hundreds. What is frozen goes all the same when nobody needs it, unless it is part of a cycle.
"""


class Collector(QObject):
    """Collects at moments that no hand feels; with tuning off, all objects every ten seconds.

    Gain of the moments: 100 ms at each collection once the models are there, and 20 ms for every 20,000 objects of an
    import. That it runs on the GUI thread alone is no tuning, so it holds with tuning off, too.
    """

    def __init__(self, session: Session, *, is_busy: Callable[[], bool]) -> None:
        """`is_busy`: an import or a scan makes objects by the hundred thousand; looking through them would be felt."""
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
                signal.connect(self._hand_works)
            self._timer.setInterval(_COLLECT_MS)
            self._timer.timeout.connect(self._collect)
        else:
            self._timer.setInterval(10 * _COLLECT_MS)
            self._timer.timeout.connect(self._collect_all)
        self._timer.start()

    def stop(self) -> None:
        """Give the collector back to Python."""
        self._timer.stop()
        gc.enable()

    def _freeze(self) -> None:
        """What the models brought stays for good, and looking through it at each collection costs 100 ms."""
        if self._session.models is not None:
            gc.freeze()

    def _hand_works(self) -> None:
        self._rest = 0

    def _scan_ended(self) -> None:
        """The records of a large folder stay, too, and are none of the collector's business."""
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
        # A whole collection would be felt by a hand at work. A drawn box that waits for a yes is no work.
        is_idle = self._session.draft is None or self._rest >= _RESTS
        if is_idle and (self._rest >= _WHOLE_AFTER_REST or self._rounds >= _WHOLE_AT_LATEST):
            self._rounds = self._rest = 0
            gc.collect()
        else:
            gc.collect(1)
