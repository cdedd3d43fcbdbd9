"""The next images: a head learns by itself, and what it finds is there before an image is opened."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.inference.head_jobs import steadily
from boxrefine_gui.operations.box_verbs import show_image
from boxrefine_gui.operations.learning_heads import HANDFUL, LEAST_IMAGES
from boxrefine_gui.operations.suggesting import NONE_TO_REJECT
from core.head_records import HeadRecord
from core.progress import Progress
from core.settings import Settings
from tests.gui.driving import accept, drag, move, press, ready, release, settled, stored
from tests.gui.fake_suggest import FakeKit
from tests.gui.fakes import inset, sample_like_pictures
from tests.gui.suggesting import (
    DRAWN,
    OTHERS,
    SHIFT,
    key,
    kit,
    label_images,
    pictures,
    quiet,
    suggested,
    suggesting,
    told,
)

__all__ = ["kit", "pictures", "suggesting"]


def reopen(qtbot: QtBot, app: App) -> None:
    """Open another project, then the same one again."""
    path = app.session.project_path
    assert path is not None
    app.open(sample_like_pictures(path.parent.parent / "others"))
    ready(qtbot, app)
    assert app.session.suggesting.heads == () and app.session.suggesting.suggester is None
    app.open(path.parent)


@pytest.fixture
def learned(qtbot: QtBot, suggesting: App) -> App:
    """A head is learned; the last labelled image is open, and the suggestions of the next ones are stored."""
    label_images(qtbot, suggesting, LEAST_IMAGES)
    qtbot.waitUntil(lambda: suggesting.session.suggesting.suggester is not None)
    qtbot.waitUntil(lambda: suggesting.session.to_check.get(suggesting.session.images[LEAST_IMAGES].id) == 5)
    settled(qtbot, suggesting)
    return suggesting


def test_the_next_images_have_suggestions_before_they_are_opened(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    assert kit.learned >= 1 and suggested(learned) != []
    assert learned.window.action_by_id["undo"].text() == "&Undo: Accept box", "what comes by itself is no step"
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    assert [entry.accepted for entry in suggested(learned)] == [inset(box) for box in OTHERS[:5]]
    assert all(entry.origin and entry.origin.head == f"head-{kit.learned}" for entry in suggested(learned))
    key(qtbot, learned, Qt.Key.Key_Return, SHIFT)
    settled(qtbot, learned)
    assert suggested(learned) == []
    assert kit.threads == {"lane-learn", "lane-suggest"}


def test_a_category_on_fewer_images_learns_nothing_by_itself_but_on_request(
    qtbot: QtBot, suggesting: App, kit: FakeKit
) -> None:
    label_images(qtbot, suggesting, 2)
    quiet(qtbot, suggesting)
    assert kit.learned == 0
    suggesting.window.teach_panel.suggestions.button.click()
    qtbot.waitUntil(lambda: len(suggested(suggesting)) == 5)
    assert kit.learned == 1


def test_a_request_without_an_accepted_box_says_what_it_takes(qtbot: QtBot, suggesting: App, kit: FakeKit) -> None:
    sentences = told(suggesting)
    suggesting.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: bool(sentences))
    assert "Accept some boxes first" in sentences[0] and kit.learned == 0


def test_a_newer_head_replaces_those_of_images_that_are_not_open(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    here, heads = suggested(learned), kit.learned
    kit.finds = kit.finds[:1]
    key(qtbot, learned, Qt.Key.Key_N)
    for _ in range(HANDFUL - 1):
        key(qtbot, learned, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: kit.learned > heads)
    qtbot.waitUntil(lambda: learned.session.to_check.get(learned.session.images[LEAST_IMAGES + 1].id) == 1)
    assert set(suggested(learned)) <= set(here), "those of the open image stay"


def test_a_rejected_suggestion_does_not_come_back_and_teaches(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    key(qtbot, learned, Qt.Key.Key_N)
    first = learned.session.selected
    assert first is not None
    key(qtbot, learned, Qt.Key.Key_Delete)
    settled(qtbot, learned)
    assert learned.session.selected is not None, "the next one is selected"
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: any(entry.rejected for entry in kit.seen[-1]))
    settled(qtbot, learned)
    quiet(qtbot, learned)
    assert first.drawn not in [entry.drawn for entry in suggested(learned)]
    assert len(suggested(learned)) == 4


def test_a_request_while_a_head_is_being_learned_learns_what_has_changed_since(
    qtbot: QtBot, learned: App, kit: FakeKit
) -> None:
    gate = threading.Event()
    kit.on_step = lambda: gate.wait(30) and None
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    before = kit.learned
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: learned.session.suggesting.is_learning)
    key(qtbot, learned, Qt.Key.Key_N)
    key(qtbot, learned, Qt.Key.Key_Delete)
    settled(qtbot, learned)
    learned.window.action_by_id["suggest_now"].trigger()
    gate.set()
    qtbot.waitUntil(lambda: kit.learned == before + 2)
    quiet(qtbot, learned)
    assert any(entry.rejected for entry in kit.seen[-1])
    assert len(suggested(learned)) == 4


def test_a_request_while_a_head_is_being_learned_from_the_same_labels_waits_for_it(
    qtbot: QtBot, learned: App, kit: FakeKit
) -> None:
    gate = threading.Event()
    kit.on_step = lambda: gate.wait(30) and None
    before = kit.learned
    for _ in range(2):
        learned.window.action_by_id["suggest_now"].trigger()
        qtbot.waitUntil(lambda: learned.session.suggesting.is_learning)
    gate.set()
    qtbot.waitUntil(lambda: kit.learned == before + 1)
    quiet(qtbot, learned)
    assert kit.learned == before + 1


def test_the_rest_is_rejected_by_one_key_and_undone(qtbot: QtBot, learned: App) -> None:
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    key(qtbot, learned, Qt.Key.Key_Delete, SHIFT)
    settled(qtbot, learned)
    assert suggested(learned) == []
    sentences = told(learned)
    key(qtbot, learned, Qt.Key.Key_Delete, SHIFT)
    assert sentences == [NONE_TO_REJECT]
    learned.window.action_by_id["undo"].trigger()
    settled(qtbot, learned)
    assert len(suggested(learned)) == 5


def test_an_image_that_is_done_gets_none(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    last = learned.session.images[-1]
    learned.store.write(lambda project: project.mark([last.id], done=True), on_done=learned.session.apply)
    settled(qtbot, learned)
    show_image(learned.parts, last.id)
    ready(qtbot, learned)
    quiet(qtbot, learned)
    assert suggested(learned) == []


def test_marking_an_image_as_done_removes_what_is_left_and_undo_brings_it_back(qtbot: QtBot, learned: App) -> None:
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    image = learned.session.image
    assert image is not None and len(suggested(learned)) == 5
    learned.store.write(lambda project: project.mark([image.id], done=True), on_done=learned.session.apply)
    qtbot.waitUntil(lambda: suggested(learned) == [])
    learned.window.action_by_id["undo"].trigger()
    qtbot.waitUntil(lambda: len(suggested(learned)) == 5)


def test_the_switch_removes_what_nobody_has_reviewed(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    key(qtbot, learned, Qt.Key.Key_N)
    key(qtbot, learned, Qt.Key.Key_Return)
    settled(qtbot, learned)
    row = learned.window.action_by_id["suggest"]
    assert row.isChecked()
    row.trigger()
    settled(qtbot, learned)
    assert not row.isChecked() and suggested(learned) == [] and not any(learned.session.to_check.values())
    assert sum(entry.origin is not None for entry in stored(learned)) == 1, "the accepted one stays"
    asked = kit.asked
    learned.window.action_by_id["next"].trigger()
    ready(qtbot, learned)
    quiet(qtbot, learned)
    assert kit.asked == asked
    row.trigger()
    qtbot.waitUntil(lambda: len(suggested(learned)) == 5)


def test_the_threshold_changes_what_is_shown(qtbot: QtBot, learned: App) -> None:
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    before = {entry.id for entry in suggested(learned)}
    controls = learned.window.teach_panel.suggestions
    assert controls.automatic.isChecked() and controls.slider.value() == 60
    assert controls.precision.text() == "From 60 % on: about 6 in 10 are right. They are about 7 in 10 of all objects."
    key(qtbot, learned, Qt.Key.Key_N)
    controls.slider.setValue(40)
    qtbot.waitUntil(lambda: len(suggested(learned)) == 6)
    assert before < {entry.id for entry in suggested(learned)}, "those that were there stay the same boxes"
    assert not controls.automatic.isChecked() and learned.session.settings.suggest_threshold == 0.4
    controls.automatic.click()
    qtbot.waitUntil(lambda: len(suggested(learned)) == 5)


def test_drawing_over_a_suggestion_works(qtbot: QtBot, learned: App) -> None:
    learned.window.action_by_id["next"].trigger()
    settled(qtbot, learned)
    drag(learned.window.canvas, [(OTHERS[0].x1, OTHERS[0].y1), (90, 30), (OTHERS[0].x2, OTHERS[0].y2)])
    qtbot.waitUntil(lambda: learned.session.draft is not None and learned.session.draft.is_current)
    accept(qtbot, learned)
    assert sum(entry.confirmed for entry in learned.session.corrections) == 1


def test_a_worse_head_is_kept_but_not_used(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    kit.precision = 0.1
    used = learned.session.suggesting.used
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: len(learned.session.suggesting.heads) > 1)
    assert learned.session.suggesting.used == used
    assert not learned.session.suggesting.heads[-1].promoted


def test_the_panel_leads_back_to_an_earlier_head(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    first = learned.session.suggesting.used
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: learned.session.suggesting.used != first)
    panel = learned.window.teach_panel
    rows = [panel.refiners.item(row).text() for row in range(panel.refiners.count())]
    assert rows[0].startswith("The shipped refiner") and rows[1].startswith("Suggestions, ") and "in use" in rows[1]
    panel.refiners.setCurrentRow(2)
    panel.use_button.click()
    qtbot.waitUntil(lambda: learned.session.suggesting.used is not None and learned.session.suggesting.used.pinned)
    suggester = learned.session.suggesting
    qtbot.waitUntil(lambda: learned.session.suggesting.suggester is not None)
    assert first is not None and suggester.head_id == first.id
    panel.refiners.setCurrentRow(1)
    panel.use_button.click()
    qtbot.waitUntil(lambda: learned.session.suggesting.head_id != first.id)


def test_a_stored_head_is_there_after_a_restart(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    quiet(qtbot, learned)
    heads = kit.learned
    reopen(qtbot, learned)
    qtbot.waitUntil(lambda: learned.session.suggesting.suggester is not None)
    ready(qtbot, learned)
    assert learned.session.suggesting.suggester is not None
    assert learned.session.suggesting.suggester.identity == f"head-{heads}"
    quiet(qtbot, learned)
    assert kit.learned == heads, "nothing has changed since"


def test_a_head_that_cannot_be_read_is_said_once_and_learned_again(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    quiet(qtbot, learned)
    learned.store.run(lambda project: project.add_head(HeadRecord("head-x", kit.identity), b"broken"))
    settled(qtbot, learned)
    problems: list[Exception] = []
    learned.session.problem.connect(problems.append)
    heads = kit.learned
    reopen(qtbot, learned)
    qtbot.waitUntil(lambda: kit.learned > heads and learned.session.suggesting.suggester is not None)
    assert len(problems) == 1 and "damaged" in str(problems[0])


def test_learning_that_fails_is_reported_and_can_be_repeated(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    kit.fault = ValueError("broken")
    problems: list[Exception] = []
    learned.session.problem.connect(problems.append)
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: bool(problems))
    kit.fault, heads = None, kit.learned
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: kit.learned == heads + 1)


def test_images_that_were_not_prepared_are_learned_from_once_they_are(
    qtbot: QtBot, learned: App, kit: FakeKit, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet(qtbot, learned)
    models, first, heads = learned.session.models, learned.session.images[0], kit.learned
    assert models is not None
    at_hand = models.source.at_hand
    monkeypatch.setattr(models.source, "at_hand", lambda path: None if path == first.path else at_hand(path))
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: kit.learned == heads + 1)
    quiet(qtbot, learned)
    assert learned.session.suggesting.heads[-1].data["images"] == LEAST_IMAGES - 1
    monkeypatch.setattr(models.source, "at_hand", at_hand)
    learned.session.prepared.emit(first.id)
    qtbot.waitUntil(lambda: kit.learned == heads + 2)
    quiet(qtbot, learned)
    assert learned.session.suggesting.heads[-1].data["images"] == LEAST_IMAGES
    learned.session.prepared.emit(first.id)
    quiet(qtbot, learned)
    assert kit.learned == heads + 2


def test_another_project_cancels_learning(qtbot: QtBot, learned: App, kit: FakeKit, tmp_path: Path) -> None:
    kit.steps = 10_000_000
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: learned.session.suggesting.is_learning)
    heads = kit.learned
    learned.open(sample_like_pictures(tmp_path / "others"))
    ready(qtbot, learned)
    qtbot.waitUntil(lambda: learned.learn.is_idle)
    assert kit.learned == heads and not learned.session.suggesting.is_learning
    assert learned.session.suggesting.heads == ()


def test_a_drag_holds_learning(qtbot: QtBot, learned: App) -> None:
    may_go = learned.heads._may_go
    press(learned.window.canvas, (DRAWN.x1, DRAWN.y1))
    move(learned.window.canvas, (DRAWN.x2, DRAWN.y2))
    assert not may_go.is_set()
    release(learned.window.canvas, (DRAWN.x2, DRAWN.y2))
    qtbot.waitUntil(may_go.is_set)


def test_no_step_is_made_while_learning_is_held() -> None:
    kit, may_go = FakeKit(), threading.Event()
    steps: list[int] = []
    kit.steps, kit.on_step = 3, lambda: steps.append(1)
    job = steadily(lambda: kit.learn([], lambda _: None), may_go)
    assert [next(job) for _ in range(3)] == [Progress(0, 3)] * 3 and len(steps) == 1
    may_go.set()
    next(job)
    assert len(steps) == 2
    job.close()


def test_closing_in_the_middle_of_it_leaves_nothing_behind(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    """The fixture closes the window and fails if a lane does not end."""
    kit.steps = 10_000_000
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: learned.session.suggesting.is_learning)
    learned.session.set_settings(replace(Settings(), encode_folder=False))
