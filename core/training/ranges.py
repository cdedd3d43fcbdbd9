"""The ranges of the numbers in a training configuration: out of range, a run fails after hours or learns nothing."""

from __future__ import annotations

from collections.abc import Mapping

from core.translation import tr

WEIGHT = (0.0, 1e6)
"""Weight of one part of the loss."""

SHARE = (0.0, 1.0)
COUNT = (1, 10_000_000)
COUNT_OR_NONE = (0, 10_000_000)
SEED = (0, 2**32 - 1)
RATE = (1e-12, 1e38)

Ranges = Mapping[str, tuple[float, float]]
"""Key -> lowest and highest value."""

Choices = Mapping[str, tuple[str, ...]]
"""Key -> its allowed values."""


def check_values(config: object, ranges: Ranges, choices: Choices) -> None:
    """Raise a ValueError that names the key if a value of the dataclass `config` is not allowed."""
    for key, (low, high) in ranges.items():
        value = getattr(config, key)
        if not low <= value <= high:  # NaN is in no range
            raise ValueError(
                tr(
                    "{key} must be from {low:g} to {high:g}, not {value}",
                    key=key,
                    low=low,
                    high=high,
                    value=_shorten(value),
                )
            )
    for key, names in choices.items():
        if getattr(config, key) not in names:
            value = _shorten(getattr(config, key))
            raise ValueError(
                tr("{key} must be one of {names}, not {value}", key=key, names=", ".join(names), value=value)
            )


def _shorten(value: object) -> str:
    is_long = isinstance(value, int) and value.bit_length() > 1000  # Python refuses to print the longest
    return tr("a number of more than a thousand bits") if is_long else f"{value!r:.60}"
