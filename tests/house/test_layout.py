"""The top level of the repository is fixed."""

from __future__ import annotations

import subprocess

import pytest

from tests.house.source_files import ROOT

TOP_LEVEL = {
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "boxrefine_gui",
    "core",
    "pyproject.toml",
    "resources",
    "tests",
    "uv.lock",
}
"""Beside these, files and folders whose names start with a dot."""
TESTS = {"benchmarks", "conftest.py", "core", "golden", "gpu", "gui", "house", "journeys", "scale", "torture"}


def committed(pattern: str) -> set[str]:
    """Names of committed files and folders."""
    command = ["git", "ls-tree", "--name-only", "HEAD", pattern]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout, so there is no list of committed files")
    return {line.removeprefix(pattern) for line in done.stdout.splitlines()}


def test_nothing_else_stands_at_the_top() -> None:
    assert {name for name in committed("./") if not name.startswith(".")} - TOP_LEVEL == set()


def test_tests_mirror_the_packages() -> None:
    assert {name for name in committed("tests/") if not name.startswith("__")} - TESTS == set()


def test_what_ships_stays_small() -> None:
    weights = [path for path in (ROOT / "resources").rglob("*") if path.is_file()]
    # Encoders and refiners 25 MB, suggestions 5 MB, everything else 2 MB.
    assert sum(path.stat().st_size for path in weights) <= 32_000_000


def test_no_picture_is_committed_but_our_own() -> None:
    pictures = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout, so there is no list of committed files")
    ours = ("resources/icons/", "resources/readme/", "tests/golden/")
    found = [name for name in done.stdout.splitlines() if name[name.rfind(".") :].lower() in pictures]
    assert [name for name in found if not name.startswith(ours)] == []
