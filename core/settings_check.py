"""The values that each setting may have; every value in a settings file is checked before it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.object_store.address import Address
from core.text import LONGEST_NAME, escaped
from core.translation import LANGUAGES, tr

LARGEST_SETTINGS = 256 * 1024
_MOST_DOTS = 40
_MOST_ENTRIES = 10_000
_STRINGS = re.compile(
    r'#[^\n]*|"""(?:[^"\\]|\\.|"(?!""))*(?:"""|\Z)|\'\'\'.*?(?:\'\'\'|\Z)|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL
)

CHOICES: Mapping[str, tuple[str, ...]] = {
    "device": ("auto", "cpu", "cuda"),
    "refine_by": ("auto", "refiner", "mask", "both"),
    "keep_view": ("frames", "always", "never"),
    "voc_origin": ("by_file", "0", "1"),
    "draw_by": ("drag", "two_clicks", "four_points"),
    "export_format": (
        *("coco", "yolo", "voc", "labelme", "csv", "createml", "cvat", "kitti"),
        *("label_studio", "open_images", "via", "via_csv", "retinanet", "automl"),
    ),
    "export_pictures": ("none", "copy", "link", "hardlink"),
    "cache_codec": ("fp16", "8bit"),
    "theme": ("system", "light", "dark"),
    "language": ("system", *LANGUAGES),
}
"""Settings with a fixed list of values; a test compares them with the tables that the values come from."""

RANGES: Mapping[str, tuple[float, float]] = {
    "cache_disk_budget": (0, 2**60),
    "cache_ram_budget": (0, 2**50),
    "panel_widths": (0, 100_000),
    "panel_heights": (0, 100_000),
    "least_drag": (0, 1000),
    "line_width": (1, 8),
    "fill_opacity": (0, 80),
    "name_size": (50, 300),
    "suggest_threshold": (0, 1),
}
"""Lowest and highest number; of a list, those of each of its numbers. A number that is not listed may be 0 or more."""

ELEMENTS: Mapping[str, type] = {
    "recent": str,
    "recent_commands": str,
    "hidden_panels": str,
    "panel_widths": int,
    "panel_heights": int,
}
"""The type of the values in each list."""


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML text. Raises ValueError if it is not TOML, or nested so deep that parsing would take minutes."""
    for line in _STRINGS.sub("", text).splitlines():
        if line.count(".") > _MOST_DOTS:
            raise ValueError(tr("a key has too many dots"))
    import tomllib  # here, because the command line starts without it if there is no settings file

    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(tr("it is nested too deep")) from error


def find_error(name: str, value: object, default: object) -> str | None:
    """Check a setting. The result is a clause such as `theme must be one of light, dark`, or None if `value` is valid.

    `default` has the type that the value must have. Lists come as tuples.
    """
    if type(value) is not type(default):
        return tr("{name} must be of type {type}", name=name, type=type(default).__name__)
    if isinstance(value, str):
        return _find_text_error(name, value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = RANGES.get(name, (0, float("inf")))
        is_within = low <= value <= high  # NaN is in no range
        return None if is_within else tr("{name} must be from {low:,} to {high:,}", name=name, low=low, high=high)
    if isinstance(value, tuple):
        return _find_list_error(name, value)
    if isinstance(value, dict):
        return _find_keys_error(name, value) if name == "keys" else _find_table_error(name, value)
    return None


def _find_text_error(name: str, value: str) -> str | None:
    if name in CHOICES and value not in CHOICES[name]:
        return tr("{name} must be one of {choices}", name=name, choices=", ".join(CHOICES[name]))
    if name == "shared_cache" and Address(value).holds_secret:
        return tr("{name} must hold no password and no signature: sign in by the tool of the provider", name=name)
    return None if _is_plain(value) else tr("{name} must be text without control characters", name=name)


def _find_list_error(name: str, value: tuple[object, ...]) -> str | None:
    wanted = ELEMENTS.get(name, str)
    if len(value) > _MOST_ENTRIES or any(type(entry) is not wanted for entry in value):
        return tr("{name} must be a list of values of type {type}", name=name, type=wanted.__name__)
    for entry in value:
        error = find_error(name, entry, wanted())
        if error is not None:
            return tr("each value of {error}", error=error)
    return None


def _find_table_error(name: str, value: Mapping[str, object]) -> str | None:
    if len(value) > _MOST_ENTRIES or not all(isinstance(text, str) and _is_plain(text) for text in value.values()):
        return tr("{name} must hold texts without control characters", name=name)
    return None


def _find_keys_error(name: str, value: Mapping[str, object]) -> str | None:
    for action, keys in value.items():
        if not isinstance(keys, list) or not all(isinstance(key, str) and _is_plain(key) for key in keys):
            return tr(
                "{name} must hold lists like {example}", name=name, example=f'{escaped(action)[:100]} = ["Ctrl+E"]'
            )
    return None


def _is_plain(text: str) -> bool:
    return len(text) <= 100 * LONGEST_NAME and "\0" not in text
