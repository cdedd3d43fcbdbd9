"""Sentences of several clauses: what a job did, what it left out, and what the user can do next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from core.translation import tr

_FULL_STOPS = ".。"


def sentence_of(clauses: Sequence[str]) -> str:
    """Join clauses to one sentence; empty ones are left out, and without any the sentence is empty."""
    present = [clause for clause in clauses if clause]
    if not present:
        return ""
    joined = reduce(lambda before, clause: tr("{before}; {clause}", before=before, clause=clause), present)
    return tr("{clauses}.", clauses=joined)


def list_of(clauses: Sequence[str]) -> str:
    """Join clauses to one clause by commas; without any it is empty."""
    if not clauses:
        return ""
    return reduce(lambda before, clause: tr("{before}, {clause}", before=before, clause=clause), clauses)


def clause_of(sentence: str) -> str:
    """Return a sentence without its full stop, to be used as a clause."""
    return sentence.rstrip(_FULL_STOPS)
