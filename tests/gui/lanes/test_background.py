"""The lanes: order, replacement, steps, errors, and their end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.lanes.lane import GuiThread, LatestLane, QueueLane
from core.progress import Job, Progress


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def queue(gui: GuiThread, errors: list[Exception]) -> Iterator[QueueLane]:
    lane = QueueLane("test", gui, unheard=errors.append)
    yield lane
    lane.close()
    assert lane.join(5)


@pytest.fixture
def latest(gui: GuiThread, errors: list[Exception]) -> Iterator[LatestLane]:
    lane = LatestLane("test", gui, unheard=errors.append)
    yield lane
    lane.close()
    assert lane.join(5)


def hold(lane: QueueLane) -> threading.Event:
    """Keep the lane busy until the event is set, so that what is queued meanwhile must wait."""
    started, gate = threading.Event(), threading.Event()

    def job() -> None:
        started.set()
        assert gate.wait(5)

    lane.run(job, priority=-1000)
    assert started.wait(5)
    return gate


def test_results_come_back_on_the_gui_thread(qtbot: QtBot, queue: QueueLane) -> None:
    heard: list[tuple[str, str]] = []
    queue.run(
        lambda: threading.current_thread().name,
        on_done=lambda name: heard.append((name, threading.current_thread().name)),
    )
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [("lane-test", threading.main_thread().name)]


def test_a_queue_runs_by_priority_then_by_order(qtbot: QtBot, queue: QueueLane) -> None:
    gate, ran = hold(queue), []
    for name, priority in (("later", 5), ("first", 1), ("second", 1)):
        queue.run(lambda name=name: ran.append(name), priority=priority)
    gate.set()
    qtbot.waitUntil(lambda: queue.is_idle)
    assert ran == ["first", "second", "later"]


def test_a_dropped_group_never_runs(qtbot: QtBot, queue: QueueLane) -> None:
    gate, ran = hold(queue), []
    queue.run(lambda: ran.append("dropped"), group="features", key=7)
    queue.run(lambda: ran.append("kept"))
    assert queue.has(7)
    queue.drop("features")
    assert not queue.has(7)
    gate.set()
    qtbot.waitUntil(lambda: queue.is_idle)
    assert ran == ["kept"]


def test_an_error_that_nobody_listens_for_is_reported_and_the_lane_lives_on(
    qtbot: QtBot, queue: QueueLane, errors: list[Exception]
) -> None:
    done: list[int] = []
    queue.run(lambda: 1 // 0)
    queue.run(lambda: 7, on_done=done.append)
    qtbot.waitUntil(lambda: done == [7])
    assert [type(error) for error in errors] == [ZeroDivisionError]


def test_steps_tell_their_progress_and_give_their_result(qtbot: QtBot, queue: QueueLane) -> None:
    heard: list[Progress] = []
    results: list[str] = []

    def job() -> Job[str]:
        yield Progress(1, 2)
        yield Progress(2, 2)
        return "written"

    queue.run_steps(job, on_done=results.append, on_progress=heard.append)
    qtbot.waitUntil(lambda: results == ["written"])
    assert heard[0] == Progress(1, 2)


def test_progress_is_told_ten_times_a_second_at_most(qtbot: QtBot, queue: QueueLane) -> None:
    heard: list[Progress] = []

    def job() -> Job[None]:
        for step in range(5000):
            yield Progress(step, 5000)

    queue.run_steps(job, on_progress=heard.append)
    qtbot.waitUntil(lambda: queue.is_idle)
    assert 1 <= len(heard) < 100


def test_cancelling_closes_the_generator_and_is_heard(qtbot: QtBot, queue: QueueLane) -> None:
    stepped, cleaned, cancelled = threading.Event(), threading.Event(), []

    def job() -> Job[None]:
        try:
            while True:
                stepped.set()
                yield Progress(0, 0)
        finally:
            cleaned.set()

    ticket = queue.run_steps(job, on_cancel=lambda: cancelled.append(True))
    assert stepped.wait(5)
    ticket.cancel()
    qtbot.waitUntil(lambda: cancelled == [True])
    assert cleaned.is_set()


def test_closing_with_drain_runs_what_waits(gui: GuiThread) -> None:
    errors: list[Exception] = []
    lane = QueueLane("drained", gui, unheard=errors.append)
    gate, ran = hold(lane), []
    for number in range(20):
        lane.run(lambda number=number: ran.append(number))
    lane.close(drain=True)
    gate.set()
    assert lane.join(5)
    assert ran == list(range(20))


def test_closing_without_drain_stops_a_long_job_and_forgets_the_rest(gui: GuiThread) -> None:
    stepped, ran = threading.Event(), []

    def job() -> Job[None]:
        while True:
            stepped.set()
            yield Progress(0, 0)

    lane = QueueLane("cut", gui, unheard=lambda error: None)
    lane.run_steps(job)
    assert stepped.wait(5)
    lane.run(lambda: ran.append(1))
    lane.close()
    assert lane.join(5)
    assert ran == []


def test_of_many_questions_asked_while_one_runs_only_the_newest_is_answered(
    qtbot: QtBot, latest: LatestLane, errors: list[Exception]
) -> None:
    started, gate = threading.Event(), threading.Event()
    answers: list[int] = []

    def slow() -> int:
        started.set()
        assert gate.wait(5)
        return 0

    latest.ask(slow, on_done=answers.append, on_error=errors.append)
    assert started.wait(5)
    for number in range(1, 51):
        latest.ask(lambda number=number: number, on_done=answers.append, on_error=errors.append)
    gate.set()
    qtbot.waitUntil(lambda: latest.is_idle)
    assert answers == [0, 50]
    assert errors == []


def test_a_sure_question_survives_newer_ones_and_goes_first(qtbot: QtBot, latest: LatestLane) -> None:
    started, gate = threading.Event(), threading.Event()
    answers: list[str] = []

    def slow() -> str:
        started.set()
        assert gate.wait(5)
        return "slow"

    latest.ask(slow, on_done=answers.append, on_error=_fail)
    assert started.wait(5)
    latest.ask(lambda: "replaced", on_done=answers.append, on_error=_fail)
    latest.ask_surely(lambda: "sure", on_done=answers.append, on_error=_fail)
    latest.ask(lambda: "newest", on_done=answers.append, on_error=_fail)
    gate.set()
    qtbot.waitUntil(lambda: latest.is_idle)
    assert answers == ["slow", "sure", "newest"]


def test_nothing_runs_through_a_closed_door(qtbot: QtBot) -> None:
    gui, ran = GuiThread(), []
    gui.post(lambda: ran.append("before"))
    gui.close()
    gui.post(lambda: ran.append("after"))
    gui.run_posted()
    assert ran == ["before"]


def _fail(error: Exception) -> None:
    raise error


def test_a_request_is_gone_once_its_outcome_was_handled(
    qtbot: QtBot, queue: QueueLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the thread has not come to take the next one yet."""
    may_take, take = threading.Event(), queue._take

    def take_late() -> object:
        assert may_take.wait(5)
        return take()

    monkeypatch.setattr(queue, "_take", take_late)
    heard: list[bool] = []
    queue.run(lambda: None, on_done=lambda _: heard.append(queue.has("key")), key="key")
    assert queue.has("key")
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [False]
    may_take.set()
