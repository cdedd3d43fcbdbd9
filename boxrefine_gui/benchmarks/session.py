"""A labelling session in the real window: what a scripted annotator does, waits for, and gets."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.annotator import Annotator, Record, Wanted
from boxrefine_gui.benchmarks.answers import answer_figures
from boxrefine_gui.benchmarks.hand import Counts, Hand, Step, Watch
from boxrefine_gui.benchmarks.offscreen import offscreen_window
from boxrefine_gui.benchmarks.polled import Polled
from core.errors import BadInputError
from core.geometry import as_boxes, iou
from core.records import Correction, Dataset
from core.settings import Settings
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore

_POLL_MS = 2
_PATIENCE_S = 120.0
Objects = Mapping[str, Sequence[Wanted]]
"""File name of a picture -> its true boxes."""


def measure(
    device: str, *, folder: Path, objects: Objects, categories: Sequence[str], suggest: bool, pace: float, seed: int
) -> Mapping[str, float]:
    """Label the pictures of `objects`, which lie in `folder`, in this order; return the figures of the session.

    Raises KnownError if the window reports an error.
    """
    settings = Settings(device=device, suggest=suggest)
    with offscreen_window(settings) as (app, pictures):
        for number, name in enumerate(objects):
            shutil.copy(folder / name, pictures / f"{number:04}_{Path(name).name}")
        with closing(ProjectStore.create(pictures / PROJECT_FILE_NAME)) as store:
            store.add_categories(categories)
        day = Day(app, list(objects.values()), categories=categories, suggest=suggest, pace=pace, seed=seed)
        day.run(pictures)
        with closing(ProjectStore.open(pictures / PROJECT_FILE_NAME)) as store:
            dataset = store.dataset()
    return day.figures | result_figures(dataset, list(objects.values()), day.record)


class Day(Polled):
    """Runs the annotator over all pictures."""

    phase = "labelling"

    def __init__(
        self, app: App, wanted: Sequence[Sequence[Wanted]], *, categories: Sequence[str], suggest: bool, pace: float,
        seed: int,
    ) -> None:  # fmt: skip
        super().__init__(app, every_ms=_POLL_MS)
        self.figures: dict[str, float] = {}
        self._wanted = wanted
        self._hand = Hand(app.window.canvas, pace=pace)
        self._annotator = Annotator(app, self._hand, categories=categories, suggest=suggest, seed=seed)
        self._watch = Watch(self._all(), patience_s=_PATIENCE_S)
        self._begun = 0.0

    @property
    def record(self) -> Record:
        """How the boxes came about."""
        return self._annotator.record

    def run(self, folder: Path) -> None:
        """Run until all pictures are labelled. Raises the error that the window reports."""

        def begin() -> None:
            self._app.open(folder)
            self._app.window.activateWindow()
            self._app.window.canvas.setFocus()

        found = self.run_from(begin)
        self.figures |= found.figures

    def _all(self) -> Iterator[Step]:
        """Wait for the model, which a session loads once, then label."""
        session = self._app.session
        yield lambda: session.models is not None and len(session.images) == len(self._wanted)
        yield lambda: session.features is not None
        self._watch.waited_s, self._begun = 0.0, time.perf_counter()
        self.watchdog.start(self.phase)
        for objects in self._wanted:
            yield from self._annotator.label(objects)
        self.watchdog.stop()
        total = time.perf_counter() - self._begun
        self.figures |= pace_figures(self._hand.counts, waited_s=self._watch.waited_s, total_s=total)
        self.figures |= answer_figures(self._annotator.answers.found)

    def poll(self) -> bool:
        try:
            return self._watch.poll()
        except TimeoutError as error:
            raise BadInputError(
                f"The window did not answer within two minutes ({error}): try again on a quieter machine."
            ) from error


def pace_figures(counts: Counts, *, waited_s: float, total_s: float) -> dict[str, float]:
    """What the annotator did, and the share of the time that the machine let it wait."""
    return {
        "drags": counts.drags,
        "clicks": counts.clicks,
        "keys": counts.keys,
        "wheels": counts.wheels,
        "actions": counts.actions,
        "travel px": counts.travel,
        "seconds": total_s,
        "wait s": waited_s,
        "wait share": waited_s / total_s if total_s else 0.0,
    }


def result_figures(dataset: Dataset, wanted: Sequence[Sequence[Wanted]], record: Record) -> dict[str, float]:
    """How good the stored boxes are: each object has the IoU of the best box of its category on its picture."""
    names = {category.id: category.name for category in dataset.categories}
    images = sorted(dataset.images, key=lambda image: image.path.name)
    best: list[tuple[Wanted, float]] = []
    for image, objects in zip(images, wanted, strict=True):
        boxes = [entry for entry in dataset.corrections if entry.image_id == image.id and entry.was_accepted]
        best += [(each, _best_overlap(each, boxes, names)) for each in objects]
    reached = [overlap for _, overlap in best]
    quick = {id(made.wanted) for made in record.made if made.drags <= 1 and made.keys <= 1}
    at_once = [overlap for each, overlap in best if id(each) in quick]
    total = max(1, len(reached))
    return {
        "boxes": len(reached),
        "stored": sum(entry.was_accepted for entry in dataset.corrections),
        "mean IoU": float(np.mean(reached)) if reached else 0.0,
        "one drag, 0.9": sum(overlap >= 0.9 for overlap in at_once) / total,
        "one drag, 0.8": sum(overlap >= 0.8 for overlap in at_once) / total,
        "suggested": sum(made.suggested for made in record.made) / total,
        "rejected": record.rejected,
    }


def _best_overlap(wanted: Wanted, boxes: Sequence[Correction], names: Mapping[int, str]) -> float:
    alike = [entry.accepted for entry in boxes if names.get(entry.category_id) == wanted.category]
    if not alike:
        return 0.0
    there = as_boxes(alike)
    return float(iou(np.tile(as_boxes([wanted.box]), (len(there), 1)), there).max())
