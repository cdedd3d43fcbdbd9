"""Refine the boxes of a COCO file and write them as a COCO file."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options."""


def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    raise NotImplementedError
