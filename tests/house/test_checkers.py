"""The checkers of the house are content: import contracts, ruff, mypy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source_files import ROOT

BESIDE_PYTHON = Path(sys.executable).parent


def check(*command: str) -> None:
    """Run a checker in the repository and show what it says if it is not content."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def test_imports_go_one_way() -> None:
    check(str(BESIDE_PYTHON / "lint-imports"), "--no-cache")


def test_ruff_finds_nothing() -> None:
    check(sys.executable, "-m", "ruff", "check", ".")


def test_every_file_is_formatted() -> None:
    check(sys.executable, "-m", "ruff", "format", "--check", ".")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_types_are_strict() -> None:
    check(sys.executable, "-m", "mypy")
