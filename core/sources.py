"""Sources: what an annotation file has besides its boxes, kept so that an export gives it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)

LARGEST_ENTRY = 4 * 1024**2
"""Characters of a kept entry at most; the largest polygons of COCO take some 50,000."""


@dataclass(frozen=True)
class Source:
    """An imported annotation file, without its boxes.

    `file` is its name without folders, `format` as in `Origin`. `header` is what belongs to no picture and no box, such
    as licences and categories, `images` what the file has on each picture, by the image's id; all as in the file.
    `id` is 0 until it is stored. `goes_on`: these are more images of the source before.
    """

    file: str
    format: str
    header: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    id: int = 0
    goes_on: bool = False


def kept_text(entry: object) -> str:
    """A JSON value as a text to be kept; empty if it has values that JSON does not allow, or is far too large."""
    try:
        text = _ENCODER.encode(entry)
    except (ValueError, RecursionError, TypeError):
        return ""
    return text if len(text) <= LARGEST_ENTRY else ""
