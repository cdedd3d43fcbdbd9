"""FeatureSource: a picture file -> its features, read from the cache or encoded."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from core.encoders.image_features import Cut, Encoder, ImageFeatures, encode_filling
from core.errors import BadInputError
from core.features.cache.feature_cache import FeatureCache, FeatureKey
from core.features.cache.picture_memory import Fingerprint, KnownPicture
from core.geometry import Frame
from core.images import Picture, content_hash, read_picture
from core.object_store.remote_file import PictureFile
from core.translation import tr

_PATHS_REMEMBERED = 4096


class FeatureSource:
    """One encoder with an optional cache. Any thread may call it, but only one at a time should encode."""

    def __init__(
        self, encoder: Encoder, cache: FeatureCache | None, *, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """`now_ns` is the clock to which the dates of files are compared, in nanoseconds since 1970."""
        self.encoder = encoder
        self.cache = cache
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._latest: OrderedDict[PictureFile, KnownPicture] = OrderedDict()
        self._decoded = 0

    @property
    def decoded(self) -> int:
        """How many pictures were decoded so far."""
        return self._decoded

    def of_path(self, path: PictureFile, frame: Frame | None = None) -> ImageFeatures:
        """The features of a frame (None: the whole) of the picture in `path`: cached, or encoded and cached now.

        Raises BadFileError where the picture cannot be read, BadInputError where `frame` is of another image size.
        """
        return self.opened(path).of(frame)

    def key_of(self, path: PictureFile, known: KnownPicture, frame: Frame | None = None) -> FeatureKey:
        """The cache key of a frame of a known picture. Raises BadInputError as `of_path` does."""
        return self._key(path, known, frame)

    def holds(self, path: PictureFile, known: KnownPicture) -> bool:
        """Whether the whole picture's features are cached."""
        return self.cache is not None and self.cache.holds(self._key(path, known, None))

    def share(self, path: PictureFile, known: KnownPicture) -> None:
        """Bring the whole picture's features into the shared cache, if the disk has them."""
        if self.cache is not None and self.cache.shared is not None:
            self.cache.share(self._key(path, known, None))

    def prepare(self, path: PictureFile) -> None:
        """Bring the whole picture's features into the cache, without loading cached ones. Raises BadFileError."""
        known = self.recall(path)
        if known is None or not self.holds(path, known):
            self.of_path(path)

    def opened(self, path: PictureFile, *, keep_crops: bool = True) -> OpenedPicture:
        """An OpenedPicture for several frames of one picture; it reads nothing yet.

        Without `keep_crops` it caches only the whole picture's features: a batch has so many crops that they would
        evict all other features from the cache.
        """
        return OpenedPicture(self, path, keep_crops=keep_crops)

    def peek(self, path: PictureFile, frame: Frame | None = None) -> ImageFeatures | None:
        """The features of `path` as it was when it was last requested, if they are in memory; touches no disk."""
        with self._lock:
            known = self._latest.get(path)
        if known is None or self.cache is None:
            return None
        return self.cache.peek(self._key(path, known, frame))

    def at_hand(self, path: PictureFile) -> ImageFeatures | None:
        """The features of a whole picture if they are cached, also on the disk; nothing is decoded or encoded."""
        known = self.recall(path)
        return self.cached(path, known, None) if known is not None else self.peek(path)

    def read(self, path: PictureFile) -> tuple[Picture, KnownPicture]:
        """Decode a picture, and remember its content hash and size. Raises BadFileError."""
        fingerprint = _fingerprint(path)
        started_ns = self._now_ns()
        picture = read_picture(path)
        self._decoded += 1
        known = KnownPicture(content_hash(picture), width=picture.shape[1], height=picture.shape[0])
        self._remember(path, fingerprint, known, read_ns=started_ns)
        return picture, known

    def recall(self, path: PictureFile) -> KnownPicture | None:
        """The remembered content hash and size of an unchanged file, without decoding it; None where unknown."""
        fingerprint = _fingerprint(path)
        if self.cache is None or fingerprint is None:
            return None
        return self.cache.recall(path, fingerprint)

    def cached(self, path: PictureFile, known: KnownPicture, frame: Frame | None) -> ImageFeatures | None:
        """The cached features of a frame of a known picture, or None. Raises BadInputError as `of_path` does."""
        self._note_latest(path, known)
        return self.cache.get(self._key(path, known, frame)) if self.cache is not None else None

    def encode(
        self, path: PictureFile, picture: Picture, known: KnownPicture, frame: Frame | None, *, keep: bool
    ) -> ImageFeatures:
        """Encode a frame of a decoded picture; `keep`: store its features in the cache."""
        key = self._key(path, known, frame)
        features = self.encoder.encode(picture, key.frame)
        if self.cache is not None and keep:
            self.cache.put(key, features)
        return features

    def _key(self, path: PictureFile, known: KnownPicture, frame: Frame | None) -> FeatureKey:
        whole = Frame.whole(width=known.width, height=known.height)
        if frame is not None and (frame.image_width, frame.image_height) != (known.width, known.height):
            raise BadInputError(
                tr(
                    "The picture {path} is {found} pixels, not {wanted}: it was replaced, so open it again.",
                    path=path,
                    found=f"{known.width}x{known.height}",
                    wanted=f"{frame.image_width}x{frame.image_height}",
                )
            )
        return FeatureKey(known.content, self.encoder.identity, frame or whole)

    def _remember(
        self, path: PictureFile, fingerprint: Fingerprint | None, known: KnownPicture, *, read_ns: int
    ) -> None:
        self._note_latest(path, known)
        if self.cache is None or fingerprint is None or not fingerprint.is_settled(at_ns=read_ns):
            return
        if _fingerprint(path) == fingerprint:  # otherwise the file was replaced while it was read
            self.cache.remember(path, fingerprint, known)

    def _note_latest(self, path: PictureFile, known: KnownPicture) -> None:
        with self._lock:
            self._latest[path] = known
            self._latest.move_to_end(path)
            if len(self._latest) > _PATHS_REMEMBERED:
                self._latest.popitem(last=False)


class OpenedPicture:
    """One picture file for several frames: it is decoded once at most, and only where features are not cached.

    It holds the decoded picture, so drop it when its frames are done. One thread at a time.
    """

    def __init__(self, source: FeatureSource, path: PictureFile, *, keep_crops: bool) -> None:
        self._source = source
        self._path = path
        self._keep_crops = keep_crops
        self._known: KnownPicture | None = None
        self._picture: Picture | None = None

    def of(self, frame: Frame | None = None) -> ImageFeatures:
        """See `FeatureSource.of_path`."""
        source, path = self._source, self._path
        known = self._known or source.recall(path)
        features = source.cached(path, known, frame) if known else None
        if features is None and self._picture is None:
            before = known
            self._picture, known = source.read(path)
            if known != before:  # otherwise the cache has just missed it
                features = source.cached(path, known, frame)
        self._known = known
        if features is not None:
            return features
        assert self._picture is not None and known is not None
        keep = frame is None or frame.is_whole or self._keep_crops
        return source.encode(path, self._picture, known, frame, keep=keep)

    def once(self, crop: Frame, *, fill: float = 1.0) -> ImageFeatures:
        """Encode a crop that is used once, without reading or writing the cache. Raises as `of` does.

        In the cache it would only evict prepared images. For `fill` see `core.encoders.image_features.SmallEncoder`.
        """
        return encode_filling(self._source.encoder, *self.cut(crop), fill=fill)

    @property
    def encoder(self) -> Encoder:
        """What encodes it."""
        return self._source.encoder

    def cut(self, crop: Frame) -> Cut:
        """A crop that is encoded once, in a batch; decodes the picture. Raises as `of` does."""
        if self._picture is None or self._known is None:
            self._picture, self._known = self._source.read(self._path)
        self._source.key_of(self._path, self._known, crop)  # raises if the picture has another size now
        return Cut(self._picture, crop)


def content_of(path: PictureFile, cache: FeatureCache) -> str:
    """The content hash of a picture: remembered, or else computed from its pixels. Raises BadFileError."""
    fingerprint = _fingerprint(path)
    known = cache.recall(path, fingerprint) if fingerprint is not None else None
    return known.content if known is not None else content_hash(read_picture(path))


def _fingerprint(path: PictureFile) -> Fingerprint | None:
    """The fingerprint of a file, None where it has none; reading the file then raises the reason."""
    try:
        return Fingerprint.of(path)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
