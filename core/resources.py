"""Where what ships beside the code lies: weights, configurations, icons, the sample project's boxes."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "_resources"
RESOURCES = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[1] / "resources"
"""A wheel carries inside this package what a user needs of the folder `resources` of a checkout."""
