"""Words for verdicts on boxes, for texts of the window."""

from __future__ import annotations

from core.reviews import Verdict
from core.translation import tr


def verdict_words(verdict: Verdict) -> list[str]:
    """The verdict as a text; none without one."""
    if verdict is Verdict.GOOD:
        return [tr("found good")]
    return [tr("to fix")] if verdict is Verdict.FIX else []
