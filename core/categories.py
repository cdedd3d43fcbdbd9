"""Categories of a project: their record, and the color and the key that each has if the user has chosen none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Okabe and Ito's palette without black, and without sky blue, which is too close to the color of refinements; blue is
# lighter, to be visible on dark pictures. The colors of the other lines are for projects with many categories: as far
# from those, from each other and from the colors of the window itself as possible, for users who see all colors. Those
# next to each other here are distinct with each kind of color blindness, too.
PALETTE = (
    *("#E69F00", "#00B386", "#F0E442", "#CC79A7", "#D55E00", "#5B7CFF", "#B9B9B9"),
    *("#E6194B", "#1E8796", "#C3B4FF", "#7A7A00", "#FFA596", "#B14CF2"),
    *("#1FF046", "#9A6400", "#C3E1B4", "#7A6AA0", "#8FB82B", "#8A7866"),
)
DIGITS = 9
"""The first categories of the list have the keys 1 to 9, unless the user has given these to others."""


@dataclass(frozen=True)
class Category:
    """The class of a box; `id` never changes and is never used again.

    `color` is `#RRGGBB`, `key` a letter or digit; both are empty until the user chooses one.
    """

    id: int
    name: str
    color: str = ""
    key: str = ""


@dataclass(frozen=True)
class CategoryUse:
    """The number of boxes of a category in the project, and of the images that they are on."""

    boxes: int
    images: int


def palette_color(category_id: int) -> str:
    """The color that a category has if no other one stands in its way."""
    return PALETTE[(category_id - 1) % len(PALETTE)]


def colors_of(categories: Sequence[Category]) -> dict[int, str]:
    """Category id -> its color: the chosen one, else one of the palette.

    While the palette has colors left, no two categories share one. Later on, neighbors in the list never do. The
    category that was added first keeps its color.
    """
    colors = {entry.id: entry.color for entry in categories if entry.color}
    used = {color.upper() for color in colors.values()}
    rows = {entry.id: row for row, entry in enumerate(categories)}
    for id in sorted(rows.keys() - colors.keys()):
        row = rows[id]
        above = colors.get(categories[row - 1].id, "").upper() if row else ""
        below = colors.get(categories[row + 1].id, "").upper() if row + 1 < len(categories) else ""
        is_full, first = len(used) >= len(PALETTE) and used.issuperset(PALETTE), (id - 1) % len(PALETTE)
        order = (PALETTE[(first + step) % len(PALETTE)] for step in range(len(PALETTE)))
        colors[id] = next(color for color in order if color not in (above, below) and (is_full or color not in used))
        used.add(colors[id])
    return colors


def keys_of(categories: Sequence[Category]) -> dict[int, str]:
    """Category id -> its key: the chosen one, else the digit of its row, if no other category has that."""
    chosen = {entry.key: entry.id for entry in reversed(categories) if entry.key}
    keys = {id: key for key, id in chosen.items()}
    for row, entry in enumerate(categories[:DIGITS], start=1):
        if entry.id not in keys and str(row) not in chosen:
            keys[entry.id] = str(row)
    return keys


def is_color(text: str) -> bool:
    """Whether a text is a color of the form `#RRGGBB`."""
    return re.fullmatch(r"#[0-9A-Fa-f]{6}", text) is not None


def category_key(text: str) -> str:
    """The key that a typed character stands for, a letter as a capital; empty if it is no letter or digit."""
    key = text.strip().upper()
    return key if len(key) == 1 and key.isalnum() else ""


def folded(name: str) -> str:
    """The form of a name in which two names are the same that differ only in case."""
    name = name.strip()
    return (
        name.lower() if name.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    )


def same_name(name: str, names: Mapping[int, str]) -> int | None:
    """The id of the name that is the same, or else the same but for case; None without one."""
    exact = next((id for id, other in names.items() if other == name), None)
    if exact is not None:
        return exact
    wanted = folded(name)
    return next((id for id, other in names.items() if folded(other) == wanted), None)
