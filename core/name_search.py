"""Search among names, as of categories and commands: the best one comes first; slips are forgiven."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np

from core.categories import folded
from core.text import LONGEST_NAME

_MOST_NEAR = 20
_SHORT = 5
_LONGEST_NEAR = 48
_LONGEST_SCATTERED = 32
_WIDEST = 4  # a long name has nearly all letters somewhere
_DIGITS = re.compile(r"\d+")
_LONGER = LONGEST_NAME + 1
_FAR = np.uint8(99)


class Rank(IntEnum):
    """How a name matches what is typed, the best first."""

    SAME = 0
    START = 1
    KEY = 2
    WORD = 3
    PART = 4
    WORDS = 5
    NEAR = 6
    LETTERS = 7


class _Entry(NamedTuple):
    id: int
    name: str


class NameSearch:
    """Finds ids by a part of their name, in any case; 3,000 names take a few milliseconds."""

    def __init__(self, names: Iterable[tuple[int, str]], keys: Mapping[int, str] | None = None) -> None:
        """`names`: (id, name), in the order of the list; `keys`: id -> its key; a digit finds the id that has it."""
        self._entries = [_Entry(id, folded(name)) for id, name in names]
        self._by_digit = {key: id for id, key in (keys or {}).items() if key.isdigit()}
        self._last_near: tuple[str, list[int]] = ("", [])

    def find(self, text: str, recent: Sequence[int] = ()) -> list[int]:
        """Ids of the matching names, the best first; for an empty text all, the `recent` ones first.

        Among equal matches the recent ones come first, then the shorter names, then the order of the list.
        """
        wanted = folded(text)
        places = {id: place for place, id in enumerate(recent)}
        far = len(places)
        if not wanted:
            rows = sorted(range(len(self._entries)), key=lambda row: places.get(self._entries[row].id, far))
            return [self._entries[row].id for row in rows]
        found: list[int] = []
        by_digit = self._by_digit.get(wanted)
        for row, entry in enumerate(self._entries):
            rank = Rank.KEY if entry.id == by_digit else _rank(wanted, entry.name)
            if rank is not None:
                # One number sorts in a fifth of the time that a tuple takes.
                order = (rank * (far + 1) + places.get(entry.id, far)) * _LONGER + min(len(entry.name), LONGEST_NAME)
                found.append(order * len(self._entries) + row)
        found.sort()
        ids = [self._entries[order % len(self._entries)].id for order in found]
        close = bisect_left(found, Rank.NEAR * (far + 1) * _LONGER * len(self._entries))
        near = self._near(wanted) if close < _MOST_NEAR else []
        return list(dict.fromkeys([*ids[:close], *near, *ids[close:]]))

    def same(self, text: str) -> int | None:
        """The id that has this name, in any case."""
        wanted = folded(text)
        return next((entry.id for entry in self._entries if entry.name == wanted), None)

    def near(self, text: str) -> int | None:
        """The id whose name differs by a slip or two; None if the name is new, or there already.

        Names that differ only in their numbers are meant to, such as class 1 and class 2.
        """
        wanted = folded(text)
        if self.same(text) is not None:
            return None
        near, plain = set(self._near(wanted)), _DIGITS.sub("", wanted)
        slips = (entry.id for entry in self._entries if entry.id in near and _DIGITS.sub("", entry.name) != plain)
        return min(slips, key=self._near(wanted).index, default=None)

    @cached_property
    def _letters(self) -> list[int]:
        return [_letters_of(entry.name) for entry in self._entries]

    def _near(self, wanted: str) -> list[int]:
        if self._last_near[0] != wanted:
            self._last_near = wanted, self._find_near(wanted)
        return self._last_near[1]

    def _find_near(self, wanted: str) -> list[int]:
        """Ids of the names a slip or two away, the nearest first."""
        most, mask = _most_slips(wanted), _letters_of(wanted)
        if not most:
            return []
        # A slip changes the set of letters by two at most.
        alike = [
            entry
            for entry, letters in zip(self._entries, self._letters, strict=True)
            if abs(len(entry.name) - len(wanted)) <= most and (letters ^ mask).bit_count() <= 2 * most
        ]
        slips = count_slips(wanted, [entry.name for entry in alike], most=most)
        found = sorted((count, row) for row, count in enumerate(slips) if count <= most)
        return [alike[row].id for _, row in found[:_MOST_NEAR]]


def count_slips(text: str, names: Sequence[str], *, most: int) -> list[int]:
    """For each name, how many letters of it to insert, delete, replace or swap with their neighbor to get `text`.

    A count above `most` is only a lower bound. All names at once, because 3,000 in a row would take 50 ms.
    """
    if not names:
        return []
    width = len(text) + most
    lengths = np.array([len(name) for name in names])
    letters = np.array(names, dtype=f"U{width}").view(np.uint32).reshape(len(names), width).T.copy()
    codes = [ord(letter) for letter in text]
    rows = [np.full((width + 1, len(names)), _FAR) for _ in range(3)]
    before, row, spare = rows
    row[: most + 1] = np.arange(most + 1, dtype=np.uint8)[:, None]
    for at, code in enumerate(codes, start=1):
        earlier, before, row, spare = before, row, spare, before
        row[:] = _FAR
        if at <= most:
            row[0] = at
        for beside in range(max(at - most, 1), min(at + most, width) + 1):  # farther ones take more slips
            is_other = letters[beside - 1] != code
            least = np.minimum(np.minimum(before[beside], row[beside - 1]) + 1, before[beside - 1] + is_other)
            if at > 1 and beside > 1:
                is_swap = (letters[beside - 2] == code) & (letters[beside - 1] == codes[at - 2])
                if is_swap.any():
                    least = np.where(is_swap, np.minimum(least, earlier[beside - 2] + 1), least)
            row[beside] = least
    is_within = lengths <= width
    counts = row[np.minimum(lengths, width), np.arange(len(names))]
    return [int(count) if fits else most + 1 for count, fits in zip(counts, is_within, strict=True)]


def _letters_of(text: str) -> int:
    """A set of 64 bits with a bit for each letter of a text."""
    mask = 0
    for letter in set(text):
        mask |= 1 << (ord(letter) & 63)
    return mask


def _rank(wanted: str, name: str) -> Rank | None:
    at = name.find(wanted)
    if at == 0:
        return Rank.SAME if len(name) == len(wanted) else Rank.START
    if at > 0:
        return Rank.WORD if f" {wanted}" in name or not _all_within_words(name, wanted, at) else Rank.PART
    if " " in wanted and all(word in name for word in wanted.split()):
        return Rank.WORDS
    if len(wanted) > _LONGEST_SCATTERED:
        return None
    places = []
    for letter in wanted:
        at = name.find(letter, at + 1)
        if at < 0:
            return None
        places.append(at)
    return Rank.LETTERS if places[-1] - places[0] < _WIDEST * len(wanted) else None


def _all_within_words(name: str, wanted: str, at: int) -> bool:
    """Whether no occurrence of `wanted`, the first of which is `at`, begins a word."""
    while at > 0:
        if not name[at - 1].isalnum():
            return False
        at = name.find(wanted, at + 1)
    return True


def _most_slips(text: str) -> int:
    """How many slips a text of this length may have: none in two letters, because most names would be near."""
    if not 3 <= len(text) <= _LONGEST_NEAR:
        return 0
    return 1 if len(text) < _SHORT else 2
