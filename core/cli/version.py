"""Say which BoxRefine this is.

examples:
  boxrefine version
"""

from __future__ import annotations

import argparse
import platform
from importlib import metadata

from core.cli.terminal import summarise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(options: argparse.Namespace) -> int:
    """Print the versions of BoxRefine, Python and what the figures depend on."""
    packages = {name: metadata.version(name) for name in ("torch", "numpy", "PySide6-Essentials")}
    summarise({"boxrefine": metadata.version("boxrefine"), "python": platform.python_version(), **packages})
    return 0
