"""A long job: shown while it runs, told of once, cancelled at its next step; and how its sentence is shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.app import App
from boxrefine_gui.operations.job import LongJob, Outcome
from boxrefine_gui.state.level import Level
from core.errors import BadFileError
from core.progress import Job, Progress
from tests.gui.driving import ready
from tests.gui.fakes import sample_like_pictures


class Steps:
    """A job whose second step waits until the test lets it go on, if the test holds it."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.fault: Exception | None = None

    def __call__(self) -> Job[str]:
        yield Progress(0, 2, "half of it")
        assert self.go_on.wait(30)
        if self.fault is not None:
            raise self.fault
        yield Progress(1, 2, "all of it")
        return "made"


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture
def begun(app: App, steps: Steps) -> Callable[..., LongJob]:
    """Starts a job on the export lane."""

    def begin(level: Level = Level.INFO) -> LongJob:
        job = LongJob(app.session, title="Making", watch=app.window.jobs.new, cancelled=Outcome("Given up."))
        job.run(app.exports, steps, on_done=lambda value: Outcome(f"It is {value}.", level))
        return job

    return begin


@pytest.fixture
def told(app: App) -> list[tuple[str, Level]]:
    """What the window has told."""
    heard: list[tuple[str, Level]] = []
    app.session.told.connect(lambda sentence, level: heard.append((sentence, level)))
    return heard


Begin = Callable[..., LongJob]
Told = list[tuple[str, Level]]


@pytest.mark.parametrize("level", Level)
def test_it_is_shown_while_it_runs_and_told_of_once(
    qtbot: QtBot, app: App, begun: Begin, steps: Steps, told: Told, level: Level
) -> None:
    steps.go_on.clear()
    job = begun(level)
    (row,) = app.window.jobs.rows
    qtbot.waitUntil(lambda: row.words.text() == "half of it")
    steps.go_on.set()
    qtbot.waitUntil(lambda: bool(told))
    assert app.window.jobs.rows == []
    job.end(Outcome("Once more."))
    job.fail(RuntimeError("too late"))
    assert told == [("It is made.", level)]
    assert app.window.notices._until.isActive() is (level is Level.INFO)  # else it stays until it is closed


def test_an_error_ends_it_and_is_told(qtbot: QtBot, app: App, begun: Begin, steps: Steps, told: Told) -> None:
    steps.fault = BadFileError("The file is damaged: replace it.")
    begun()
    qtbot.waitUntil(lambda: app.window.notices.sentence.text() == str(steps.fault))
    assert (app.window.jobs.rows, told) == ([], [])
    assert not app.window.notices._until.isActive()


def test_the_button_cancels_it_at_its_next_step(qtbot: QtBot, app: App, begun: Begin, steps: Steps, told: Told) -> None:
    steps.go_on.clear()
    job = begun()
    (row,) = app.window.jobs.rows
    qtbot.waitUntil(lambda: row.words.text() == "half of it")
    assert job.is_wanted
    row.cancel_button.click()
    assert not job.is_wanted and told == []
    steps.go_on.set()
    qtbot.waitUntil(lambda: told == [("Given up.", Level.INFO)])
    assert app.window.jobs.rows == []


def test_it_is_wanted_no_more_where_another_project_is_opened(
    qtbot: QtBot, app: App, begun: Begin, steps: Steps, tmp_path: Path
) -> None:
    steps.go_on.clear()
    job = begun()
    app.open(sample_like_pictures(tmp_path / "other", ("x.png",)))
    qtbot.waitUntil(lambda: len(app.session.images) == 1)
    assert not job.is_wanted
    steps.go_on.set()
    ready(qtbot, app)
    qtbot.waitUntil(lambda: app.exports.is_idle)


def test_a_warning_keeps_a_window_open_that_was_about_to_close(app: App) -> None:
    app._closing.start()
    app.session.tell("All is well.")
    assert app._closing.isActive()
    app.session.tell("Two pictures are missing.", Level.WARNING)
    assert not app._closing.isActive()
