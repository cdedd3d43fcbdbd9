"""The parsed form: what each reader of an annotation format gives, before pictures are matched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from core.formats.defects import Defects
from core.geometry import Box
from core.text import name_of
from core.translation import tr

NO_CATEGORY = "object"
"""Category of a box without one in its file. It is stored in projects, so it is not translated."""

LONGEST_BITS = 1000
"""Bits of the largest whole number to accept, because any float can hold it."""


class ParsedBox(NamedTuple):
    """A box and the name of its category, in pixels or in fractions of the picture's sides.

    `score` is that of a detector, in [0, 1], None without one. `entry` is the box as it is in a file of `format`, as a
    JSON object, to be kept, so that an export gives it back. `text` is the same as JSON text, in place of `entry`,
    where the box has nothing that an import restores; `is_crowd` is then whether it is around many objects.
    """

    category: str
    box: Box
    score: float | None = None
    entry: Mapping[str, Any] | None = None
    format: str = ""
    text: str = ""
    is_crowd: bool = False


@dataclass(slots=True)
class ParsedPicture:
    """The boxes that a file has for one picture.

    `names` are the picture's names, the most trusted one first: the place and stem of a label file of its own before
    the name that stands in the file. They may have folders and may lack a suffix. `width` and `height` are 0 if the
    file does not have them. `is_own_file`: the file has boxes of this picture only, so its place shows which picture it
    is. Boxes are in pixels, or, if `is_relative`, in fractions of the picture's sides. `more` are boxes that are made
    when they are needed, after `boxes`. `entry` is what the file has on the picture, to be kept.
    """

    source: Path
    names: tuple[str, ...]
    width: int = 0
    height: int = 0
    boxes: list[ParsedBox] = field(default_factory=list)
    is_own_file: bool = False
    is_relative: bool = False
    entry: Mapping[str, Any] | None = None
    defects: Defects = field(default_factory=Defects)
    more: Iterable[ParsedBox] = ()

    def add(
        self,
        category: object,
        numbers: Sequence[object],
        *,
        where: str,
        score: object = None,
        entry: Mapping[str, Any] | None = None,
        format: str = "",
    ) -> None:
        """Add the box around the points x1, y1, x2, y2, ... with its category (empty: none), or a defect.

        `where` names the entry in the file for the defect, such as `the line 3`. A `score` that is no number is left
        out.
        """
        if len(numbers) == 4 and _are_corners(numbers):
            name = category_of(category)
            if name is not None:
                x1, y1, x2, y2 = numbers
                sure = min(max(float(score), 0.0), 1.0) if is_finite(score) else None
                self.boxes.append(ParsedBox(name, Box(x1, y1, x2, y2), sure, entry, format))  # type: ignore[arg-type]
                return
        usable = [float(value) for value in numbers if is_finite(value)]
        xs, ys = usable[::2], usable[1::2]
        name = category_of(category)
        if name is None:
            self.add_defect(tr("In {file}, {where} has a name that cannot be used: correct or delete it."), where)
        elif len(usable) != len(numbers) or len(xs) < 2 or len(xs) != len(ys):
            self.add_defect(tr("In {file}, {where} has no box of numbers: correct or delete it."), where)
        elif max(xs) <= min(xs) or max(ys) <= min(ys):
            self.add_defect(tr("In {file}, {where} has a box without area: correct or delete it."), where)
        else:
            sure = min(max(float(score), 0.0), 1.0) if is_finite(score) else None
            self.boxes.append(ParsedBox(name, Box(min(xs), min(ys), max(xs), max(ys)), sure, entry, format))

    def add_defect(self, sentence: str, where: str) -> None:
        """Count a defect; the sentence has {file} and {where} to be filled in."""
        self.defects.add(sentence, file=self.source, where=where)


@dataclass
class ParsedSet:
    """The contents of a file or folder of one format.

    `categories` are all names that it lists, in its order, also those without a box. `header` is what belongs to no
    picture, to be kept under the name `file`. `defects` are those that no picture has, `notes` are sentences on what
    was assumed.
    """

    format: str
    pictures: list[ParsedPicture] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    header: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    defects: Defects = field(default_factory=Defects)
    notes: list[str] = field(default_factory=list)

    def add(self, other: ParsedSet) -> None:
        """Add what another file of the format has."""
        self.pictures += other.pictures
        self.categories += [name for name in other.categories if name not in self.categories]
        self.defects.extend(other.defects)
        self.notes += [note for note in other.notes if note not in self.notes]


def _are_corners(numbers: Sequence[object]) -> bool:
    """Whether four numbers are the edges of a box with an area, as they are for nearly all of a million boxes."""
    x1, y1, x2, y2 = numbers
    return (
        isinstance(x1, float)
        and isinstance(y1, float)
        and isinstance(x2, float)
        and isinstance(y2, float)
        and x1 < x2
        and y1 < y2
        and math.isfinite(x1 + y1 + x2 + y2)
    )


def category_of(value: object) -> str | None:
    """The name of a category; NO_CATEGORY for one that is empty, None for one that cannot be used."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return NO_CATEGORY
    return _name_of(value) if isinstance(value, str) else name_of(value)


_name_of = lru_cache(maxsize=4096)(name_of)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number that a float can hold; JSON allows larger whole numbers."""
    return type(value) is float or (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and not (isinstance(value, int) and value.bit_length() > LONGEST_BITS)
    )


def is_finite(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number, and neither NaN nor infinite."""
    if type(value) is float:  # most numbers are
        return math.isfinite(value)
    return is_number(value) and math.isfinite(value)


def number_in(text: str | None) -> float | None:
    """The number that a text stands for; None if it is none."""
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def side_of(value: object) -> int:
    """The side of a picture in pixels, from a number or a text; 0 if it is not plausible."""
    number = number_in(value) if isinstance(value, str) else value
    return round(number) if is_finite(number) and 0 < number < 1e9 else 0
