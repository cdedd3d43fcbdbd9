"""Imports go one way; style and types are checked by `ruff` and `mypy` themselves, see CONTRIBUTING.md."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.house.source_files import ROOT

BESIDE_PYTHON = Path(sys.executable).parent


def test_imports_go_one_way() -> None:
    command = [str(BESIDE_PYTHON / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
