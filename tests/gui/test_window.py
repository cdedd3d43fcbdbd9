"""Opening, stepping, bad pictures, exporting, notices, settings, and closing the real window."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QListView, QPushButton, QTextBrowser
from pytestqt.qtbot import QtBot

from boxrefine_gui.actions.model_menu import REFINE_BY_TITLES
from boxrefine_gui.actions.table import shortcut_help
from boxrefine_gui.app import App
from boxrefine_gui.dialogs.export_dialog import ExportDialog
from boxrefine_gui.operations import opening
from boxrefine_gui.panels.image_row import ROW
from boxrefine_gui.state.doing import ScanKind
from boxrefine_gui.widgets import theme
from boxrefine_gui.widgets.bug_report import BugReport
from core.errors import BadWeightsError
from core.formats import EXPORTERS
from core.geometry import Box
from core.records import Correction
from core.settings import load_settings, settings_path
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.gui.driving import ScriptedAsk, accept, draw, ready, settled, stored
from tests.gui.fakes import FakeModels, sample_like_pictures


def names(app: App) -> list[str]:
    model = app.window.images.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_opening_a_folder_makes_its_project_and_shows_the_first_picture(app: App, pictures: Path) -> None:
    assert (pictures / PROJECT_FILE_NAME).exists()
    assert names(app) == ["a.png", "b.png", "c.png"]
    assert app.session.image is not None and app.session.image.path.name == "a.png"
    assert "a.png" in app.window.windowTitle()
    assert load_settings(settings_path()).recent == (str(pictures),)


def test_a_new_picture_in_the_folder_joins_when_it_is_opened_again(qtbot: QtBot, app: App, pictures: Path) -> None:
    shutil.copy(pictures / "a.png", pictures / "d.png")
    opening.open_path(app.parts, pictures)
    qtbot.waitUntil(lambda: len(names(app)) == 4)


def test_a_folder_that_is_opened_again_is_where_it_was_left(
    qtbot: QtBot, app: App, pictures: Path, tmp_path: Path
) -> None:
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_D)
    assert app.session.image is not None and app.session.image.path.name == "b.png"
    app.open(sample_like_pictures(tmp_path / "other"))
    qtbot.waitUntil(lambda: app.session.image is not None and app.session.image.path.parent.name == "other")
    app.open(pictures)
    qtbot.waitUntil(lambda: app.session.image is not None and app.session.image.path == pictures / "b.png")
    ready(qtbot, app)


def test_a_project_file_can_be_opened(qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    ProjectStore.create(path).close()
    ask.answer = path
    app.window.action_by_id["open_project"].trigger()
    qtbot.waitUntil(lambda: app.session.project_path == path)
    assert names(app) == []
    assert app.session.image is None


def test_a_folder_dropped_on_the_window_is_opened(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    other = sample_like_pictures(tmp_path / "other", ("x.png",))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(other))])
    window = app.window
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, modifiers))
    qtbot.waitUntil(lambda: names(app) == ["x.png"])


def test_a_picture_file_opens_its_folder_with_itself_in_view(qtbot: QtBot, closed_app: App, pictures: Path) -> None:
    closed_app.open(pictures / "b.png")
    ready(qtbot, closed_app)
    assert closed_app.session.row == 1


def test_recent_projects_are_in_the_menu(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    other = sample_like_pictures(tmp_path / "other", ("x.png",))
    opening.open_path(app.parts, other)
    qtbot.waitUntil(lambda: names(app) == ["x.png"])
    assert [Path(entry).name for entry in app.session.settings.recent] == ["other", "pictures"]


@pytest.mark.parametrize("fault", ["missing", "empty", "no_project", "newer"])
def test_what_cannot_be_opened_is_told_and_leaves_the_open_project(
    qtbot: QtBot, app: App, tmp_path: Path, fault: str
) -> None:
    path = tmp_path / fault
    if fault == "empty":
        path.mkdir()
    if fault in ("no_project", "newer"):
        path = path.with_suffix(".sqlite")
        path.write_bytes(b"no project at all" * 100)
    opening.open_path(app.parts, path)
    qtbot.waitUntil(lambda: str(path) in app.window.notices.sentence.text())
    assert app.window.notices.sentence.isVisible()
    assert names(app) == ["a.png", "b.png", "c.png"]


def test_pictures_that_cannot_be_read_are_marked_and_the_rest_goes_on(
    qtbot: QtBot, closed_app: App, pictures: Path
) -> None:
    (pictures / "text.png").write_text("no picture")
    (pictures / "b.png").unlink()
    sample_like_pictures(pictures, ("b.jpg",))
    whole = (pictures / "b.jpg").read_bytes()
    (pictures / "b.jpg").write_bytes(whole[: len(whole) // 2])
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    qtbot.waitUntil(lambda: names(closed_app) == ["a.png", "b.jpg", "c.png", "text.png"])
    model = closed_app.window.images.model()
    assert "text.png" in model.index(3, 0).data(ROW).problem
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: bool(model.index(1, 0).data(ROW).problem))
    assert closed_app.session.picture is None
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_D)
    ready(qtbot, closed_app)
    draw(qtbot, closed_app, Box(10, 10, 90, 90))
    accept(qtbot, closed_app)
    assert len(stored(closed_app)) == 1


def test_stepping_goes_through_the_images_and_stops_at_the_ends(qtbot: QtBot, app: App) -> None:
    rows = []
    for key in (Qt.Key.Key_A, Qt.Key.Key_D, Qt.Key.Key_PageDown, Qt.Key.Key_D, Qt.Key.Key_PageUp):
        qtbot.keyClick(app.window.canvas, key)
        rows.append(app.session.row)
    assert rows == [0, 1, 2, 2, 1]
    assert app.window.images.currentIndex().row() == 1


def test_a_click_on_a_row_opens_the_image_and_the_list_keeps_the_keyboard(qtbot: QtBot, app: App) -> None:
    view = app.window.images
    at = view.visualRect(view.model().index(2, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    qtbot.waitUntil(lambda: app.session.row == 2)
    assert app.window.focusWidget() is view
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert app.window.focusWidget() is app.window.canvas


def test_the_neighbours_features_are_made_ahead(qtbot: QtBot, app: App, models: FakeModels) -> None:
    qtbot.waitUntil(lambda: models.encoder.calls == 3)


def test_the_boxes_of_an_image_are_counted_in_the_list(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    assert app.window.images.model().index(0, 0).data(ROW).count == 1


def test_thumbnails_are_read_for_the_rows_in_view_alone(qtbot: QtBot, closed_app: App, tmp_path: Path) -> None:
    many = tmp_path / "many"
    sample_like_pictures(many, ("000.png",))
    for number in range(1, 120):
        shutil.copy(many / "000.png", many / f"{number:03}.png")
    closed_app.open(many)
    qtbot.waitUntil(lambda: len(names(closed_app)) == 120)
    ready(qtbot, closed_app)
    qtbot.waitUntil(lambda: closed_app.thumbnails.is_idle)
    assert 3 < closed_app.window.images.thumbnails_read < 40


@pytest.mark.parametrize("format", list(EXPORTERS))
def test_exporting_writes_the_files_and_says_so(qtbot: QtBot, app: App, tmp_path: Path, format: str) -> None:
    draw(qtbot, app, Box(10, 10, 90, 90))
    accept(qtbot, app)
    out = tmp_path / "out"
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    next(button for button, name in dialog.names.items() if name == format).setChecked(True)
    dialog.folder.setText(str(out))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "1 box on 1 image written" in app.window.notices.sentence.text())
    assert any(out.iterdir())
    if format == "coco":
        document = json.loads(next(out.glob("*.json")).read_text("utf-8"))
        assert len(document["annotations"]) == 1
    app.window.action_by_id["export"].trigger()
    again = app.window.findChild(ExportDialog)
    assert again is not None
    assert next(name for button, name in again.names.items() if button.isChecked()) == format
    assert again.outlines.isEnabled() == (format == "coco")
    qtbot.waitUntil(lambda: load_settings(settings_path()).export_format == format or format == "coco")
    again.reject()


def test_an_export_that_fails_is_told(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    dialog.folder.setText(str(blocked / "out"))
    qtbot.mouseClick(dialog.export_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: str(blocked) in app.window.notices.sentence.text())
    assert app.window.jobs.rows == []


def test_the_export_dialog_offers_every_format_and_outlines_where_it_holds_some(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["export"].trigger()
    dialog = app.window.findChild(ExportDialog)
    assert dialog is not None
    assert list(dialog.names.values()) == list(EXPORTERS)
    for button, name in dialog.names.items():
        button.setChecked(True)
        assert dialog.outlines.isEnabled() is EXPORTERS[name].holds_outlines
    dialog.reject()


def test_a_bug_is_a_report_to_copy(qtbot: QtBot, app: App) -> None:
    try:
        raise ZeroDivisionError("a fault of ours")
    except ZeroDivisionError as error:
        app.session.report(error)
    dialog = app.window.findChild(BugReport)
    assert dialog is not None and dialog.isVisible()
    dialog.copy()
    assert "ZeroDivisionError: a fault of ours" in QApplication.clipboard().text()
    dialog.close()


def test_settings_that_cannot_be_read_are_told_and_the_window_opens(
    qtbot: QtBot, own_home: Path, models: FakeModels
) -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text("this is = not toml = at all")
    from boxrefine_gui.app import build
    from tests.gui.conftest import end

    app = build(load_models=models, ask=ScriptedAsk())
    assert str(settings_path()) in app.window.notices.sentence.text()
    end(app)


def test_the_choice_of_auto_accept_is_kept(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["auto_accept"].trigger()
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).auto_accept


def test_closing_waits_until_everything_accepted_is_stored(
    qtbot: QtBot, app: App, models: FakeModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, original = threading.Event(), ProjectStore.accept

    def slow(self: ProjectStore, correction: Correction, drawn: str, was_kept: bool) -> object:
        assert gate.wait(10)
        return original(self, correction, drawn, was_kept)

    monkeypatch.setattr(ProjectStore, "accept", slow)
    draw(qtbot, app, Box(10, 10, 90, 90))
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Return)
    app.window.close()
    assert app.window.isVisible()
    gate.set()
    qtbot.waitUntil(lambda: not app.window.isVisible())
    assert len(stored(app)) == 1


def test_closing_stores_what_still_waits_for_its_refinement(
    qtbot: QtBot, closed_app: App, models: FakeModels, pictures: Path
) -> None:
    from tests.gui.driving import drag

    models.encoder.gate.clear()
    closed_app.open(pictures)
    qtbot.waitUntil(lambda: closed_app.session.picture is not None and closed_app.session.models is not None)
    drag(closed_app.window.canvas, [(20, 30), (70, 70), (120, 110)])
    qtbot.keyClick(closed_app.window.canvas, Qt.Key.Key_Return)
    closed_app.window.close()
    qtbot.waitUntil(lambda: not closed_app.window.isVisible())
    assert len(stored(closed_app)) == 1


def test_the_shortcut_help_knows_every_key(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["shortcuts"].trigger()
    text = app.window.findChild(QTextBrowser).toPlainText()
    for rows in shortcut_help(app.window.rows).values():
        for keys, meaning in rows:
            assert keys in text
            assert meaning in text


def test_what_is_not_text_has_an_accessible_name(app: App) -> None:
    window = app.window
    for widget in (window.canvas, window.images, window.boxes, window.categories.view, window.categories.new_name):
        assert widget.accessibleName()
    for kind in (QListView, QLineEdit):
        for widget in window.findChildren(kind):
            assert widget.accessibleName(), widget
    for button in window.findChildren(QPushButton):
        assert button.accessibleName() or button.text()


def test_the_status_bar_says_with_what_and_where(qtbot: QtBot, app: App) -> None:
    status = app.window.status
    texts = [label.text() for label in status.findChildren(QLabel)]
    qtbot.waitUntil(lambda: status.activity.text() == "draw a box around an object")
    assert any("fake encoder" in text for text in texts)
    assert "CPU, fp32" in texts
    assert status.position.text().startswith("1 of 3")


def test_dark_and_light_recolour_the_window(qtbot: QtBot, app: App) -> None:
    app.window.action_by_id["theme_dark"].trigger()
    assert theme.is_dark()
    qtbot.waitUntil(lambda: app.files.is_idle)
    app.window.action_by_id["theme_light"].trigger()
    assert not theme.is_dark()
    qtbot.waitUntil(lambda: app.files.is_idle)


def test_a_write_asked_for_in_the_project_before_does_not_reach_the_next(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    other = tmp_path / "other.sqlite"
    ProjectStore.create(other).close()
    draw(qtbot, app, Box(10, 10, 90, 90))
    opening.open_project(app.parts, other)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.session.project_path == other)
    settled(qtbot, app)
    assert stored(app) == []
    assert "opened meanwhile" in app.window.notices.sentence.text()


def test_another_encoder_is_taken_when_it_is_loaded(qtbot: QtBot, app: App, models: FakeModels) -> None:
    closed: list[str] = []
    models.on_close = lambda: closed.append("closed")
    app.window.action_by_id["encoder_vit_tiny"].trigger()
    qtbot.waitUntil(lambda: app.session.settings.encoder == "vit_tiny" and app.session.features is not None)
    qtbot.waitUntil(lambda: closed == ["closed"])
    draw(qtbot, app, Box(10, 10, 90, 90))
    qtbot.waitUntil(lambda: app.files.is_idle)
    assert load_settings(settings_path()).encoder == "vit_tiny"


def test_an_encoder_without_weights_is_told_and_the_one_at_hand_stays(
    qtbot: QtBot, app: App, models: FakeModels
) -> None:
    models.fault = BadWeightsError("The weights of vit_h are not here: fetch them.")
    app.window.action_by_id["encoder_vit_h"].trigger()
    qtbot.waitUntil(lambda: "weights of vit_h" in app.window.notices.sentence.text())
    assert app.session.settings.encoder == "light"
    assert not app.window.action_by_id["encoder_vit_h"].isChecked()
    draw(qtbot, app, Box(10, 10, 90, 90))


def test_the_model_menu_offers_every_encoder_and_way_to_refine(app: App) -> None:
    from core.encoders.catalogue import ENCODERS
    from core.refiner.checkpoint import REFINE_BY

    assert set(REFINE_BY_TITLES) == set(REFINE_BY)
    ids = {f"encoder_{name}" for name in ENCODERS} | {f"refine_by_{name}" for name in REFINE_BY}
    assert ids <= set(app.window.action_by_id)


def test_of_encoders_ways_to_refine_and_colours_one_each_is_marked(app: App) -> None:
    actions = app.window.action_by_id
    for kind in ("encoder_", "refine_by_", "theme_", "language_"):
        group = [action for id, action in actions.items() if id.startswith(kind) and id != "encoder_folder"]
        assert sum(action.isChecked() for action in group) == 1
        assert all(action.actionGroup() is not None for action in group)


def test_another_folder_opened_while_one_is_read_is_no_fault(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    many = sample_like_pictures(tmp_path / "many", tuple(f"{number}.png" for number in range(200)))
    other = sample_like_pictures(tmp_path / "other", ("x.png",))
    opening.open_path(app.parts, many)
    qtbot.waitUntil(lambda: app.session.scan is not None and app.session.scan.kind is ScanKind.READING)
    opening.open_path(app.parts, other)
    qtbot.waitUntil(lambda: names(app) == ["x.png"])
    qtbot.waitUntil(lambda: app.store.is_idle and app.files.is_idle)
    assert not app.window.notices.sentence.isVisible()
