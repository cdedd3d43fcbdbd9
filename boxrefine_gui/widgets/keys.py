"""Keys: how they are written, which actions have them now, and who else has one that somebody wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtGui import QKeySequence

from boxrefine_gui.widgets.action_row import ActionRow

Chosen = Mapping[str, Sequence[str]]
"""Action id -> the keys that the user has given it; none: it has no key. An action that is not in it has its own."""

THE_CANVAS = "the canvas, for moving and going through boxes"
_ARROWS = ("Left", "Right", "Up", "Down")
_OF_THE_CANVAS = {
    *("Tab", "Shift+Tab", "Backtab", "Shift+Backtab", "Space"),
    *(f"{modifier}{arrow}" for arrow in _ARROWS for modifier in ("", "Shift+", "Ctrl+", "Ctrl+Shift+")),
}


def normal(key: str) -> str:
    """One key as Qt writes it in every language; empty where it is none."""
    sequence = QKeySequence(key, QKeySequence.SequenceFormat.PortableText)
    return sequence.toString(QKeySequence.SequenceFormat.PortableText) if sequence.count() == 1 else ""


def with_chosen(rows: Sequence[ActionRow], chosen: Chosen) -> tuple[list[ActionRow], list[str]]:
    """The rows with the keys that hold now, and a sentence for each key that cannot be given.

    What the user has chosen goes before an action's own keys; of two choices, the one that stands first in the menus.
    """
    taken: dict[str, ActionRow] = {}
    faults: list[str] = []
    given: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row.id in chosen:
            given[row.id] = tuple(_usable(row, chosen[row.id], taken, faults))
    keys = {row.id: given.get(row.id, tuple(key for key in row.keys if normal(key) not in taken)) for row in rows}
    return [replace(row, keys=keys[row.id]) for row in rows], faults


def _usable(row: ActionRow, wanted: Sequence[str], taken: dict[str, ActionRow], faults: list[str]) -> list[str]:
    keys = []
    for text in wanted:
        key = normal(text)
        if not key:
            faults.append(f"{text} is no key, so “{row.words}” does not have it.")
        elif key in _OF_THE_CANVAS:
            faults.append(f"{key} belongs to {THE_CANVAS}, so “{row.words}” does not have it.")
        elif key in taken and taken[key] is not row:
            faults.append(f"{key} is given to “{taken[key].words}” too, so “{row.words}” does not have it.")
        else:
            taken[key] = row
            keys.append(key)
    return keys


def owner_of(key: str, rows: Sequence[ActionRow], *, but: str) -> ActionRow | str | None:
    """Who else has a key now: an action, the canvas (in words), or nobody."""
    if normal(key) in _OF_THE_CANVAS:
        return THE_CANVAS
    return next((row for row in rows if row.id != but and normal(key) in map(normal, row.keys)), None)
