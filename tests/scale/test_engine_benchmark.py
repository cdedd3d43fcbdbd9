"""The benchmark of the engine measures both tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("ray")


@pytest.mark.slow
def test_workers_of_a_simulated_cluster_scale() -> None:
    command = [sys.executable, "-m", "boxrefine_gui", "benchmark", "engine", "--pictures", "0"]
    command += ["--workers", "1", "2", "--rows", "12", "--sleep", "200", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    gain = json.loads(done.stdout.splitlines()[-1])["scaling"]
    assert gain["1"] == 1 and gain["2"] >= 2 * 0.95
