"""Tones: brightness, contrast and the like of a picture as it is shown; nothing else sees them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

MOST = 100
"""Brightness, contrast and gamma are from minus this to this; 0 changes nothing."""

_STEEPEST, _LARGEST_GAMMA = 8.0, 4.0


class Channel(StrEnum):
    """Which channels of a picture are shown; one alone is shown in gray."""

    ALL = "all"
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@dataclass(frozen=True)
class Tones:
    """How a picture is shown.

    brightness: 100 shifts black to white; contrast: 100 makes the curve eight times as steep around the middle gray;
    gamma: 100 is a gamma of 4, which lightens shadows, -100 one of 1/4
    """

    brightness: int = 0
    contrast: int = 0
    gamma: int = 0
    inverted: bool = False
    channel: Channel = Channel.ALL

    @property
    def curve(self) -> NDArray[np.uint8]:
        """The shown value of each of the 256 values of a channel."""
        return self._shown(np.linspace(0.0, 1.0, 256))

    @property
    def deep_curve(self) -> NDArray[np.uint8]:
        """The shown value of each of the 65,536 values of `core.pictures.deep.to_deep`."""
        return self._shown(np.linspace(-1.0, 2.0, 1 << 16))

    def _shown(self, shares: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The shown values of shares of the usual range, 0 black and 1 white."""
        values = shares + self.brightness / MOST
        steep = (values - 0.5) * _STEEPEST ** (self.contrast / MOST) + 0.5
        curve = steep.clip(0.0, 1.0) ** (1.0 / _LARGEST_GAMMA ** (self.gamma / MOST))
        shown = 1.0 - curve if self.inverted else curve
        return np.asarray(np.rint(255.0 * shown), np.uint8)


AS_IT_IS = Tones()
