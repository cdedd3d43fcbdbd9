"""FeatureKey: the identity of features, and the name of their file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from core.geometry import Frame
from core.text import is_name

_LONGEST_SIDE = 2**31
FORMAT_VERSION = 3
FP16, EIGHT_BIT = "fp16", "8bit"
CODECS = (FP16, EIGHT_BIT)


@dataclass(frozen=True)
class FeatureKey:
    """The identity of features: the content hash of the upright pixels, the encoder's identity, the frame.

    `codec`, one of CODECS, is that of their file; the cache sets it.
    """

    content: str
    encoder: str
    frame: Frame
    codec: str = FP16

    @property
    def text(self) -> str:
        """The whole key as JSON, with the version of the file format."""
        return json.dumps(asdict(self) | {"version": FORMAT_VERSION}, sort_keys=True)

    @property
    def digest(self) -> str:
        """The file's name: 32 hex digits."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()

    @classmethod
    def of_text(cls, text: str) -> FeatureKey:
        """Parse `text`. Raises ValueError where it is no key of this version."""
        try:
            values: dict[str, Any] = json.loads(text)
            frame = Frame(**values["frame"])
            content, encoder, codec = values["content"], values["encoder"], values["codec"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError("this is no key") from error
        if not (_is_name(content) and _is_name(encoder) and _is_frame(frame)):
            raise ValueError("this is no key")
        key = cls(content, encoder, frame, codec)
        if key.codec not in CODECS or key.text != text:
            raise ValueError("this key is of another version")
        return key


def _is_name(value: object) -> bool:
    return isinstance(value, str) and is_name(value)


def _is_frame(frame: Frame) -> bool:
    """Whether a frame has whole numbers and is a part of its image."""
    sides = frame.left, frame.top, frame.width, frame.height, frame.image_width, frame.image_height
    if any(type(side) is not int or not 0 <= side < _LONGEST_SIDE for side in sides):
        return False
    across = 0 < frame.width <= frame.image_width - frame.left
    return across and 0 < frame.height <= frame.image_height - frame.top
