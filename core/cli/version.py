"""The verb `version`: print versions, and the places of the user's files."""

from __future__ import annotations

import argparse
import platform
from importlib import metadata

from core.cli.terminal import summarize
from core.cli.verb_help import VerbHelp
from core.translation import tr

HELP = VerbHelp(
    tr("Print the version of BoxRefine, and where it keeps settings, features and its log."),
    examples="boxrefine version",  # untranslated: a command
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: the verb has no options."""


def run(options: argparse.Namespace) -> int:
    """Print the versions of BoxRefine, Python and the packages that figures depend on, and the user's files."""
    from core.log import log_path
    from core.settings import Settings, cache_folder, settings_path

    packages = {name: metadata.version(name) for name in ("torch", "numpy", "PySide6-Essentials")}
    places = {"settings": str(settings_path()), "cache": str(cache_folder(Settings())), "log": str(log_path())}
    own = {"boxrefine": metadata.version("boxrefine"), "python": platform.python_version()}
    summarize({**own, **packages, **places})
    return 0
