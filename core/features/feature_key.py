"""FeatureKey: what features are of, and the name of their file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from core.geometry import Frame

FORMAT_VERSION = 3
FP16, EIGHT_BIT = "fp16", "8bit"
CODECS = (FP16, EIGHT_BIT)


@dataclass(frozen=True)
class FeatureKey:
    """What features are of: the content hash of the upright pixels, the encoder's identity, the frame.

    `codec` of CODECS is how they are written; it is the cache's business, which sets it.
    """

    content: str
    encoder: str
    frame: Frame
    codec: str = FP16

    @property
    def text(self) -> str:
        """The whole key as JSON, with what else the bytes depend on."""
        return json.dumps(asdict(self) | {"version": FORMAT_VERSION}, sort_keys=True)

    @property
    def digest(self) -> str:
        """32 hex digits that name the file."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()

    @classmethod
    def of_text(cls, text: str) -> FeatureKey:
        """The way back from `text`. Raises ValueError where it is no key of this version."""
        try:
            values: dict[str, Any] = json.loads(text)
            key = cls(values["content"], values["encoder"], Frame(**values["frame"]), values["codec"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError("this is no key") from error
        if key.text != text or key.codec not in CODECS:
            raise ValueError("this key is of another version")
        return key
