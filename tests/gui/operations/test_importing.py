"""Ctrl+I: boxes of a COCO file come into the open project, visibly imported, once, and with a way back."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.canvas.hints import words_to_check
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from boxrefine_gui.operations import importing
from boxrefine_gui.operations.box_verbs import choose_settings
from boxrefine_gui.panels.image_row import ROW
from boxrefine_gui.state.doing import Scan, ScanKind
from boxrefine_gui.state.project_view import MANY_IMAGES
from core.formats import export
from core.formats.exporters.coco import read_coco, refined_document, write_json
from core.formats.importers.json_steps import STEP
from core.formats.importers.parsed import NO_CATEGORY
from core.geometry import Box
from core.progress import run
from core.records import Category, Changes, Correction, Dataset, ImportedBox, Refinement
from core.store import box_import
from core.store.project_store import ProjectStore
from tests.gui.annotation_files import save_coco
from tests.gui.driving import ScriptedAsk, accept, close_to, draw, ready, settled, stored
from tests.gui.fakes import sample_like_pictures

FIRST, SECOND = Box(20, 30, 100, 100), Box(110, 20, 180, 90)


def sentence(app: App) -> str:
    return app.window.notices.sentence.text()


def bring(qtbot: QtBot, app: App, ask: ScriptedAsk, path: Path) -> str:
    """Import a file by the menu, and what is said of it."""
    app.window.notices.sentence.clear()
    ask.answer = path
    app.window.action_by_id["import"].trigger()
    qtbot.waitUntil(lambda: bool(sentence(app)) and not app.window.jobs.rows)
    settled(qtbot, app)
    return sentence(app)


def test_the_boxes_are_in_the_pictures_and_say_where_they_come_from(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    path = save_coco(tmp_path / "coarse.json", {"a.png": [FIRST, SECOND], "c.png": [FIRST]})
    said = bring(qtbot, app, ask, path)
    assert said == "3 boxes on 2 images imported from coarse.json; N goes to the first one to check."
    assert [correction.accepted for correction in app.session.corrections] == [FIRST, SECOND]
    index = app.window.boxes.model().index(0, 0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "cup   80 × 70, to check"
    assert "from coarse.json; as it came" in index.data(Qt.ItemDataRole.ToolTipRole)
    images = app.window.images.model()
    assert [images.index(row, 0).data(ROW).to_check for row in range(3)] == [2, 0, 1]
    assert "2 boxes, 2 to check" in app.window.status.position.text()
    assert [category.name for category in app.session.categories] == ["cup"]


def test_a_box_that_was_refined_outside_says_by_what_and_is_one_box_to_say_yes_to(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    coarse = read_coco(save_coco(tmp_path / "coarse.json", {"a.png": [FIRST]}))
    answer = Refinement(Box(25, 35, 95, 95), (0.9, 0.9, 0.1, 0.9), 0.8)
    write_json(
        refined_document(coco=coarse, refinements={0: answer}, encoder="e", refiner="box-1"), tmp_path / "r.json"
    )
    bring(qtbot, app, ask, tmp_path / "r.json")
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_N)
    (held,) = app.session.corrections
    assert (held.drawn, held.accepted) == (FIRST, answer.box)
    tip = app.window.boxes.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "from r.json; refined by box-1, and not accepted yet" in tip
    assert "good as it is" in words_to_check(held, app.session) and "blue" not in words_to_check(held, app.session)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Return)
    settled(qtbot, app)
    (held,) = stored(app)
    assert held.confirmed and (held.drawn, held.refined, held.accepted) == (FIRST, answer.box, answer.box)


def test_one_undo_takes_all_of_it_back(qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    bring(qtbot, app, ask, save_coco(tmp_path / "coarse.json", {"a.png": [SECOND], "b.png": [FIRST]}))
    assert len(stored(app)) == 3
    assert app.window.action_by_id["undo"].text() == "&Undo: Import 2 boxes from coarse.json"
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settled(qtbot, app)
    assert len(stored(app)) == len(app.session.corrections) == 1
    assert app.session.to_check == {}


@pytest.mark.parametrize(("origin", "left"), [("by_file", 20), ("0", 21), ("1", 20)])
def test_the_first_pixel_of_voc_is_a_preference(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, origin: str, left: float
) -> None:
    choose_settings(app.parts, replace(app.session.settings, voc_origin=origin))
    edges = "<bndbox><xmin>21</xmin><ymin>31</ymin><xmax>100</xmax><ymax>100</ymax></bndbox>"
    path = tmp_path / "a.xml"
    path.write_text(f"<annotation><object><name>cup</name>{edges}</object></annotation>")
    bring(qtbot, app, ask, path)
    assert [correction.accepted for correction in app.session.corrections] == [Box(left, left + 10, 100, 100)]


def test_a_second_time_doubles_nothing(qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path) -> None:
    path = save_coco(tmp_path / "coarse.json", {"a.png": [FIRST, SECOND]})
    bring(qtbot, app, ask, path)
    said = bring(qtbot, app, ask, path)
    assert said == "No box of coarse.json was imported; 2 of its boxes were here already."
    assert len(stored(app)) == 2


def test_pictures_that_are_not_in_the_folder_are_counted_and_the_first_is_named(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    boxes = {"gone.png": [FIRST], "a.png": [FIRST], "lost.png": []}
    said = bring(qtbot, app, ask, save_coco(tmp_path / "coarse.json", boxes))
    assert said == (
        "1 box on 1 image imported from coarse.json; 2 of its pictures are not in this folder, the first is gone.png."
    )


def test_boxes_that_cannot_be_used_are_told_and_the_others_come(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    path = save_coco(tmp_path / "coarse.json", {"a.png": [FIRST, Box(500, 500, 600, 600)]})
    said = bring(qtbot, app, ask, path)
    assert said.startswith("1 box on 1 image imported from coarse.json; In ")
    assert "the annotation 1 lies wholly outside a.png" in said


@pytest.mark.parametrize("content", ["no json", "[1, 2]", None])
def test_a_file_that_cannot_be_read_is_told_and_changes_nothing(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "coarse.json"
    if content is not None:
        path.write_text(content)
    assert str(path) in bring(qtbot, app, ask, path)
    assert stored(app) == []


def test_a_file_that_is_dropped_on_the_window_is_imported(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(save_coco(tmp_path / "coarse.json", {"a.png": [FIRST]})))])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    app.window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers))
    qtbot.waitUntil(lambda: len(app.session.corrections) == 1)


def test_a_cancelled_import_leaves_the_project_as_it_was(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    many = [Box(n % 90, n % 70, n % 90 + 20, n % 70 + 20 + n / 1000) for n in range(5 * STEP)]
    ask.answer = save_coco(tmp_path / "coarse.json", {"a.png": many})
    app.window.action_by_id["import"].trigger()
    (row,) = app.window.jobs.rows
    qtbot.mouseClick(row.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "cancelled; the project is as it was" in sentence(app))
    assert app.window.jobs.rows == []
    assert app.session.scan is None
    assert stored(app) == []


def test_boxes_are_accepted_while_an_import_is_being_stored(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_import, "PART_S", 0)
    many = [Box(n % 90, n % 70, n % 90 + 20, n % 70 + 20 + n / 1000) for n in range(2 * STEP)]
    ask.answer = save_coco(tmp_path / "coarse.json", {"a.png": many})
    stored_then: list[int] = []
    whole = Correction(app.session.images[1].id, 0, FIRST, FIRST)

    def accept_one(project: ProjectStore) -> Changes:
        stored_then.append(project.counts().get(app.session.images[0].id, 0))
        return project.paste([ImportedBox("cup", whole)])[1]

    def accept_again(_: object = None) -> None:
        if app.window.jobs.rows:  # the first one may come before any part is stored
            app.parts.store.write(accept_one, on_done=accept_again)

    app.window.action_by_id["import"].trigger()
    qtbot.waitUntil(lambda: bool(app.parts.store._jobs))
    accept_again()
    qtbot.waitUntil(lambda: not app.window.jobs.rows, timeout=30_000)
    settled(qtbot, app)
    assert any(0 < count < len(many) for count in stored_then)
    assert len(stored(app)) >= len(many)


def test_a_box_is_stored_while_a_large_import_is_being_undone(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_import, "PART_S", 0)
    many = [Box(n % 90, n % 70, n % 90 + 20, n % 70 + 20 + n / 1000) for n in range(STEP)]
    ask.answer = save_coco(tmp_path / "coarse.json", {"a.png": many})
    app.window.action_by_id["import"].trigger()
    qtbot.waitUntil(lambda: len(stored(app)) == len(many), timeout=30_000)
    settled(qtbot, app)
    whole = ImportedBox("cup", Correction(app.session.images[1].id, 0, FIRST, FIRST))
    stored_then: list[int] = []

    def paste(project: ProjectStore) -> Changes:
        stored_then.append(project.counts().get(app.session.images[0].id, 0))
        return project.paste([whole])[1]

    app.window.action_by_id["undo"].trigger()
    app.parts.store.write(paste, on_done=app.session.apply)  # it comes after the first part of the undo
    settled(qtbot, app)
    assert 0 < stored_then[0] < len(many)
    assert [entry.image_id for entry in stored(app)] == [whole.correction.image_id]


def test_another_project_that_is_opened_during_an_import_ends_it_and_nothing_is_left(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_import, "PART_S", 0)
    many = [Box(n % 90, n % 70, n % 90 + 20, n % 70 + 20 + n / 1000) for n in range(2 * STEP)]
    ask.answer = save_coco(tmp_path / "coarse.json", {"a.png": many})
    before = app.session.project_path
    assert before is not None
    app.window.action_by_id["import"].trigger()
    qtbot.waitUntil(lambda: bool(app.parts.store._jobs))
    app.open(sample_like_pictures(tmp_path / "other", ("x.png",)))
    qtbot.waitUntil(lambda: not app.window.jobs.rows and app.session.project_path != before)
    with closing(ProjectStore.open(before)) as left:
        assert left.counts() == {}


def test_without_a_project_it_says_what_to_do_first(qtbot: QtBot, closed_app: App, tmp_path: Path) -> None:
    assert not closed_app.window.action_by_id["import"].isEnabled()
    path = save_coco(tmp_path / "coarse.json", {"a.png": [FIRST]})
    importing.import_boxes(closed_app.parts, path, watch=closed_app.window.jobs.new)
    assert sentence(closed_app) == importing.NO_PROJECT


def test_while_the_folder_is_still_being_read_it_waits_for_another_try(app: App, tmp_path: Path) -> None:
    app.session.set_scan(Scan(ScanKind.READING, done=3, total=100))
    path = save_coco(tmp_path / "coarse.json", {"a.png": [FIRST]})
    importing.import_boxes(app.parts, path, watch=app.window.jobs.new)
    assert sentence(app) == importing.STILL_READING
    app.session.set_scan(None)


def test_an_import_on_very_many_images_is_counted_on_each_and_undone_whole(
    qtbot: QtBot, closed_app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    app, names = closed_app, tuple(f"{number}.png" for number in range(MANY_IMAGES + 2))
    app.open(sample_like_pictures(tmp_path / "many", names))
    ready(qtbot, app)
    qtbot.waitUntil(lambda: len(app.session.images) == len(names) and not app.session.scan)
    said = bring(qtbot, app, ask, save_coco(tmp_path / "coarse.json", {name: [FIRST] for name in names}))
    assert said.startswith(f"{len(names)} boxes on {len(names)} images imported")
    assert sum(app.session.to_check.values()) == len(names)
    assert len(app.session.corrections) == 1
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settled(qtbot, app)
    assert app.session.corrections == ()
    assert app.session.to_check == {}


@pytest.mark.parametrize(("with_them", "count"), [(True, 2), (False, 1)])
def test_an_export_leaves_out_suggestions_that_nobody_has_accepted_unless_asked_for(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, with_them: bool, count: int
) -> None:
    draw(qtbot, app, FIRST)
    accept(qtbot, app)
    path = save_coco(tmp_path / "coarse.json", {"b.png": [SECOND]})
    document = json.loads(path.read_text("utf-8"))
    document["annotations"][0]["suggested"] = {"head": "h", "score": 0.5}
    path.write_text(json.dumps(document), "utf-8")
    bring(qtbot, app, ask, path)
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    assert "1 suggestion that nobody has accepted yet" in dialog.unchecked.text()
    assert not dialog.unchecked.isChecked()
    assert dialog.heading.text() == "Write 1 box as"
    dialog.unchecked.setChecked(with_them)
    assert dialog.heading.text() == ("Write 2 boxes as" if with_them else "Write 1 box as")
    dialog.folder.setText(str(tmp_path / "out"))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "written to" in sentence(app))
    assert ("1 suggestion that nobody has accepted yet is left out" in sentence(app)) is not with_them
    assert len(json.loads((tmp_path / "out" / "annotations.json").read_text("utf-8"))["annotations"]) == count


def test_labels_of_a_file_are_exported_as_they_came_before_the_user_has_seen_them(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    bring(qtbot, app, ask, save_coco(tmp_path / "coarse.json", {"b.png": [SECOND]}))
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    assert not dialog.unchecked.isVisible()
    assert dialog.heading.text() == "Write 1 box as"


def test_the_export_dialog_says_nothing_of_checking_where_there_is_nothing_to_check(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    assert not dialog.unchecked.isVisible()


def test_a_box_without_a_category_is_labelled_as_a_drawn_one_is() -> None:
    from boxrefine_gui.operations.box_verbs import FIRST_CATEGORY

    assert NO_CATEGORY == FIRST_CATEGORY


@pytest.mark.parametrize("format", ["yolo", "voc"])
def test_a_folder_of_another_format_comes_in_the_same_way(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, format: str
) -> None:
    images, category = tuple(app.session.images), Category(1, "cup")
    held = Correction(images[0].id, 1, drawn=FIRST, accepted=FIRST, id=1)
    assert app.session.project_path is not None
    folder = app.session.project_path.parent
    run(export(Dataset(images, (category,), (held,), folder=folder), format=format, out=tmp_path / "labels of others"))
    ask.answer = tmp_path / "labels of others"
    app.window.action_by_id["import_folder"].trigger()
    qtbot.waitUntil(lambda: len(app.session.corrections) == 1)
    assert close_to(app.session.corrections[0].accepted, FIRST)
    assert [category.name for category in app.session.categories] == ["cup"]
    assert sentence(app).startswith("1 box on 1 image imported from labels of others")
