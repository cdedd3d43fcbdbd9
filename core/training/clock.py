"""Clock: training speed, the cache's hit rate, and the time left."""

from __future__ import annotations

import time
from collections.abc import Sequence

from core.features.feature_source import FeatureSource


class Clock:
    """Measures a training run: images a second, hit rate, seconds left."""

    def __init__(self, source: FeatureSource) -> None:
        self._source = source
        self._start = time.monotonic()
        self._ticks = 0
        self._images = 0
        self._hits = self._misses = 0

    def start_epoch(self) -> None:
        stats = self._source.cache.stats if self._source.cache else None
        self._hits, self._misses = (stats.hits, stats.misses) if stats else (0, 0)

    def tick(self, images: int) -> None:
        self._ticks += 1
        self._images += images

    @property
    def hit_rate(self) -> float:
        """Hit rate of this process in this epoch; worker processes read only features that are cached."""
        stats = self._source.cache.stats if self._source.cache else None
        if stats is None:
            return 0.0
        hits, misses = stats.hits - self._hits, stats.misses - self._misses
        return hits / (hits + misses) if hits + misses else 1.0

    @property
    def images_per_second(self) -> float:
        return self._images / max(1e-9, time.monotonic() - self._start)

    def figures(self, losses: Sequence[float], epoch: int, step: int, total: int) -> dict[str, float]:
        seconds = time.monotonic() - self._start
        return {
            "step": step,
            "epoch": epoch + 1,
            "loss": losses[-1],
            "hit_rate": self.hit_rate,
            "images_per_second": self.images_per_second,
            "seconds": seconds,
            "seconds_left": seconds / max(1, self._ticks) * (total - step),
        }

    @property
    def seconds(self) -> float:
        """Seconds since the clock was created."""
        return time.monotonic() - self._start
