"""The teaching panel and the trainer's process: a real process, which says what a test lets it say."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations import teaching
from boxrefine_gui.panels.loss_plot import LINE, LossPlot, smooth
from boxrefine_gui.panels.teach_panel import SHIPPED, title_of
from boxrefine_gui.state.teaching_state import TeachingState
from core.geometry import Box
from core.records import Correction, RefinerRecord, VerdictKind
from core.settings import Settings
from core.store.project_store import ProjectStore
from tests.gui.driving import draw, move, press, ready, release, settled
from tests.gui.fakes import FakeEncoder, sample_like_pictures

STEP = {"done": 3, "total": 8, "message": "epoch 1 of 2"}
FIGURES = {"epoch": 1, "loss": 2.5, "hit_rate": 0.75, "images_per_second": 12.0, "seconds_left": 42.0}
SUMMARY = {"promoted": True, "sentence": "Better: by far.", "iou_before": 0.8, "iou_after": 0.9}


def says(monkeypatch: pytest.MonkeyPatch, *lines: object, then: str = "", code: int = 0, complaint: str = "") -> None:
    """Let the trainer be a process that says these lines, and ends once it has run `then`."""
    told = [json.dumps(line) for line in lines]
    script = "\n".join(
        [
            "import sys",
            *(f"print({line!r}, flush=True)" for line in told),
            then,
            f"print({complaint!r}, file=sys.stderr)",
            f"sys.exit({code})",
        ]
    )
    monkeypatch.setattr(teaching, "train_command", lambda project, settings: [sys.executable, "-c", script])


def fill(qtbot: QtBot, app: App, boxes: int = 6) -> None:
    """Accept some boxes without drawing each."""
    corrections = [Correction(1, 1, Box(10, 10, 50 + n, 60), Box(11, 11, 49, 59)) for n in range(boxes)]

    def job(project: ProjectStore) -> object:
        project.add_category("cup")
        return replace(project.accept_all(corrections)[1], categories=True)

    app.store.write(job, on_done=app.session.apply)  # type: ignore[arg-type]
    settled(qtbot, app)


WAIT = "sys.stdin.readline()"


def test_the_button_shows_how_the_trainer_gets_on(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    panel = app.window.teach_panel
    assert not panel.isVisible()
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.session.teaching.losses == (2.5,))
    assert panel.isVisible()
    assert (panel.progress.value(), panel.progress.maximum()) == (3, 8)
    for words in ("epoch 1 of 2", "Time left: 42 s", "Loss 2.50", "12.0 images/s, 75% from the cache"):
        assert words in panel.figures.text()
    assert panel.plot.losses == (2.5,) and panel.plot.steps == 8
    assert panel.button.text() == "Cancel"
    assert not app.window.action_by_id["teach"].isEnabled()


def test_the_status_bar_tells_that_it_teaches_where_the_panel_is_hidden(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(qtbot, app)
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    app.window.action_by_id["teach"].trigger()
    app.window.action_by_id["teach_panel"].trigger()
    qtbot.waitUntil(lambda: app.window.status.activity.text() == "teaching, 42 s left")
    app.teaching.cancel()
    assert "teaching" not in app.window.status.activity.text()


def test_in_a_low_window_the_panel_scrolls(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.window.resize(900, 600)
    fill(qtbot, app)
    long = {"sentence": "Better: mean IoU rises from 0.8 to 0.9 on a few boxes held out, by no less than that. " * 2}
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, SUMMARY | long)
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.session.teaching.promoted)
    assert (app.window.width(), app.window.height()) == (900, 600)
    assert app.window.minimumSizeHint().height() <= 600
    panel = app.window.teach_panel
    area = panel.findChild(QScrollArea)
    assert area is not None
    shown = (panel.button, panel.plot, panel.figures, panel.sentence, panel.refiners, panel.use_button)

    def is_laid_out() -> bool:
        places = [widget.geometry() for widget in shown]
        return (
            area.widget().width() <= area.viewport().width()
            and all(above.bottom() < below.top() for above, below in pairwise(places))
            and all(label.height() >= label.heightForWidth(label.width()) for label in (panel.figures, panel.sentence))
        )

    qtbot.waitUntil(is_laid_out)
    app.window._across.setSizes([300, 450, 150])
    assert app.window._right.width() == 150
    qtbot.waitUntil(is_laid_out)


def test_while_it_judges_no_time_is_left_to_tell(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    judging = {"done": 0, "total": 0, "message": "checking on held-out pictures", "figures": {}}
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, {"progress": judging}, then=WAIT)
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.session.teaching.message.startswith("checking"))
    assert "Time left" not in app.window.teach_panel.figures.text()
    assert app.window.status.activity.text() == "teaching"
    assert "Loss 2.50" in app.window.teach_panel.figures.text()
    app.teaching.cancel()


@pytest.mark.parametrize(("seconds", "words"), [(119.4, "119 s"), (150.0, "2 min"), (-3.0, "0 s")])
def test_the_time_left_is_said_as_one_says_it(seconds: float, words: str) -> None:
    assert TeachingState(figures={"seconds_left": seconds}).time_left == words


def test_a_refiner_is_dated_by_the_clock_on_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-3")  # POSIX counts westward: three hours ahead
    time.tzset()
    record = RefinerRecord(
        Path("x"), "x", "e", "", True, VerdictKind.BETTER, {"boxes": 50.0}, created="2026-03-02T22:30:00.000+00:00"
    )
    try:
        assert title_of(record).startswith("03 ")
        assert "01:30, 50 boxes" in title_of(record)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_cancel_ends_the_process_and_keeps_the_refiner(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: bool(app.session.teaching.losses))
    app.window.teach_panel.button.click()
    assert not app.trainer.is_running and not app.session.teaching.is_running
    assert "Cancelled; the refiner in use stays" in app.window.teach_panel.sentence.text()
    assert app.window.action_by_id["teach"].isEnabled()


def test_the_verdict_stands_in_the_panel(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, SUMMARY)
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.session.teaching.promoted)
    assert app.window.teach_panel.sentence.text() == "Better: by far."
    assert "Held-out IoU 0.800 → 0.900" in app.window.teach_panel.figures.text()


def test_what_the_trainer_wants_read_stays_in_the_panel(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(qtbot, app)
    noted = [{"note": f"The picture {n}.png is gone."} for n in range(4)]
    says(monkeypatch, *noted[:3], {"progress": STEP | {"figures": FIGURES}}, noted[3], SUMMARY)
    notes = app.window.teach_panel.notes
    assert notes.text() == ""
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.session.teaching.promoted)
    shown = notes.text().splitlines()
    assert shown == [*(f"The picture {n}.png is gone." for n in range(3)), "(1 more)"] and notes.isVisible()
    assert "3.png is gone" in notes.toolTip()
    app.teaching.start()
    assert notes.text() == "" and not notes.isVisible()  # another run may fare better
    app.teaching.cancel()


def test_what_the_trainer_complains_of_is_told_in_its_sentence(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(qtbot, app)
    says(monkeypatch, code=2, complaint="The disk is full: make room.")
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.window.notices.sentence.text() == "The disk is full: make room.")
    assert not app.session.teaching.is_running


def test_a_trainer_that_crashes_harms_nothing(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    says(monkeypatch, then="import os; os.abort()")
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: "ended before its time" in app.window.notices.sentence.text())
    draw(qtbot, app, Box(20, 30, 120, 110))


def test_one_that_cannot_be_started_is_told(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    monkeypatch.setattr(teaching, "train_command", lambda project, settings: ["no such program"])
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: "ended before its time" in app.window.notices.sentence.text())


def test_too_few_boxes_are_told_at_once(qtbot: QtBot, app: App) -> None:
    fill(qtbot, app, boxes=1)
    app.window.action_by_id["teach"].trigger()
    assert "This project has 1 accepted box, and teaching needs 5" in app.window.notices.sentence.text()
    assert not app.trainer.is_running


def test_the_least_number_is_that_of_the_trainer() -> None:
    from core.training.lessons import LEAST_CORRECTIONS

    assert teaching.LEAST_CORRECTIONS == LEAST_CORRECTIONS


def test_while_a_hand_draws_the_trainer_waits(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    heard = "for line in sys.stdin: print('{\"heard\": \"' + line.strip() + '\"}', flush=True)"
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=heard)
    words: list[str] = []
    app.trainer.told.connect(lambda line: words.append(line.get("heard", "")))
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: bool(app.session.teaching.losses))
    draw(qtbot, app, Box(20, 30, 120, 110))
    qtbot.waitUntil(lambda: "pause" in words)
    qtbot.waitUntil(lambda: words[-1:] == ["resume"])


def test_when_the_window_closes_the_trainer_ends(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(qtbot, app)
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: bool(app.session.teaching.losses))
    app.teaching.stop()
    assert not app.trainer.is_running


def test_a_project_lists_its_refiners_and_any_of_them_can_be_used(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    def job(project: ProjectStore) -> None:
        for name, promoted in (("one", True), ("two", False)):
            figures = {"iou_before": 0.8, "iou_after": 0.85, "low": 0.02, "held_boxes": 12.0}
            kind = VerdictKind.BETTER if promoted else VerdictKind.CHANCE
            project.add_refiner(
                RefinerRecord(
                    tmp_path / name, name, FakeEncoder.identity, "", promoted, kind, {"boxes": 50.0}, {}, figures
                )
            )

    app.store.run(job, on_done=lambda _: app.teaching.refresh())
    qtbot.waitUntil(lambda: app.session.refiner_id == 1)
    app.window.action_by_id["teach_panel"].trigger()
    shown = app.window.teach_panel.refiners
    titles = [shown.item(row).text() for row in range(shown.count())]
    assert (
        SHIPPED in titles[0] and "not better" in titles[1] and ", in use" in titles[2] and "0.800 → 0.850" in titles[2]
    )
    assert "Better: mean IoU rises from 0.800 to 0.850 on 12 boxes held out" in shown.item(2).toolTip()
    assert "may be chance" in shown.item(1).toolTip()
    shown.setCurrentRow(0)
    app.window.teach_panel.use_button.click()
    qtbot.waitUntil(lambda: app.session.refiner_id is None)
    assert ", in use" in shown.item(0).text()


def test_the_refiner_is_asked_for_the_category_that_is_chosen(qtbot: QtBot, app: App) -> None:
    asked: list[str | None] = []

    def for_category(refiner: object, name: str | None) -> object:
        asked.append(name)
        return refiner

    assert app.session.models is not None
    app.session.set_models(replace(app.session.models, for_category=for_category))  # type: ignore[arg-type]
    fill(qtbot, app)
    draw(qtbot, app, Box(20, 30, 120, 110))
    assert asked[-1] == "cup"


def test_another_refiner_keeps_the_features_of_the_open_image(app: App) -> None:
    features, models = app.session.features, app.session.models
    assert features is not None and models is not None
    app.session.set_models(replace(models, refiner_name="other"))
    assert app.session.features is features


def test_when_idle_it_teaches_only_if_wanted_and_worth_it(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    fill(qtbot, app, boxes=teaching.NEW_BOXES)
    app.teaching.start_if_wanted()
    assert not app.session.teaching.is_running
    app.window.action_by_id["teach_when_idle"].trigger()
    press(app.window.canvas, (100, 100))
    move(app.window.canvas, (140, 140))
    app.teaching.start_if_wanted()
    assert not app.session.teaching.is_running
    release(app.window.canvas, (140, 140))
    app.teaching.start_if_wanted()
    assert app.session.teaching.is_running
    app.teaching.cancel()


def test_by_itself_it_teaches_after_every_ten_boxes(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=WAIT)
    app.window.action_by_id["teach_when_idle"].trigger()
    started = []
    for boxes in (9, 1, 9, 1):
        fill(qtbot, app, boxes=boxes)
        app.teaching.start_if_wanted()
        started.append(app.session.teaching.is_running)
        app.teaching.cancel()
    assert started == [False, True, False, True]


def test_the_command_names_project_models_cache_and_configuration(tmp_path: Path) -> None:
    from boxrefine_gui.lanes.trainer_process import train_command

    settings = Settings(encoder="vit_b", device="cpu", cache_folder=str(tmp_path), teach_config="mine.yaml")
    command = train_command(tmp_path / "p.sqlite", settings)
    assert command[:4] == [sys.executable, "-m", "boxrefine_gui", "train"]
    wanted = {"--project": str(tmp_path / "p.sqlite"), "--encoder": "vit_b", "--device": "cpu"}
    wanted |= {"--cache": str(tmp_path), "--config": "mine.yaml"}
    assert {name: command[command.index(name) + 1] for name in wanted} == wanted
    assert command[-1] == "--json-progress"


def test_the_plot_paints_its_line(qtbot: QtBot) -> None:
    plot = LossPlot()
    qtbot.addWidget(plot)
    plot.resize(300, plot.height())
    plot.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
    plot.show()
    plot.show_losses(tuple(5.0 - n / 50 for n in range(100)), 200)
    shown = plot.grab().toImage()
    blue = [
        (x, y)
        for x in range(shown.width())
        for y in range(shown.height())
        if shown.pixelColor(x, y).blue() > shown.pixelColor(x, y).red() + 80
    ]
    assert blue and max(x for x, _ in blue) < shown.width() * 0.65  # half of the steps are still to come
    assert LINE.isValid()


def test_smoothing_is_the_mean_of_the_last_few() -> None:
    assert smooth([1.0, 3.0]) == [1.0, 2.0]
    assert smooth([1.0] * 30) == [1.0] * 30


def test_in_another_project_it_says_where_it_teaches_and_what_came_of_it(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(qtbot, app)
    step = json.dumps({"progress": STEP | {"figures": FIGURES}})
    more = f"{WAIT}; print({step!r}, flush=True); {WAIT}; print({json.dumps(SUMMARY)!r}, flush=True)"
    says(monkeypatch, {"progress": STEP | {"figures": FIGURES}}, then=more)
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.session.teaching.losses == (2.5,))
    app.open(sample_like_pictures(tmp_path / "other"))
    qtbot.waitUntil(lambda: app.session.project_path is not None and app.session.project_path.parent.name == "other")
    app.trainer.say("go on")
    qtbot.waitUntil(lambda: app.session.teaching.message == "In pictures: epoch 1 of 2")
    app.trainer.say("go on")
    qtbot.waitUntil(lambda: not app.session.teaching.is_running)
    assert app.window.notices.sentence.text() == "In pictures: Better: by far."
    assert app.session.teaching == TeachingState()
    ready(qtbot, app)


def test_what_came_of_teaching_is_no_news_in_another_project(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fill(qtbot, app)
    says(monkeypatch, code=2, complaint="The disk is full.")
    app.window.action_by_id["teach"].trigger()
    qtbot.waitUntil(lambda: app.session.teaching.sentence == "The disk is full.")
    assert app.window.notices.sentence.isVisible()
    app.open(sample_like_pictures(tmp_path / "other"))
    qtbot.waitUntil(lambda: app.session.teaching.sentence == "")
    assert not app.window.notices.sentence.isVisible()
    ready(qtbot, app)
