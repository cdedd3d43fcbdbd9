"""Origins: where a box comes from that the user did not draw."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from core.geometry import Box


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a box that the user did not draw comes from: an annotation file or a head, and the box as it was there.

    `file` is the name without folders, also of the picture that the box was copied from; it is empty for a suggestion
    that was made in this project. `head` is the identity of the head that suggested the box, empty if none did, and
    `probability` what it, or the detector that wrote the file, expected of its being right. `is_crowd`: the box is
    around many objects, so no refiner moves it.

    `format` is that of the file, and `entry` the box as it is there, as a JSON object, so that an export gives back
    what the project has no place for; both are empty if nothing is kept.
    """

    file: str
    box: Box
    head: str = ""
    probability: float = 0.0
    is_crowd: bool = False
    format: str = field(default="", repr=False, compare=False)
    entry: str = field(default="", repr=False, compare=False)

    def kept(self, format: str) -> dict[str, Any]:
        """The box as it was in a file of this format; empty if it came in another one."""
        if not self.entry or self.format != format:
            return {}
        try:
            entry = json.loads(self.entry)
        except (ValueError, RecursionError):
            return {}
        return entry if isinstance(entry, dict) else {}
