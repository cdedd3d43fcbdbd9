"""Refine the sample project's coarse boxes and show what became of them."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""


def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    raise NotImplementedError
