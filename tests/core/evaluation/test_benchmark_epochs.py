"""`boxrefine benchmark epochs`: the same training on cached features and with encoding in every step."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from core.cli.benchmark.encoders_to_time import cache_to_time
from tests.core.command_line import Verb
from tests.core.lessons_by_hand import save_coco, save_config

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_each_way_is_timed_and_learns_the_same(verb: Verb, tmp_path: Path) -> None:
    save_coco(tmp_path / "discs", 6)
    config = save_config(tmp_path / "short.yaml")
    options = ["--set", tmp_path / "discs", "--pictures", 4, "--epochs", 2, "--config", config, "--device", "cpu"]
    said = verb("benchmark", "epochs", *options)
    assert said.code == 0
    cached, encoded = said.summary["rows"]  # AMP is for GPUs
    assert (cached["way"], encoded["way"]) == ("cached", "encoded in every step")
    assert cached["precision"] == "float32" and cached["seconds"] > 0
    assert encoded["iou"] == pytest.approx(cached["iou"], abs=1e-3)
    assert said.summary["speed_up"] == pytest.approx(encoded["seconds"] / cached["seconds"], abs=0.01)
    assert "encoded in every step" in said.out


def test_a_set_with_nothing_left_to_measure_on_is_refused(verb: Verb, tmp_path: Path) -> None:
    save_coco(tmp_path / "discs", 4)
    said = verb("benchmark", "epochs", "--set", tmp_path / "discs", "--device", "cpu")
    assert said.code == 2 and "none is left to measure on" in said.sentences[-1]


def test_features_at_random_weights_stay_out_of_the_own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOXREFINE_WEIGHTS", str(tmp_path / "none"))
    options = Namespace(encoder="vit_h", cache=None)
    with cache_to_time(options):
        assert options.cache.is_dir()
    assert not options.cache.exists()
    for encoder, cache in (("light", None), ("vit_h", tmp_path)):
        options = Namespace(encoder=encoder, cache=cache)
        with cache_to_time(options):
            assert options.cache == cache
