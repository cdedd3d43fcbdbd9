"""Fill the feature cache with a folder of pictures."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""


def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    raise NotImplementedError
