"""The order in which images are prepared: the open one, then those ahead of the user, then those behind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

_AHEAD_FOR_ONE_BEHIND = 3


def encode_order(*, current: int, total: int, direction: int = 1, ahead: int = 2, behind: int = 1) -> list[int]:
    """Order the rows around `current` in a list of `total` images for preparing.

    The open row `current` comes first, then alternately one of the next `ahead` rows in the direction of travel (+1 or
    -1) and one of the previous `behind` rows. Rows outside the list are left out.
    """
    step = 1 if direction >= 0 else -1
    order = [current]
    for distance in range(1, max(ahead, behind) + 1):
        if distance <= ahead:
            order.append(current + step * distance)
        if distance <= behind:
            order.append(current - step * distance)
    return [row for row in order if 0 <= row < total]


def folder_order(*, current: int, total: int, direction: int = 1, reach: int) -> Iterator[int]:
    """Yield up to `reach` rows around `current` by their distance, for when there is nothing else to prepare.

    Three rows in the direction of travel come for each one behind. The open row itself is not among them.
    """
    step = 1 if direction >= 0 else -1
    ahead = (current + step * distance for distance in range(1, total))
    behind = (current - step * distance for distance in range(1, total))
    given = 0
    for count in itertools.cycle((_AHEAD_FOR_ONE_BEHIND, 1)):
        rows = list(itertools.islice(ahead if count == _AHEAD_FOR_ONE_BEHIND else behind, count))
        for row in rows:
            if given >= min(reach, total - 1):
                return
            if 0 <= row < total:
                given += 1
                yield row
        if given >= min(reach, total - 1):
            return
