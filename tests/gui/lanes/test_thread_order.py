"""The window's thread goes first, and lanes that compute give way."""

from __future__ import annotations

import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.lanes.lane import GuiThread, QueueLane
from boxrefine_gui.lanes.thread_priority import go_first

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has an order of its own for each thread")


def rank() -> tuple[int, int]:
    """Policy and niceness of the calling thread."""
    return os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def of_a_thread_and_one_that_it_starts() -> list[tuple[int, int]]:
    with ThreadPoolExecutor(1) as pool:
        return [rank(), pool.submit(rank).result()]


def test_a_lane_that_gives_way_does_so_with_all_threads_that_it_starts(qtbot: QtBot, gui: GuiThread) -> None:
    before, errors, heard = rank(), list[Exception](), dict[str, list[tuple[int, int]]]()
    lanes = [QueueLane(name, gui, unheard=errors.append, gives_way=name == "polite") for name in ("polite", "prompt")]
    for lane in lanes:
        lane.run(of_a_thread_and_one_that_it_starts, on_done=partial(heard.__setitem__, lane.name))
    qtbot.waitUntil(lambda: len(heard) == 2)
    for lane in lanes:
        lane.close()
        assert lane.join(5)
    nicer = min(before[1] + 4, 19)
    assert heard == {"polite": [(os.SCHED_BATCH, nicer)] * 2, "prompt": [before] * 2}
    assert rank() == before and not errors


def test_who_goes_first_asks_for_short_turns_and_is_no_less_nice() -> None:
    def asked() -> tuple[tuple[int, int], str]:
        go_first()
        return rank(), Path(f"/proc/self/task/{threading.get_native_id()}/sched").read_text()

    before = rank()
    with ThreadPoolExecutor(1) as pool:
        after, told = pool.submit(asked).result()
    assert after == before
    turns = re.search(r"se\.slice +: +(\d+)", told)
    if turns is None:
        pytest.skip("this kernel has no turns of a thread's own")
    assert int(turns[1]) == 100_000
