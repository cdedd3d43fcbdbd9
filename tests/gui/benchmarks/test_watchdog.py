"""The watchdog tells how late the GUI thread was, what it did meanwhile, and whose doing that was."""

from __future__ import annotations

import ctypes
import random
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from boxrefine_gui.benchmarks.watchdog import IdleProcess, Lateness, Stall, Stalls, Watchdog, late_at

nap = ctypes.PyDLL(None).usleep
"""Sleeps without giving Python's lock away, as a library does that is being loaded."""


def seen(qtbot: QtBot, watchdog: Watchdog, phase: str) -> Stall:
    """The longest stall of a phase, as soon as there is one."""
    qtbot.waitUntil(lambda: watchdog.stalls[phase].count > 0)
    watchdog.stop()
    return watchdog.stalls[phase].longest


def test_work_on_the_gui_thread_is_told_as_its_own(qtbot: QtBot) -> None:
    watchdog = Watchdog()
    watchdog.start("work")
    QTimer.singleShot(0, lambda: sum(number * number for number in range(1_500_000)))
    stall = seen(qtbot, watchdog, "work")
    assert watchdog.stalls["work"].own_s > 0.016
    assert stall.worked_s > 0.5 * stall.late_s - stall.queued_s
    assert stall.ours_s > 0.016 and watchdog.stalls["work"].our_count == 1


def test_waiting_for_pythons_lock_is_told_as_waiting(qtbot: QtBot) -> None:
    watchdog = Watchdog()
    watchdog.start("wait")
    holder = threading.Thread(target=nap, args=(150_000,))
    holder.start()
    stall = seen(qtbot, watchdog, "wait")
    holder.join()
    assert stall.waited_s > 0.08
    assert stall.worked_s < 0.05
    assert stall.ours_s > 0.08


def test_where_threads_are_in_a_stall_is_written_down(qtbot: QtBot, tmp_path: Path) -> None:
    with (tmp_path / "traces.txt").open("w") as traces:
        watchdog = Watchdog(traces)
        watchdog.start("wait")
        holder = threading.Thread(target=nap, args=(150_000,))
        QTimer.singleShot(20, holder.start)
        seen(qtbot, watchdog, "wait")
        holder.join()
    told = (tmp_path / "traces.txt").read_text()
    assert "ms late: worked" in told
    assert "most recent call first" in told


def test_what_befalls_an_idle_process_as_well_is_not_our_making() -> None:
    stalls = Stalls([Stall(10.0, 0.1, worked_s=0.01), Stall(20.0, 0.1, worked_s=0.01)])
    assert stalls.our_count == 2
    stalls.excuse([Lateness(9.98, 0.2), Lateness(15.0, 1.0)])
    assert stalls.count == 2 and stalls.our_count == 2
    assert stalls.found[0].ours_s == pytest.approx(0.02)
    stalls.excuse([Lateness(20.5, 0.7)])
    assert stalls.our_count == 1
    assert stalls.our_longest_s == pytest.approx(0.02)


def test_an_idle_process_tells_when_it_was_late_lap_by_lap() -> None:
    beside = IdleProcess()
    laps = [beside.lap(), beside.lap()]
    beside.stop()
    assert beside.turns > 0
    assert all(lateness.late_s > 0.001 and lateness.ended_at > 0 for lap in laps for lateness in lap)


def test_the_tail_of_delays_counts_all_turns() -> None:
    assert late_at(0.999, [0.02, 0.01, 0.03], turns=1000) == 0.02
    assert late_at(0.999, [0.02, 0.01, 0.03], turns=2000) == 0.01
    assert late_at(0.999, [0.02], turns=2000) == 0.0
    assert late_at(0.5, [0.02, 0.01], turns=4) == 0.0


def test_every_turn_of_the_gui_thread_is_counted(qtbot: QtBot) -> None:
    watchdog = Watchdog()
    watchdog.start("turns")
    qtbot.waitUntil(lambda: watchdog.stalls["turns"].turns > 20)
    watchdog.stop()
    found = watchdog.stalls["turns"]
    found.excuse([Lateness(1.0, 0.004)] * 3, turns=1000)
    assert found.figures["idle 99.9 ms"] == pytest.approx(4)
    assert found.figures["late 99.9 ms"] >= 0


def test_an_hour_of_delays_is_excused_at_once_and_as_pair_by_pair() -> None:
    spread = random.Random(3)
    stalls = [Stall(at + spread.random(), 0.02 + 0.5 * spread.random()) for at in range(2_000)]
    idle = [Lateness(at / 20, 0.05 * spread.random()) for at in range(40_000)]
    found = Stalls(list(stalls))
    begun = time.process_time()
    found.excuse(idle)
    assert time.process_time() - begun < 1  # 2,000 times 40,000 pairs take a minute
    for stall, excused in list(zip(stalls, found.found, strict=True))[::100]:
        assert excused.taken_s == pytest.approx(sum(stall.overlap_s(lateness) for lateness in idle))
