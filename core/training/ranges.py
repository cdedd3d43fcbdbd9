"""What each number of a training configuration may be: out of range, it would fail after hours, or teach nothing."""

from __future__ import annotations

from collections.abc import Mapping

WEIGHT = (0.0, 1e6)
"""Of a part of the loss."""

SHARE = (0.0, 1.0)
COUNT = (1, 10_000_000)
COUNT_OR_NONE = (0, 10_000_000)
SEED = (0, 2**32 - 1)
RATE = (1e-12, 1e38)

Ranges = Mapping[str, tuple[float, float]]
"""Key -> lowest and highest value."""

Choices = Mapping[str, tuple[str, ...]]
"""Key -> what it may be."""


def check_values(config: object, ranges: Ranges, choices: Choices) -> None:
    """Raises ValueError, which names the key, where a value of a dataclass is none that it may be."""
    for key, (low, high) in ranges.items():
        value = getattr(config, key)
        if not low <= value <= high:  # NaN is in no range
            raise ValueError(f"{key} must be from {low:g} to {high:g}, not {_shortly(value)}")
    for key, names in choices.items():
        if getattr(config, key) not in names:
            raise ValueError(f"{key} must be one of {', '.join(names)}, not {_shortly(getattr(config, key))}")


def _shortly(value: object) -> str:
    is_long = isinstance(value, int) and value.bit_length() > 1000  # Python refuses to write out the longest
    return "a number of a thousand bits" if is_long else f"{value!r:.60}"
