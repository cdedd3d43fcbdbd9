"""Pictures of more than 8 bits a channel as 8-bit RGB, and for other tones as 16-bit shares of their range."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.generic]

_BAND_BYTES = 8 * 1024**2
_SAMPLE = 1_000_000
"""About how many values the range is taken from, evenly over the picture."""

_DARKEST, _BRIGHTEST = 0.1, 99.9
"""Percentiles that become black and white, so that a hot pixel does not make the rest black."""

_NO_DATA = -9999.0
_EXTREME = 1e30
"""Rasters mark pixels without a value by numbers like -3.4e38."""


def to_rgb(
    values: Values,
    *,
    alpha: Values | None = None,
    is_associated: bool = False,
    no_data: float | None = None,
    is_inverted: bool = False,
) -> NDArray[np.uint8]:
    """Scale channels to 8-bit RGB (height, width, 3).

    `values` is (height, width, 1) or (height, width, 3) of any real type, `alpha` (height, width), composited over
    white; `is_associated`: the values are multiplied by it already; `is_inverted`: the least value is white. NaN,
    infinity and extreme numbers of float types, -9999 of signed and float types, and the value `no_data` are black and
    do not count for the range.
    """
    scaled = stretch(values, no_data=no_data, is_inverted=is_inverted)
    if alpha is not None:
        scaled = _over_white(scaled, _opacity(alpha), is_associated=is_associated)
    return np.ascontiguousarray(np.repeat(scaled, 3, axis=2) if scaled.shape[2] == 1 else scaled)


def to_deep(
    values: Values,
    *,
    alpha: Values | None = None,
    is_associated: bool = False,
    no_data: float | None = None,
    is_inverted: bool = False,
) -> NDArray[np.uint16] | None:
    """Scale channels as `to_rgb` does, but to 16 bits and beyond black and white; None for 8-bit values.

    The result (height, width) or (height, width, 3) has 0 for a range below black, 21,845 for black, 43,690 for white
    and 65,535 for a range above white: brightness brings forth what 8 bits cut off.
    """
    if values.dtype == np.uint8:
        return None
    low, high = _range_of(values, no_data)
    found: NDArray[np.uint16] = np.empty(values.shape, np.uint16)
    rows = max(1, _BAND_BYTES // max(1, 8 * values[0].size))
    for top in range(0, len(values), rows):
        band = slice(top, top + rows)
        numbers, is_valid = _numbers(values[band], no_data)
        shares = (numbers - low) / max(high - low, 1e-300)
        shares = (1.0 - shares if is_inverted else shares) * is_valid
        if alpha is not None:
            opacity = _opacity(alpha[band])[..., None]
            shares = (shares if is_associated else shares * opacity) + 1.0 - opacity
        found[band] = ((shares.clip(-1.0, 2.0) + 1.0) / 3.0 * 65535.0).round()
    return found[..., 0] if found.shape[-1] == 1 else found


def stretch(values: Values, *, no_data: float | None = None, is_inverted: bool = False) -> NDArray[np.uint8]:
    """Scale an array (height, width, channels) to 0..255 by one range for all channels, see `to_rgb`."""
    if values.dtype == np.uint8:
        return values.astype(np.uint8) if not is_inverted else 255 - values.astype(np.uint8)
    low, high = _range_of(values, no_data)
    scale = 255.0 / max(high - low, 1e-300)
    stretched = np.empty(values.shape, np.uint8)
    # In bands, because float64 takes up to eight times the memory of the input.
    rows = max(1, _BAND_BYTES // max(1, 8 * values[0].size))
    for top in range(0, len(values), rows):
        band = slice(top, top + rows)
        numbers, is_valid = _numbers(values[band], no_data)
        shares = ((numbers.clip(low, high) - low) * scale).round().clip(0, 255)
        stretched[band] = (255 - shares if is_inverted else shares) * is_valid
    return stretched


def _range_of(values: Values, no_data: float | None) -> tuple[float, float]:
    """The values that become 0 and 255."""
    step = max(1, math.isqrt(math.ceil(values.size / _SAMPLE)))
    numbers, is_valid = _numbers(values[::step, ::step], no_data)
    valid = numbers[is_valid]
    if not valid.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(valid, (_DARKEST, _BRIGHTEST)))
    if values.dtype == np.uint16 and high > 255 * 128:
        return 0.0, 65535.0  # a photo that uses the whole range keeps its tones
    if high <= low:  # all but a few values are the same: these few are what there is to see
        low, high = float(valid.min()), float(valid.max())
    if high > low:
        return low, high
    # A picture of one value: unsigned integers keep their tone, others are black.
    return (0.0, largest(values)) if values.dtype.kind == "u" else (low, low + 1.0)


def largest(values: Values) -> float:
    """The largest number of an integer type."""
    return float(2 ** (8 * values.dtype.itemsize - (values.dtype.kind == "i")) - 1)


def _numbers(values: Values, no_data: float | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The values as numbers whose differences are finite, and which of them are data."""
    with np.errstate(invalid="ignore", over="ignore"):
        numbers = values.astype(np.float64)
    is_valid = np.ones(numbers.shape, np.bool_)
    if values.dtype.kind == "f":
        is_valid &= np.abs(numbers) < _EXTREME  # not for NaN either
    if values.dtype.kind in "if":
        is_valid &= numbers != _NO_DATA
    if no_data is not None:
        is_valid &= numbers != float(np.float32(no_data)) if values.dtype == np.float32 else numbers != no_data
    return np.where(is_valid, numbers, 0.0), is_valid


def _opacity(alpha: Values) -> NDArray[np.float32]:
    """Alpha (height, width) as 0..1: floats are so already, integers by the range of their type."""
    if alpha.dtype.kind == "f":
        return np.asarray(np.nan_to_num(alpha.astype(np.float32)).clip(0, 1))
    return np.asarray((alpha.astype(np.float32) / largest(alpha)).clip(0, 1), np.float32)


def _over_white(scaled: NDArray[np.uint8], opacity: NDArray[np.float32], *, is_associated: bool) -> NDArray[np.uint8]:
    white = 255.0 * (1.0 - opacity[..., None])
    over = white + (scaled if is_associated else scaled * opacity[..., None])
    return np.asarray(over.round().clip(0, 255), np.uint8)
