"""FeatureSource: a picture file -> its features, from the cache where that is possible."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from core.encoders.image_features import Encoder, ImageFeatures
from core.errors import BadInputError
from core.features.feature_cache import FeatureCache, FeatureKey
from core.features.picture_memory import Fingerprint, KnownPicture
from core.geometry import Frame
from core.images import content_hash, read_picture

_PATHS_REMEMBERED = 4096


class FeatureSource:
    """One encoder and, if wanted, one cache. Any thread may ask; one at a time should ask for what must be encoded."""

    def __init__(
        self, encoder: Encoder, cache: FeatureCache | None, *, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """`now_ns` is the clock that files' dates are compared with, in nanoseconds since 1970."""
        self.encoder = encoder
        self.cache = cache
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._latest: OrderedDict[Path, KnownPicture] = OrderedDict()
        self._decoded = 0

    @property
    def decoded(self) -> int:
        """How many pictures had to be decoded so far."""
        return self._decoded

    def of_path(self, path: Path, frame: Frame | None = None) -> ImageFeatures:
        """The features of a frame of the picture in `path`, None = the whole: cached, or else encoded now and cached.

        Raises BadFileError where the picture cannot be read, BadInputError where `frame` is of another image size.
        """
        fingerprint = _fingerprint(path)
        known = self._recall(path, fingerprint)
        features = self._cached(path, known, frame) if known else None
        if features is not None:
            return features
        started_ns = self._now_ns()
        picture = read_picture(path)
        self._decoded += 1
        fresh = KnownPicture(content_hash(picture), width=picture.shape[1], height=picture.shape[0])
        self._remember(path, fingerprint, fresh, read_ns=started_ns)
        if fresh != known:  # else it was missed a moment ago
            features = self._cached(path, fresh, frame)
        if features is None:
            key = self._key(path, fresh, frame)
            features = self.encoder.encode(picture, key.frame)
            if self.cache is not None:
                self.cache.put(key, features)
        return features

    def peek(self, path: Path, frame: Frame | None = None) -> ImageFeatures | None:
        """The features of `path` as it was when last asked for, if they are in memory; touches no disk."""
        with self._lock:
            known = self._latest.get(path)
        if known is None or self.cache is None:
            return None
        return self.cache.peek(self._key(path, known, frame))

    def _key(self, path: Path, known: KnownPicture, frame: Frame | None) -> FeatureKey:
        whole = Frame.whole(width=known.width, height=known.height)
        if frame is not None and (frame.image_width, frame.image_height) != (known.width, known.height):
            sizes = f"{known.width}x{known.height} pixels, not {frame.image_width}x{frame.image_height}"
            raise BadInputError(f"The picture {path} is {sizes}: it was replaced, so open it again.")
        return FeatureKey(known.content, self.encoder.identity, frame or whole)

    def _cached(self, path: Path, known: KnownPicture, frame: Frame | None) -> ImageFeatures | None:
        self._note_latest(path, known)
        return self.cache.get(self._key(path, known, frame)) if self.cache is not None else None

    def _recall(self, path: Path, fingerprint: Fingerprint | None) -> KnownPicture | None:
        if self.cache is None or fingerprint is None:
            return None
        return self.cache.recall(path, fingerprint)

    def _remember(self, path: Path, fingerprint: Fingerprint | None, known: KnownPicture, *, read_ns: int) -> None:
        self._note_latest(path, known)
        if self.cache is None or fingerprint is None or not fingerprint.settled(at_ns=read_ns):
            return
        if _fingerprint(path) == fingerprint:  # else it was replaced while it was read
            self.cache.remember(path, fingerprint, known)

    def _note_latest(self, path: Path, known: KnownPicture) -> None:
        with self._lock:
            self._latest[path] = known
            self._latest.move_to_end(path)
            if len(self._latest) > _PATHS_REMEMBERED:
                self._latest.popitem(last=False)


def _fingerprint(path: Path) -> Fingerprint | None:
    """None where there is no file to look at; reading it then says why."""
    try:
        return Fingerprint.of(path)
    except OSError:
        return None
