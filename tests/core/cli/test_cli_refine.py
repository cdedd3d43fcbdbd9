"""`boxrefine refine` and `boxrefine encode`: COCO in, COCO out, and a cache that helps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from core.geometry import Box, Boxes, as_boxes, iou
from core.inference.guess_drawing import GUESSED_OFF
from core.records import CLEARLY_OFF, Correction, NewImage
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.command_line import Batch, Verb

pytestmark = pytest.mark.slow

ADDED = {"refine_score", "edge_confidence", "drawn_bbox", "refined_bbox", "encoder", "refiner", "confirmed"}


def test_everything_but_the_boxes_stays_as_it_was(verb: Verb, batch: Batch, models: list[str]) -> None:
    batch.document["info"]["note"] = "keep me"
    batch.document["annotations"].reverse()
    batch.note(3)["attributes"] = {"occluded": True}
    batch.note(3)["segmentation"] = [[1, 2, 3, 4, 5, 6]]
    batch.write()
    said = verb("refine", *batch.arguments, *models)
    after = json.loads(batch.out.read_text("utf-8"))
    assert said.code == 0
    assert said.sentences == []
    assert [note["id"] for note in after["annotations"]] == [7, 6, 5, 4, 3, 2, 1]
    for note in after["annotations"]:
        kept = {key: value for key, value in note.items() if key not in ADDED | {"bbox"}}
        assert kept == {key: value for key, value in batch.note(note["id"]).items() if key != "bbox"}
    assert {**after, "annotations": 0} == {**batch.document, "annotations": 0}


def test_candidates_are_written_if_they_are_asked_for(verb: Verb, batch: Batch) -> None:
    assert verb("refine", *batch.arguments, "--candidates").code == 0
    for note in batch.refined().values():
        assert note["candidates"][0]["bbox"] == note["bbox"]
        assert sum(candidate["probability"] for candidate in note["candidates"]) == pytest.approx(1, abs=1e-5)
        assert 1 <= len(note["candidates"]) <= 3


def test_pictures_in_folders_below_are_found_by_their_names(verb: Verb, batch: Batch, models: list[str]) -> None:
    (batch.images / "train").mkdir()
    for image in batch.document["images"]:
        path = batch.images / image["file_name"]
        path.rename(batch.images / "train" / path.name)
    said = verb("refine", *batch.arguments, *models)
    assert said.code == 0 and said.summary["unrefined"] == 0


def test_an_encoder_without_candidates_says_so(verb: Verb, batch: Batch) -> None:
    said = verb("refine", *batch.arguments, "--candidates", "--encoder", "light_1")
    assert said.code == 2
    assert "choose the encoder light" in said.sentences[0]
    assert not batch.out.exists()


def test_each_refined_box_says_how_sure_it_is(verb: Verb, batch: Batch, models: list[str]) -> None:
    verb("refine", *batch.arguments, *models)
    for note in batch.refined().values():
        x, y, width, height = note["bbox"]
        assert width > 0 and height > 0 and x >= 0 and y >= 0
        assert 0 <= note["refine_score"] <= 1
        assert len(note["edge_confidence"]) == 4
        assert all(0 <= edge <= 1 for edge in note["edge_confidence"])


def test_what_was_drawn_and_by_what_it_was_refined_comes_into_a_project(
    verb: Verb, batch: Batch, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = {note["id"]: note["bbox"] for note in batch.document["annotations"]}
    verb("refine", *batch.arguments, *models)
    with closing(ProjectStore.create(batch.images / PROJECT_FILE_NAME)) as store:
        pictures = [(batch.images / image["file_name"], image) for image in batch.document["images"]]
        store.add_images([NewImage(path, image["width"], image["height"]) for path, image in pictures])
    assert verb("import", batch.images, "--boxes", batch.out).summary["boxes"] == len(drawn)
    with closing(ProjectStore.open(batch.images / PROJECT_FILE_NAME)) as store:
        held = store.dataset().corrections
    for correction, note in zip(held, batch.refined().values(), strict=True):
        assert correction.drawn == xyxy(drawn[note["id"]])
        assert correction.accepted == correction.proposal == xyxy(note["bbox"])
        assert correction.refiner == note["refiner"] and correction.refiner.startswith("box-")
        assert correction.encoder == note["encoder"] and correction.score == note["refine_score"]


def test_other_readers_of_coco_see_the_refined_boxes(
    verb: Verb, batch: Batch, models: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    from pycocotools.coco import COCO

    verb("refine", *batch.arguments, *models)
    coco = COCO(str(batch.out))
    capsys.readouterr()  # it prints what it does
    assert {id: coco.anns[id]["bbox"] for id in coco.getAnnIds()} == {
        id: note["bbox"] for id, note in batch.refined().items()
    }


def test_the_last_line_sums_up(verb: Verb, batch: Batch, models: list[str], untrained: Path) -> None:
    said = verb("refine", *batch.arguments, *models)
    assert said.out.count("\n") == 1
    assert said.summary["images"] == 2
    assert said.summary["boxes"] == 7
    assert said.summary["encoder"] == "light"
    assert said.summary["refiner"] == untrained.name
    assert said.summary["device"] == "cpu"
    assert said.summary["seconds"] > 0
    assert (said.summary["cache_hits"], said.summary["cache_misses"]) == (0, 2)


def test_the_second_run_reads_the_cache_and_says_the_same(verb: Verb, batch: Batch, models: list[str]) -> None:
    verb("refine", *batch.arguments, *models)
    first = batch.out.read_bytes()
    said = verb("refine", *batch.arguments, *models)
    assert (said.summary["cache_hits"], said.summary["cache_misses"]) == (2, 0)
    assert batch.out.read_bytes() == first


def test_encode_fills_the_cache_that_refine_reads(
    verb: Verb, batch: Batch, models: list[str], untrained: Path, tmp_path: Path
) -> None:
    cache = ["--cache", tmp_path / "features"]
    encoder = ["--encoder", untrained / "encoder.safetensors"]
    said = verb("encode", "--images", batch.images, *encoder, *cache)
    assert said.code == 0
    assert (said.summary["images"], said.summary["cache_misses"]) == (2, 2)
    assert verb("encode", "--images", batch.images, *encoder, *cache).summary["cache_hits"] == 2
    assert verb("refine", *batch.arguments, *models, *cache).summary["cache_hits"] == 2


def test_without_a_cache_nothing_is_kept(verb: Verb, batch: Batch, models: list[str], own_home: Path) -> None:
    said = verb("refine", *batch.arguments, *models, "--no-cache")
    assert said.code == 0
    assert (said.summary["cache_hits"], said.summary["cache_misses"]) == (0, 0)
    assert list(own_home.rglob("*.safetensors")) == []


def test_the_result_may_replace_its_source(verb: Verb, batch: Batch, models: list[str]) -> None:
    batch.out = batch.boxes
    assert verb("refine", *batch.arguments, *models).code == 0
    assert set(batch.refined()[1]) >= ADDED


@pytest.mark.slow
def test_hq_sam_refines_by_its_mask(
    verb: Verb, batch: Batch, hq_weights: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = own_home / "weights"
    weights.mkdir()
    (weights / "sam_hq_vit_tiny.pth").symlink_to(hq_weights)
    monkeypatch.setenv("BOXREFINE_WEIGHTS", str(weights))
    batch.document["images"] = batch.document["images"][:1]
    batch.document["annotations"] = batch.document["annotations"][:3]
    batch.write()
    said = verb("refine", *batch.arguments, "--encoder", "vit_tiny", "--device", "cpu", "--no-cache")
    assert said.summary["encoder"] == "vit_tiny"
    assert said.summary["boxes"] == 3


@pytest.mark.slow
def test_the_shipped_refiner_helps_on_the_sample_project(verb: Verb, batch: Batch) -> None:
    from core.sample_project import true_boxes

    verb("refine", *batch.arguments, "--device", "cpu", "--no-cache")
    true = {note.id: note.box for note in true_boxes().annotations}
    refined = {id: xyxy(note["bbox"]) for id, note in batch.refined().items()}
    drawn = {id: xyxy(batch.note(id)["bbox"]) for id in refined}
    before = iou([drawn[id] for id in refined], [true[id] for id in refined]).mean()
    after = iou(list(refined.values()), [true[id] for id in refined]).mean()
    assert after > before + 0.1


def xyxy(bbox: list[float]) -> Box:
    return Box(bbox[0], bbox[1], bbox[0] + bbox[2], bbox[1] + bbox[3])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_ctrl_c_under_the_bar_leaves_nothing_half_written(batch: Batch, models: list[str]) -> None:
    import fcntl
    import pty
    import struct
    import termios

    copies = [{**batch.document["images"][0], "id": 100 + n} for n in range(200)]
    batch.document["images"] += copies
    batch.document["annotations"] += [{**batch.note(1), "id": 100 + n, "image_id": 100 + n} for n in range(200)]
    batch.write()
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-m", "boxrefine_gui", "refine", *batch.arguments, *models, "--no-cache"]
    with subprocess.Popen(command, stderr=there, stdout=subprocess.PIPE) as process:
        seen = b""
        while b"coffee.png" not in seen:  # the bar: it has begun
            seen += os.read(here, 1024)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    os.close(there)
    os.close(here)
    assert process.returncode == 130
    assert out == b""
    assert sorted(path.name for path in batch.out.parent.iterdir()) == [batch.boxes.name, batch.images.name]


def test_small_boxes_of_a_large_picture_have_a_second_look(verb: Verb, batch: Batch, models: list[str]) -> None:
    image, note = batch.document["images"][0], batch.note(1)
    with Image.open(batch.images / image["file_name"]) as picture:
        size = (5 * picture.width, 5 * picture.height)
        picture.resize(size).save(batch.images / image["file_name"])
    image["width"], image["height"] = size
    note["bbox"] = [900, 700, 40, 30]
    batch.document["images"], batch.document["annotations"] = [image], [note, {**batch.note(2), "bbox": [0, 0, *size]}]
    batch.write()
    twice = verb("refine", *batch.arguments, *models).summary
    assert (twice["boxes"], twice["second_looks"], twice["cache_misses"]) == (2, 1, 2)
    once = verb("refine", *batch.arguments, *models, "--no-second-look").summary
    assert (once["boxes"], once["second_looks"], once["cache_hits"]) == (2, 0, 1)


def test_a_careful_refiner_leaves_boxes_nearer_to_what_was_drawn(verb: Verb, batch: Batch) -> None:
    batch.write()
    moved = []
    for more in ([], ["--careful"]):
        assert verb("refine", *batch.arguments, "--device", "cpu", *more).code == 0
        after = json.loads(batch.out.read_text("utf-8"))["annotations"]
        pairs = [(_corners(note["bbox"]), _corners(note["drawn_bbox"])) for note in after]
        moved.append(iou(*zip(*pairs, strict=True)))
    # A careful refiner takes the boxes as placed, so a box that is clearly off may get a slightly different answer.
    assert (moved[1] >= moved[0] - 0.02).all()
    assert moved[1].sum() > moved[0].sum()


@pytest.mark.parametrize(
    ("drawn", "clearly_off"), [("drag", 0.0), ("coarse", 0.0), ("placed", CLEARLY_OFF), ("auto", GUESSED_OFF)]
)
def test_the_summary_says_how_boxes_were_drawn(
    verb: Verb, batch: Batch, models: list[str], drawn: str, clearly_off: float
) -> None:
    said = verb("refine", *batch.arguments, *models, "--drawn", drawn).summary
    # The untrained refiner moves nothing far, so it takes the boxes for well placed ones.
    assert (said["drawn"], said["clearly_off"]) == ("placed" if drawn == "auto" else drawn, clearly_off)


def test_boxes_that_are_tight_already_stay_and_coarse_ones_move(verb: Verb, batch: Batch) -> None:
    from core.sample_project import true_boxes

    def after(*more: str) -> tuple[dict[str, object], Boxes]:
        said = verb("refine", *batch.arguments, "--device", "cpu", *more)
        boxes = [_corners(note["bbox"]) for note in json.loads(batch.out.read_text("utf-8"))["annotations"]]
        return said.summary, as_boxes(boxes)

    said, _ = after()
    assert said["drawn"] == "unknown"
    true = {note.id: note.box for note in true_boxes().annotations}
    for note in batch.document["annotations"]:
        x1, y1, x2, y2 = true[note["id"]]
        note["bbox"] = [x1, y1, x2 - x1, y2 - y1]
    batch.write()
    tight = as_boxes([true[note["id"]] for note in batch.document["annotations"]])
    said, kept = after()
    assert said["clearly_off"] > 0
    _, moved = after("--drawn", "coarse")
    assert iou(kept, tight).mean() > iou(moved, tight).mean()


def test_boxes_get_the_margins_of_a_project(verb: Verb, batch: Batch) -> None:
    batch.write()
    plain = verb("refine", *batch.arguments, "--device", "cpu")
    assert plain.summary["margins"] == {}
    tight = batch.refined()
    names = {category["id"]: category["name"] for category in batch.document["categories"]}
    project = batch.images / PROJECT_FILE_NAME
    with closing(ProjectStore.create(project)) as store:
        pictures = [(batch.images / image["file_name"], image) for image in batch.document["images"]]
        store.add_images([NewImage(path, image["width"], image["height"]) for path, image in pictures])
        category = store.add_category(names[batch.note(1)["category_id"]])
        for number in range(20):
            box = Box(100.0, 100.0, 150.0 + number, 200.0)
            wider = Box(box.x1 - 5, box.y1 - 5, box.x2 + 5, box.y2 + 5)
            made_by = {"encoder": tight[1]["encoder"], "refiner": tight[1]["refiner"]}
            store.accept(Correction(1, category.id, drawn=Box(0, 0, 300, 300), accepted=wider, refined=box, **made_by))
    said = verb("refine", *batch.arguments, "--device", "cpu", "--margins", project)
    assert said.code == 0
    (margin,) = said.summary["margins"].values()
    assert margin["unit"] == "pixels" and 3 < margin["left"] <= 5
    for id, note in batch.refined().items():
        has_margin = note["category_id"] == batch.note(1)["category_id"]
        assert ("margin" in note) == has_margin
        if has_margin:
            assert note["margin"] == pytest.approx(
                [margin[edge] for edge in ("left", "top", "right", "bottom")], abs=0.01
            )
        else:
            assert note["bbox"] == tight[id]["bbox"]
    assert verb("refine", *batch.arguments, "--margins", batch.images / "none.sqlite").code == 2


def _corners(bbox: list[float]) -> tuple[float, float, float, float]:
    x, y, width, height = bbox
    return x, y, x + width, y + height


@pytest.mark.parametrize("format", ["yolo", "voc", "labelme"])
def test_files_of_each_format_are_refined_and_written_in_it(
    format: str, verb: Verb, batch: Batch, models: list[str], tmp_path: Path
) -> None:
    given, out = tmp_path / "given", tmp_path / "refined"
    images = ("--images", batch.images)
    assert verb("convert", batch.boxes, "--to", format, "--out", given, *images).code == 0
    said = verb("refine", *images, "--boxes", given, "--out", out, *models)
    assert (said.code, said.summary["boxes"], said.summary["unrefined"]) == (0, 7, 0), said.sentences
    verb("refine", *batch.arguments, *models)
    verb("convert", out, "--to", "coco", "--out", tmp_path / "coco", *images)
    wanted = {tuple(note["bbox"]) for note in json.loads(batch.out.read_text("utf-8"))["annotations"]}
    found = json.loads((tmp_path / "coco" / "annotations.json").read_text("utf-8"))["annotations"]
    assert len(found) == 7
    for note in found:
        assert min(max(abs(a - b) for a, b in zip(note["bbox"], box, strict=True)) for box in wanted) < 3
    again = verb("refine", *images, "--boxes", given, "--out", out, *models)
    assert again.code == 2 and "--overwrite" in again.sentences[-1]


def test_a_coco_file_is_written_in_another_format_if_that_is_asked_for(
    verb: Verb, batch: Batch, models: list[str], tmp_path: Path
) -> None:
    arguments = ("--images", batch.images, "--boxes", batch.boxes, "--out", tmp_path / "out", "--to", "csv")
    said = verb("refine", *arguments, *models)
    assert (said.code, said.summary["boxes"]) == (0, 7), said.sentences
    assert len((tmp_path / "out" / "_annotations.csv").read_text("utf-8").splitlines()) == 8
