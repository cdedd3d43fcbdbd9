"""The headless verbs of `boxrefine`; importing this imports neither torch nor Qt."""

from __future__ import annotations

from core.cli.parser import VERBS, main

__all__ = ["VERBS", "main"]
