"""Importing COCO: pictures are found by their names, what cannot be used is told, our own export comes back whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadFileError
from core.formats.exporters import coco
from core.formats.importers.found import FoundBoxes
from core.formats.importers.json_steps import STEP, parse_steps
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import Category, Correction, Dataset, ImageRecord, Origin, Refinement
from tests.core.projects import CORRECTION

NOTE: dict[str, Any] = {"id": 1, "image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40]}
BOX = Box(10, 20, 40, 60)


def document(*names: str, notes: list[dict[str, Any]] | None = None, **image: int) -> dict[str, Any]:
    images = [{"id": number + 1, "file_name": name, **image} for number, name in enumerate(names)]
    categories = [{"id": 3, "name": "cat"}, {"id": 4, "name": " "}]
    return {"images": images, "annotations": [NOTE] if notes is None else notes, "categories": categories}


def find(tmp_path: Path, content: object, *names: str, width: int = 200, height: int = 150) -> FoundBoxes:
    """What a file has for pictures of these names."""
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(content), "utf-8")
    images = [ImageRecord(number + 7, tmp_path / name, width, height) for number, name in enumerate(names)]
    return run(find_boxes(path, images, folder=tmp_path))


def test_a_box_comes_with_its_category_and_where_it_is_from(tmp_path: Path) -> None:
    found = find(tmp_path, document("a.png", width=200, height=150), "a.png")
    (entry,) = found.boxes
    assert entry.category == "cat"
    assert entry.correction == Correction(
        7, 0, drawn=BOX, accepted=BOX, origin=Origin("boxes.json", BOX), confirmed=False
    )
    assert (found.missing, found.problems) == ([], [])


@pytest.mark.parametrize(
    "category", [{"category_id": 9}, {"category_id": 4}, {"category_id": None}, {"category_id": []}]
)
def test_a_box_of_a_category_without_a_name_is_an_object(tmp_path: Path, category: dict[str, Any]) -> None:
    found = find(tmp_path, document("a.png", notes=[NOTE | category]), "a.png")
    assert [entry.category for entry in found.boxes] == ["object"]


@pytest.mark.parametrize(
    "name",
    ["unter/a.png", "unter\\a.png", "./unter/a.png", "a.png", "train/a.png", "C:\\bilder\\A.PNG", "/elsewhere/a.png"],
)
def test_a_picture_is_found_by_its_path_or_else_by_its_last_part(tmp_path: Path, name: str) -> None:
    found = find(tmp_path, document(name), "unter/a.png", "b.png")
    assert [entry.correction.image_id for entry in found.boxes] == [7]


def test_the_whole_name_goes_before_the_last_part(tmp_path: Path) -> None:
    notes = [NOTE, NOTE | {"id": 2, "image_id": 2}]
    found = find(tmp_path, document("x/a.png", "y/a.png", notes=notes), "y/a.png")
    assert [entry.correction.image_id for entry in found.boxes] == [7]
    assert found.missing == ["x/a.png"]


def test_two_pictures_of_one_name_are_not_mixed_up(tmp_path: Path) -> None:
    found = find(tmp_path, document("a.png"), "x/a.png", "y/a.png")
    assert found.boxes == []
    (problem,) = found.problems
    assert "Several pictures may be the one of a.png" in problem


def test_pictures_that_are_not_there_are_named(tmp_path: Path) -> None:
    found = find(tmp_path, document("gone.png", "a.png", "lost.png"), "a.png")
    assert found.missing == ["gone.png", "lost.png"]
    assert found.boxes == []


def test_a_picture_of_another_size_keeps_its_boxes_out(tmp_path: Path) -> None:
    found = find(tmp_path, document("a.png", width=150, height=200), "a.png")
    assert found.boxes == []
    (problem,) = found.problems
    assert "200 x 150 pixels upright" in problem and "150 x 200" in problem


def test_a_box_over_the_border_is_cut_and_one_beyond_it_is_told(tmp_path: Path) -> None:
    notes = [NOTE | {"bbox": [180, -5, 50, 25]}, NOTE | {"id": 2, "bbox": [300, 20, 30, 40]}]
    found = find(tmp_path, document("a.png", notes=notes), "a.png")
    assert [entry.correction.accepted for entry in found.boxes] == [Box(180, 0, 200, 20)]
    (problem,) = found.problems
    assert "the annotation 2 lies wholly outside a.png" in problem


def test_bad_annotations_are_told_and_the_others_come(tmp_path: Path) -> None:
    notes = [NOTE | {"bbox": [1, 2, 0, 4]}, NOTE | {"id": 2}]
    found = find(tmp_path, document("a.png", notes=notes), "a.png")
    assert len(found.boxes) == len(found.problems) == 1


def test_what_export_has_written_comes_back_as_it_was(tmp_path: Path) -> None:
    plain = Correction(1, 2, drawn=BOX, accepted=BOX, id=2, confirmed=False)
    images = (ImageRecord(1, tmp_path / "a.png", 200, 150),)
    categories = (Category(1, "cat"), Category(2, "dog"))
    dataset = Dataset(images, categories, (CORRECTION, plain), folder=tmp_path)
    found = find(tmp_path, coco.document_of(dataset), "a.png")
    first, second = (entry.correction for entry in found.boxes)
    for name in ("drawn", "refined", "accepted", "edge_confidence", "score", "encoder", "refiner", "seconds"):
        assert getattr(first, name) == pytest.approx(getattr(CORRECTION, name), abs=0.001)
    assert (first.confirmed, second.confirmed) == (True, False)
    assert [entry.category for entry in found.boxes] == ["cat", "dog"]


def test_what_the_verb_refine_has_written_comes_with_what_was_drawn_and_by_whom_it_was_refined(tmp_path: Path) -> None:
    path = tmp_path / "coarse.json"
    path.write_text(json.dumps(document("a.png", notes=[NOTE, NOTE | {"id": 2, "bbox": [3, 4, 5, 6]}])), "utf-8")
    answer = Refinement(Box(12.5, 21.1, 199.9996, 58.3), (0.9, 0.8, 0.1, 0.7), 0.8)
    refined = coco.refined_document(coco.read_coco(path), {0: answer}, encoder="light-01", refiner="box-23")
    first, second = (entry.correction for entry in find(tmp_path, refined, "a.png").boxes)
    assert (first.drawn, first.refined) == (BOX, first.accepted)  # the file says that it is the refined one
    assert first.accepted == pytest.approx(answer.box, abs=0.001)
    assert (first.encoder, first.refiner, first.score) == ("light-01", "box-23", 0.8)
    assert (first.edge_confidence, first.confirmed, first.seconds) == ((0.9, 0.8, 0.1, 0.7), False, 0.0)
    assert (second.drawn, second.refined, second.confirmed) == (second.accepted, None, False)


def test_what_it_wrote_before_it_told_what_was_drawn_is_known_as_refined(tmp_path: Path) -> None:
    refined = {"refine_score": 0.8, "edge_confidence": [0.9, 0.8, 0.1, 0.7]}
    (entry,) = find(tmp_path, document("a.png", notes=[NOTE | refined]), "a.png").boxes
    assert entry.correction.proposal == BOX
    assert entry.correction.edge_confidence == (0.9, 0.8, 0.1, 0.7)
    assert entry.correction.score == 0.8


@pytest.mark.parametrize(
    "strange", ["no", [1, 2, 3], {}, True, 10**400], ids=["text", "list", "object", "truth", "huge"]
)
@pytest.mark.parametrize(
    "key",
    ["drawn_bbox", "refined_bbox", "refine_score", "seconds", "edge_confidence", "choice", "doubtful"],
)
def test_strange_fields_of_other_programs_do_no_harm(tmp_path: Path, key: str, strange: object) -> None:
    (entry,) = find(tmp_path, document("a.png", notes=[NOTE | {key: strange}]), "a.png").boxes
    assert entry.correction.accepted == BOX


CANDIDATE: dict[str, Any] = {"bbox": [10, 20, 30, 40], "probability": 0.5}


@pytest.mark.parametrize(
    "choice",
    [
        {"chosen": 0, "candidates": [CANDIDATE]},
        {"chosen": 2, "candidates": [CANDIDATE, CANDIDATE]},
        {"chosen": True, "candidates": [CANDIDATE, CANDIDATE]},
        {"candidates": [CANDIDATE, CANDIDATE]},
        {"chosen": 0, "candidates": [CANDIDATE, 7]},
        {"chosen": 0, "candidates": [CANDIDATE, CANDIDATE | {"bbox": [1, 1, 0, 9]}]},
        {"chosen": 0, "candidates": [CANDIDATE, CANDIDATE | {"probability": float("nan")}]},
    ],
)
def test_a_choice_that_is_none_is_left_out(tmp_path: Path, choice: object) -> None:
    refined = NOTE | {"drawn_bbox": [8, 18, 34, 44], "refined_bbox": [10, 20, 30, 40]}
    (entry,) = find(tmp_path, document("a.png", notes=[refined | {"choice": choice}]), "a.png").boxes
    assert (entry.correction.refined, entry.correction.choice) == (BOX, None)


def test_it_goes_on_in_steps_and_says_how_far_it_is(tmp_path: Path) -> None:
    notes = [NOTE | {"id": number, "bbox": [number % 100, 5, 20, 20]} for number in range(3 * STEP)]
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps(document("a.png", notes=notes)), "utf-8")
    told = [step.message for step in find_boxes(path, [], folder=tmp_path)]
    assert {"Reading boxes.json", "Checking the boxes of boxes.json", "Importing boxes.json"} <= set(told)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2',
        "[1",
        '{"a": 1,}',
        '{"a": [1,]}',
        '{"a" 1}',
        "{1: 2}",
        '{"a": 1} x',
        "",
        "{",
        '{"a": [1 2]}',
        "nope",
    ],
)
def test_what_is_no_json_is_refused_as_json_itself_does(text: str) -> None:
    with pytest.raises(ValueError):
        json.loads(text)
    with pytest.raises(ValueError):
        run(parse_steps(text, name="x"))


@pytest.mark.parametrize(
    "text", ["{}", "[1, 2]", '{"a": []}', ' {"a" : [ 1 , {"b": [2]} ] , "c":"d" } ', '{"a": {"b": []}}', "3"]
)
def test_json_is_read_as_json_itself_does(text: str) -> None:
    assert run(parse_steps(text, name="x")) == json.loads(text)


def test_a_file_that_is_no_coco_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match=r"boxes\.json is JSON of no known format \(a list\)"):
        find(tmp_path, [1, 2], "a.png")
