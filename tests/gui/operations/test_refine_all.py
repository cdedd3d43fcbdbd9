"""Refine all: in this image and in the folder, as proposals beside boxes that stay, in the background, cancellable."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, load_chosen_models
from boxrefine_gui.inference.refine_image import RefineImageRequest
from boxrefine_gui.operations import batch_refine, box_verbs
from boxrefine_gui.operations.job import LongJob
from boxrefine_gui.state.doing import Activity, ActivityKind, ModelsState
from core.cli import main
from core.errors import GpuError
from core.formats.exporters.coco import read_coco
from core.geometry import Box, iou
from core.images import read_size
from core.inference.guess_drawing import Moves
from core.records import Correction, ImageRecord, Refinement
from core.sample_project import drawn_boxes, sample_pictures
from core.settings import Settings
from tests.core.projects import title
from tests.gui.annotation_files import save_coco
from tests.gui.driving import ScriptedAsk, accept, click, close_to, drag, draw, settled, stored
from tests.gui.fakes import CONFIDENCE, FakeModels, inset
from tests.gui.operations.test_importing import FIRST, SECOND, bring, sentence

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier,
)  # fmt: skip


@pytest.fixture
def coarse(qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path) -> App:
    """A window with imported boxes: two on a.png, one on b.png, one on c.png."""
    boxes = {"a.png": [FIRST, SECOND], "b.png": [FIRST], "c.png": [SECOND]}
    bring(qtbot, app, ask, save_coco(tmp_path / "coarse.json", boxes))
    app.window.notices.sentence.clear()
    return app


def press(qtbot: QtBot, app: App, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window.canvas, key, modifiers)


def refine(qtbot: QtBot, app: App, modifiers: Qt.KeyboardModifier) -> str:
    """Press the keys, wait for the end, and give what was said of it."""
    press(qtbot, app, Qt.Key.Key_R, modifiers)
    over(qtbot, app)
    return sentence(app)


def over(qtbot: QtBot, app: App) -> None:
    qtbot.waitUntil(lambda: not app.window.jobs.rows and bool(sentence(app)))
    settled(qtbot, app)


def on(app: App, name: str) -> list[Correction]:
    """The stored boxes of a picture."""
    (image_id,) = (image.id for image in app.session.images if image.path.name == name)
    return [correction for correction in stored(app) if correction.image_id == image_id]


def test_in_this_image_every_box_gets_a_proposal_and_stays(qtbot: QtBot, coarse: App) -> None:
    said = refine(qtbot, coarse, SHIFT)
    assert said.startswith("2 refinements are proposed, and no box is changed yet; N goes to the next one")
    held = on(coarse, "a.png")
    assert [correction.accepted for correction in held] == [FIRST, SECOND]
    assert [correction.proposal for correction in held] == [inset(FIRST), inset(SECOND)]
    assert held[0].edge_confidence == CONFIDENCE
    assert held[0].encoder == "fake-0001"
    assert on(coarse, "b.png")[0].refined is None
    assert coarse.session.selected_id == held[0].id  # so that Return can follow at once


def test_it_is_one_step_to_undo(qtbot: QtBot, coarse: App) -> None:
    before = stored(coarse)
    refine(qtbot, coarse, SHIFT)
    press(qtbot, coarse, Qt.Key.Key_Z, CTRL)
    settled(qtbot, coarse)
    assert stored(coarse) == before


def test_in_the_folder_the_open_image_comes_first_and_undo_stays_with_the_hand(qtbot: QtBot, coarse: App) -> None:
    press(qtbot, coarse, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: coarse.session.row == 1)
    order = batch_refine.from_here_on(coarse.session, [image.id for image in coarse.session.images])
    assert [coarse.session.row_of(image_id) for image_id in order] == [1, 2, 0]
    said = refine(qtbot, coarse, CTRL | SHIFT)
    assert said.startswith("4 refinements are proposed on 3 images, and no box is changed yet")
    assert all(correction.proposal is not None for correction in stored(coarse))
    assert title(coarse.session.undo_steps[0]) == "Import 4 boxes from coarse.json"


def test_boxes_that_a_person_changed_or_refined_are_not_asked_about(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    drag(app.window.canvas, [(110, 20), (150, 60), (180, 90)], ALT)
    accept(qtbot, app)
    click(app.window.canvas, (150, 60))
    press(qtbot, app, Qt.Key.Key_Right)
    settled(qtbot, app)
    before = stored(app)
    assert refine(qtbot, app, SHIFT) == batch_refine.NOTHING_LEFT_HERE
    assert refine(qtbot, app, CTRL | SHIFT) == batch_refine.NOTHING_LEFT_IN_FOLDER
    assert stored(app) == before


def test_a_box_that_was_taken_as_drawn_gets_a_proposal_too(qtbot: QtBot, app: App) -> None:
    drag(app.window.canvas, [(20, 30), (60, 60), (100, 100)], ALT)
    accept(qtbot, app)
    refine(qtbot, app, SHIFT)
    (held,) = stored(app)
    assert close_to(held.accepted, FIRST)
    assert held.proposal is not None and close_to(held.proposal, inset(FIRST))


def test_a_box_moved_while_the_answer_is_on_its_way_stays_where_it_was_put(
    qtbot: QtBot, coarse: App, models: FakeModels
) -> None:
    models.refiner.gate.clear()
    press(qtbot, coarse, Qt.Key.Key_R, SHIFT)
    qtbot.waitUntil(lambda: coarse.session.activity == Activity(ActivityKind.REFINING, "a.png"))
    box_verbs.move(coarse.parts, {coarse.session.corrections[0].id: Box(1, 1, 50, 50)})
    settled(qtbot, coarse)
    models.refiner.gate.set()
    over(qtbot, coarse)
    first, second = on(coarse, "a.png")
    assert (first.accepted, first.refined, first.confirmed) == (Box(1, 1, 50, 50), None, True)
    assert second.proposal == inset(SECOND)


def test_cancelled_it_keeps_what_there_is_and_goes_on_from_there(qtbot: QtBot, coarse: App, models: FakeModels) -> None:
    models.refiner.gate.clear()
    press(qtbot, coarse, Qt.Key.Key_R, CTRL | SHIFT)
    (row,) = coarse.window.jobs.rows
    qtbot.waitUntil(lambda: row.words.text() == "Refining a.png")
    assert row.progress.text() == "0 of 3"
    press(qtbot, coarse, Qt.Key.Key_R, SHIFT)
    assert sentence(coarse) == batch_refine.UNDER_WAY
    qtbot.mouseClick(row.cancel_button, Qt.MouseButton.LeftButton)
    assert sentence(coarse) == "Refining was cancelled."
    assert coarse.window.focusWidget() is coarse.window.canvas
    models.refiner.gate.set()
    qtbot.waitUntil(lambda: coarse.encode.is_idle)
    settled(qtbot, coarse)
    assert not any(correction.refined for correction in stored(coarse))
    assert refine(qtbot, coarse, CTRL | SHIFT).startswith("4 refinements")


def test_a_picture_that_is_gone_or_another_one_is_told_and_the_others_are_refined(
    qtbot: QtBot, coarse: App, pictures: Path
) -> None:
    (pictures / "b.png").unlink()
    with Image.open(pictures / "c.png") as picture:
        turned = picture.transpose(Image.Transpose.ROTATE_90)
    turned.save(pictures / "c.png")
    said = refine(qtbot, coarse, CTRL | SHIFT)
    assert said.startswith("2 refinements are proposed on 1 image")
    assert "2 images cannot be refined, the first: The picture" in said and "b.png" in said
    assert on(coarse, "c.png")[0].refined is None


def test_a_refiner_that_fails_ends_it_and_is_reported(qtbot: QtBot, coarse: App, models: FakeModels) -> None:
    models.refiner.fault = GpuError("The GPU ran out of memory: the CPU goes on.")
    press(qtbot, coarse, Qt.Key.Key_R, CTRL | SHIFT)
    qtbot.waitUntil(lambda: "GPU ran out" in sentence(coarse))
    assert coarse.window.jobs.rows == []
    assert not any(correction.refined for correction in stored(coarse))


def test_without_a_model_it_says_so(qtbot: QtBot, coarse: App) -> None:
    coarse.session.set_models(None, ModelsState.LOADING)
    press(qtbot, coarse, Qt.Key.Key_R, CTRL | SHIFT)
    assert sentence(coarse) == box_verbs.NO_MODEL_YET
    assert coarse.window.jobs.rows == []


def test_another_project_ends_it(qtbot: QtBot, coarse: App, models: FakeModels, tmp_path: Path) -> None:
    from tests.gui.fakes import sample_like_pictures

    models.refiner.gate.clear()
    press(qtbot, coarse, Qt.Key.Key_R, CTRL | SHIFT)
    qtbot.waitUntil(lambda: coarse.session.activity == Activity(ActivityKind.REFINING, "a.png"))
    coarse.open(sample_like_pictures(tmp_path / "other", ("x.png",)))
    qtbot.waitUntil(lambda: len(coarse.session.images) == 1)
    assert coarse.window.jobs.rows == []
    models.refiner.gate.set()
    qtbot.waitUntil(lambda: coarse.session.features is not None)
    settled(qtbot, coarse)
    assert stored(coarse) == []


def test_how_long_it_takes_is_said_once_it_is_known(qtbot: QtBot, app: App) -> None:
    job = LongJob(app.session, title="Refining", watch=app.window.jobs.new)
    run = batch_refine._Run(job, undoable=False, total=10)
    run.left.extend(range(9))
    assert run.time_left == ""
    run.left.clear()
    run.left.extend(range(4))  # five are done, one is under way
    run.started -= 50
    assert run.time_left == "50 s"
    job.end()


def test_its_answers_are_those_of_the_verb_refine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = next(path for path in sample_pictures() if path.name == "coffee.png")
    coarse = drawn_boxes()
    (image_id,) = (id for id, image in coarse.images.items() if image.file_name == picture.name)
    drawn = [note.box for note in coarse.by_image()[image_id]]
    boxes, out = save_coco(tmp_path / "coarse.json", {picture.name: drawn}), tmp_path / "out.json"
    files = ["--images", str(picture.parent), "--boxes", str(boxes), "--out", str(out)]
    assert main(["refine", *files, "--exact"]) == 0  # else batches may be computed in bfloat16
    told = [note.box for note in read_coco(out).annotations]

    models = load_chosen_models(Settings())
    asked = [Correction(1, 1, drawn=box, accepted=box, id=place) for place, box in enumerate(drawn, start=1)]
    width, height = read_size(picture)
    answers = RefineImageRequest(models, ImageRecord(1, picture, width, height), asked, {1: "cup"})()
    models.close()
    for correction, box in zip(answers, told, strict=True):
        assert correction.refined == pytest.approx(box, abs=0.01)
        assert correction.accepted == correction.drawn


def test_boxes_of_earlier_images_show_how_boxes_were_drawn(tmp_path: Path) -> None:
    models = load_chosen_models(Settings())
    picture = next(path for path in sample_pictures() if path.name == "coffee.png")
    width, height = read_size(picture)
    record = ImageRecord(1, picture, width, height)
    drawn = next(iter(drawn_boxes().by_image().values()))
    asked = [Correction(1, 1, drawn=note.box, accepted=note.box, id=place) for place, note in enumerate(drawn, start=1)]
    tight = Moves()
    tight.add([Box(0, 0, 50, 50)] * 100, [Refinement(Box(0, 0, 50, 50), (1.0,) * 4, 1.0)] * 100)
    alone, after = (RefineImageRequest(models, record, asked, {1: "cup"}, moves=moves)() for moves in (Moves(), tight))
    models.close()

    def kept(answers: list[Correction]) -> float:
        return float(iou([answer.refined for answer in answers], [answer.drawn for answer in answers]).mean())

    assert kept(after) > kept(alone)
