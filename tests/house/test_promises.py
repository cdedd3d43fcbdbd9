"""Every promise of the page names a test that exists, and is named once."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.house.source_files import ROOT

PAGE = ROOT / "resources" / "docs" / "promises.md"
_ROW = re.compile(r"^\| (?P<promise>.+) \| (?P<test>\S+) \|$")
_HEADINGS = ("promise", "---")


def rows() -> list[tuple[str, str]]:
    """Each promise of the page with what it names."""
    found = [match for line in PAGE.read_text("utf-8").splitlines() if (match := _ROW.match(line))]
    return [(match["promise"], match["test"]) for match in found if match["promise"] not in _HEADINGS]


def names_of_tests(path: Path) -> set[str]:
    """The tests of a file."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_promise_names_a_test_that_exists() -> None:
    missing = []
    for promise, named in rows():
        path, _, test = named.partition("::")
        if not (ROOT / path).is_file() or test not in names_of_tests(ROOT / path):
            missing.append(f"{promise}: {named}")
    assert missing == []


def test_no_line_of_a_table_is_without_a_test() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    tables = PAGE.read_text("utf-8").count("| --- | --- |")
    assert len(lines) == len(rows()) + 2 * tables
    assert len(rows()) >= 40
    assert len({promise for promise, _ in rows()}) == len(rows())
