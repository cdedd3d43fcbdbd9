"""`boxrefine benchmark tables`: it writes, reads and imports every row of a made-up project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.cli import main

pytest.importorskip("pyarrow")


def test_the_benchmark_measures_each_step(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["benchmark", "tables", "--rows", "500", "--boxes-a-picture", "7", "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    steps = json.loads(said.splitlines()[-1])["steps"]
    assert {name: figures["rows"] for name, figures in steps.items()} == {"write": 500, "read": 500, "import": 500}
    assert all(0 < figures["memory MB"] < 2000 for figures in steps.values())
    assert "| write " in said and list(tmp_path.iterdir()) == []
