"""Key sets: the keys that all actions have together, before the user's own choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from boxrefine_gui.widgets.action_row import ActionRow
from boxrefine_gui.widgets.keys import Chosen, normal, with_chosen
from core.settings import Settings
from core.text import escaped
from core.translation import tr

STANDARD = "standard"
_LONGEST = 40


@dataclass(frozen=True)
class KeySet:
    """A key set: its name for the user, and the keys of the actions that differ from the action table."""

    title: str
    keys: Chosen = field(default_factory=dict)


LEFT_HAND: Chosen = {
    "accept": ("Space", "F", "Return", "Enter"),
    "discard": ("Esc", "Shift+Space"),
    "delete": ("V", "Delete", "Backspace"),
    "keep": ("Shift+F", "K"),
    "next_to_check": ("T", "N"),
    "next_doubtful": ("Shift+T", "Shift+N"),
    "accept_all": ("Shift+G", "Shift+Return", "Shift+Enter"),
    "reject_rest": ("Shift+V", "Shift+Delete"),
    "auto_accept": ("Shift+S", "Ctrl+Return"),
    "next_untouched": ("Shift+D", "U"),
    "previous_untouched": ("Shift+A", "Shift+U"),
    "first_undone": ("Shift+Q", "Ctrl+U"),
    "fit": ("Shift+Z",),
}
"""For a hand that stays at the left of the keyboard while the other one has the mouse."""

KEY_SETS: Mapping[str, KeySet] = {
    STANDARD: KeySet(tr("Standard")),
    "left_hand": KeySet(tr("Left hand"), LEFT_HAND),
}


def of_set(rows: Sequence[ActionRow], name: str) -> list[ActionRow]:
    """The rows with the keys of a set; a key that it gives to one action is no longer that of another."""
    keys = KEY_SETS[name].keys if name in KEY_SETS else {}
    given = {normal(key) for held in keys.values() for key in held}
    return [
        replace(row, keys=tuple(keys[row.id]) if row.id in keys else tuple(_without(row.keys, given))) for row in rows
    ]


def _without(keys: Sequence[str], given: set[str]) -> list[str]:
    return [key for key in keys if normal(key) not in given]


def with_settings(rows: Sequence[ActionRow], settings: Settings) -> tuple[list[ActionRow], list[str]]:
    """The rows with their current keys, and a sentence for each choice that cannot hold; see `with_chosen`."""
    found, problems = with_chosen(of_set(rows, settings.key_set), settings.keys)
    if settings.key_set not in KEY_SETS:
        missing = tr(
            "This version has no key set “{name}”, which the settings name, so the standard keys hold.",
            name=escaped(settings.key_set)[:_LONGEST],
        )
        problems = [missing, *problems]
    return found, problems
