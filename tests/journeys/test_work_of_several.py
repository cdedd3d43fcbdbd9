"""The story of several people: a project is divided, each labels a share, and the merge brings the work back."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.share_dialog import ShareDialog
from core.geometry import Box
from core.reviews import TWIN, Verdict
from core.store.project_check import check_project
from tests.core.merging.people import opened
from tests.gui.driving import ScriptedAsk, accept, draw, settled
from tests.gui.fakes import sample_like_pictures
from tests.journeys.conftest import Windows

SAME, ANNAS, BENS = Box(20, 30, 100, 100), Box(110, 20, 190, 100), Box(110, 20, 170, 100)


def test_two_people_label_shares_and_their_work_becomes_one(qtbot: QtBot, windows: Windows, tmp_path: Path) -> None:
    folder = sample_like_pictures(tmp_path / "harbour", ("a.png", "b.png"))
    app = windows.open(folder)
    shares = divide(qtbot, app)
    for name, second in (("anna", ANNAS), ("ben", BENS)):
        label(qtbot, windows, shares / name, SAME, second)
    merge(qtbot, app, windows.ask, [shares / "anna/boxrefine.sqlite", shares / "ben/boxrefine.sqlite"])
    look_at_the_conflict(qtbot, app)
    project = app.session.project_path
    windows.quit(app)
    assert project is not None and check_project(project) == []
    with opened(project) as store:
        (first,) = [box for image in store.images() for box in store.corrections(image.id) if box.accepted.x1 < 100]
        assert TWIN in [version.kind for version in store.history(first.id)]


def divide(qtbot: QtBot, app: App) -> Path:
    """Two people get all pictures, so that their labels can be compared."""
    app.window.action_by_id["share"].trigger()
    dialog = app.window.findChild(ShareDialog)
    assert dialog is not None
    dialog.people.setText("anna, ben")
    dialog.overlap.setValue(100)
    shares = Path(dialog.folder.text())
    qtbot.mouseClick(dialog.divide_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "The shares are in" in app.window.notices.sentence.text())
    return shares


def label(qtbot: QtBot, windows: Windows, share: Path, *boxes: Box) -> None:
    """Open a share as the other person does, draw boxes on its first picture, and quit."""
    app = windows.open(share)
    for box in boxes:
        draw(qtbot, app, box)
        accept(qtbot, app)
    windows.quit(app)


def merge(qtbot: QtBot, app: App, ask: ScriptedAsk, paths: list[Path]) -> None:
    ask.answers = paths
    app.window.action_by_id["merge"].trigger()
    qtbot.waitUntil(lambda: "ben is merged" in app.window.notices.sentence.text() and not app.window.jobs.rows)
    settled(qtbot, app)
    assert "1 conflict is in the review" in app.window.notices.sentence.text()


def look_at_the_conflict(qtbot: QtBot, app: App) -> None:
    """Anna's box stays, marked to be fixed; the comment says what Ben has."""
    session = app.session
    app.window.action_by_id["next_to_fix"].trigger()  # keys reach a window that was active before no more
    qtbot.waitUntil(lambda: session.selected is not None)
    assert session.selected is not None and len(session.corrections) == 2
    review = session.reviews[session.selected.id]
    assert review.verdict is Verdict.FIX and review.comment.startswith("ben: “")
