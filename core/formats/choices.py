"""What an export is chosen by besides its format; the window and the command line name these values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Splits = Mapping[int, str]
"""The id of an image -> its split: train, val or test. Empty: the dataset has no splits."""

NO_SPLITS: Splits = MappingProxyType({})

NONE, COPY, LINK, HARDLINK = "none", "copy", "link", "hardlink"
PICTURES = (NONE, COPY, LINK, HARDLINK)
"""What is done with the pictures of an export."""
