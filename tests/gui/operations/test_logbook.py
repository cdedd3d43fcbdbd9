"""The window's log: what it holds, Show log, the end of it in a bug report, and a disk that hangs under it."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.ask import Ask
from boxrefine_gui.lanes.lane import QueueLane
from boxrefine_gui.operations import opening
from boxrefine_gui.operations.exporting import ExportChoice, export
from boxrefine_gui.operations.importing import import_boxes
from boxrefine_gui.state.doing import Activity, ActivityKind
from boxrefine_gui.widgets.bug_report import BugReport
from core import log
from core.errors import BadInputError, GpuError
from core.geometry import Box
from core.progress import Job, Progress
from tests.gui.driving import ScriptedAsk, accept, draw, ready, settled
from tests.gui.fakes import FakeModels, sample_like_pictures
from tests.gui.panels.test_teaching import SUMMARY, fill, says


@pytest.fixture(autouse=True)
def kept_log(own_home: Path) -> Iterator[None]:
    """A log around the window, as the program keeps one."""
    log.start()
    yield
    log.end()


@pytest.fixture
def logged(app: App) -> Callable[[], str]:
    """All lines so far."""

    def lines() -> str:
        log.end()
        log.start()
        return log.log_path().read_text("utf-8")

    return lines


def bug_of(app: App) -> BugReport:
    """The report of a bug that happens now."""
    try:
        raise ZeroDivisionError("a fault of ours")
    except ZeroDivisionError as error:
        app.session.report(error)
    dialog = app.window.findChild(BugReport)
    assert dialog is not None
    return dialog


def test_projects_are_in_it_by_path(qtbot: QtBot, app: App, logged: Callable[[], str], tmp_path: Path) -> None:
    first = app.session.project_path
    opening.open_path(app.parts, sample_like_pictures(tmp_path / "other"))
    qtbot.waitUntil(lambda: app.session.project_path != first)
    ready(qtbot, app)
    text = logged()
    assert text.count(f"project {first} is opened") == 1 and text.count(f"project {first} is closed") == 1
    assert f"project {app.session.project_path} is opened" in text


def test_models_are_in_it_when_they_change(
    qtbot: QtBot, app: App, models: FakeModels, logged: Callable[[], str]
) -> None:
    words = "encoder fake (fake-0001), refiner fake refiner (fake-refiner-0001), on CPU, fp32"
    app.session.set_models(app.session.models)
    assert logged().count(f"models: {words}") == 1
    app.session.report(GpuError("The GPU is lost: go on with the CPU."))
    assert "shown: The GPU is lost: go on with the CPU." in logged()


def test_an_error_that_is_shown_is_in_it_without_names_of_categories(app: App, logged: Callable[[], str]) -> None:
    app.session.report(BadInputError("There is a category “cup” already: choose another name."))
    assert "shown: There is a category “…” already: choose another name." in logged()


def test_a_session_of_work_puts_no_category_and_no_box_into_it(
    qtbot: QtBot, app: App, logged: Callable[[], str], tmp_path: Path
) -> None:
    app.window.categories.new_name.setText("teacup")
    app.window.categories.new_name.returnPressed.emit()
    qtbot.waitUntil(lambda: any(category.name == "teacup" for category in app.session.categories))
    draw(qtbot, app, Box(20, 20, 90, 80))
    accept(qtbot, app)
    export(app.parts, ExportChoice("coco", tmp_path / "out"), watch=app.window.jobs.new, ask=lambda *_: None)
    qtbot.waitUntil(lambda: "written" in app.window.notices.sentence.text())
    text = logged()
    assert "teacup" not in text
    assert f"export as coco to {tmp_path / 'out'}: starts" in text
    assert re.search(r"export as coco to \S+: is done after \d+\.\d s, boxes 1, images 1, left_out 0\n", text)


def test_an_import_is_in_it_with_its_end(qtbot: QtBot, app: App, logged: Callable[[], str], tmp_path: Path) -> None:
    document = {
        "images": [{"id": 1, "file_name": "a.png", "width": 200, "height": 150}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 50, 40]}],
        "categories": [{"id": 1, "name": "teacup"}],
    }
    good, bad = tmp_path / "boxes.json", tmp_path / "bad.json"
    good.write_text(json.dumps(document), "utf-8")
    bad.write_text("{", "utf-8")
    for path in (good, bad):
        app.window.notices.sentence.clear()
        import_boxes(app.parts, path, watch=app.window.jobs.new)
        qtbot.waitUntil(lambda: app.window.notices.sentence.text() != "")
        settled(qtbot, app)
    text = logged()
    assert re.search(r"import from \S+boxes\.json: is done after \S+ s, boxes 1, images 1, left_out 0\n", text)
    assert re.search(r"import from \S+bad\.json: has failed \(.*bad\.json", text)
    assert "teacup" not in text


def test_refining_all_is_in_it_with_its_counts(
    qtbot: QtBot, app: App, models: FakeModels, logged: Callable[[], str]
) -> None:
    fill(qtbot, app, boxes=2)
    app.refine_all.folder(watch=app.window.jobs.new)
    qtbot.waitUntil(lambda: app.window.notices.sentence.text() != "")
    assert re.search(r"refining all: is done after \S+ s, boxes \d+, images \d+, of \d+, left_out 0\n", logged())


@pytest.mark.parametrize(
    ("code", "told"),
    [(0, r"is done after \S+ s, iou_after 0\.9, iou_before 0\.8, promoted 1"), (2, r"has failed \(The disk is full")],
)
def test_teaching_is_in_it(
    qtbot: QtBot, app: App, logged: Callable[[], str], monkeypatch: pytest.MonkeyPatch, code: int, told: str
) -> None:
    fill(qtbot, app)
    says(monkeypatch, *([SUMMARY] if code == 0 else []), code=code, complaint="The disk is full: make room.")
    app.teaching.start()
    qtbot.waitUntil(lambda: not app.session.teaching.is_running)
    assert re.search(rf"teaching by 6 boxes of {app.session.project_path}: {told}", logged())


def test_a_download_is_in_it(qtbot: QtBot, app: App, logged: Callable[[], str], tmp_path: Path) -> None:
    path = tmp_path / "no.pth"
    path.write_bytes(b"no weights")
    app.models.add("vit_tiny", path)
    qtbot.waitUntil(lambda: not app.models.busy_with)
    assert re.search(rf"taking in weights of vit_tiny from {path}: has failed \(.+\) after", logged())


def test_what_fails_or_takes_long_on_a_lane_is_in_it(qtbot: QtBot, app: App, logged: Callable[[], str]) -> None:
    def slow() -> None:
        threading.Event().wait(log.SLOW_S + 0.1)

    def failing() -> Job[None]:
        yield Progress(0, 1)
        raise ValueError(f"bad value {name!r}")

    name, heard = "-".join(("tea", "cup")), list[object]()
    lane: QueueLane = app.files
    lane.run(slow, on_done=heard.append)
    lane.run(lambda: None, on_done=heard.append, activity=Activity(ActivityKind.PREPARING, "quick.png"))
    lane.run_steps(failing, on_done=heard.append)
    lane.run_steps(failing, on_error=heard.append)
    qtbot.waitUntil(lambda: len(heard) == 3)
    text = logged()
    assert re.search(r"lane-files \S+: files lane: \S*slow took 1\.\d s\n", text)
    assert ".<locals>.failing has failed after 0.0 s (ValueError: bad value '…')" in text
    assert "preparing quick.png" not in text and name not in text


def test_a_bug_has_its_traceback_in_it(app: App, logged: Callable[[], str]) -> None:
    bug_of(app).close()
    text = logged()
    assert "ERROR" in text and "a bug\n    Traceback (most recent call last):" in text
    assert "    ZeroDivisionError: a fault of ours" in text


def test_the_report_of_a_bug_has_the_models_and_the_end_of_the_log(app: App) -> None:
    for number in range(100):
        app.session.report(BadInputError(f"Line {number}: choose another."))
    dialog = bug_of(app)
    text = dialog.report.toPlainText()
    assert "Models: encoder fake (fake-0001), refiner fake refiner (fake-refiner-0001), on CPU, fp32" in text
    assert f"The end of the log {log.log_path()}:" in text
    end = text.split(f"{log.log_path()}:\n")[1].splitlines()
    assert len(end) == log.LAST_LINES and "Line 99: choose another." in "\n".join(end) and "Line 9:" not in text
    dialog.close()


def test_a_fault_that_comes_again_is_not_told_again_and_another_one_is(app: App) -> None:
    error = ZeroDivisionError("a fault of ours")
    app.session.report(error)
    app.session.report(error)
    app.session.report(KeyError("another one"))
    dialog = app.window.findChild(BugReport)
    assert dialog is not None
    faults = dialog.report.toPlainText().split("The end of the log")[0]
    assert faults.count("ZeroDivisionError: a fault of ours") == 1 and faults.count("KeyError: 'another one'") == 1
    dialog.close()


# Show log


def show_log(qtbot: QtBot, app: App, ask: ScriptedAsk) -> Path:
    app.window.action_by_id["show_log"].trigger()
    qtbot.waitUntil(lambda: bool(ask.shown))
    return ask.shown[-1]


def test_show_log_opens_the_file(qtbot: QtBot, app: App, ask: ScriptedAsk, logged: Callable[[], str]) -> None:
    logged()
    assert show_log(qtbot, app, ask) == log.log_path()


def test_show_log_opens_the_folder_where_there_is_no_file(qtbot: QtBot, app: App, ask: ScriptedAsk) -> None:
    log.end()
    for path in log.log_path().parent.iterdir():
        path.unlink()
    assert show_log(qtbot, app, ask) == log.log_path().parent


def test_where_there_is_neither_a_sentence_says_so(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOXREFINE_LOG", str(tmp_path / "none"))
    app.window.action_by_id["show_log"].trigger()
    qtbot.waitUntil(lambda: "could not be written" in app.window.notices.sentence.text())
    assert "BOXREFINE_LOG" in app.window.notices.sentence.text() and ask.shown == []


def test_where_no_program_shows_it_the_path_is_told(
    qtbot: QtBot, app: App, ask: ScriptedAsk, logged: Callable[[], str]
) -> None:
    logged()
    ask.can_show = False
    show_log(qtbot, app, ask)
    assert str(log.log_path()) in app.window.notices.sentence.text()


def test_what_is_shown_is_a_file_of_this_computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: bool(opened.append(url)) or True)
    path = tmp_path / "http:#odd?.log"
    assert Ask().show(path)
    assert opened[0].isLocalFile() and opened[0].toLocalFile() == str(path)


# A disk that hangs


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_disk_that_hangs_does_not_hold_the_gui_thread(
    qtbot: QtBot, closed_app: App, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.end()
    monkeypatch.setenv("BOXREFINE_LOG", str(tmp_path))
    os.mkfifo(log.log_path())  # nobody reads it: opening it waits without end
    log.start()
    closed_app.open(pictures)
    ready(qtbot, closed_app)
    begun = time.monotonic()
    for number in range(200):
        closed_app.session.report(BadInputError(f"Line {number}: choose another."))
    draw(qtbot, closed_app, Box(20, 20, 90, 80))
    accept(qtbot, closed_app)
    assert time.monotonic() - begun < 10
    dialog = bug_of(closed_app)
    assert "Line 199: choose another." in dialog.report.toPlainText()
    dialog.close()
    reader = os.open(log.log_path(), os.O_RDONLY | os.O_NONBLOCK)  # the disk is back, so that the thread ends
    try:
        assert log.end()
    finally:
        os.close(reader)
