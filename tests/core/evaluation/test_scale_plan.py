"""The plan for many workers: its closed formula, the simulation that checks it, and the verb."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli import main
from core.evaluation.scale_plan import STAGES, Constants, deviations, plan, simulate

SLOW = {
    "store": Constants(store_mb_s=300.0),
    "network": Constants(network_mb_s=50.0),
    "decoding": Constants(decode_s=0.5),
    "encoding": Constants(encode_s=0.05),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("workers", [1, 4])
def test_the_formula_agrees_with_the_simulation_whatever_is_slow(stage: str, workers: int) -> None:
    assert plan(1000, workers, SLOW[stage]).bottleneck == stage
    for seed in (0, 1):
        [off] = deviations([workers], SLOW[stage], batches=4000, seed=seed).values()
        assert abs(off) < 0.04


def test_the_figures_of_a_plan() -> None:
    constants = Constants(
        decode_s=0.1, encode_s=0.01, picture_mb=1.0, feature_mb=3.0, cores=20, start_s=360.0, again=0.0, price=2.0,
        network_mb_s=1e6, store_mb_s=1e6,
    )  # fmt: skip
    found = plan(3_600_000, 10, constants)
    assert found.rates == (250_000.0, 2_500_000.0, 2000.0, 1000.0)
    assert (found.hours, found.cost, found.bottleneck) == (1.1, 22.0, "encoding")
    assert (found.read_tb, found.written_tb) == (3.6, 10.8)
    twice = plan(3_600_000, 10, replace(constants, again=0.5))
    assert (twice.hours, twice.read_tb) == (2.1, 7.2)


def test_the_simulation_is_seeded_and_knows_what_is_done_twice() -> None:
    constants = SLOW["encoding"]
    first = simulate(2, constants, batches=1000, seed=3)
    assert first == simulate(2, constants, batches=1000, seed=3) != simulate(2, constants, batches=1000, seed=4)
    lossy = simulate(2, replace(constants, again=0.2), batches=1000, seed=3)
    assert lossy / first == pytest.approx(0.8 / 0.99, rel=0.05)


def summary(capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> tuple[dict[str, object], str]:
    capsys.readouterr()
    assert main(["benchmark", "scale", "--batches", "500", *options]) == code
    said = capsys.readouterr()
    return (json.loads(said.out.splitlines()[-1]) if said.out else {}), said.err


def test_the_verb_prints_a_plan_for_each_number_of_workers(capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = summary(capsys, "--workers", "1", "8", "--store-mb-s", "2000", "--price", "3")
    plans = found["plans"]
    assert isinstance(plans, list)
    assert [(each["workers"], each["bottleneck"]) for each in plans] == [(1, "network"), (8, "store")]
    assert plans[0]["cost"] == pytest.approx(plans[0]["hours"] * 3, rel=1e-4)
    assert found["constants"]["store_mb_s"] == 2000  # type: ignore[index]


@pytest.mark.long
@pytest.mark.slow
def test_the_constants_of_this_machine_are_measured(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found, _ = summary(
        capsys, "--measure", "--data", str(tmp_path), "--device", "cpu", "--workers", "1", "--cores", "3"
    )
    constants = found["constants"]
    assert isinstance(constants, dict)
    assert constants["picture_mb"] == pytest.approx((tmp_path / "a.png").stat().st_size / 1e6, rel=1e-4)
    assert 0 < constants["decode_s"] < 5 and 0 < constants["encode_s"] < 20 and 1 < constants["feature_mb"] < 5
    assert (constants["cores"], constants["store_mb_s"]) == (3, 10_000)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--again", "1"), "--again is 1.0"),
        (("--cores", "0"), "--cores is 0"),
        (("--encode-s", "nan"), "--encode-s is nan"),
        (("--measure",), "--measure needs pictures"),
        (("--data", "."), "--data is read by --measure"),
        (("--measure", "--data", "nowhere"), "does not exist"),
    ],
)
def test_bad_numbers_are_one_sentence(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], sentence: str
) -> None:
    _, err = summary(capsys, *options, code=2)
    assert sentence in err and len(err.strip().splitlines()) == 1
