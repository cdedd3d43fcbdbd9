"""The folder of resources that ship with the code: weights, configurations, icons, the sample project's boxes."""

from __future__ import annotations

from pathlib import Path

_INSTALLED = Path(__file__).parent / "_resources"
RESOURCES = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[1] / "resources"
"""A wheel holds a copy in this package of those resources of a checkout that users need."""
