"""Pixels: a picture in memory that is encoded by frames, without a cache."""

from __future__ import annotations

from core.encoders.image_features import Cut, Encoder, ImageFeatures, encode_filling
from core.geometry import Frame
from core.images import Picture


class Pixels:
    """Implements `core.inference.look_again.Framed`; see there."""

    def __init__(self, picture: Picture, encoder: Encoder) -> None:
        self._picture = picture
        self._encoder = encoder

    def of(self, frame: Frame | None = None) -> ImageFeatures:
        """Encode a frame, or the whole picture for None."""
        height, width = self._picture.shape[:2]
        return self._encoder.encode(self._picture, frame or Frame.whole(width=width, height=height))

    def once(self, crop: Frame, *, fill: float = 1.0) -> ImageFeatures:
        """Encode a crop; for `fill` see `SmallEncoder`."""
        return encode_filling(self._encoder, self._picture, crop, fill=fill)

    @property
    def encoder(self) -> Encoder:
        """What encodes it."""
        return self._encoder

    def cut(self, crop: Frame) -> Cut:
        """A crop that is encoded once, in a batch."""
        return Cut(self._picture, crop)
