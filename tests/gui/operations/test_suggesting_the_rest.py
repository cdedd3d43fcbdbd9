"""The rest of an image: one key suggests the other objects of a category."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations.box_verbs import add_category
from boxrefine_gui.operations.category_verbs import toggle_hidden
from boxrefine_gui.operations.suggesting import MOST, NO_NETWORK
from core.geometry import Box
from core.records import ImportedBox
from tests.gui.driving import draw, ready, settled, stored
from tests.gui.fake_suggest import FakeKit, FakeSuggester
from tests.gui.fakes import inset
from tests.gui.suggesting import (
    DRAWN,
    OTHERS,
    SHIFT,
    drawn_and_accepted,
    key,
    kit,
    pictures,
    suggested,
    suggesting,
    told,
)

__all__ = ["kit", "pictures", "suggesting"]


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


def test_what_is_found_of_a_hidden_category_is_shown(qtbot: QtBot, suggesting: App) -> None:
    drawn_and_accepted(qtbot, suggesting)
    assert suggesting.session.category_id is not None
    toggle_hidden(suggesting.parts, suggesting.session.category_id)
    assert suggesting.session.shown == ()
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: len(suggested(suggesting)) == 5)
    assert len(suggesting.session.shown) == 6


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


def test_what_a_head_finds_does_not_join_those_that_the_user_checks(
    qtbot: QtBot, suggesting: App, kit: FakeKit
) -> None:
    """One key accepts all of them, so all must have been there to look at."""
    kit.finds = kit.finds[:2]
    drawn_and_accepted(qtbot, suggesting)
    key(qtbot, suggesting, Qt.Key.Key_G)
    qtbot.waitUntil(lambda: len(suggested(suggesting)) == 2)
    image = suggesting.session.image
    assert image is not None
    found = [ImportedBox("other", replace(suggested(suggesting)[0], accepted=Box(5, 80, 30, 110)))]
    version = ("head-9", 0.0)
    suggesting.suggesting._settled, before = None, suggested(suggesting)
    suggesting.session.suggesting = replace(suggesting.session.suggesting, suggester=FakeSuggester(kit, "head-9", ()))
    suggesting.suggesting._put(image, version, found)
    settled(qtbot, suggesting)
    assert suggested(suggesting) == before
