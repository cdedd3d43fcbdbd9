"""`boxrefine train`: from a project or a labelled set to a verdict, and what it says of bad input."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing
from pathlib import Path

import pytest
import torch

from core.cli import main
from core.cli.train import DEFAULT_CONFIG
from core.encoders.catalogue import load_encoder
from core.records import VerdictKind
from core.refiner.checkpoint import RefinerCard, load_refiner, read_card, save_refiner
from core.refiner.network import RefinerNetwork
from core.store.project_file import refiners_folder
from core.store.project_store import ProjectStore
from core.training.config_file import read_config
from core.training.gradients import RecordedGradients
from core.training.teach_config import TeachConfig
from tests.core.command_line import Verb
from tests.core.lessons_by_hand import save_coco, save_config, save_project
from tests.core.projects import folder_of_an_ordinary_user, python

BASELINE_CONFIG = DEFAULT_CONFIG.with_name("train_baseline.yaml")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return save_config(tmp_path / "short.yaml", replay_weight=0.5, views=2, viewed_images=2)


def chosen(project: Path) -> object:
    encoder = load_encoder("light", "cpu").identity
    with closing(ProjectStore.open(project)) as store:
        return store.chosen_refiner(encoder)


@pytest.mark.slow
@pytest.mark.long
def test_a_labelled_set_gives_a_refiner_a_verdict_and_figures(verb: Verb, tmp_path: Path, config: Path) -> None:
    images, boxes = save_coco(tmp_path / "discs", 8)
    out = tmp_path / "taught"
    said = verb("train", "--images", images, "--boxes", boxes, "--out", out, "--config", config, "--device", "cpu")
    assert said.code == 0
    summary = said.summary
    assert summary["out"] == str(out) and summary["promoted"] in (True, False)
    assert summary["sentence"] == said.sentences[-1]
    assert {"iou_before", "iou_after", "low", "old_before", "old_after", "hit_rate", "images_per_second"} <= set(
        summary
    )
    assert set(summary["margins"]) == {"", "disc"}
    assert load_refiner(out, load_encoder("light", "cpu")).identity == summary["refiner"]
    assert sorted(path.name for path in out.iterdir()) == ["log.csv", "refiner.json", "refiner.safetensors"]
    assert read_card(out).made_by["parent"] == "shipped"


@pytest.mark.long
@pytest.mark.slow
def test_a_projects_lineage_says_what_came_of_it_and_a_better_refiner_is_used(
    verb: Verb, tmp_path: Path, config: Path
) -> None:
    # Boxes 12 pixels outside the discs: the margin alone makes a refiner clearly better.
    project = save_project(tmp_path / "project", 24, wider=12.0)
    said = verb("train", "--project", project, "--config", config, "--device", "cpu")
    assert said.code == 0 and said.summary["promoted"], said.sentences
    with closing(ProjectStore.open(project)) as store:
        (record,) = store.refiners()
    assert record == chosen(project)
    assert record.id == said.summary["refiner_id"] and record.identity == said.summary["refiner"]
    assert record.folder.parent == refiners_folder(project) and record.folder.is_dir()
    assert record.parent.startswith("box-") and record.verdict is VerdictKind.BETTER
    assert record.config["epochs"] == 2 and record.data["boxes"] == 24
    assert record.figures["iou_after"] > record.figures["iou_before"]
    # The next one has to beat this one, and the same again is no better.
    again = verb("train", "--project", project, "--config", config, "--device", "cpu")
    assert again.code == 0 and not again.summary["promoted"], again.sentences
    assert chosen(project) == record


@pytest.mark.slow
@pytest.mark.long
def test_progress_in_json_has_a_line_for_each_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: Path
) -> None:
    images, boxes = save_coco(tmp_path / "discs", 6)
    nothing, writer = os.pipe()
    os.close(writer)
    with os.fdopen(nothing) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setattr("core.cli.steering.NICENESS", 0)  # what runs after this test should not be slower
        arguments = ["--images", str(images), "--boxes", str(boxes), "--out", str(tmp_path / "out")]
        assert main(["train", *arguments, "--config", str(config), "--device", "cpu", "--json-progress"]) == 0
    *steps, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    figures = [step["progress"]["figures"] for step in steps]
    assert any("loss" in entry and "seconds_left" in entry for entry in figures)
    assert any(entry.get("hit_rate") is not None for entry in figures)
    assert "promoted" in last


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU here would record the step")
@pytest.mark.parametrize("machine_readable", [False, True])
def test_a_step_that_cannot_be_recorded_is_told_once_and_learning_goes_on(
    verb: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: Path, machine_readable: bool
) -> None:
    images, boxes = save_coco(tmp_path / "discs", 6)
    document = json.loads(boxes.read_text("utf-8"))
    document["annotations"].append({**document["annotations"][0], "id": 99, "bbox": [1, 1, 0, 5]})
    boxes.write_text(json.dumps(document), "utf-8")
    # What a GPU is given; here, where there is none, recording fails as it does on one that cannot.
    monkeypatch.setattr("core.training.fine_tune.gradients_of", lambda *given: RecordedGradients(*given[:3]))
    monkeypatch.setattr("core.cli.steering.NICENESS", 0)
    arguments = ["--images", images, "--boxes", boxes, "--out", tmp_path / "out", "--config", config, "--device", "cpu"]
    with Path(os.devnull).open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        said = verb("train", *arguments, *(["--json-progress"] if machine_readable else []))
    assert said.code == 0 and "promoted" in said.summary
    assert sum("could not record the training step" in sentence for sentence in said.sentences) == 1
    notes = [json.loads(line).get("note", "") for line in said.out.splitlines()]
    for words in ("learns the same step by step", "the annotation 99"):
        assert sum(words in note for note in notes) == int(machine_readable)


# The configuration


def test_the_shipped_configuration_names_every_key_with_its_default() -> None:
    import yaml

    values = yaml.safe_load(DEFAULT_CONFIG.read_text("utf-8"))
    assert values.keys() == vars(TeachConfig()).keys()
    assert read_config(DEFAULT_CONFIG, TeachConfig) == TeachConfig()


def test_the_baselines_values_are_kept() -> None:
    seed = read_config(BASELINE_CONFIG, TeachConfig)
    assert (seed.l1_weight, seed.iou_weight) == (1.0, 0.5)
    assert (seed.learning_rate, seed.weight_decay, seed.max_norm) == (5e-5, 1e-5, 1.0)
    assert seed.use_amp and seed.pin_memory and seed.persistent_workers and seed.num_workers == 4
    assert (seed.fast_sample_ratio, seed.debug_images, seed.initialisation) == (0.1, 100, "xavier")


def test_a_wrong_key_and_a_wrong_type_are_named(verb: Verb, tmp_path: Path) -> None:
    images, boxes = save_coco(tmp_path / "discs", 6)
    arguments = ["train", "--images", images, "--boxes", boxes, "--out", tmp_path / "out", "--config"]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("learning_rat: 0.1\n", "utf-8")
    said = verb(*arguments, wrong)
    assert said.code == 2 and "unknown key learning_rat: did you mean learning_rate?" in said.sentences[-1]
    wrong.write_text("epochs: many\n", "utf-8")
    said = verb(*arguments, wrong)
    assert said.code == 2 and "epochs must be of type int, not 'many'" in said.sentences[-1]


# Bad input


def test_too_few_corrections_are_a_sentence(verb: Verb, tmp_path: Path) -> None:
    project = save_project(tmp_path / "project", 4)
    said = verb("train", "--project", project)
    assert said.code == 2 and "holds 4 boxes to learn from, and teaching needs 5" in said.sentences[-1]
    assert chosen(project) is None


def test_options_that_belong_together_are_asked_for(verb: Verb, tmp_path: Path) -> None:
    said = verb("train", "--images", tmp_path)
    assert said.code == 2 and "needs --boxes, the true boxes, and --out" in said.sentences[-1]


@pytest.mark.long
@pytest.mark.slow
def test_gone_and_damaged_pictures_are_told_and_the_others_teach(verb: Verb, tmp_path: Path, config: Path) -> None:
    project = save_project(tmp_path / "project", 9)
    (project.parent / "disc 1.png").unlink()
    (project.parent / "disc 2.png").write_bytes(b"no picture")
    said = verb("train", "--project", project, "--config", config, "--device", "cpu")
    assert said.code == 0
    assert any("disc 1.png is gone" in sentence for sentence in said.sentences)
    assert any("disc 2.png" in sentence for sentence in said.sentences)


def test_a_refiner_of_another_encoder_is_refused(verb: Verb, tmp_path: Path, config: Path) -> None:
    images, boxes = save_coco(tmp_path / "discs", 6)
    torch.manual_seed(0)
    save_refiner(tmp_path / "other", RefinerNetwork().state_dict(), RefinerCard("light-000000000000"))
    arguments = ["train", "--images", images, "--boxes", boxes, "--out", tmp_path / "out", "--config", config]
    said = verb(*arguments, "--refiner", tmp_path / "other", "--device", "cpu")
    assert said.code == 2 and "choose that encoder" in said.sentences[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.long
@pytest.mark.slow
def test_a_loss_that_is_no_number_keeps_the_refiner_in_use(verb: Verb, tmp_path: Path) -> None:
    project = save_project(tmp_path / "project", 6)
    wild = save_config(tmp_path / "wild.yaml", learning_rate=1e30, warmup_steps=0, max_norm=1e30, epochs=4)
    said = verb("train", "--project", project, "--config", wild, "--device", "cpu")
    assert said.code == 2 and "the refiner in use stays" in said.sentences[-1] and "epoch" in said.sentences[-1]
    assert chosen(project) is None


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_a_project_that_may_not_be_written_is_refused_before_any_work(verb: Verb) -> None:
    with folder_of_an_ordinary_user() as folder:
        project = save_project(folder / "project", 6)
        project.chmod(0o400)
        project.parent.chmod(0o500)
        said = verb("train", "--project", project)
        project.parent.chmod(0o700)
    assert said.code == 2 and "read-only: copy it to a folder of your own" in said.sentences[-1]


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kills by signal")
def test_a_kill_in_mid_epoch_harms_nothing(tmp_path: Path) -> None:
    project = save_project(tmp_path / "project", 8)
    config = save_config(tmp_path / "long.yaml", epochs=10_000, least_steps=1)
    out = project.parent / "killed"
    script = "import sys; from core.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ["train", "--project", project, "--out", out, "--config", config, "--device", "cpu", "--json-progress"]
    process = python(script, *map(str, arguments))
    assert process.stdout is not None
    steps = (json.loads(line)["progress"] for line in process.stdout)
    assert any(step["figures"].get("epoch", 0) >= 2 for step in steps)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert chosen(project) is None
    # The state of the last whole epoch is there to go on from, here to an end that is near.
    assert (out / "state.pt").exists()


@pytest.mark.long
@pytest.mark.slow
def test_fast_debug_and_clear_cache(verb: Verb, tmp_path: Path, config: Path) -> None:
    images, boxes = save_coco(tmp_path / "discs", 12)
    arguments = ["train", "--images", images, "--boxes", boxes, "--out", tmp_path / "out", "--config", config]
    whole = verb(*arguments, "--device", "cpu")
    assert whole.summary["boxes"] + whole.summary["held_boxes"] == 12
    few = save_config(tmp_path / "few.yaml", fast_sample_ratio=0.5, debug_images=7, replay_weight=0.0)
    fast = verb(*arguments[:-1], few, "--device", "cpu", "--fast")
    assert fast.summary["boxes"] + fast.summary["held_boxes"] == 6 and fast.summary["encoded"] == 0
    debug = verb(*arguments[:-1], few, "--device", "cpu", "--debug", "--clear-cache")
    assert debug.summary["boxes"] + debug.summary["held_boxes"] == 7 and debug.summary["encoded"] > 0
