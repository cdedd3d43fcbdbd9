"""The audit in the window: the list, its filter, repair as one undo step, ignoring, and opening a finding."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.dialogs.audit_dialog import AuditDialog
from core.audit.finding import AuditFinding, Kind
from core.geometry import Box
from core.records import Changes, Correction
from core.store.project_store import ProjectStore
from tests.gui.driving import settled, stored

PLAIN = Box(20, 30, 100, 100)
TINY = Box(150, 20, 153, 60)


def write(qtbot: QtBot, app: App, boxes: list[tuple[int, Box]]) -> None:
    def job(project: ProjectStore) -> Changes:
        category = project.add_category("cat")
        corrections = [Correction(image, category.id, box, box) for image, box in boxes]
        return replace(project.accept_all(corrections)[1], categories=True)

    app.store.write(job, on_done=app.session.apply)
    settled(qtbot, app)


@pytest.fixture
def dialog(qtbot: QtBot, app: App) -> AuditDialog:
    """The audit of a duplicate on the first picture, and a tiny box on the second."""
    write(qtbot, app, [(1, PLAIN), (1, PLAIN), (2, TINY), (3, PLAIN)])
    app.window.action_by_id["audit"].trigger()
    (dialog,) = app.window.findChildren(AuditDialog)
    assert isinstance(dialog, AuditDialog)
    at_rest(qtbot, app, dialog)
    dialog.activateWindow()
    dialog.list.setFocus()
    return dialog


def at_rest(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    settled(qtbot, app)
    qtbot.waitUntil(lambda: dialog.is_ready and app.exports.is_idle and app.store.is_idle)


def press(qtbot: QtBot, app: App, dialog: AuditDialog, key: Qt.Key) -> None:
    qtbot.keyClick(dialog.list, key)
    at_rest(qtbot, app, dialog)


def undo(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    qtbot.keyClick(dialog.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    at_rest(qtbot, app, dialog)


def kinds(dialog: AuditDialog) -> list[Kind]:
    return [finding.kind for finding in dialog.model.rows]


def test_findings_come_by_severity_and_kind(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    assert kinds(dialog) == [Kind.DUPLICATE, Kind.TINY]
    assert dialog.chosen[0].kind is Kind.DUPLICATE and "there twice" in dialog.line.text()
    assert [dialog.kind.itemText(row) for row in range(dialog.kind.count())] == [
        "All kinds (2)",
        "Box that is there twice (1)",
        "Tiny box (1)",
    ]
    dialog.kind.setCurrentIndex(2)
    assert kinds(dialog) == [Kind.TINY] and dialog.chosen[0].kind is Kind.TINY


def test_one_key_repairs_what_is_selected_as_one_step(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    dialog.list.selectAll()
    press(qtbot, app, dialog, Qt.Key.Key_R)
    assert kinds(dialog) == [] and not dialog.repair_button.isEnabled()
    assert app.session.undo_steps[0] is not None and app.session.undo_steps[0].count == 2
    assert app.session.counts == {1: 1, 2: 0, 3: 1}
    undo(qtbot, app, dialog)
    assert sorted(app.session.counts.values()) == [1, 1, 2]
    press(qtbot, app, dialog, Qt.Key.Key_F5)
    assert kinds(dialog) == [Kind.DUPLICATE, Kind.TINY]


def test_a_box_that_has_changed_since_stays(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    app.store.write(lambda project: project.move(2, Box(20, 30, 90, 90)), on_done=app.session.apply)
    at_rest(qtbot, app, dialog)
    press(qtbot, app, dialog, Qt.Key.Key_R)
    assert sorted(app.session.counts.values()) == [1, 1, 2]
    assert app.session.undo_steps[0] is not None and app.session.undo_steps[0].kind == "move"


def test_an_ignored_finding_is_hidden(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    press(qtbot, app, dialog, Qt.Key.Key_I)
    assert kinds(dialog) == [Kind.TINY] and dialog.chosen[0].kind is Kind.TINY
    assert sorted(app.session.counts.values()) == [1, 1, 2]
    press(qtbot, app, dialog, Qt.Key.Key_I)
    assert "Nothing is found, or left" in dialog.line.text()


def test_return_shows_the_box_on_its_picture(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    model = dialog.list.selectionModel()
    rows = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
    model.setCurrentIndex(dialog.model.index(1, 0), rows)
    press(qtbot, app, dialog, Qt.Key.Key_Return)
    assert app.session.image is not None and app.session.image.id == 2
    assert app.session.selected_id == 3


def offer(dialog: AuditDialog, finding: AuditFinding) -> None:
    """Make a finding the only one, and select it."""
    dialog.model.show_all([finding])
    rows = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
    dialog.list.selectionModel().setCurrentIndex(dialog.model.index(0, 0), rows)


def test_a_finding_of_each_kind_opens_its_picture(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    for place, kind in enumerate(kind for kind in Kind if kind is not Kind.UNUSED):
        image = 1 + place % 3
        offer(dialog, AuditFinding(kind, 0.5, "sentence", image_id=image, picture="picture"))
        dialog.show_button.click()
        at_rest(qtbot, app, dialog)
        assert app.session.image is not None and app.session.image.id == image, kind


@pytest.mark.parametrize("kind", [Kind.TURNED, Kind.SHIFTED, Kind.OUTSIDE, Kind.LOOSE, Kind.DUPLICATE, Kind.TINY])
def test_one_key_repairs_each_kind_and_undo_takes_it_back(
    kind: Kind, qtbot: QtBot, app: App, dialog: AuditDialog
) -> None:
    deletes, moved = kind in (Kind.DUPLICATE, Kind.TINY), Box(21, 31, 99, 99)
    finding = AuditFinding(kind, 0.5, "sentence", image_id=1, correction_id=1)
    before = [(entry.id, entry.accepted) for entry in stored(app)]
    offer(dialog, replace(finding, deletes=(1,)) if deletes else replace(finding, moves={1: moved}))
    press(qtbot, app, dialog, Qt.Key.Key_R)
    assert dict(before[1:]) | ({} if deletes else {1: moved}) == {entry.id: entry.accepted for entry in stored(app)}
    undo(qtbot, app, dialog)
    assert [(entry.id, entry.accepted) for entry in stored(app)] == before


def test_one_key_gives_a_lookalike_the_other_category(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    (first, *_) = stored(app)
    finding = AuditFinding(Kind.LOOKALIKE, 0.5, "sentence", image_id=first.image_id, correction_id=first.id)
    app.parts.store.write(lambda project: project.add_category("other") and Changes(categories=True), on_done=print)
    at_rest(qtbot, app, dialog)
    other = max(category.id for category in app.session.categories)
    offer(dialog, replace(finding, relabels={first.id: (first.category_id, other)}))
    press(qtbot, app, dialog, Qt.Key.Key_R)
    assert {entry.id: entry.category_id for entry in stored(app)}[first.id] == other
    undo(qtbot, app, dialog)
    assert {entry.id: entry.category_id for entry in stored(app)}[first.id] == first.category_id


def test_closing_it_cancels_an_audit(qtbot: QtBot, app: App, dialog: AuditDialog) -> None:
    dialog.audit()
    assert not dialog.is_ready and not dialog.again.isEnabled()
    dialog.reject()
    settled(qtbot, app)
    qtbot.waitUntil(lambda: app.exports.is_idle and app.store.is_idle)
    assert not app.session.problems
