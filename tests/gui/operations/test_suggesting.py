"""Suggestions in the window: the rest of an image on request, those of the next images by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations.box_verbs import add_category, show_image
from boxrefine_gui.operations.learning_heads import HANDFUL, LEAST_IMAGES
from boxrefine_gui.operations.suggesting import MOST, NO_NETWORK, NONE_TO_REJECT
from core.features.cache.feature_cache import FeatureCache
from core.geometry import Box
from core.head_records import HeadRecord
from core.records import Correction
from core.settings import Settings
from tests.gui.driving import accept, drag, draw, ready, settled, stored
from tests.gui.fake_suggest import FakeKit
from tests.gui.fakes import FakeModels, inset, sample_like_pictures

DRAWN = Box(10, 10, 50, 50)
OTHERS = [Box(70 + x, 10 + y, 100 + x, 40 + y) for x in (0, 40, 80) for y in (0, 50)]
NAMES = tuple(f"{number:02}.png" for number in range(10))
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def kit(models: FakeModels, tmp_path: Path) -> FakeKit:
    """A kit that finds six objects in every picture, the last one less probably."""
    models.suggest = FakeKit()
    models.cache = FeatureCache(tmp_path / "cache")
    models.suggest.finds = [(box, "object", 0.9 if place < 5 else 0.5) for place, box in enumerate(OTHERS)]
    return models.suggest


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return sample_like_pictures(tmp_path / "pictures", NAMES)


@pytest.fixture
def suggesting(qtbot: QtBot, kit: FakeKit, app: App) -> App:
    """A window on ten pictures, with the category of the finds chosen."""
    app.heads._rest.setInterval(20)
    return app


def key(qtbot: QtBot, app: App, which: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.keyClick(app.window.canvas, which, modifier)


def drawn_and_accepted(qtbot: QtBot, app: App) -> None:
    draw(qtbot, app, DRAWN)
    accept(qtbot, app)


def suggested(app: App) -> list[Correction]:
    return [entry for entry in app.session.corrections if entry.is_suggestion]


def told(app: App) -> list[str]:
    found: list[str] = []
    app.session.told.connect(lambda sentence, _: found.append(sentence))
    return found


def label_images(qtbot: QtBot, app: App, count: int) -> None:
    """Draw and accept one box on each of the first images, then open the next one."""
    for number in range(count):
        ready(qtbot, app)
        drawn_and_accepted(qtbot, app)
        if number < count - 1:
            app.window.action_by_id["next"].trigger()


@pytest.fixture
def learned(qtbot: QtBot, suggesting: App) -> App:
    """A head is learned; the last labelled image is open, and the suggestions of the next ones are stored."""
    label_images(qtbot, suggesting, LEAST_IMAGES)
    qtbot.waitUntil(lambda: suggesting.session.suggesting.suggester is not None)
    qtbot.waitUntil(lambda: suggesting.session.to_check.get(suggesting.session.images[LEAST_IMAGES].id) == 5)
    settled(qtbot, suggesting)
    return suggesting


# The rest of this image


def test_one_example_and_one_key_suggest_the_others(qtbot: QtBot, suggesting: App, kit: FakeKit) -> None:
    drawn_and_accepted(qtbot, suggesting)
    sentences = told(suggesting)
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: len(suggested(suggesting)) == 5)
    assert [entry.accepted for entry in suggested(suggesting)] == [inset(box) for box in OTHERS[:5]]
    assert [entry.drawn for entry in suggested(suggesting)] == OTHERS[:5]
    assert sentences == ["5 more of “object” are suggested: Shift+Return accepts all."]
    assert kit.threads == {"lane-suggest"}
    assert suggesting.session.selected is None, "nothing is selected by itself"
    key(qtbot, suggesting, Qt.Key.Key_Return, SHIFT)
    settled(qtbot, suggesting)
    assert len(stored(suggesting)) == 6 and all(entry.confirmed for entry in stored(suggesting))
    provenance = [entry.origin for entry in stored(suggesting)[1:]]
    assert {(origin.head, origin.probability) for origin in provenance if origin} == {("head-examples", 0.9)}


def test_undo_takes_back_the_acceptance_then_the_suggestions(qtbot: QtBot, suggesting: App) -> None:
    drawn_and_accepted(qtbot, suggesting)
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: len(suggested(suggesting)) == 5)
    key(qtbot, suggesting, Qt.Key.Key_Return, SHIFT)
    settled(qtbot, suggesting)
    suggesting.window.action_by_id["undo"].trigger()
    settled(qtbot, suggesting)
    assert len(suggested(suggesting)) == 5
    assert suggesting.window.action_by_id["undo"].text() == "&Undo: Suggest 5 boxes"
    suggesting.window.action_by_id["undo"].trigger()
    settled(qtbot, suggesting)
    assert len(stored(suggesting)) == 1 and suggested(suggesting) == []


def test_a_drawn_box_is_accepted_by_the_key_and_is_the_example(qtbot: QtBot, suggesting: App) -> None:
    draw(qtbot, suggesting, DRAWN)
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: len(suggested(suggesting)) == 5)
    assert sum(entry.confirmed for entry in suggesting.session.corrections) == 1


def test_without_an_example_a_sentence_says_so(qtbot: QtBot, suggesting: App) -> None:
    sentences = told(suggesting)
    key(qtbot, suggesting, Qt.Key.Key_G)
    settled(qtbot, suggesting)
    drawn_and_accepted(qtbot, suggesting)
    suggesting.window.action_by_id["next"].trigger()
    ready(qtbot, suggesting)
    key(qtbot, suggesting, Qt.Key.Key_G)
    settled(qtbot, suggesting)
    assert sentences == [
        "This image has no accepted box: accept one as an example.",
        "This image has no accepted box of “object”: accept one as an example.",
    ]


def test_if_nothing_else_is_found_a_sentence_says_so(qtbot: QtBot, suggesting: App, kit: FakeKit) -> None:
    kit.finds = []
    drawn_and_accepted(qtbot, suggesting)
    sentences = told(suggesting)
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: sentences == ["No other “object” was found on this image."])
    assert suggesting.window.action_by_id["undo"].text() == "&Undo: Accept box"


def test_very_many_objects_are_capped_and_it_is_said(qtbot: QtBot, suggesting: App, kit: FakeKit) -> None:
    many = [Box(60 + n % 25 * 5, n // 25 * 7, 65 + n % 25 * 5, n // 25 * 7 + 7) for n in range(MOST)]
    kit.finds = [(box, "object", 0.9) for box in many]
    drawn_and_accepted(qtbot, suggesting)
    sentences = told(suggesting)
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: bool(sentences))
    assert "very many objects" in sentences[0]


def test_the_selected_box_names_the_category(qtbot: QtBot, suggesting: App, kit: FakeKit) -> None:
    drawn_and_accepted(qtbot, suggesting)
    first = suggesting.session.corrections[0]
    add_category(suggesting.parts, "other")
    settled(qtbot, suggesting)
    suggesting.session.choose_category(suggesting.session.categories[1].id)
    suggesting.session.select(first.id)
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: len(suggested(suggesting)) == 5)


def test_an_encoder_without_a_network_says_what_it_takes(qtbot: QtBot, app: App) -> None:
    sentences = told(app)
    key(qtbot, app, Qt.Key.Key_G)
    app.window.action_by_id["suggest_now"].trigger()
    assert sentences == [NO_NETWORK, NO_NETWORK]
    assert app.window.teach_panel.suggestions.words.text() == NO_NETWORK


# The next images


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
    qtbot.wait(200)
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
    qtbot.wait(100)
    assert first.drawn not in [entry.drawn for entry in suggested(learned)]
    assert len(suggested(learned)) == 4


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
    qtbot.wait(150)
    assert suggested(learned) == []


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
    qtbot.wait(100)
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
    heads, path = kit.learned, learned.session.project_path
    assert path is not None
    learned.open(path.parent)
    qtbot.waitUntil(lambda: learned.session.suggesting.suggester is not None)
    ready(qtbot, learned)
    assert learned.session.suggesting.suggester is not None
    assert learned.session.suggesting.suggester.identity == f"head-{heads}"
    qtbot.wait(100)
    assert kit.learned == heads, "nothing has changed since"


def test_a_head_that_cannot_be_read_is_said_once_and_learned_again(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    path = learned.session.project_path
    assert path is not None
    learned.store.run(lambda project: project.add_head(HeadRecord("head-x", kit.identity), b"broken"))
    settled(qtbot, learned)
    problems: list[Exception] = []
    learned.session.problem.connect(problems.append)
    learned.open(path.parent)
    qtbot.waitUntil(lambda: len(problems) == 1)
    assert "damaged" in str(problems[0])
    heads = kit.learned
    qtbot.waitUntil(lambda: kit.learned > heads and learned.session.suggesting.suggester is not None)


def test_learning_that_fails_is_reported_and_can_be_repeated(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    kit.fault = ValueError("broken")
    problems: list[Exception] = []
    learned.session.problem.connect(problems.append)
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: bool(problems))
    kit.fault, heads = None, kit.learned
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: kit.learned == heads + 1)


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


def test_a_drag_holds_learning(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    steps: list[int] = []
    kit.steps, kit.on_step = 10_000_000, lambda: steps.append(1)
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: len(steps) > 10)
    draw(qtbot, learned, DRAWN)
    learned.heads._may_go.clear()
    qtbot.wait(100)
    before = len(steps)
    qtbot.wait(100)
    assert len(steps) == before
    learned.heads._may_go.set()
    qtbot.waitUntil(lambda: len(steps) > before)


def test_closing_in_the_middle_of_it_leaves_nothing_behind(qtbot: QtBot, learned: App, kit: FakeKit) -> None:
    """The fixture closes the window and fails if a lane does not end."""
    kit.steps = 10_000_000
    learned.window.action_by_id["suggest_now"].trigger()
    qtbot.waitUntil(lambda: learned.session.suggesting.is_learning)
    learned.session.set_settings(replace(Settings(), encode_folder=False))
