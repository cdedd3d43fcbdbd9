"""Origins: where a box comes from that the user did not draw."""

from __future__ import annotations

from dataclasses import dataclass

from core.geometry import Box


@dataclass(frozen=True)
class Origin:
    """Where a box that the user did not draw comes from: an annotation file or a head, and the box as it was there.

    `file` is the name without folders, also of the picture that the box was copied from; it is empty for a suggestion
    that was made in this project. `head` is the identity of the head that suggested the box, empty if none did, and
    `probability` what it, or the detector that wrote the file, expected of its being right. `is_crowd`: the box is
    around many objects, so no refiner moves it.
    """

    file: str
    box: Box
    head: str = ""
    probability: float = 0.0
    is_crowd: bool = False
