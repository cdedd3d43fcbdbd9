"""House words: docstrings and comments use the field's terms, so that a reader or a search finds them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.source_files import name_of, python_files

WORDS = {
    r"tells?|told": "report, notify, log, show",
    r"says?|said": "state, report, return, or name what it returns",
    r"complains?": "report, warn",
    r"mends?|mended|mending|heals?|healed|amends?": "repair, fix",
    r"cures?": "remedy, fix, what to do next",
    r"(?<!page )faults?": "error, failure, defect",
    r"anew": "again, recreate",
    r"nobody|somebody|anybody|whoever|no one": "name the actor: the user, the caller, a process",
    r"of ours|of theirs|one's own": "own, our, name the owner",
    r"lessons?": "training example",
    r"hast(?:y|ily)|careless(?:ly)?": "coarse, noisy",
    r"\w*normalis\w*|\w*summaris\w*|\w*initialis\w*|\w*optimis\w*|colours?|favours?|neighbours?": "American spelling",
    r"thither|whence|hence|hitherto|thereof|therein|wherein": "a plain word",
}
"""A word that readers of this code tripped over -> what to write instead."""


@cache
def prose(path: Path) -> list[tuple[int, str]]:
    """Line numbers and lines of a file's docstrings and comments."""
    return list(_find_prose(path))


def _find_prose(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text("utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from enumerate(lines[node.lineno - 1 : node.end_lineno], node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("word", WORDS)
def test_prose_uses_the_words_of_the_field(word: str) -> None:
    pattern = re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
    found = [
        f"{name_of(path)}:{number} {match[0]}: {line.strip()}"
        for path in python_files("core", "boxrefine_gui")
        for number, line in prose(path)
        # Names of code, between backticks, are names.
        for match in pattern.finditer(re.sub(r"`[^`]*`", "", line))
    ]
    assert found == [], f"write instead: {WORDS[word]}"
