"""Stalls of the window while models load and change, pictures are encoded, and the cache is emptied."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import QEventLoop, QObject, QTimer

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.offscreen import hear_trouble, offscreen_window
from boxrefine_gui.benchmarks.watchdog import IdleProcess, Watchdog
from boxrefine_gui.operations import box_verbs, opening
from core.errors import BadInputError
from core.sample_project import make_pictures
from core.settings import Settings, cache_folder

RESTING, LOADING, ENCODING = "nothing is to do", "loading the model", "encoding"
CLEARING = "clearing out the cache"
_POLL_MS = 20
_REST_S = 2.0
_PATIENCE_S = 120.0
_UNOPENED = 4
"""Pictures at the end that the encoding phase does not open, so that the last one is not in the cache."""

Condition = Callable[[], bool]


def measure(
    device: str, *, images: int, files: int, other: str, bring: Callable[[], object], traces: TextIO | None = None
) -> Mapping[str, Mapping[str, float]]:
    """Measure the figures of each phase, by its name.

    images: number of 1920 x 1080 JPEGs that are opened one after the other
    files: number of files in the full cache, most of which the next picture evicts
    other: encoder to change to and back from; `bring` installs its weights
    traces: file for the stacks of all threads in each stall

    Raises KnownError if a model or picture cannot be loaded.
    """
    settings = Settings(device=device, encode_folder=False)
    with offscreen_window(settings) as (app, folder):
        make_pictures(folder, images + _UNOPENED)
        round_ = Round(app, other=other, bring=bring, files=files, traces=traces)
        round_.run(folder)
        return round_.figures


class Round(QObject):
    """Runs the phases in the real window one after the other, each watched together with an idle process."""

    def __init__(self, app: App, *, other: str, bring: Callable[[], object], files: int, traces: TextIO | None) -> None:
        super().__init__()
        self.figures: dict[str, dict[str, float]] = {}
        self._app, self._session = app, app.session
        self._other, self._bring, self._files = other, bring, files
        self._loop = QEventLoop()
        self._watchdog = Watchdog(traces)
        self._error: Exception | None = None
        self._met: Condition = bool
        self._since = 0.0
        self._poll_timer = QTimer(self)
        self._poll_timer.setInterval(_POLL_MS)
        self._poll_timer.timeout.connect(self._poll)

    def run(self, folder: Path) -> None:
        """Run until all phases are watched. Raises the error that the window reports."""
        self._beside = IdleProcess()
        hear_trouble(self._session, self._fail)
        self._steps = self._all_phases(folder)
        self._poll_timer.start()
        try:
            self._go_on()
            self._loop.exec()
        finally:
            self._poll_timer.stop()
            self._watchdog.stop()
            self._beside.stop()
        if self._error is not None:
            raise self._error

    def _all_phases(self, folder: Path) -> Iterator[Condition]:
        app, session = self._app, self._session
        yield self._is_idle
        with self._phase(RESTING):
            rested_at = time.perf_counter() + _REST_S
            yield lambda: time.perf_counter() > rested_at
        with self._phase(LOADING):
            app.open(folder)
            yield self._is_ready
        with self._phase(ENCODING):
            for record in session.images[1:-_UNOPENED]:
                box_verbs.show_image(app.parts, record.id)
                yield self._is_ready
            yield self._is_idle
        app.encode.run(self._bring)
        yield self._is_idle
        for name in (self._other, session.settings.encoder):
            with self._phase(f"changing to {name}"):
                opening.choose_models(app.parts, partial(replace, encoder=name))
                yield partial(self._has_changed, name)
        app.encode.run(partial(fill_cache, session.settings, self._files))
        yield self._is_idle
        with self._phase(CLEARING):
            box_verbs.show_image(app.parts, session.images[-1].id)
            yield self._is_ready
            yield self._is_idle

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        self._beside.lap()
        self._watchdog.start(name)
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        self._watchdog.stop()
        found, beside = self._watchdog.stalls[name], self._beside.lap()
        found.excuse(beside)
        self.figures[name] = {
            "seconds": seconds,
            "stalls over 16 ms": float(found.count),
            "of our own making": float(found.our_count),
            "ms of the longest": 1000 * found.longest.late_s,
            "of it at work": 1000 * found.longest.worked_s,
            "without a processor": 1000 * found.longest.queued_s,
            "waiting for a lane": 1000 * found.longest.waited_s,
            "ms of our own longest": 1000 * found.our_longest_s,
            "ms of the GUI thread's longest work": 1000 * found.own_s,
            "ms that an idle process was late": 1000 * max((idle.late_s for idle in beside), default=0.0),
        }

    def _is_idle(self) -> bool:
        return self._app.encode.is_idle and self._app.files.is_idle

    def _is_ready(self) -> bool:
        session = self._session
        return session.features is not None and session.picture is not None and session.scan is None

    def _has_changed(self, name: str) -> bool:
        models = self._session.models
        return models is not None and models.encoder_name == name and self._is_ready()

    def _poll(self) -> None:
        if self._met():
            self._go_on()
        elif time.perf_counter() - self._since > _PATIENCE_S:
            self._fail(BadInputError("The window was not done within two minutes: try again on a quieter machine."))

    def _go_on(self) -> None:
        self._since = time.perf_counter()
        try:
            self._met = next(self._steps)
        except StopIteration:
            self._loop.quit()

    def _fail(self, error: Exception) -> None:
        self._error = error
        self._loop.quit()


def fill_cache(settings: Settings, files: int) -> None:
    """Encode lane: add small files whose claimed sizes are three times the cache's budget in all."""
    from core.features.cache.feature_cache import FeatureCache

    claimed = 3 * settings.cache_disk_budget // max(1, files)

    def write(path: Path) -> int:
        path.write_bytes(b"features")
        return claimed

    with FeatureCache(cache_folder(settings), disk_budget=1 << 60) as cache:
        for number in range(files):
            cache.adopt(f"{number % 256:02x}{number:030x}", write)
