"""File, Merge projects: another project comes into the open one, conflicts into the review, undo takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations.merging import merge_projects
from boxrefine_gui.state.doing import Scan, ScanKind
from core.geometry import Box
from core.merging import merge as core_merge
from core.records import NewImage
from core.reviews import Verdict
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.core.merging.people import box_of
from tests.gui.driving import ScriptedAsk, settled, stored
from tests.gui.fakes import sample_like_pictures

CUP, NEAR, POT = Box(20, 30, 100, 100), Box(20.5, 30, 100.5, 100), Box(110, 20, 180, 90)


def project(folder: Path, by: str, boxes: Sequence[tuple[str, str, Box]], names: Sequence[str]) -> Path:
    """A project of a colleague on pictures of his own; `boxes` have the name of a picture and a category."""
    sample_like_pictures(folder, tuple(names))
    with closing(ProjectStore.open_or_create(folder / "boxrefine.sqlite")) as store:
        store.use_annotator(by)
        store.add_images([NewImage(folder / name, 200, 150) for name in names])
        store.add_categories(list(dict.fromkeys(category for _, category, _ in boxes)))
        ids = {each.name: each.id for each in store.categories()}
        for name, category, box in boxes:
            image = names.index(name) + 1
            store.accept(replace(box_of(image, ids[category], box)))
    return folder / "boxrefine.sqlite"


def sentence(app: App) -> str:
    return app.window.notices.sentence.text()


def label(app: App, category: str, box: Box) -> None:
    """Put an accepted box on the first image of the open project."""
    image = app.session.images[0].id

    def accept(store: ProjectStore) -> object:
        ids = {each.name: each.id for each in store.categories()}
        category_id = ids[category] if category in ids else store.add_category(category).id
        return store.accept(box_of(image, category_id, box))[1]

    app.parts.store.write(accept, on_done=app.session.apply)  # type: ignore[arg-type]


def bring(qtbot: QtBot, app: App, ask: ScriptedAsk, *paths: Path, wait_for: str = "is merged") -> str:
    app.window.notices.sentence.clear()
    ask.answers = list(paths)
    app.window.action_by_id["merge"].trigger()
    qtbot.waitUntil(lambda: not app.window.jobs.rows and wait_for in sentence(app))
    settled(qtbot, app)
    return sentence(app)


def test_boxes_and_pictures_come_in_conflicts_are_in_the_review_and_undo_takes_it_back(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    label(app, "cup", CUP)
    boxes = [("a.png", "mug", NEAR), ("a.png", "pot", POT), ("z.png", "pot", POT)]
    ben = project(tmp_path / "ben", "Ben", boxes, ["a.png", "z.png"])
    Image.new("RGB", (200, 150), "teal").save(ben.parent / "z.png")
    said = bring(qtbot, app, ask, ben)
    assert said.startswith("ben is merged: 3 boxes, 1 image of both, 1 new image; ")
    assert "1 conflict is in the review, Ctrl+Shift+N goes to the first one" in said
    assert {each.name for each in app.session.categories} >= {"cup", "mug", "pot"}
    assert [image.path.name for image in app.session.images] == ["a.png", "b.png", "c.png", "z.png"]
    assert sorted(each.accepted for each in app.session.corrections) == sorted([CUP, POT])
    assert [each.verdict for each in app.session.reviews.values()] == [Verdict.FIX]
    qtbot.keyClick(
        app.window.canvas, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    qtbot.waitUntil(lambda: app.session.selected is not None and app.session.selected.accepted == CUP)
    qtbot.keyClick(app.window.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settled(qtbot, app)
    qtbot.waitUntil(lambda: [each.accepted for each in app.session.corrections] == [CUP])
    assert app.session.reviews == {}
    path = app.session.project_path
    assert path is not None and check_project(path) == []


def test_several_projects_are_merged_one_after_the_other(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    ben = project(tmp_path / "ben", "Ben", [("a.png", "cup", CUP)], ["a.png"])
    chris = project(tmp_path / "chris", "Chris", [("a.png", "cup", NEAR)], ["a.png"])
    said = bring(qtbot, app, ask, ben, chris, wait_for="chris is merged")
    assert said == "chris is merged: 1 box, 1 image of both, 0 new images; there are no conflicts."
    assert [each.accepted for each in stored(app)] == [CUP]


@pytest.mark.parametrize("is_storing", [False, True])
def test_a_cancelled_merge_leaves_nothing(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_storing: bool
) -> None:
    monkeypatch.setattr(core_merge, "_AT_ONCE", 1)
    names = [f"n{number}.png" for number in range(12)]
    ben = project(tmp_path / "ben", "Ben", [(name, "pot", POT) for name in names], names)
    before = len(app.session.images)
    ask.answers = [ben, tmp_path / "none.sqlite"]
    app.window.action_by_id["merge"].trigger()
    (row,) = app.window.jobs.rows
    if is_storing:
        qtbot.waitUntil(lambda: bool(app.parts.store._jobs))
    qtbot.mouseClick(row.cancel_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not app.window.jobs.rows and "was cancelled; nothing of it is here" in sentence(app))
    settled(qtbot, app)
    assert app.session.scan is None and len(app.session.images) == before and stored(app) == []
    assert [each.name for each in app.session.categories if each.name == "pot"] == []
    path = app.session.project_path
    assert path is not None and check_project(path) == []


def test_what_cannot_be_merged_is_one_sentence_and_the_next_one_goes_on(
    qtbot: QtBot, app: App, ask: ScriptedAsk, tmp_path: Path
) -> None:
    own = app.session.project_path
    assert own is not None
    assert "is the project that is open" in bring(qtbot, app, ask, own, wait_for="choose another one")
    (tmp_path / "text.sqlite").write_text("no project " * 100)
    ben = project(tmp_path / "ben", "Ben", [("a.png", "cup", CUP)], ["a.png"])
    assert "text.sqlite" in bring(qtbot, app, ask, tmp_path / "text.sqlite", wait_for="text.sqlite")
    bring(qtbot, app, ask, tmp_path / "text.sqlite", ben)
    assert [each.accepted for each in stored(app)] == [CUP]


def test_while_the_folder_is_being_read_it_waits(app: App, tmp_path: Path) -> None:
    app.session.set_scan(Scan(ScanKind.READING, done=3, total=100))
    merge_projects(app.parts, [tmp_path / "x.sqlite"], watch=app.window.jobs.new)
    assert "still being read" in sentence(app) and app.window.jobs.rows == []
    app.session.set_scan(None)
    assert not closed(app)


def closed(app: App) -> bool:
    """Whether the rows are off."""
    return not app.window.action_by_id["merge"].isEnabled()


def test_without_a_project_both_rows_are_off(closed_app: App) -> None:
    assert closed(closed_app) and not closed_app.window.action_by_id["share"].isEnabled()
