"""How long the image list of a large project takes to answer a filter, a search or another order."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.offscreen import offscreen_window
from boxrefine_gui.benchmarks.polled import Polled
from boxrefine_gui.dialogs.review_dialog import ReviewDialog
from boxrefine_gui.operations import opening
from core.errors import BadInputError
from core.listing import Order, Query, Tab
from core.reviews import By
from core.settings import Settings

_POLL_MS = 1
_PATIENCE_S = 120.0
_ENDED = object()
_QUERIES: Mapping[str, Query] = {
    **{f"filter: {tab.value}": Query(tab) for tab in Tab if tab is not Tab.ALL},
    "filter: a category": Query(category_id=3),
    **{f"order: {order.value}": Query(order=order) for order in Order if order is not Order.ADDED},
    "search: a word": Query(text="frame"),
    "search: a number": Query(text="99"),
    "search: without a match": Query(text="zebra"),
    "untouched, most useful first": Query(Tab.UNTOUCHED, order=Order.USEFUL),
}
"""What is asked, by its name in the table."""


def measure(*, make: Callable[[Path], None], times: int) -> Mapping[str, Mapping[str, float]]:
    """Milliseconds from a choice to the list that shows it, by what was chosen: median and longest of `times`.

    `make` writes the project. The last row, with the name `stalls`, has the stalls of the window meanwhile.
    """
    with offscreen_window(Settings(encode_folder=False)) as (app, folder):
        path = folder / "many.sqlite"
        make(path)
        round_ = Round(app, times)
        round_.run(path)
        return round_.figures


class Round(Polled):
    """Asks one question after the other in the real window."""

    phase = "asking"

    def __init__(self, app: App, times: int) -> None:
        super().__init__(app, every_ms=_POLL_MS)
        self.figures: dict[str, dict[str, float]] = {}
        self._times = times
        self._since = time.perf_counter()
        self._steps = self._all()

    def run(self, path: Path) -> None:
        """Run until all is measured. Raises the error that the window reports."""
        found = self.run_from(lambda: opening.open_project(self._app.parts, path))
        self.figures["stalls"] = {
            "over 16 ms of our own making": float(found.our_count),
            "ms of our own longest": 1000 * found.our_longest_s,
        }

    def _all(self) -> Iterator[None]:
        """Each step ends when the list has answered."""
        session, finder = self._app.session, self._app.finder
        while not session.images or not self._shows(whole=True):
            yield
        self.watchdog.start(self.phase)
        for name, query in _QUERIES.items():
            taken = []
            for _ in range(self._times):
                finder.show(Query())
                while not self._shows(whole=True):
                    yield
                start = time.perf_counter()
                finder.show(replace(query))
                while not self._shows(whole=False):
                    yield
                taken.append(1000 * (time.perf_counter() - start))
            self.figures[name] = {
                "images": float(len(session.listed)),
                "median ms": statistics.median(taken),
                "longest ms": max(taken),
            }
        yield from self._review()
        self.watchdog.stop()

    def _review(self) -> Iterator[None]:
        """Open the review: until its first boxes, until it has all of them, and until they stand in another order."""
        first, whole, other, boxes = [], [], [], 0.0
        for _ in range(self._times):
            start = time.perf_counter()
            dialog = ReviewDialog(self._app.window, self._app.parts, self._app.thumbnails)
            dialog.show()
            yield from _until(lambda: dialog.model.boxes > 0)  # noqa: B023  (it ends in this round of the loop)
            first.append(1000 * (time.perf_counter() - start))
            yield from _until(partial(_is_ready, dialog))
            whole.append(1000 * (time.perf_counter() - start))
            start = time.perf_counter()
            dialog.by.setCurrentIndex(dialog.by.findData(By.DOUBT.value))
            yield from _until(partial(_is_ready, dialog))
            other.append(1000 * (time.perf_counter() - start))
            boxes = float(dialog.model.boxes)
            dialog.reject()
            dialog.deleteLater()
        for name, taken in (("first boxes", first), ("all boxes", whole), ("another order", other)):
            self.figures[f"review: {name}"] = {
                "images": boxes,
                "median ms": statistics.median(taken),
                "longest ms": max(taken),
            }

    def _shows(self, *, whole: bool) -> bool:
        """Whether the list shows what was asked for last: the whole project, or a part or another order of it."""
        return self._app.finder.is_idle and self._app.session.listed.is_whole == whole

    def poll(self) -> bool:
        if time.perf_counter() - self._since > _PATIENCE_S:
            raise BadInputError("The list did not answer.")
        return next(self._steps, _ENDED) is not _ENDED


def _until(is_met: Callable[[], bool]) -> Iterator[None]:
    while not is_met():
        yield


def _is_ready(dialog: ReviewDialog) -> bool:
    return dialog.is_ready
