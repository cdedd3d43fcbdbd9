"""On a CUDA device: batches refine as single pictures on the CPU do; a full memory is survived."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.features.cache.feature_cache import FeatureCache
from core.features.encoding.batches import BatchEncoder
from core.features.encoding.encode_pipeline import EncodePipeline, Pace
from core.features.feature_source import FeatureSource
from core.geometry import iou
from core.picture_folders import list_pictures
from core.progress import run
from core.refiner.checkpoint import load_refiner
from core.sample_project import make_pictures

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]
BOXES = [[300, 200, 900, 800], [900, 300, 1700, 1000]]


def test_batches_on_the_gpu_refine_as_single_pictures_on_the_cpu(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    make_pictures(folder, 6)
    gpu, cpu = load_encoder("light", "cuda"), load_encoder("light", "cpu")
    said: list[str] = []
    with FeatureCache(tmp_path / "cache", ram_budget=0) as cache:
        pipeline = EncodePipeline(
            FeatureSource(gpu, cache), BatchEncoder(gpu), Pace(readers=2, batch=4, in_processes=True),
            on_cpu=lambda: BatchEncoder(cpu), complain=said.append,
        )  # fmt: skip
        report = run(pipeline.run(list_pictures(folder)))
        assert (report.encoded, report.device, said) == (6, "cuda, fp32", [])
        refiner, kept = load_refiner(None, cpu), FeatureSource(cpu, cache)
        for path in list_pictures(folder):
            ours = [found.box for found in refiner.refine(kept.of_path(path), BOXES)]
            theirs = [found.box for found in refiner.refine(FeatureSource(cpu, None).of_path(path), BOXES)]
            assert float(iou(ours, theirs).min()) > 0.95
        assert cache.stats.disk_hits == 6


def test_memory_that_is_taken_halves_the_batch(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    make_pictures(folder, 8)
    gpu = load_encoder("light", "cuda")
    said: list[str] = []
    free, _ = torch.cuda.mem_get_info()
    with FeatureCache(tmp_path / "cache", ram_budget=0) as cache:
        taken = torch.empty(free - 400 * 1024**2, dtype=torch.uint8, device="cuda")
        pipeline = EncodePipeline(
            FeatureSource(gpu, cache), BatchEncoder(gpu, precision="fp32"), Pace(readers=2, batch=8),
            on_cpu=lambda: BatchEncoder(load_encoder("light", "cpu")), complain=said.append,
        )  # fmt: skip
        assert run(pipeline.run(list_pictures(folder))).encoded == 8
        del taken
    torch.cuda.empty_cache()
    assert np.all([("out of memory" in line or "the CPU goes on" in line) for line in said])
