"""Prefetch hit rate: the real window steps through pictures, one a second; waits and stalls are counted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QTimer

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.offscreen import hear_trouble, offscreen_window
from boxrefine_gui.benchmarks.watchdog import IdleProcess, Lateness, Watchdog
from core.errors import BadInputError
from core.sample_project import make_pictures
from core.settings import Settings

PATIENCE_MS = 120_000
LOADING, STEPPING = "loading the model", "stepping"


def measure(
    device: str, *, encoder: str = "light", images: int = 200, every_s: float = 1.0, folder: Path | None = None
) -> Mapping[str, float]:
    """Measure figures by name: the share of pictures whose features are ready when shown, waits, stalls over 16 ms.

    The pictures are generated 1920 x 1080 JPEGs, or copies of the first ones in `folder`. Raises KnownError if the
    model cannot be loaded.
    """
    with offscreen_window(Settings(device=device, encoder=encoder)) as (app, pictures):
        if folder is None:
            make_pictures(pictures, images)
        else:
            copy_pictures(folder, pictures, images)
        beside = IdleProcess()
        walk = Walk(app, every_s=every_s)
        try:
            walk.run(pictures)
            return walk.figures(beside.lap())
        finally:
            beside.stop()


class Walk(QObject):
    """Opens a folder, waits for the first image's features, then steps to the last image."""

    def __init__(self, app: App, *, every_s: float) -> None:
        super().__init__()
        self._app = app
        self._session = app.session
        self._every_s = every_s
        self._loop = QEventLoop()
        self._watchdog = Watchdog()
        self._error: Exception | None = None
        self._stepped_at = 0.0
        self._waits_for_picture = self._waits_for_features = False
        self._in_time: list[bool] = []
        self._picture_s: list[float] = []
        self._features_s: list[float] = []
        self._has_begun = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self._give_up)
        self._steps = QTimer(self)
        self._steps.setInterval(round(every_s * 1000))
        self._steps.timeout.connect(self._step)

    def run(self, folder: Path) -> None:
        """Run until the last image is shown. Raises the error that the window reports."""
        session = self._session
        hear_trouble(session, self._fail)
        session.picture_changed.connect(self._check_soon)
        session.features_changed.connect(self._check_soon)
        self._watchdog.start(LOADING)
        self._patience.start(PATIENCE_MS)
        self._app.open(folder)
        self._loop.exec()
        self._watchdog.stop()
        self._steps.stop()
        self._patience.stop()
        if self._error is not None:
            raise self._error

    def figures(self, idle: Sequence[Lateness]) -> dict[str, float]:
        """The figures by name; `idle` lists the delays of an idle process at the same time."""
        stalls = self._watchdog.stalls
        rows = {
            "pictures shown": float(len(self._in_time)),
            "share with features when shown": statistics.fmean(self._in_time),
            "ms from step to picture, median": 1000 * statistics.median(self._picture_s),
            "ms from step to features, median": 1000 * statistics.median(self._features_s),
            "ms from step to features, longest": 1000 * max(self._features_s),
        }
        for phase, found in stalls.items():
            found.excuse(idle)
            rows[f"stalls over 16 ms, {phase}"] = float(found.count)
            rows[f"stalls over 16 ms of our own making, {phase}"] = float(found.our_count)
            rows[f"ms of the longest stall, {phase}"] = 1000 * found.longest.late_s
            rows[f"ms of our own longest, {phase}"] = 1000 * found.our_longest_s
            rows[f"ms of the GUI thread's longest work, {phase}"] = 1000 * found.own_s
        rows["ms that an idle process beside it was late"] = 1000 * max((each.late_s for each in idle), default=0.0)
        return rows

    def _step(self) -> None:
        if self._session.row is None or self._session.row + 1 >= len(self._session.images):
            self._loop.quit()
            return
        self._waits_for_picture = self._waits_for_features = True
        self._stepped_at = time.perf_counter()
        self._patience.start(PATIENCE_MS)
        self._app.window.action_by_id["next"].trigger()

    def _check_soon(self) -> None:
        """Check after the current events, because picture and features arrive in either order."""
        QTimer.singleShot(0, self._check)

    def _check(self) -> None:
        session, since_step = self._session, time.perf_counter() - self._stepped_at
        if not self._steps.isActive():
            is_ready = session.features is not None and session.picture is not None
            if is_ready and session.scan is None and not self._has_begun:
                self._has_begun = True
                self._watchdog.start(STEPPING)
                self._steps.start()
            return
        if self._waits_for_picture and session.picture is not None:
            self._waits_for_picture = False
            self._picture_s.append(since_step)
            self._in_time.append(session.features is not None)
        if self._waits_for_features and session.features is not None:
            self._waits_for_features = False
            self._features_s.append(since_step)

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._loop.quit()

    def _give_up(self) -> None:
        self._fail(BadInputError("The window showed nothing for two minutes: try again on a quieter machine."))


def copy_pictures(source: Path, folder: Path, count: int) -> None:
    """Copy the first pictures of a folder, so that no project is made beside the originals. Raises BadFileError."""
    import shutil

    from core.picture_folders import list_pictures

    for number, path in enumerate(list_pictures(source)[:count]):
        shutil.copy(path, folder / f"{number:06}{path.suffix}")
