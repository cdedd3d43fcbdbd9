"""The baseline refiner learns in the same loop as ours, and its claims are judged by its curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from core.encoders.catalogue import SHIPPED_ENCODERS, load_encoder
from core.encoders.light.encoder import LightNetwork
from core.encoders.weights.files import load_state, load_strictly
from core.errors import BadInputError
from core.evaluation.baseline_claims import (
    RUNS,
    BaselineCurve,
    baseline_curves,
    config_of,
    contributions,
    running_mean,
    verdicts,
)
from core.evaluation.plot import averaged, draw_curves, sparkline
from core.geometry import Frame
from core.images import read_picture
from core.pretraining.config import PretrainConfig
from core.pretraining.cutouts import Cutouts
from core.pretraining.frames import make_frames
from core.pretraining.learners import learner_of
from core.pretraining.pool import load_pool
from core.pretraining.pretrain import pretrain
from core.progress import run
from core.refiner.baseline_network import BaselineNetwork
from core.refiner.checkpoint import SHIPPED, load_refiner, read_card
from core.refiner.losses import pair_iou
from core.training.precision import Precision
from tests.core.command_line import Verb
from tests.core.pools import save_pool

CPU = torch.device("cpu")
BASELINE = config_of("after")
BEFORE = config_of("before")


@pytest.fixture(scope="module")
def pool_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_pool(tmp_path_factory.mktemp("pool"))


def test_the_configurations_are_the_baseline_after_and_before_its_repair() -> None:
    assert (BASELINE.refiner, BASELINE.initialisation, BASELINE.train_encoder, BASELINE.use_amp) == (
        "baseline",
        "xavier",
        False,
        True,
    )
    assert (BASELINE.l1_weight, BASELINE.iou_weight) == (1.0, 0.5)
    assert (BASELINE.learning_rate, BASELINE.weight_decay, BASELINE.max_norm) == (5e-5, 1e-5, 1.0)
    changed = {key for key, value in vars(BEFORE).items() if value != getattr(BASELINE, key)}
    assert changed == {"initialisation", "learning_rate", "iou_weight", "max_norm", "use_amp"}
    assert (BEFORE.initialisation, BEFORE.learning_rate, BEFORE.iou_weight) == ("default", 1e-4, 2.0)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("without-clipping", {"max_norm": float("inf")}),
        ("without-initialisation", {"initialisation": "default"}),
        ("without-amp", {"use_amp": False}),
    ],
)
def test_each_part_of_the_repair_can_be_taken_back_alone(name: str, change: dict[str, object]) -> None:
    assert vars(config_of(name)) == vars(BASELINE) | change


@pytest.mark.parametrize(("config", "small"), [(BASELINE, True), (BEFORE, False)], ids=["after", "before"])
def test_the_network_starts_as_configured(config: PretrainConfig, small: bool) -> None:
    torch.manual_seed(0)
    network = learner_of(config).network(config)
    assert isinstance(network, BaselineNetwork)
    last = network.offsets.body[-1]
    assert isinstance(last, nn.Linear)
    assert bool((last.bias == 0).all()) is small
    assert bool(last.weight.std() < 0.02) is small


@pytest.mark.parametrize(("config", "most"), [(BASELINE, 1.0), (BEFORE, float("inf"))], ids=["after", "before"])
def test_gradients_are_clipped_as_configured(config: PretrainConfig, most: float) -> None:
    weights = nn.Parameter(torch.zeros(4))
    optimizer = torch.optim.SGD([weights], lr=1.0)
    precision = Precision.best(CPU, use_amp=config.use_amp)
    norm = precision.step((weights * 30).sum(), optimizer, [weights], max_norm=config.max_norm)
    assert norm == pytest.approx(60.0)
    assert weights.detach().norm() == pytest.approx(min(60.0, most), rel=1e-3)


@pytest.mark.long
@pytest.mark.slow
def test_the_loss_falls_and_iou_rises_on_a_handful_of_pictures(pool_folder: Path) -> None:
    pool = run(load_pool(pool_folder, side=240, held_out=0.0))
    config = replace(BASELINE, boxes_per_image=8, paste_share=0.0)
    frames = make_frames(pool, Cutouts.none(), torch.tensor([0, 8]), config, torch.Generator().manual_seed(0))
    encoder = LightNetwork().eval()
    path = SHIPPED_ENCODERS["light"]
    load_strictly(encoder, {k: v.float() for k, v in load_state(path).items()}, path=path)
    with torch.no_grad():
        embedding, detail = encoder(frames.pictures)
    torch.manual_seed(0)
    learner = learner_of(config)
    network = learner.network(config)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    precision = Precision.best(CPU, use_amp=True)

    def answered() -> Tensor:
        boxes: Tensor = network.eval()(embedding, detail, frames.drawn, frames.content)[-1].boxes.detach()
        network.train()
        return pair_iou(boxes, frames.true)[frames.weight > 0].mean()

    losses = []
    before = answered()
    for _ in range(40):
        answers = network(embedding, detail, frames.drawn, frames.content)
        parts = learner.losses(answers, frames, config)
        precision.step(parts["total"], optimizer, network.parameters(), max_norm=config.max_norm)
        losses.append(float(parts["total"].detach()))
    assert np.mean(losses[-5:]) < 0.7 * losses[0]
    assert answered() > before + 0.05


@pytest.mark.slow
@pytest.mark.long
def test_a_run_leaves_a_baseline_refiner_for_the_shipped_encoder(pool_folder: Path, tmp_path: Path) -> None:
    config = replace(
        BASELINE, steps=2, batch_images=2, boxes_per_image=2, held_out=0.3, report_every=1, measure_every=2
    )
    done = run(pretrain(config, pool_folder, tmp_path, CPU, start_from=SHIPPED))
    assert (tmp_path / "encoder.safetensors").read_bytes() == SHIPPED_ENCODERS["light"].read_bytes()
    assert (tmp_path / "log.csv").read_text("utf-8").startswith("step,l1,iou,drawn,total,norm,seconds\n")
    card = read_card(tmp_path)
    assert card.kind == "baseline"
    assert card.calibration.confidence_scale == 0
    encoder = load_encoder("light", "cpu")
    picture = read_picture(pool_folder / "discs" / "images" / "1.png")
    features = encoder.encode(picture, Frame.whole(width=240, height=160))
    found = load_refiner(tmp_path, encoder).refine(features, [[5, 5, 90, 90], [120, 5, 200, 120]])
    assert found[0].score == pytest.approx(found[1].score)
    assert 0 < found[0].score < 1
    assert 0 < done.figures["hq0.4 after"] < 1
    again = run(pretrain(replace(config, seed=1), pool_folder, tmp_path / "again", CPU, start_from=tmp_path))
    assert again.steps == 2


@pytest.mark.parametrize("change", [{"refiner": "sead"}, {"initialisation": "zeros"}])
def test_a_name_that_does_not_exist_is_told(tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(BadInputError, match=f"{next(iter(change.values()))}.*use one of"):
        run(pretrain(replace(BASELINE, **change), tmp_path, tmp_path, CPU))


def curve(loss: list[float], *, unrest: float = 0.0, seconds: float = 1.0) -> BaselineCurve:
    l1 = [value + (unrest if index % 2 else -unrest) for index, value in enumerate(loss)]
    drawn, iou, norm = ([value] * len(loss) for value in (loss[0], 0.4, 2.0))
    return BaselineCurve(loss, l1, drawn, iou, norm, [index * seconds for index in range(len(loss))], {})


def test_claims_hold_where_the_curves_show_it() -> None:
    fallen = [300.0] * 20 + [100.0] * 40 + [8.0] * 40
    said = verdicts(curve(fallen, unrest=5.0), curve(fallen, unrest=0.1, seconds=0.75))
    assert all(verdict.startswith("holds: ") for verdict in said.values())
    assert "from 300.0 to 8.0" in said["loss from over 200 to under 10"]
    assert "750 ms a step, before the repair 1000" in said["20 to 30 % faster"]
    assert "a tenth of the error is gone after 24 steps" in said["20 to 30 % faster"]


def test_claims_do_not_hold_where_nothing_changed() -> None:
    flat = curve([40.0] * 100, unrest=1.0)
    said = verdicts(flat, flat)
    assert all(verdict.startswith("does not hold: ") for verdict in said.values())
    assert "gone never" in said["20 to 30 % faster"]


def test_each_part_of_the_repair_is_told_apart() -> None:
    after = replace(curve([40.0] * 100, unrest=0.1, seconds=0.5), precision="bfloat16", memory_mib=100.0)
    wild = curve([40.0] * 100, unrest=5.0)
    said = contributions({"after": after, "without-clipping": wild, "without-initialisation": after})
    assert list(said) == ["clipping", "initialisation"]
    assert said["clipping"].startswith("steadier with it: ")
    assert said["initialisation"].startswith("no steadier with it: ")
    amp = contributions({"after": after, "without-amp": replace(wild, memory_mib=200.0)})["AMP"]
    assert amp.startswith("faster with it: 500.0 ms a step in bfloat16, 1000.0 without; GPU memory at most 100 MiB")
    assert contributions({"before": wild, "without-amp": wild}) == {}


def test_amp_is_not_judged_where_there_is_none() -> None:
    same = curve([40.0] * 10)
    said = contributions({"after": same, "without-amp": same})["AMP"]
    assert said.startswith("not judged: this device computes both in float32")


def test_a_running_mean_smooths() -> None:
    assert running_mean([1.0, 3.0, 5.0, 7.0], 2) == [2.0, 4.0, 6.0]
    assert running_mean([1.0, 3.0], 5) == [2.0]
    assert running_mean([], 5) == []


def test_steps_without_a_box_count_for_nothing() -> None:
    plain = curve([40.0] * 100)
    gaps = replace(plain, l1=[0.0, *plain.l1[1:]], drawn=[0.0, *plain.drawn[1:]])
    assert gaps.left == plain.left[1:]
    assert gaps.unrest == 0
    empty = replace(plain, l1=[0.0] * 100, drawn=[0.0] * 100)
    assert all(verdict.startswith("does not hold") for verdict in verdicts(empty, empty).values())


def test_a_curve_is_a_line_of_bars_and_a_picture(tmp_path: Path) -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([]) == ""
    assert len(sparkline(list(range(1000)), width=30)) == 30
    assert averaged([1, 3, 5, 7], 2) == [2, 6]
    path = tmp_path / "plots" / "curves.png"
    draw_curves(path, {"before": [3.0, 2.0, 1.0], "after": [2.0, 1.0, 0.0], "none": []}, title="Loss")
    with Image.open(path) as picture:
        assert picture.size == (960, 540)
        colours = {pixel for _, pixel in picture.getcolors(1 << 20)}
    assert (192, 57, 43) in colours and (36, 99, 168) in colours


@pytest.mark.long
@pytest.mark.slow
def test_the_benchmark_prints_curves_and_verdicts(verb: Verb, pool_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "curves"
    short = ["--steps", 2, "--batch", 1, "--out", out, "--device", "cpu"]
    said = verb("benchmark", "baseline", "--data", pool_folder, *short)
    assert said.code == 0
    assert [Path(plot).name for plot in said.summary["plots"]] == ["loss.png", "error-left.png"]
    assert all(Path(plot).exists() for plot in said.summary["plots"])
    assert tuple(said.summary["runs"]) == RUNS
    assert len(said.summary["claims"]) == 3
    assert list(said.summary["parts"]) == ["clipping", "initialisation", "AMP"]
    assert "loss from over 200 to under 10: does not hold" in said.out
    assert "AMP: not judged" in said.out
    assert {path.name for path in (out / "after").iterdir()} == {
        "encoder.safetensors",
        "refiner.safetensors",
        "refiner.json",
        "log.csv",
    }
    losses = {name: run["start"] for name, run in said.summary["runs"].items()}
    assert losses["after"] == losses["without-amp"] == losses["without-clipping"] != losses["without-initialisation"]


@pytest.mark.long
@pytest.mark.slow
def test_runs_can_be_chosen_and_what_they_leave_is_measured_beside_ours(
    verb: Verb, pool_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "curves"
    short = ["--steps", 2, "--batch", 1, "--out", out, "--device", "cpu", "--runs", "after", "without-clipping"]
    for _ in range(2):  # the second run's log replaces the first one's
        said = verb("benchmark", "baseline", "--data", pool_folder, *short)
    assert tuple(said.summary["runs"]) == ("after", "without-clipping")
    assert said.summary["claims"] == {}
    assert list(said.summary["parts"]) == ["clipping"]
    assert len((out / "after" / "log.csv").read_text("utf-8").splitlines()) == 3
    measured = ["--noise", "hq0.4", "--limit", 1, "--no-grabcut", "--no-cache", "--device", "cpu"]
    beside = verb("benchmark", "accuracy", "--data", pool_folder / "discs", *measured, "--beside", out / "after")
    assert beside.code == 0
    methods = ["drawn", "baseline refiner (after)", "shipped", "shipped, second look"]
    assert [row["method"] for row in beside.summary["rows"]] == methods
    twice = verb("benchmark", "accuracy", "--data", pool_folder, "--no-cache", "--beside", out / "after", out / "after")
    assert twice.code == 2 and "one name in the table" in twice.sentences[-1]


def test_a_run_that_does_not_exist_is_named(verb: Verb, pool_folder: Path) -> None:
    said = verb("benchmark", "baseline", "--data", pool_folder, "--runs", "aftr")
    assert said.code == 2 and "no run aftr" in said.sentences[-1]
    with pytest.raises(BadInputError, match="use one of before, after"):
        run(baseline_curves(pool_folder, pool_folder, CPU, start_from=SHIPPED, steps=2, runs=["aftr"]))


def test_a_curve_of_one_step_is_refused(verb: Verb, pool_folder: Path) -> None:
    said = verb("benchmark", "baseline", "--data", pool_folder, "--steps", 1)
    assert (said.code, len(said.sentences)) == (2, 1)
