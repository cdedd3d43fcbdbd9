"""Where: the pointer on the picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Where:
    """The pixel under the pointer, and the size in pixels of the box that is dragged; None if none is."""

    x: int
    y: int
    size: tuple[int, int] | None = None
