"""The benchmark of the image list runs in the real window, and finds what it asks for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.benchmark.lists import make_project
from core.listing import Order, Tab
from core.store.project_check import check_project
from core.store.project_store import ProjectStore

ROOT = Path(__file__).resolve().parents[3]
MOST_MS = 100.0


@pytest.mark.long
@pytest.mark.slow
def test_each_filter_search_and_order_answers() -> None:
    command = [sys.executable, "-m", "boxrefine_gui", "benchmark", "lists", "--count", "1000", "--times", "3"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    found = {row["list"]: row for row in json.loads(done.stdout.splitlines()[-1])["lists"]}
    assert len(found) == len(Tab) - 1 + len(Order) - 1 + 5 + 3
    assert (found["filter: untouched"]["images"], found["filter: empty"]["images"]) == (399, 1)
    assert found["order: name"]["images"] == found["search: a word"]["images"] == 1000
    assert found["search: without a match"]["images"] == 0
    assert all(0 < row["median ms"] <= MOST_MS for name, row in found.items() if not name.startswith("review"))
    assert 0 < found["review: first boxes"]["median ms"] <= found["review: all boxes"]["median ms"]
    assert found["review: all boxes"]["images"] > 1000


@pytest.mark.parametrize("arguments", [["--count", "3"], ["--times", "0"]])
def test_too_few_are_refused(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "boxrefine_gui", "benchmark", "lists", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "ten images" in done.stderr


def test_the_generated_project_is_whole_and_the_same_each_time(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        path = tmp_path / name / "many.sqlite"
        make_project(path, count=40, seed=3)
        assert check_project(path) == []
        store = ProjectStore.open(path)
        found.append([(box.image_id, box.category_id, box.edge_confidence) for box in store.dataset().corrections])
        store.close()
    assert found[0] == found[1] and len(found[0]) > 40
