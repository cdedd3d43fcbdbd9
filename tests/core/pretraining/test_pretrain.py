"""Pretraining from labelled folders to weights that load and refine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.weights.files import load_state
from core.errors import BadFileError, BadInputError, BadWeightsError, StorageError
from core.geometry import Frame
from core.images import read_picture
from core.pretraining.config import PretrainConfig
from core.pretraining.cutouts import Cutouts
from core.pretraining.frames import make_frames
from core.pretraining.pool import load_pool
from core.pretraining.pretrain import pretrain
from core.progress import Progress, run
from core.records import Drawing
from core.refiner.checkpoint import SHIPPED, load_refiner, read_card
from core.training.run_files import RunSummary

pytestmark = [pytest.mark.slow, pytest.mark.long]

CPU = torch.device("cpu")
SHORT = PretrainConfig(
    steps=4, batch_images=2, boxes_per_image=3, warmup_steps=1, held_out=0.2, measure_every=2, report_every=1
)


@pytest.fixture(scope="module")
def pool_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets of pictures with bright ellipses on noise, one of them with polygons."""
    folder = tmp_path_factory.mktemp("pool")
    random = np.random.default_rng(0)
    for name, with_polygons in (("ellipses", True), ("boxes only", False)):
        images, notes = [], []
        (folder / name / "images").mkdir(parents=True)
        for index in range(1, 9):
            pixels = random.integers(0, 90, (200, 260, 3), np.uint8)
            centre, axes = random.integers(70, 130, 2), random.integers(20, 60, 2)
            cv2.ellipse(pixels, centre.tolist(), axes.tolist(), 0, 0, 360, (250, 200, 40), -1)
            cv2.imwrite(str(folder / name / "images" / f"{index}.png"), pixels)
            (x, y), (a, b) = centre.tolist(), axes.tolist()
            outline = cv2.ellipse2Poly((x, y), (a, b), 0, 0, 360, 10).ravel().tolist()
            images.append({"id": index, "file_name": f"{index}.png", "width": 260, "height": 200})
            note = {"id": index, "image_id": index, "category_id": 1, "bbox": [x - a, y - b, 2 * a + 1, 2 * b + 1]}
            notes.append(note | {"iscrowd": 0, "segmentation": [outline] if with_polygons else []})
        document = {"images": images, "annotations": notes, "categories": [{"id": 1, "name": "ellipse"}]}
        (folder / name / "annotations.json").write_text(json.dumps(document), "utf-8")
    return folder


def trained(folder: Path, out: Path, config: PretrainConfig = SHORT, **options: object) -> RunSummary:
    return run(pretrain(config, folder, out, CPU, **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run_out(pool_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    trained(pool_folder, out)
    return out


def test_the_pool_holds_pictures_boxes_and_masks(pool_folder: Path) -> None:
    pool = run(load_pool(pool_folder, side=128, held_out=0.3))
    assert pool.sets == ("boxes only", "ellipses")
    assert pool.pictures.shape == (16, 3, 128, 128)
    assert (pool.sizes.amax(dim=1) == 128).all()
    assert len(pool.masks) == 8
    assert 0 < pool.held_out.sum() < 16
    # An ellipse fills about pi / 4 of its box.
    assert pool.masks.float().mean() / 255 == pytest.approx(np.pi / 4, abs=0.03)


def test_all_pictures_of_a_set_left_out_are_only_measured_on(pool_folder: Path) -> None:
    pool = run(load_pool(pool_folder, side=128, held_out=0.0, left_out=["ellipses"]))
    assert pool.held_out.tolist() == [pool.sets[number] == "ellipses" for number in pool.set_of]
    assert not len(pool.masked)  # else the objects of its pictures would be pasted into those that train
    rng = torch.Generator().manual_seed(0)
    config = PretrainConfig(boxes_per_image=4, paste_share=1.0, shape_share=0.0)
    make_frames(pool, Cutouts.none(), torch.arange(8), config, rng)


def test_a_set_left_out_that_is_missing_is_named(pool_folder: Path) -> None:
    with pytest.raises(BadInputError, match="has no set cups, which the configuration leaves out"):
        run(load_pool(pool_folder, side=128, held_out=0.0, left_out=["cups"]))


def test_frames_hold_boxes_where_the_objects_are(pool_folder: Path) -> None:
    pool = run(load_pool(pool_folder, side=260, held_out=0.0))
    rng = torch.Generator().manual_seed(0)
    frames = make_frames(
        pool, Cutouts.none(), torch.arange(8, 16), PretrainConfig(boxes_per_image=4, paste_share=0.0), rng
    )
    assert frames.pictures.shape == (8, 3, 512, 512)
    good = frames.weight > 0
    assert good.any()
    assert (frames.true[good][:, 2:] > frames.true[good][:, :2]).all()
    masks, known = frames.masks(frames.true, 32)
    filled = masks.mean(dim=(-1, -2))[known > 0]
    assert filled.mean() == pytest.approx(np.pi / 4, abs=0.1)


def test_pasted_shapes_bring_exact_boxes(pool_folder: Path) -> None:
    pool = run(load_pool(pool_folder, side=260, held_out=0.0))
    rng = torch.Generator().manual_seed(0)
    config = PretrainConfig(boxes_per_image=8, paste_share=1.0, shape_share=1.0)
    frames = make_frames(pool, Cutouts.none(), torch.arange(8), config, rng)
    masks, known = frames.masks(frames.true, 32)
    pasted = known > 0
    assert pasted.sum() > 8
    # A tight box has the mask at each of its four borders.
    for border in (masks[..., :2], masks[..., -2:], masks[..., :2, :], masks[..., -2:, :]):
        assert (border.amax(dim=(-1, -2))[pasted] > 0.4).float().mean() > 0.9


def test_weights_of_a_run_load_and_refine(pool_folder: Path, run_out: Path) -> None:
    encoder = load_encoder(str(run_out / "encoder.safetensors"), "cpu")
    refiner = load_refiner(run_out, encoder)
    picture = read_picture(pool_folder / "ellipses" / "images" / "1.png")
    features = encoder.encode(picture, Frame.whole(width=260, height=200))
    (found,) = refiner.refine(features, [[40, 40, 180, 160]])
    assert 0 <= found.box.x1 < found.box.x2 <= 260
    assert all(0 <= value <= 1 for value in (*found.edge_confidence, found.score))
    log = (run_out / "log.csv").read_text("utf-8").splitlines()
    assert log[0].startswith("step,")
    assert len(log) == 1 + SHORT.steps
    made_by = json.loads((run_out / "refiner.json").read_text("utf-8"))["made_by"]
    assert made_by["step"] == SHORT.steps
    assert "hq0.4 after" in made_by["held_out"]


@pytest.mark.long
@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(pool_folder: Path, run_out: Path, tmp_path: Path) -> None:
    trained(pool_folder, tmp_path)
    assert (tmp_path / "refiner.safetensors").read_bytes() == (run_out / "refiner.safetensors").read_bytes()


@pytest.mark.long
@pytest.mark.slow
def test_a_run_that_was_cut_short_goes_on(pool_folder: Path, tmp_path: Path) -> None:
    job = pretrain(SHORT, pool_folder, tmp_path, CPU)
    for progress in job:
        if progress.message == "measured":
            job.close()
    seen: list[Progress] = list(pretrain(SHORT, pool_folder, tmp_path, CPU, resume=True))
    assert [entry.done for entry in seen if entry.message == "training"] == [2, 3]


@pytest.mark.long
@pytest.mark.slow
def test_a_second_run_may_train_the_refiner_alone(pool_folder: Path, run_out: Path, tmp_path: Path) -> None:
    config = PretrainConfig(**{**vars(SHORT), "train_encoder": False, "steps": 2})
    trained(pool_folder, tmp_path, config, start_from=run_out)
    assert (tmp_path / "encoder.safetensors").read_bytes() == (run_out / "encoder.safetensors").read_bytes()
    assert (tmp_path / "refiner.safetensors").read_bytes() != (run_out / "refiner.safetensors").read_bytes()


@pytest.mark.long
@pytest.mark.slow
def test_frozen_norms_keep_the_statistics_that_they_came_with(pool_folder: Path, run_out: Path, tmp_path: Path) -> None:
    careful = replace(SHORT, freeze_norms=True, drop_path=0.2, feature_drop=0.2, style_share=0.5)
    trained(pool_folder, tmp_path, careful, start_from=run_out)
    before, after = (load_state(folder / "encoder.safetensors") for folder in (run_out, tmp_path))
    backbone = "backbone.bn1.running_mean"
    assert torch.equal(before[backbone], after[backbone])
    assert not torch.equal(before["backbone.bn1.weight"], after["backbone.bn1.weight"])
    assert not torch.equal(before["lateral5.1.running_mean"], after["lateral5.1.running_mean"])


def test_damaged_sets_and_missing_states_are_named(pool_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "annotations.json").write_text("{", "utf-8")
    with pytest.raises(BadFileError, match=r"annotations\.json is no COCO file"):
        trained(tmp_path, tmp_path / "out")
    with pytest.raises(BadWeightsError, match="nothing to resume"):
        trained(pool_folder, tmp_path / "fresh", resume=True)
    (tmp_path / "fresh").mkdir(exist_ok=True)
    (tmp_path / "fresh" / "state.pt").write_bytes(b"junk")
    with pytest.raises(BadWeightsError, match="start again without --resume"):
        trained(pool_folder, tmp_path / "fresh", resume=True)


def test_a_folder_that_cannot_be_written_is_named(pool_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, no folder", "utf-8")
    with pytest.raises(StorageError, match=r"log\.csv cannot be written"):
        trained(pool_folder, tmp_path / "out")


def test_no_steps_calibrate_weights_anew_and_keep_them(pool_folder: Path, run_out: Path, tmp_path: Path) -> None:
    config = replace(SHORT, steps=0, train_encoder=False, caution=0.25)
    trained(pool_folder, tmp_path, config, start_from=run_out)
    before, after = read_card(run_out), read_card(tmp_path)
    for name in ("encoder.safetensors", "refiner.safetensors"):
        assert (tmp_path / name).read_bytes() == (run_out / name).read_bytes()
    assert after.encoder == before.encoder
    assert after.calibration.caution == 0.25 != before.calibration.caution
    assert after.made_by["started_from"] == before.made_by


@pytest.mark.long
def test_candidates_are_trained_on_the_features_of_an_encoder_that_stays(
    pool_folder: Path, run_out: Path, tmp_path: Path
) -> None:
    config = replace(SHORT, refiner="candidates", train_encoder=False)
    done = trained(pool_folder, tmp_path, config, start_from=run_out)
    assert (tmp_path / "encoder.safetensors").read_bytes() == (run_out / "encoder.safetensors").read_bytes()
    assert read_card(tmp_path).kind == "candidates"
    assert done.figures["hq0.4 best"] >= done.figures["hq0.4 after"]
    encoder = load_encoder(str(tmp_path / "encoder.safetensors"), "cpu")
    with pytest.raises(BadInputError, match="holds candidates and no refiner"):
        load_refiner(tmp_path, encoder)


def test_a_run_can_start_between_two_others(pool_folder: Path, run_out: Path, tmp_path: Path) -> None:
    config = replace(SHORT, steps=0, blend=0.25)
    trained(pool_folder, tmp_path, config, start_from=run_out, blend_with=SHIPPED)
    name = "encoder.safetensors"
    start, end, between = (load_state(folder / name) for folder in (run_out, SHIPPED, tmp_path))
    weights = "to_detail.1.weight"
    expected = start[weights].float() * 0.75 + end[weights].float() * 0.25
    assert torch.allclose(between[weights].float(), expected, atol=1e-3)
    assert {"started_from", "blended_with"} <= read_card(tmp_path).made_by.keys()


@pytest.mark.long
def test_a_refiner_learns_how_boxes_were_drawn(pool_folder: Path, run_out: Path, tmp_path: Path) -> None:
    config = replace(
        SHORT, train_encoder=False, drag_share=0.5, placed_share=0.5, caution=0.5, drawing_caution={"drag": 1.0}
    )
    trained(pool_folder, tmp_path, config, start_from=run_out)
    card = read_card(tmp_path)
    assert card.format == 3
    assert {drawing: calibration.caution for drawing, calibration in card.by_drawing.items()} == {
        Drawing.DRAG: 1.0,
        Drawing.COARSE: 0.5,
        Drawing.PLACED: 0.5,
    }
    learned = load_state(tmp_path / "refiner.safetensors")["stages.1.drawing.of"].abs().sum(dim=1) > 0
    assert learned.tolist() == [True, False, True]
    vectors = load_state(tmp_path / "refiner.safetensors")["stages.1.drawing.of"].float()
    halfway = replace(config, steps=0, blend=0.5, drawing_strength=4.0)
    trained(pool_folder, tmp_path / "blend", halfway, start_from=run_out, blend_with=tmp_path)
    blended = load_state(tmp_path / "blend" / "refiner.safetensors")["stages.1.drawing.of"].float()
    assert torch.allclose(blended, vectors * 2, rtol=0.01, atol=1e-6)
    assert read_card(run_out).by_drawing == {}
    assert "stages.1.drawing.of" not in load_state(run_out / "refiner.safetensors")
