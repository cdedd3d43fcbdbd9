"""Say which BoxRefine this is, and where it keeps settings, features and its log.

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
    """Print the versions of BoxRefine, Python and what the figures depend on, and the places of the user's files."""
    from core.log import log_path
    from core.settings import Settings, cache_folder, settings_path

    packages = {name: metadata.version(name) for name in ("torch", "numpy", "PySide6-Essentials")}
    places = {"settings": str(settings_path()), "cache": str(cache_folder(Settings())), "log": str(log_path())}
    own = {"boxrefine": metadata.version("boxrefine"), "python": platform.python_version()}
    summarise({**own, **packages, **places})
    return 0
