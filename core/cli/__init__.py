"""The headless verbs of `boxrefine`; importing this imports neither torch nor Qt, nor the modules of the verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.cli.parser import VERBS, main

__all__ = ["VERBS", "main"]


def __getattr__(name: str) -> object:
    """Import the verbs when they are first needed: a window that opens a folder needs none of them."""
    if name not in __all__:
        raise AttributeError(name)
    from core.cli import parser

    return getattr(parser, name)
