"""The documents: short, with links that lead somewhere and commands that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from core.cli.parser import build_parser
from tests.house.source_files import ROOT, name_of

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "resources" / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^|\s)boxrefine ([a-z]+)(?: ([a-z]+))?", re.MULTILINE)


def test_the_readme_has_at_most_900_words() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 900


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_verbs_that_are_named_exist(page: Path) -> None:
    verbs = {action.dest: action for action in build_parser()._actions if action.choices}
    [choices] = [dict(action.choices) for action in verbs.values() if action.choices]
    benchmarks = {name for action in choices["benchmark"]._actions if action.choices for name in action.choices}
    for code in re.findall(r"`([^`]+)`", page.read_text("utf-8")):
        if code.startswith("boxrefine ") and len(words := shlex.split(code.replace("\\|", "|"), posix=False)) > 1:
            verb = words[1]
            assert verb in choices or not verb.isalpha() or verb.isupper(), code
            if verb == "benchmark" and len(words) > 2 and words[2].isalpha():
                assert words[2] in benchmarks, code
