"""The page of verbs has the help of each, as the parser gives it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cli.parser import build_parser

PAGE = Path(__file__).resolve().parents[3] / "resources" / "docs" / "headless.md"
SECTION = re.compile(r"(<!-- options: [^\n]*-->\n)(.*?)(<!-- end of options -->)", re.DOTALL)


def verbs_of(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all verbs and their sub-verbs, in the order of the help."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield verb
                yield from verbs_of(verb)


def in_markdown() -> str:
    """A heading and the help for each verb."""
    parts = [f"### {verb.prog}\n\n```text\n{verb.format_help().strip()}\n```\n" for verb in verbs_of(build_parser())]
    return "\n" + "\n".join(parts)


def test_the_page_has_the_help_of_every_verb(monkeypatch: pytest.MonkeyPatch, update_golden: bool) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    text = PAGE.read_text("utf-8")
    found = SECTION.search(text)
    assert found is not None
    wanted = in_markdown()
    if update_golden:
        PAGE.write_text(text[: found.start(2)] + wanted + text[found.end(2) :], "utf-8")
        return
    # Versions of Python break lines in other places.
    is_new = found.group(2).split() == wanted.split()
    assert is_new, "run `pytest tests/core/cli/test_docs_headless.py --update-golden`"
