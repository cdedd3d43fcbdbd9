"""On two CUDA devices: processes teach together through NCCL, and encode one folder into one cache."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.features.cache.feature_cache import FeatureCache
from core.sample_project import make_pictures
from tests.core.lessons_by_hand import save_coco

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(torch.cuda.device_count() < 2, reason="there are no two CUDA devices"),
]
ROOT = Path(__file__).resolve().parents[2]
SHORT = "epochs: 3\nleast_steps: 12\nheld_out: 0.25\ngate_draws: 1\n"


def run_in_python(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


def test_two_gpus_teach_one_refiner(tmp_path: Path) -> None:
    images, boxes = save_coco(tmp_path, 12)
    config = tmp_path / "short.yaml"
    config.write_text(SHORT, "utf-8")
    done = run_in_python(
        "torch.distributed.run", "--standalone", "--nproc-per-node", 2, "-m", "boxrefine_gui", "train",
        "--images", images,
        "--boxes", boxes, "--out", tmp_path / "out", "--config", config, "--device", "cuda",
        "--cache", tmp_path / "cache",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summaries = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(summaries) == 1, "the first process tells, the other one does not"
    assert summaries[0]["pictures"] == 9
    assert (tmp_path / "out" / "refiner.json").exists()


def test_two_gpus_encode_into_one_cache(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    make_pictures(folder, 40)
    done = run_in_python(
        "boxrefine_gui", "encode", "--images", folder, "--device", "cuda", "--cache", tmp_path / "cache"
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["encoded"], said["processes"], said["failed"]) == (40, 2, 0)
    with FeatureCache(tmp_path / "cache") as cache:
        assert len(cache.entries()) == 40
