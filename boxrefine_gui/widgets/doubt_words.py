"""The names of a box's edges, for texts of the window."""

from __future__ import annotations

from collections.abc import Sequence

from core.translation import tr, tr_plural

_EDGES = (tr("left"), tr("top"), tr("right"), tr("bottom"))


def doubt_words(edges: Sequence[int]) -> str:
    """State which edges (0 left, 1 top, 2 right, 3 bottom) are in doubt."""
    names = ", ".join(_EDGES[edge] for edge in edges)
    return tr_plural("edge in doubt: {edges}", "edges in doubt: {edges}", len(edges), edges=names)
