"""The scripted annotator in front of suggestions that get in its way: it goes on, and labels no object twice."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.benchmarks.annotator import Annotator, Wanted
from boxrefine_gui.benchmarks.hand import Hand, Step, Watch
from boxrefine_gui.operations.box_verbs import add_category
from boxrefine_gui.state.project_view import StoreView, read_touched
from core.geometry import Box
from core.records import Correction, ImportedBox, Origin
from core.store.project_store import ProjectStore
from tests.gui.driving import settled, stored

CUP = Wanted("cup", Box(60, 40, 120, 100))
OFF = Box(54, 40, 114, 100)
"""Where one drag puts right a box around CUP."""


def suggestion(image_id: int, category: str, box: Box) -> ImportedBox:
    origin = Origin("", box, "head-1", 0.9)
    return ImportedBox(category, Correction(image_id, 0, box, box, origin=origin, confirmed=False))


def suggest(app: App, *found: tuple[str, Box]) -> None:
    assert app.session.image is not None
    image_id = app.session.image.id
    boxes = [suggestion(image_id, category, box) for category, box in found]

    def job(project: ProjectStore) -> StoreView:
        return read_touched(project, project.suggest(image_id, boxes))

    app.store.run(job, on_done=app.session.apply)


@pytest.fixture
def annotator(qtbot: QtBot, app: App) -> Annotator:
    for name in ("cup", "lid"):
        add_category(app.parts, name)
    settled(qtbot, app)
    hand = Hand(app.window.canvas, pace=50)
    return Annotator(app, hand, categories=["cup", "lid"], suggest=True, seed=0)


def finish(qtbot: QtBot, steps: Iterator[Step]) -> None:
    watch = Watch(steps, patience_s=4)
    qtbot.waitUntil(lambda: not watch.poll(), timeout=8000)


def test_a_drag_that_the_window_takes_for_another_suggestion_is_undone(
    qtbot: QtBot, app: App, annotator: Annotator
) -> None:
    suggest(app, ("cup", OFF), ("lid", Box(61, 41, 121, 101)))
    settled(qtbot, app)
    left = [CUP]
    finish(qtbot, annotator._check(left))
    settled(qtbot, app)
    assert left == [CUP], "it is drawn by itself afterwards"
    assert stored(app) == [] and annotator.record.made == [] and annotator.record.rejected == 2


def test_the_closer_one_of_two_suggestions_is_put_right(qtbot: QtBot, app: App, annotator: Annotator) -> None:
    suggest(app, ("cup", Box(48, 40, 114, 94)), ("cup", OFF))
    settled(qtbot, app)
    left = [CUP]
    finish(qtbot, annotator._check(left))
    settled(qtbot, app)
    assert left == [] and annotator.record.rejected == 1
    (box,) = stored(app)
    assert box.confirmed and max(abs(a - b) for a, b in zip(box.accepted, CUP.box, strict=True)) < 4


def test_suggestions_that_come_while_others_are_checked_do_not_hold_it(
    qtbot: QtBot, app: App, annotator: Annotator
) -> None:
    suggest(app, ("cup", CUP.box))
    settled(qtbot, app)
    before_last_key = annotator._hand.press
    late = partial(suggest, app, ("cup", CUP.box), ("lid", Box(5, 5, 40, 40)))

    def press_and_more(*keys: object) -> Iterator[Step]:
        yield from before_last_key(*keys)  # type: ignore[arg-type]
        late()

    annotator._hand.press = press_and_more  # type: ignore[method-assign, assignment]
    left = [CUP]
    finish(qtbot, annotator._check(left))
    settled(qtbot, app)
    assert left == []
    assert [entry.confirmed for entry in stored(app)] == [True, False]


def test_a_window_that_does_not_answer_is_named_with_the_place() -> None:
    def outer() -> Iterator[Step]:
        yield from inner()

    def inner() -> Iterator[Step]:
        yield lambda: False

    watch = Watch(outer(), patience_s=0.0)
    with pytest.raises(TimeoutError, match=r"outer:\d+ inner:\d+"):
        watch.poll()
