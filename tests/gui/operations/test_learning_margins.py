"""Margins in the window: learned as boxes are accepted, applied to the next ones, and switched off in the menu."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App, load_chosen_models
from boxrefine_gui.inference.refine_image import RefineImageRequest
from core.geometry import Box
from core.images import read_size
from core.records import Changes, Correction, Drawing, ImageRecord
from core.refiner.learned_margins import LearnedMargins
from core.refiner.margin_learner import MarginLearner
from core.refiner.margins import PIXELS, Margin
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import for_category
from core.sample_project import drawn_boxes, sample_pictures
from core.settings import Settings, load_settings, settings_path
from core.store.project_store import ProjectStore
from tests.gui.driving import accept, draw, settled
from tests.gui.fakes import FakeRefiner, inset

DRAWN = Box(20, 30, 120, 110)


@pytest.fixture
def learning(app: App) -> App:
    """A window whose fake models learn margins as the real ones do."""
    models = app.session.models
    assert models is not None
    learner = lambda encoder, refiner: MarginLearner(encoder=encoder, refiner=refiner)  # noqa: E731
    app.session.set_models(replace(models, learner=learner, with_margins=LearnedMargins, for_category=for_category))
    return app


def wider(box: Box, by: float) -> Box:
    return Box(box.x1 - by, box.y1 - by, box.x2 + by, box.y2 + by)


def accept_wider(qtbot: QtBot, app: App, *, refiner: str = FakeRefiner.identity) -> None:
    """Accept sixty boxes of the category cup, on the last image, six pixels outside of the refiner's answers."""

    def job(project: ProjectStore) -> Changes:
        category, image = project.add_category("cup"), project.images()[-1]
        answers = [Box(10, 10, 50 + number, 60) for number in range(60)]
        boxes = [
            Correction(image.id, category.id, drawn=wider(box, 2), accepted=wider(box, 6), refined=box)
            for box in answers
        ]
        named = [replace(box, encoder="fake-0001", refiner=refiner) for box in boxes]
        return replace(project.accept_all(named)[1], categories=True)

    app.store.write(job, on_done=app.session.apply)  # type: ignore[arg-type]
    settled(qtbot, app)


def learned(app: App) -> float:
    margin = app.session.margins.get("cup")
    return 0.0 if margin is None else margin.left


@pytest.fixture
def taught(qtbot: QtBot, learning: App) -> App:
    """The same, with boxes that show a margin."""
    accept_wider(qtbot, learning)
    qtbot.waitUntil(lambda: 5 < learned(learning) <= 6)
    return learning


def test_the_next_box_is_refined_with_what_the_accepted_ones_show(qtbot: QtBot, taught: App) -> None:
    assert "refiner with margins" in taught.window.status.model.text()
    margin = learned(taught)
    draw(qtbot, taught, DRAWN)
    assert taught.session.draft is not None
    assert taught.session.draft.box == pytest.approx(wider(inset(DRAWN), margin))
    accept(qtbot, taught)
    (stored,) = taught.session.corrections
    assert stored.margin == pytest.approx((margin,) * 4)
    assert stored.refiner == FakeRefiner.identity
    settled(qtbot, taught)
    assert learned(taught) == pytest.approx(margin, abs=0.1), "the widened box is not learned twice"


def test_undo_takes_back_what_was_learned(qtbot: QtBot, taught: App) -> None:
    taught.window.action_by_id["undo"].trigger()
    qtbot.waitUntil(lambda: taught.session.margins == {})
    assert "with margins" not in taught.window.status.model.text()


def test_boxes_of_another_refiner_teach_nothing(qtbot: QtBot, learning: App) -> None:
    accept_wider(qtbot, learning, refiner="another")
    assert learning.session.margins == {}
    models = learning.session.models
    assert models is not None
    learning.session.set_models(replace(models, refiner_identity="another"))
    qtbot.waitUntil(lambda: learned(learning) > 5)
    learning.session.set_models(None)
    assert learning.session.margins == {}


def test_the_menu_switches_it_off_and_on_again_for_good(qtbot: QtBot, taught: App) -> None:
    row = taught.window.action_by_id["learn_margins"]
    assert row.isChecked()
    row.trigger()
    assert taught.session.margins == {} and not row.isChecked()
    qtbot.waitUntil(lambda: settings_path().exists() and not load_settings(settings_path()).learn_margins)
    draw(qtbot, taught, DRAWN)
    assert taught.session.draft is not None and taught.session.draft.box == pytest.approx(inset(DRAWN))
    row.trigger()
    qtbot.waitUntil(lambda: learned(taught) > 5)


def test_a_margin_has_the_name_that_its_category_has_now(qtbot: QtBot, taught: App) -> None:
    (cup,) = taught.session.categories
    taught.store.write(lambda project: project.rename_category(cup.id, "mug"), on_done=taught.session.apply)
    qtbot.waitUntil(lambda: set(taught.session.margins) == {"mug"})


def test_refining_many_boxes_uses_the_margins(qtbot: QtBot, taught: App) -> None:
    session = taught.session
    assert session.image is not None
    plain = Correction(session.image.id, session.categories[0].id, drawn=DRAWN, accepted=DRAWN)
    taught.store.write(lambda project: project.accept(plain)[1], on_done=session.apply)
    settled(qtbot, taught)
    taught.window.action_by_id["refine_image"].trigger()
    qtbot.waitUntil(lambda: any(entry.proposal is not None for entry in session.corrections))
    (proposed,) = session.corrections
    assert proposed.refined == pytest.approx(wider(inset(DRAWN), learned(taught)))
    assert proposed.margin == pytest.approx((learned(taught),) * 4)


def test_a_drawn_box_that_waits_in_the_project_keeps_its_margin(qtbot: QtBot, taught: App) -> None:
    draw(qtbot, taught, DRAWN)
    image = taught.session.image
    assert image is not None
    taught.keeper.keep()
    kept: list[tuple[float, ...] | None] = []

    def note(boxes: list[object]) -> None:
        kept.extend(box.correction.margin for box in boxes)  # type: ignore[attr-defined]

    taught.store.read(lambda project: project.drawn_boxes(image.id), on_done=note)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: bool(kept))
    assert kept == [pytest.approx((learned(taught),) * 4)]


def test_the_real_models_learn_and_widen() -> None:
    models = load_chosen_models(Settings())
    assert models.learner is not None
    picture = next(path for path in sample_pictures() if path.name == "coffee.png")
    width, height = read_size(picture)
    box = drawn_boxes().by_image()[1][0].box
    asked = [Correction(1, 1, drawn=box, accepted=box, id=1)]
    margins = {"cup": Margin(5, 5, 5, 5, PIXELS)}
    request = RefineImageRequest(models, ImageRecord(1, picture, width, height), asked, {1: "cup"})
    (plain,), (widened,) = request(), replace(request, margins=margins)()
    models.close()
    assert plain.margin is None and widened.margin == pytest.approx((5, 5, 5, 5), abs=1e-3)
    assert plain.refined is not None and widened.refined is not None
    assert widened.refined.width > plain.refined.width + 3
    assert widened.refiner == plain.refiner


def test_what_is_dragged_is_refined_as_drags_are(qtbot: QtBot, app: App) -> None:
    models, asked = app.session.models, []
    assert models is not None

    def for_drawing(refiner: Refiner, drawing: Drawing) -> Refiner:
        asked.append(drawing)
        return refiner

    app.session.set_models(replace(models, for_drawing=for_drawing))
    draw(qtbot, app, DRAWN)
    settled(qtbot, app)
    assert set(asked) == {Drawing.DRAG}
