"""The benchmark of the canvas runs in the real window, and each of its frames is painted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.cli.benchmark.canvas import make_project
from core.images import read_size
from core.store.project_check import check_project
from core.store.project_store import ProjectStore

ROOT = Path(__file__).resolve().parents[3]
BAR = 30.0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "boxrefine_gui", "benchmark", "canvas", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=180, check=False)


@pytest.mark.long
@pytest.mark.slow
def test_every_movement_is_painted_at_thirty_frames_a_second() -> None:
    done = run("--size", "3000", "2000", "--boxes", "300", "--times", "30")
    assert done.returncode == 0, done.stderr
    found = {row["movement"]: row for row in json.loads(done.stdout.splitlines()[-1])["movements"]}
    assert len(found) == 7
    for name, row in found.items():
        assert row["frames"] == 30, name
        assert row["frames a second"] >= BAR, name


@pytest.mark.parametrize("arguments", [["--boxes", "0"], ["--times", "1"], ["--size", "100", "4000"]])
def test_what_cannot_be_measured_is_refused(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and "sides from 200" in done.stderr


def test_the_generated_project_is_whole_and_the_same_each_time(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        path = tmp_path / name / "large.sqlite"
        path.parent.mkdir()
        make_project(path, width=400, height=300, boxes=20, seed=3)
        assert check_project(path) == [] and read_size(path.with_name("large.jpg")) == (400, 300)
        store = ProjectStore.open(path)
        found.append([box.accepted for box in store.dataset().corrections])
        store.close()
    assert found[0] == found[1] and len(found[0]) == 20
    assert all(0 <= box.x1 < box.x2 <= 400 and 0 <= box.y1 < box.y2 <= 300 for box in found[0])
