"""Plots of reports as SVG: bars by name, and histograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from core.audit.html import text_of

_WIDTH, _ROW, _NAME_ROOM = 460, 18, 150
_HEIGHT, _FOOT = 150, 18
_BINS = 24
_LONGEST = 22


def bars(title: str, values: Sequence[tuple[str, int]]) -> str:
    """One bar for each name, with its number."""
    largest = max((count for _, count in values), default=0) or 1
    room = _WIDTH - _NAME_ROOM - 60
    rows = []
    for place, (name, count) in enumerate(values):
        y, length = place * _ROW, room * count / largest
        short = name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
        rows.append(
            f'<text x="{_NAME_ROOM - 6}" y="{y + 13}" text-anchor="end">{text_of(short)}</text>'  # untranslated: SVG
            f'<rect class="bar" x="{_NAME_ROOM}" y="{y + 3}" width="{length:.1f}" height="{_ROW - 6}"/>'
            f'<text x="{_NAME_ROOM + length + 5:.1f}" y="{y + 13}">{count}</text>'
        )
    return _figure(title, "".join(rows), _WIDTH, max(len(values), 1) * _ROW)


def histogram(title: str, values: ArrayLike, *, unit: str = "") -> str:
    """The distribution of positive values (N,), in bins of equal factors; the axis names the least and the largest."""
    kept = np.asarray(values, np.float64)
    kept = kept[np.isfinite(kept) & (kept > 0)]
    if not len(kept):
        return ""
    low, high = float(kept.min()), float(kept.max())
    if high <= low * 1.0001:
        low, high = low * 0.9, high * 1.1
    counts, _ = np.histogram(np.log(kept), bins=_BINS, range=(np.log(low), np.log(high)))
    width, top = _WIDTH / _BINS, float(counts.max())
    parts = [f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>']  # untranslated: SVG
    for place, count in enumerate(counts.tolist()):
        tall = (_HEIGHT - 6) * count / top
        parts.append(
            f'<rect class="bar" x="{place * width + 1:.1f}" y="{_HEIGHT - tall:.1f}" width="{width - 2:.1f}" '
            f'height="{tall:.1f}"/>'  # untranslated: SVG
        )
    middle = float(np.exp((np.log(low) + np.log(high)) / 2))
    for x, anchor, value in ((0, "start", low), (_WIDTH / 2, "middle", middle), (_WIDTH, "end", high)):
        parts.append(f'<text x="{x}" y="{_HEIGHT + 14}" text-anchor="{anchor}">{value:.3g}{text_of(unit)}</text>')
    return _figure(title, "".join(parts), _WIDTH, _HEIGHT + _FOOT)


def _figure(title: str, content: str, width: int, height: int) -> str:
    safe = text_of(title)
    return (
        f"<figure><figcaption>{safe}</figcaption>"  # untranslated: SVG
        f'<svg role="img" aria-label="{safe}" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f"{content}</svg></figure>"
    )
