"""The names of a box's edges, for texts of the window."""

from __future__ import annotations

from collections.abc import Iterable

from core.translation import tr

_EDGES = (tr("left edge"), tr("top edge"), tr("right edge"), tr("bottom edge"))


def names_of_edges(edges: Iterable[int]) -> str:
    """Name edges (0 left, 1 top, 2 right, 3 bottom) in one text."""
    return ", ".join(_EDGES[edge] for edge in edges)
