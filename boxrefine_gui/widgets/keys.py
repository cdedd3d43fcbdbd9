"""Keys: their normal form, the keys that actions have now, and the owner of a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtGui import QKeySequence

from boxrefine_gui.widgets.action_row import ActionRow
from boxrefine_gui.widgets.mouse_keys import as_mouse_key
from core.translation import tr

Chosen = Mapping[str, Sequence[str]]
"""Action id -> the keys that the user chose for it, possibly none. An action that is not in it has its default keys."""

CANVAS = "canvas"
"""The owner of the keys that move boxes and go through them."""

_ARROWS = ("Left", "Right", "Up", "Down")
_OF_THE_CANVAS = {
    *("Tab", "Shift+Tab", "Backtab", "Shift+Backtab"),
    *(f"{modifier}{arrow}" for arrow in _ARROWS for modifier in ("", "Shift+", "Ctrl+", "Ctrl+Shift+")),
}


def normal(key: str) -> str:
    """A key in Qt's portable text, or the name of a mouse button; empty if `key` is not a single key."""
    if button := as_mouse_key(key):
        return button
    sequence = QKeySequence(key, QKeySequence.SequenceFormat.PortableText)
    return sequence.toString(QKeySequence.SequenceFormat.PortableText) if sequence.count() == 1 else ""


def with_chosen(rows: Sequence[ActionRow], chosen: Chosen) -> tuple[list[ActionRow], list[str]]:
    """The rows with their current keys, and a sentence for each chosen key that cannot be given.

    The user's choices precede default keys. If two actions want the same key, the first one in the menus gets it.
    """
    taken: dict[str, ActionRow] = {}
    problems: list[str] = []
    given: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row.id in chosen:
            given[row.id] = tuple(_usable(row, chosen[row.id], taken, problems))
    keys = {row.id: given.get(row.id, tuple(key for key in row.keys if normal(key) not in taken)) for row in rows}
    return [replace(row, keys=keys[row.id]) for row in rows], problems


def _usable(row: ActionRow, wanted: Sequence[str], taken: dict[str, ActionRow], problems: list[str]) -> list[str]:
    """The keys of `wanted` that `row` can have. Adds them to `taken`, and sentences on the others to `problems`."""
    keys = []
    for text in wanted:
        key = normal(text)
        if not key:
            problems.append(tr("{key} is no key, so “{action}” does not have it.", key=text, action=row.words))
        elif key in _OF_THE_CANVAS:
            problems.append(
                tr(
                    "{key} belongs to the canvas, for moving and going through boxes, so “{action}” does not have it.",
                    key=key,
                    action=row.words,
                )
            )
        elif key in taken and taken[key] is not row:
            problems.append(
                tr(
                    "{key} is given to “{other}” too, so “{action}” does not have it.",
                    key=key,
                    other=taken[key].words,
                    action=row.words,
                )
            )
        else:
            taken[key] = row
            keys.append(key)
    return keys


def owner_of(key: str, rows: Sequence[ActionRow], *, but: str) -> ActionRow | str | None:
    """The owner of a key, besides the action `but`: another action, CANVAS, or None."""
    if normal(key) in _OF_THE_CANVAS:
        return CANVAS
    return next((row for row in rows if row.id != but and normal(key) in map(normal, row.keys)), None)
