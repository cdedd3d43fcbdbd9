"""Names that look like HTML are shown as they are, wherever the window shows them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QAction
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.ask_to_replace import ask_to_replace
from boxrefine_gui.dialogs.category_questions import CategoryQuestions
from boxrefine_gui.dialogs.question import Question
from boxrefine_gui.operations.box_verbs import add_category, choose_settings
from boxrefine_gui.operations.exporting import ExportChoice
from boxrefine_gui.operations.importing import import_boxes
from boxrefine_gui.panels.image_list import ImageList
from boxrefine_gui.state.doing import Activity, ActivityKind, Scan, ScanKind
from boxrefine_gui.widgets.plain_text import OwnWords, PlainLabel, menu_text, set_title, tooltip, without_mnemonic
from core.errors import BadFileError
from core.geometry import Box
from core.records import RefinerRecord, VerdictKind
from tests.core.hostile_pictures import saved
from tests.gui.annotation_files import save_coco
from tests.gui.driving import accept, draw, ready, settled
from tests.gui.panels.test_folder_watch import over

HOSTILE = "<img src=x>&b[*]"
CATEGORY = "<img src='file:///dev/zero'>&c"


def parts_of(widget: QWidget) -> Iterator[QWidget]:
    yield widget
    yield from widget.findChildren(QWidget)


def tooltips(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[str]:
    """The tooltips of all rows."""
    for row in range(model.rowCount(parent)):
        for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)):
            index = model.index(row, column, parent)
            yield str(model.data(index, Qt.ItemDataRole.ToolTipRole) or "")
            if not isinstance(model, QAbstractListModel) and model.hasChildren(index):
                yield from tooltips(model, index)


def loads_something(text: str) -> bool:
    """Whether Qt would take this for HTML, and find a tag of ours in it."""
    return GuiQt.mightBeRichText(text) and "<img" in text


def faults() -> list[str]:
    """What would be taken for HTML or for a mark of Qt's, of all windows that are there."""
    found = []
    for window in QApplication.topLevelWidgets():
        if "[*]" in window.windowTitle().replace("[*][*]", ""):
            found.append(f"title {window.windowTitle()}")
        for widget in parts_of(window):
            name = f"{type(widget).__name__} {widget.objectName()} {widget.accessibleName()}"
            if isinstance(widget, QLabel) and not isinstance(widget, OwnWords):
                is_plain = widget.textFormat() == Qt.TextFormat.PlainText
                if not is_plain and (widget.text() or widget.textFormat() != Qt.TextFormat.AutoText):
                    found.append(f"label {name}: {widget.text()}")
            if loads_something(widget.toolTip()):
                found.append(f"tooltip of {name}: {widget.toolTip()}")
            if isinstance(widget, QAbstractItemView) and widget.model() is not None:
                tips = tooltips(widget.model(), QModelIndex())
                found += [f"tooltip in {name}: {tip}" for tip in tips if loads_something(tip)]
        for action in window.findChildren(QAction):
            text = action.text()
            if loads_something(action.toolTip()):
                found.append(f"tooltip of the action {text}: {action.toolTip()}")
            if "<img" in text and "&" in text.split("<img", 1)[1].replace("&&", ""):
                found.append(f"action {text}")
    return found


def shown_texts() -> str:
    """All that labels and actions say, to be sure that the hostile names came so far."""
    texts = []
    for window in QApplication.topLevelWidgets():
        texts += [label.text() for label in window.findChildren(QLabel)]
        texts += [action.text() for action in window.findChildren(QAction)]
    return "\n".join(texts)


@pytest.fixture
def hostile(qtbot: QtBot, closed_app: App, tmp_path: Path) -> App:
    """A window on a folder, with a picture and a category of such names, and a box."""
    folder = tmp_path / HOSTILE
    folder.mkdir()
    for name in (f"{HOSTILE}.png", "<b>b.png", "c.png"):
        (folder / name).write_bytes(saved("PNG", size=(200, 150)))
    (folder / f"{HOSTILE}2.png").write_bytes(b"none")
    if sys.platform == "linux":
        (folder / "<img src=y>\udcff\n.png").write_bytes(saved("PNG", size=(200, 150)))
    closed_app.open(folder)
    ready(qtbot, closed_app)
    over(qtbot, closed_app)
    for name in (CATEGORY, "other"):
        add_category(closed_app.parts, name)
    qtbot.waitUntil(lambda: len(closed_app.session.categories) == 2)
    closed_app.session.choose_category(next(e.id for e in closed_app.session.categories if e.name == CATEGORY))
    draw(qtbot, closed_app, Box(40, 60, 160, 130))
    accept(qtbot, closed_app)
    return closed_app


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_the_window_shows_hostile_names_as_they_are(qtbot: QtBot, hostile: App) -> None:
    session = hostile.session
    assert faults() == []
    add_category(hostile.parts, f"{CATEGORY} 2")
    undo = hostile.window.action_by_id["undo"]
    qtbot.waitUntil(lambda: f"{menu_text(CATEGORY)} 2" in undo.text())
    assert hostile.window.windowTitle().count("[*][*]") == 1
    if sys.platform == "linux":
        rows = hostile.window.findChild(ImageList).model()
        names = [str(rows.data(rows.index(row, 0), Qt.ItemDataRole.DisplayRole)) for row in range(rows.rowCount())]
        assert "<img src=y>\\udcff .png" in names
    session.report(BadFileError(f"The picture {HOSTILE} is damaged: replace it."))
    assert HOSTILE in hostile.window.notices.sentence.text()
    assert faults() == []
    session.tell(CATEGORY)
    session.set_teaching(
        replace(session.teaching, is_running=True, message=HOSTILE, sentence=HOSTILE, notes=(HOSTILE,))
    )
    record = RefinerRecord(Path(HOSTILE), HOSTILE, HOSTILE, HOSTILE, True, VerdictKind.TEXT, id=7, remark=HOSTILE)
    session.refiners = (record,)
    session.teaching_changed.emit()
    session.set_scan(Scan(ScanKind.IMPORTING, HOSTILE))
    row = hostile.window.jobs.new()
    row.started(f"Reading {HOSTILE}", row)  # type: ignore[arg-type]
    hostile.window._show_recent()
    for record_shown in session.images:
        session.set_image(record_shown)
        settled(qtbot, hostile)
        hostile.window.grab()
        assert faults() == []
    session.set_teaching(replace(session.teaching, is_running=False))
    session.set_scan(None)
    row.ended()
    assert HOSTILE in shown_texts() and menu_text(HOSTILE) in shown_texts()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_dialogs_show_hostile_names_as_they_are(qtbot: QtBot, hostile: App, tmp_path: Path) -> None:
    window, session = hostile.window, hostile.session
    category = next(entry.id for entry in session.categories if entry.name == CATEGORY)
    questions = CategoryQuestions(hostile.parts, window)
    questions.delete(category)
    settled(qtbot, hostile)
    questions.merge(category, None)
    settled(qtbot, hostile)
    choice = ExportChoice("coco", tmp_path / HOSTILE)
    ask_to_replace(window, session, choice, [PurePosixPath(HOSTILE)], lambda: None)
    Question(window, title=HOSTILE, text=HOSTILE, more=HOSTILE, yes="Yes", no="No", on_yes=lambda: None)
    for name in ("models", "keys", "shortcuts", "about", "export"):
        window.action_by_id[name].trigger()
        settled(qtbot, hostile)
    assert CATEGORY in shown_texts()
    assert faults() == []
    session.report(RuntimeError(HOSTILE))
    assert faults() == []
    for dialog in QApplication.topLevelWidgets():
        if dialog is not window:
            dialog.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_an_import_of_hostile_names_says_so_plainly(qtbot: QtBot, hostile: App) -> None:
    folder = hostile.session.folder
    assert folder is not None
    boxes = {f"{HOSTILE}.png": [Box(5, 5, 30, 30)], f"{HOSTILE}9.png": [Box(1, 1, 9, 9)]}
    file = save_coco(folder / f"{HOSTILE}.json", boxes)
    import_boxes(hostile.parts, file, watch=hostile.window.jobs.new)
    qtbot.waitUntil(lambda: hostile.window.notices.sentence.text() != "" and hostile.store.is_idle)
    assert HOSTILE in hostile.window.notices.sentence.text()
    assert faults() == []


def test_settings_with_hostile_names_show_them_plainly(qtbot: QtBot, app: App) -> None:
    keys = {"export": ("<img src=x>",)}
    choose_settings(app.parts, replace(app.session.settings, recent=(CATEGORY, HOSTILE), encoder=HOSTILE, keys=keys))
    app.window._show_recent()
    app.session.set_activity(Activity(ActivityKind.LOADING_ENCODER, HOSTILE))
    settled(qtbot, app)
    assert faults() == []


def test_text_comes_out_as_it_went_in(qtbot: QtBot) -> None:
    label = PlainLabel(HOSTILE)
    qtbot.addWidget(label)
    assert (label.text(), label.textFormat()) == (HOSTILE, Qt.TextFormat.PlainText)
    assert tooltip("plain & simple\nx < y") == "plain & simple\nx < y"
    assert "&lt;img" in tooltip(HOSTILE) and not loads_something(tooltip(HOSTILE))
    assert menu_text("a&b\tCtrl+Q\n") == "a&&b Ctrl+Q"
    window = QWidget()
    qtbot.addWidget(window)
    set_title(window, "a[*]b")
    assert window.windowTitle() == "a[*][*]b"
    label.setText("\udcff\x1b")
    assert label.text() == r"\udcff\x1b"


def test_the_walk_finds_what_is_not_plain(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    label = QLabel(HOSTILE, window)
    label.setToolTip(HOSTILE)
    window.addAction(QAction(HOSTILE, window))
    window.setWindowTitle(HOSTILE)
    assert len([fault for fault in faults() if HOSTILE in fault]) >= 4


@pytest.mark.parametrize(
    ("title", "words"),
    [("&Open folder…", "Open folder…"), ("打开文件夹(&O)…", "打开文件夹…"), ("Redo (&R)", "Redo"), ("Fit", "Fit")],
)
def test_a_title_is_read_without_its_mnemonic(title: str, words: str) -> None:
    assert without_mnemonic(title) == words
