"""Teaching as a whole: an encoder without a refiner starts afresh, and what was abandoned is cleared away."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from core.encoders.hq_sam.encoder import HqSamEncoder
from core.progress import run
from core.refiner.checkpoint import CARD_FILE, load_refiner
from core.refiner.mask_refiner import MaskRefiner
from core.refiner.taught_refiner import for_category
from core.training.teach import Task, clear_abandoned, load_start, teach
from tests.core.lessons_by_hand import discs, short, source_of


@pytest.mark.long
@pytest.mark.slow
def test_hq_sam_has_no_refiner_to_teach_so_one_starts_afresh(tmp_path: Path, hq_encoder: HqSamEncoder) -> None:
    source = source_of(tmp_path, hq_encoder)
    config = short(epochs=1, least_steps=1, gate_draws=0)
    start = load_start(None, hq_encoder, config)
    assert start.fresh
    found = discs(tmp_path / "discs", 4)
    in_use = MaskRefiner(hq_encoder)
    taught = run(teach(found, config, Task(source, start, in_use, (), tmp_path / "out")))
    assert source.cache is not None
    source.cache.close()
    assert taught is not None and set(taught.margins) == {"", "disc"}
    refiner = load_refiner(tmp_path / "out", hq_encoder)
    assert for_category(refiner, "cat").identity == in_use.identity
    assert for_category(refiner, "disc").identity != in_use.identity


def test_what_a_killed_run_left_is_cleared_after_an_hour_and_refiners_never(tmp_path: Path) -> None:
    old = time.time() - 7200
    for name, files in (("killed", ["log.csv"]), ("running", ["log.csv"]), ("done", ["log.csv", CARD_FILE])):
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
            if name != "running":
                os.utime(tmp_path / name / file, (old, old))
        if name != "running":
            os.utime(tmp_path / name, (old, old))
    clear_abandoned(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["done", "running"]
