"""Where the files lie that ship with BoxRefine: weights, configurations, the sample project's boxes."""

from __future__ import annotations

from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
"""The `resources` folder, which stands beside `core` in the repository and in an installation alike."""
