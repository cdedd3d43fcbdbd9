"""What each setting may be: every value that a settings file has is held against it before it is used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from core.text import LONGEST_NAME, escaped
from core.translation import LANGUAGES

LARGEST_SETTINGS = 256 * 1024
_MOST_DOTS = 40
_MOST_ENTRIES = 10_000
_STRINGS = re.compile(
    r'#[^\n]*|"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)|\'\'\'.*?(?:\'\'\'|\Z)|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)

CHOICES: Mapping[str, tuple[str, ...]] = {
    "device": ("auto", "cpu", "cuda"),
    "refine_by": ("auto", "refiner", "mask", "both"),
    "export_format": ("coco", "yolo", "voc"),
    "cache_codec": ("fp16", "8bit"),
    "theme": ("system", "light", "dark"),
    "language": ("system", *LANGUAGES),
}
"""The settings with few answers; a test compares them with what there is."""

RANGES: Mapping[str, tuple[float, float]] = {
    "cache_disk_budget": (0, 2**60),
    "cache_ram_budget": (0, 2**50),
    "panel_widths": (0, 100_000),
    "panel_heights": (0, 100_000),
    "least_drag": (0, 1000),
}
"""Lowest and highest number, of a list each of its numbers; others may be anything that is finite and not negative."""

ELEMENTS: Mapping[str, type] = {"recent": str, "panel_widths": int, "panel_heights": int}
"""What the lists hold."""


def parse_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError where it is none, or so deep that reading it would take minutes."""
    for line in _STRINGS.sub("", text).splitlines():
        if line.count(".") > _MOST_DOTS:
            raise ValueError("a key has too many dots")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def fault_of(name: str, value: object, default: object) -> str | None:
    """What is wrong with a setting, as `must be ...`; None where it may be so. Lists come as tuples."""
    if type(value) is not type(default):
        return f"must be of type {type(default).__name__}"
    if isinstance(value, str):
        return _fault_of_text(name, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = RANGES.get(name, (0, float("inf")))
        return None if low <= value <= high else f"must be from {low:,} to {high:,}"
    if isinstance(value, tuple):
        return _fault_of_list(name, value)
    if isinstance(value, dict):
        return _fault_of_keys(value) if name == "keys" else _fault_of_texts(value)
    return None


def _fault_of_text(name: str, value: str) -> str | None:
    if name in CHOICES and value not in CHOICES[name]:
        return f"must be one of {', '.join(CHOICES[name])}"
    return None if _is_plain(value) else "must be text without control characters"


def _fault_of_list(name: str, value: tuple[object, ...]) -> str | None:
    wanted = ELEMENTS.get(name, str)
    if len(value) > _MOST_ENTRIES or any(type(entry) is not wanted for entry in value):
        return f"must be a list of values of type {wanted.__name__}"
    for entry in value:
        fault = fault_of(name, entry, wanted())
        if fault is not None:
            return f"{fault}, each of them"
    return None


def _fault_of_texts(value: Mapping[str, object]) -> str | None:
    if len(value) > _MOST_ENTRIES or not all(isinstance(text, str) and _is_plain(text) for text in value.values()):
        return "must hold texts without control characters"
    return None


def _fault_of_keys(value: Mapping[str, object]) -> str | None:
    for name, keys in value.items():
        if not isinstance(keys, list) or not all(isinstance(key, str) and _is_plain(key) for key in keys):
            return f'has a fault: keys are lists like {escaped(name)[:100]} = ["Ctrl+E"]'
    return None


def _is_plain(text: str) -> bool:
    return len(text) <= 100 * LONGEST_NAME and "\0" not in text
