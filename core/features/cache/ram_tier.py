"""RamTier: the most recently used features in memory, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict

from core.encoders.image_features import ImageFeatures
from core.features.cache.feature_key import FeatureKey


class RamTier:
    """Features by key; the least recently used are evicted first. Any thread may use it."""

    def __init__(self, budget: int) -> None:
        """`budget` is in bytes; features larger than all of it are not kept."""
        self._budget = budget
        self._held: OrderedDict[FeatureKey, ImageFeatures] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def get(self, key: FeatureKey) -> ImageFeatures | None:
        """The features of `key`, which count as used now, or None."""
        with self._lock:
            features = self._held.get(key)
            if features is not None:
                self._held.move_to_end(key)
            return features

    def put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """Hold features, and evict the least recently used ones where they exceed the budget."""
        fits = features.nbytes <= self._budget
        # Copied before taking the lock, since the thread that paints the window reads here, too.
        features = features.detach_from_batch() if fits else features
        with self._lock:
            self._drop(key)
            if not fits:
                return
            self._held[key] = features
            self._bytes += features.nbytes
            while self._bytes > self._budget:
                self._drop(next(iter(self._held)))

    def clear(self) -> None:
        """Drop all features."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def _drop(self, key: FeatureKey) -> None:
        features = self._held.pop(key, None)
        if features is not None:
            self._bytes -= features.nbytes
