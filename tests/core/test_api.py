"""The public functions of `core`: examples in docstrings, arrays that are checked, annotations and projects."""

from __future__ import annotations

import doctest
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

import core
from core import api
from core.api import Models
from core.geometry import Box
from core.records import Correction, NewImage
from core.refiner.learned_margins import LearnedMargins
from core.refiner.margins import PIXELS, Margin
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.labelled_sets import save_discs


@pytest.fixture(scope="module")
def models() -> Models:
    return core.load_models(device="cpu")


def test_importing_core_imports_neither_torch_nor_qt() -> None:
    code = "import sys, core; print([name for name in ('torch', 'PySide6', 'cv2', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", core.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(core, name) is not None
    assert name in dir(core)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'refine_all'"):
        core.__getattr__("refine_all")


@pytest.mark.parametrize("module", [core, api], ids=["core", "core.api"])
def test_the_examples_in_docstrings_are_true(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("pixels", "cure"),
    [
        (np.zeros((8, 8), np.uint8), "repeat its grey values"),
        (np.zeros((3, 8, 9), np.uint8), "put its channels last"),
        (np.zeros((8, 8, 4), np.uint8), "leave its alpha channel out"),
        (np.zeros((8, 8, 3), np.float32), "scale it to bytes"),
        (np.zeros((0, 8, 3), np.uint8), "give .height, width, 3. RGB"),
    ],
)
def test_pixels_of_another_kind_are_refused_with_the_cure(models: Models, pixels: np.ndarray, cure: str) -> None:
    with pytest.raises(core.BadInputError, match=cure):
        models.refine(pixels, [(0, 0, 4, 4)])


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ([(0, 0, np.nan, 4)], "Box 0 is not finite"),
        ([(0, 0, 4)], "Each box must be four numbers"),
        ("boxes", "Each box must be four numbers"),
    ],
)
def test_boxes_that_are_none_are_refused(models: Models, boxes: object, sentence: str) -> None:
    with pytest.raises(core.BadInputError, match=sentence):
        models.refine(np.zeros((8, 8, 3), np.uint8), boxes)  # type: ignore[arg-type]


def test_categories_are_one_for_each_box(models: Models) -> None:
    with pytest.raises(core.BadInputError, match="one category for each box: give 1, not 2"):
        models.refine(np.zeros((8, 8, 3), np.uint8), [(0, 0, 4, 4)], ["a", "b"])


def test_no_boxes_give_no_refinements(models: Models) -> None:
    assert models.refine(np.zeros((8, 8, 3), np.uint8), []) == []


def test_a_file_its_pixels_and_a_batch_give_the_same(models: Models, tmp_path: Path) -> None:
    pixels = np.full((90, 120, 3), 230, np.uint8)
    pixels[20:60, 30:80] = (20, 80, 160)
    path = tmp_path / "block.png"
    cv2.imwrite(str(path), pixels[..., ::-1])
    drawn = [(26, 16, 84, 66)]
    from_pixels = models.refine(pixels, drawn)
    assert models.refine(path, drawn) == from_pixels
    for _ in range(2):
        [batch] = models.refine_many([(path, drawn)], cache=tmp_path / "cache")
        assert np.allclose(batch[0].box, from_pixels[0].box, atol=0.05)
    assert any(path.stat().st_size > 1_000_000 for path in (tmp_path / "cache").rglob("*"))


def test_annotations_come_back_as_they_were_written(tmp_path: Path) -> None:
    labelled = save_discs(tmp_path, "discs") / "discs"
    folder, boxes = labelled / "images", labelled / "annotations.json"
    read = core.read_annotations(boxes, folder)
    assert read.dataset.corrections
    assert not read.problems and not read.missing
    written = core.write_annotations(read.dataset, tmp_path / "out", format="coco")
    again = core.read_annotations(written, folder)
    assert [entry.accepted for entry in again.dataset.corrections] == [
        entry.accepted for entry in read.dataset.corrections
    ]


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(core.BadFileError, match="holds no pictures"):
        core.read_annotations(tmp_path / "none.json", tmp_path)


def test_a_project_is_opened_to_be_read(tmp_path: Path) -> None:
    with pytest.raises(core.BadFileError), core.open_project(tmp_path / "none.sqlite"):
        pass


def test_boxes_are_matched_one_to_one() -> None:
    first = [(0, 0, 10, 10), (0, 0, 10, 8)]
    second = [(0, 0, 10, 9), (100, 100, 110, 110)]
    assert [pair[:2] for pair in core.match_boxes(first, second)] == [(0, 0)]
    assert core.match_boxes([], second) == []


def two_squares() -> np.ndarray:
    """White, with two dark squares that touch: a box around one can mean both."""
    pixels = np.full((300, 400, 3), 255, np.uint8)
    pixels[100:200, 100:200], pixels[100:200, 200:300] = 40, 120
    return pixels


def test_candidates_come_where_they_are_asked_for_and_the_first_is_the_answer(models: Models) -> None:
    boxes = [(95, 92, 215, 205), (90, 90, 310, 210)]
    plain, several = (models.refine(two_squares(), boxes, candidates=wanted) for wanted in (False, True))
    assert [answer.candidates for answer in plain] == [(), ()]
    assert [answer.box for answer in several] == [answer.box for answer in plain]
    for answer in several:
        assert isinstance(answer.candidates[0], core.Candidate) and answer.candidates[0].box == answer.box
        assert sum(candidate.probability for candidate in answer.candidates) == pytest.approx(1)


def test_candidates_of_many_pictures(models: Models, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "squares.png"), two_squares())
    [[answer]] = models.refine_many([(tmp_path / "squares.png", [(95, 92, 215, 205)])], candidates=True)
    assert answer.candidates[0].box == answer.box


def test_an_encoder_without_candidates_is_told_of() -> None:
    with pytest.raises(core.BadInputError, match="no candidates for the encoder"):
        core.load_models("light_1", "cpu").refine(two_squares(), [(95, 92, 215, 205)], candidates=True)


def test_candidates_have_the_margins_of_their_category(models: Models) -> None:
    encoder, refiner = models._encoder, models._refiner
    wide = Models(encoder, LearnedMargins(refiner, {"square": Margin(6, 6, 6, 6, PIXELS)}))
    drawn = [(95, 92, 215, 205)] * 2
    square, other = wide.refine(two_squares(), drawn, ["square", "round"], candidates=True, second_look=False)
    assert {candidate.margin for candidate in square.candidates[1:]} <= {(6.0, 6.0, 6.0, 6.0)}
    assert {candidate.margin for candidate in other.candidates} == {None}


def test_models_take_the_margins_of_a_project(models: Models, tmp_path: Path) -> None:
    encoder, refiner = models.identities
    pixels = np.full((240, 320, 3), 255, np.uint8)
    pixels[60:180, 80:240] = 0
    cv2.imwrite(str(tmp_path / "square.png"), pixels)
    with closing(ProjectStore.create(tmp_path / PROJECT_FILE_NAME)) as store:
        store.add_images([NewImage(tmp_path / "square.png", 320, 240)])
        square = store.add_category("square")
        tight, wide = Box(80.0, 60.0, 240.0, 180.0), Box(70.0, 50.0, 250.0, 190.0)
        one = Correction(1, square.id, Box(60, 55, 230, 190), wide, tight, encoder=encoder, refiner=refiner)
        store.accept_all([one] * 20)
    with core.open_project(tmp_path) as project:
        widened = models.with_margins_of(project)
    assert widened.identities == models.identities
    drawn = [(70, 52, 252, 188)] * 2
    (answer, other), (plain, _) = (found.refine(pixels, drawn, ["square", "round"]) for found in (widened, models))
    assert answer.margin is not None and other.margin is None
    assert other.box == pytest.approx(plain.box, abs=0.01)
    assert answer.box.width > plain.box.width + 3


def test_how_boxes_were_drawn_is_said_by_name(models: Models) -> None:
    image = np.full((60, 80, 3), 255, np.uint8)
    image[15:45, 20:60] = 0
    drawn = [(20, 15, 60, 45), (24, 18, 63, 49)]
    with pytest.raises(core.BadInputError, match="cannot be drawn as 'badly': use one of auto, drag, coarse, placed"):
        models.refine(image, drawn, drawn="badly")
    placed, coarse = (models.refine(image, drawn, drawn=name) for name in ("placed", "coarse"))
    assert [answer.box for answer in placed] != [answer.box for answer in coarse]
