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

from boxrefine_gui.background import GuiThread, QueueLane
from boxrefine_gui.thread_order import go_first

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has an order of its own for each thread")


def policy() -> int:
    return os.sched_getscheduler(0)  # of the calling thread


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def of_a_thread_and_one_that_it_starts() -> list[int]:
    with ThreadPoolExecutor(1) as pool:
        return [policy(), pool.submit(policy).result()]


def test_a_lane_that_gives_way_does_so_with_all_threads_that_it_starts(qtbot: QtBot, gui: GuiThread) -> None:
    before, errors, heard = policy(), list[Exception](), dict[str, list[int]]()
    lanes = [QueueLane(name, gui, unheard=errors.append, gives_way=name == "polite") for name in ("polite", "prompt")]
    for lane in lanes:
        lane.run(of_a_thread_and_one_that_it_starts, on_done=partial(heard.__setitem__, lane.name))
    qtbot.waitUntil(lambda: len(heard) == 2)
    for lane in lanes:
        lane.close()
        assert lane.join(5)
    assert heard == {"polite": [os.SCHED_BATCH] * 2, "prompt": [before] * 2}
    assert policy() == before and not errors


def test_who_goes_first_asks_for_short_turns_and_is_no_less_nice() -> None:
    def asked() -> tuple[int, int, str]:
        go_first()
        return policy(), niceness(), Path(f"/proc/self/task/{threading.get_native_id()}/sched").read_text()

    before = policy(), niceness()
    with ThreadPoolExecutor(1) as pool:
        *after, told = pool.submit(asked).result()
    assert tuple(after) == before
    turns = re.search(r"se\.slice +: +(\d+)", told)
    if turns is None:
        pytest.skip("this kernel has no turns of a thread's own")
    assert int(turns[1]) == 100_000
