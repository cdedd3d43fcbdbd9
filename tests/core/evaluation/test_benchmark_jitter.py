"""Movement of refined edges along a drag and a shake, and jumps to something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.evaluation.jitter import PATHS, STEPS, drag, jitter_of_set, jitter_row, shake, steps_of
from core.evaluation.labelled_set import read_labelled_set
from core.features.feature_source import FeatureSource
from core.geometry import Box, as_boxes, iou
from core.progress import run
from tests.core.command_line import Verb
from tests.core.labelled_sets import Steady, save_discs

pytestmark = [pytest.mark.slow, pytest.mark.long]

BOX = Box(10, 20, 110, 60)


@pytest.mark.parametrize("seed", range(4))
def test_a_drag_grows_from_half_a_box_to_the_whole(seed: int) -> None:
    path = drag(BOX, np.random.default_rng(seed))
    assert path.shape == (STEPS, 4)
    assert path[-1].tolist() == list(BOX)
    assert (path[0, 2:] - path[0, :2]).tolist() == [50, 20]
    assert (np.diff(path[:, 2] - path[:, 0]) > 0).all()
    assert (path[:, :2] == path[0, :2]).all() or (path[:, 2:] == path[0, 2:]).all()


def test_drags_start_at_either_corner() -> None:
    random = np.random.default_rng(0)
    starts = {tuple(drag(BOX, random)[0, :2]) for _ in range(20)}
    assert starts == {(10, 20), (60, 40)}


def test_a_shake_stays_within_two_hundredths_of_each_side() -> None:
    away = np.abs(shake(BOX, np.random.default_rng(0)) - np.array(BOX))
    assert away[:, [0, 2]].max() <= 2.0
    assert away[:, [1, 3]].max() <= 0.8
    assert away.max() > 1.5


def test_movement_is_told_at_a_long_side_of_1024() -> None:
    drawn = as_boxes([[0, 0, 100, 100], [0, 0, 104, 104], [0, 0, 108, 108]])
    refined = as_boxes([[0, 0, 100, 100], [0, 0, 102, 100], [300, 300, 340, 340]])
    steps = steps_of(drawn, refined, scale=2.0)
    assert steps.drawn.tolist() == [4.0, 4.0]
    assert steps.refined.tolist() == [1.0, pytest.approx(2 * (300 + 300 + 238 + 240) / 4)]
    assert steps.jumps.tolist() == [False, True]
    row = jitter_row("ours", "drag", steps)
    assert (row.boxes, row.drawn_px, row.jumps) == (1, 4.0, 0.5)
    assert row.ratio == row.refined_px / 4


def test_a_steady_answer_has_no_jitter(tmp_path: Path, untrained: Path) -> None:
    from core.encoders.catalogue import load_encoder

    labelled = read_labelled_set(save_discs(tmp_path, "discs") / "discs")
    source = FeatureSource(load_encoder(str(untrained / "encoder.safetensors"), "cpu"), None)
    job = jitter_of_set(labelled, source=source, refiner=Steady(BOX), boxes_a_picture=2, noise="drag")
    found = run(job)
    assert found.keys() == PATHS.keys()
    for steps in found.values():
        assert (steps.boxes, len(steps.drawn)) == (2, 2 * (STEPS - 1))
        assert steps.refined.max() == 0
        assert steps.drawn.max() > 0
        assert not steps.jumps.any()
    assert iou(BOX, BOX) == 1


def test_the_benchmark_says_the_same_twice(verb: Verb, models: list[str], tmp_path: Path) -> None:
    data = save_discs(tmp_path, "discs")
    first, second = (
        verb("benchmark", "jitter", "--data", data, "--boxes", 1, "--limit", 1, "--no-cache", *models) for _ in range(2)
    )
    assert first.code == 0
    assert first.summary == second.summary
    assert [(row["set"], row["path"]) for row in first.summary["rows"]] == [
        (name, path) for name in ("discs", "all boxes") for path in ("drag", "shake")
    ]
    assert first.out.splitlines()[0].startswith("| set ")
