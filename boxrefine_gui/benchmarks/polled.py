"""What benchmarks of the whole window share: a loop that polls a script, watched together with an idle process."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEventLoop, QObject, QTimer

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.offscreen import hear_trouble
from boxrefine_gui.benchmarks.watchdog import IdleProcess, Stalls, Watchdog


class Polled(QObject):
    """Runs a script in the event loop; a subclass defines `poll`."""

    phase = ""
    """What the watchdog calls the part of the script that it watches."""

    def __init__(self, app: App, *, every_ms: int) -> None:
        super().__init__()
        self.watchdog = Watchdog()
        self._app = app
        self._loop = QEventLoop()
        self._error: Exception | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(every_ms)
        self._timer.timeout.connect(self._poll)

    def poll(self) -> bool:
        """Go on with the script as far as possible; False at its end. An exception ends it."""
        raise NotImplementedError

    def run_from(self, begin: Callable[[], object]) -> Stalls:
        """Call `begin`, and poll until the end. Raises the error of the script, or the one that the window reports.

        The stalls are those of the watched part, without what an idle process suffered at the same time.
        """
        beside = IdleProcess()
        hear_trouble(self._app.session, self.fail)
        begin()
        self._timer.start()
        try:
            self._loop.exec()
        finally:
            self._timer.stop()
            self.watchdog.stop()
            late, turns = beside.lap(), beside.turns
            beside.stop()
        if self._error is not None:
            raise self._error
        found = self.watchdog.stalls[self.phase]
        found.excuse(late, turns=turns)
        return found

    def fail(self, error: Exception) -> None:
        """End the script with an error; the first one counts."""
        self._error = self._error or error
        self._loop.quit()

    def _poll(self) -> None:
        try:
            if not self.poll():
                self._loop.quit()
        except Exception as error:  # noqa: BLE001  (raised again where the loop was started)
            self.fail(error)
