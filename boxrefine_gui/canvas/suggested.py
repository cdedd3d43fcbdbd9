"""How suggestions look on the canvas."""

from __future__ import annotations

from core.records import Correction


def is_plain_suggestion(correction: Correction) -> bool:
    """Whether a suggestion is one box: its dashed line shows the refined box already."""
    return correction.is_suggestion and correction.proposal == correction.accepted
