"""Files and functions stay short enough to be read in one sitting."""

from __future__ import annotations

import ast
from statistics import median

from tests.house.source_files import functions, name_of, python_files

OURS = python_files("core", "boxrefine_gui")
OURS_AND_TESTS = OURS + python_files("tests")


def lines(path_text: str) -> int:
    return path_text.count("\n")


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): lines(path.read_text("utf-8")) for path in OURS_AND_TESTS}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_the_median_file_is_no_longer_than_120_lines() -> None:
    assert median(lines(path.read_text("utf-8")) for path in OURS) <= 120


def test_no_function_is_longer_than_60_lines() -> None:
    assert {name: length for path in OURS_AND_TESTS for name, length in functions(path) if length > 60} == {}


def test_the_median_function_is_no_longer_than_10_lines() -> None:
    assert median(length for path in OURS for _, length in functions(path)) <= 10


def test_each_module_starts_with_a_sentence() -> None:
    assert [name_of(path) for path in OURS_AND_TESTS if is_silent(path.read_text("utf-8"))] == []


def is_silent(source: str) -> bool:
    """Whether a module has code but no docstring."""
    module = ast.parse(source)
    return bool(module.body) and not ast.get_docstring(module)
