"""The window answers while real models load and change, while it encodes and while the cache is emptied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from boxrefine_gui.benchmarks.stalls import fill_cache
from core.features.cache.feature_cache import FeatureCache
from core.settings import Settings
from tests.core.feature_files import features_files, key_of, small_features

ROOT = Path(__file__).resolve().parents[3]
PHASES = [
    "nothing is to do",
    "loading the model",
    "encoding",
    "changing to vit_tiny",
    "changing to light",
    "clearing out the cache",
]
LONGEST_MS = 60.0
"""20 at most on a quiet machine; where other programs have all processors, Python's lock is passed on late."""


def measured() -> list[dict[str, Any]]:
    """One round in a process of its own, because models are loaded once in a process."""
    command = [sys.executable, "-m", "boxrefine_gui", "benchmark", "stalls", "--device", "cpu"]
    command += ["--count", "3", "--files", "600"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    phases: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])["phases"]
    assert [phase["phase"] for phase in phases] == PHASES
    return phases


def stalled(phases: list[dict[str, Any]]) -> set[str]:
    """The phases in which the window stood still for too long by our own doing."""
    return {phase["phase"] for phase in phases if phase["ms of our own longest"] > LONGEST_MS}


@pytest.mark.long
@pytest.mark.slow
def test_the_window_answers_whatever_its_lanes_do() -> None:
    always = set(PHASES)
    for _ in range(3):  # what our work causes, it causes every time; what others cause goes away
        always &= stalled(measured())
        if not always:
            break
    assert not always


def test_the_cache_that_is_filled_has_to_be_emptied(tmp_path: Path) -> None:
    settings = Settings(cache_folder=str(tmp_path), cache_disk_budget=1 << 30)
    fill_cache(settings, 60)
    assert len(features_files(tmp_path)) == 60
    key = key_of("a")
    with FeatureCache(tmp_path, disk_budget=settings.cache_disk_budget) as cache:
        cache.put(key, small_features(1.0, key))
    assert 10 <= len(features_files(tmp_path)) <= 21
