"""Files and functions stay short enough to be read in one sitting."""

from __future__ import annotations

from tests.house.source_files import functions, name_of, python_files

OURS = python_files("core", "boxrefine_gui")
OURS_AND_TESTS = OURS + python_files("tests")


def lines(path_text: str) -> int:
    return path_text.count("\n")


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {name_of(path): lines(path.read_text("utf-8")) for path in OURS_AND_TESTS}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    assert {name: length for path in OURS_AND_TESTS for name, length in functions(path) if length > 60} == {}
