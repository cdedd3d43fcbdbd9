"""Mouse buttons that can be keys of actions: their names in the settings, and for the user."""

from __future__ import annotations

from PySide6.QtCore import Qt

from core.translation import tr

MIDDLE, RIGHT = "Mouse middle", "Mouse right"  # untranslated: names in the settings
BACK, FORWARD = "Mouse back", "Mouse forward"  # untranslated: names in the settings
"""A drag with the middle button pans whatever it is the key of; only a click of it counts as a key."""

_BUTTONS = {
    Qt.MouseButton.MiddleButton: MIDDLE,
    Qt.MouseButton.RightButton: RIGHT,
    Qt.MouseButton.BackButton: BACK,
    Qt.MouseButton.ForwardButton: FORWARD,
}
MOUSE_KEYS = tuple(_BUTTONS.values())
_BY_LETTERS = {name.casefold(): name for name in MOUSE_KEYS}


def mouse_key(button: Qt.MouseButton) -> str:
    """The name of a button; empty for the left one, which draws, and for buttons that cannot be keys."""
    return _BUTTONS.get(button, "")


def as_mouse_key(text: str) -> str:
    """The name that `text` means, in whatever case; empty if it means no mouse button."""
    return _BY_LETTERS.get(" ".join(text.casefold().split()), "")


def mouse_words(key: str) -> str:
    """The name of a mouse button for the user; empty if `key` is none."""
    words = {
        MIDDLE: tr("Middle button"), RIGHT: tr("Right button"), BACK: tr("Back button"), FORWARD: tr("Forward button"),
    }  # fmt: skip
    return words.get(key, "")
