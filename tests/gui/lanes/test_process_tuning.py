"""Tuning: the window's thread goes first, lanes give way, libraries are opened ahead; and all of it can be off."""

from __future__ import annotations

import builtins
import gc
import importlib.util
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.lanes import process_tuning
from boxrefine_gui.lanes.lane import GuiThread, QueueLane
from boxrefine_gui.lanes.process_tuning import TRICKS, VARIABLE, Moment, go_first, trainers_variables, tune
from core.geometry import Box
from tests.gui.conftest import end
from tests.gui.driving import accept, draw, ready, stored
from tests.gui.fakes import FakeModels

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has an order of its own for each thread")


def rank() -> tuple[int, int]:
    """Policy and niceness of the calling thread."""
    return os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def of_a_thread_and_one_that_it_starts() -> list[tuple[int, int]]:
    with ThreadPoolExecutor(1) as pool:
        return [rank(), pool.submit(rank).result()]


@on_linux
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


@on_linux
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


_LIBRARIES = """
import sys
from boxrefine_gui.lanes.process_tuning import open_libraries
opened = open_libraries()
assert not {"torch", "numpy", "PySide6"} & set(sys.modules)
print(*[path.name for path in opened])
import torch
print(float(torch.ones(3).sum()))
"""


@on_linux
def test_the_libraries_are_opened_before_torch_is_imported_and_serve_it() -> None:
    done = subprocess.run([sys.executable, "-c", _LIBRARIES], capture_output=True, text=True, timeout=120, check=True)
    triton = ["libtriton.so"] if importlib.util.find_spec("triton") is not None else []
    assert done.stdout.split() == ["libtorch_global_deps.so", "libtorch.so", *triton, "3.0"]


def test_each_trick_says_its_gain_and_belongs_to_a_moment() -> None:
    told = [trick for tricks in TRICKS.values() for trick in tricks]
    functions = [
        value
        for name, value in vars(process_tuning).items()
        if callable(value) and getattr(value, "__module__", "") == process_tuning.__name__ and not name.startswith("_")
    ]
    others = {Moment, process_tuning.is_on, tune, trainers_variables}
    assert set(functions) - others == set(told)
    assert [trick for trick in (*told, trainers_variables) if "Gain: " not in (trick.__doc__ or "")] == []
    assert set(TRICKS) == set(Moment)


# Off


_STATE = """
import builtins, os, sys
before = sys.getswitchinterval()
from boxrefine_gui.lanes.process_tuning import Moment, tune
tune(Moment.PROCESS)
tune(Moment.WINDOW)
tune(Moment.MODELS)
maps = open("/proc/self/maps").read() if sys.platform == "linux" else ""
print(os.environ.get("OMP_WAIT_POLICY"), os.environ.get("THP_MEM_ALLOC_ENABLE"), sys.getswitchinterval() == before,
      "libtorch" in maps)
"""


@on_linux
@pytest.mark.parametrize(("value", "state"), [("off", "None None True False"), ("", "PASSIVE 1 False True")])
def test_off_leaves_the_process_as_it_is(value: str, state: str) -> None:
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE")
    environment = {name: text for name, text in os.environ.items() if name not in names} | {VARIABLE: value}
    command = [sys.executable, "-c", _STATE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == state


def test_off_leaves_threads_imports_and_the_trainer_as_they_are(
    qtbot: QtBot, gui: GuiThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "off")
    heard: list[tuple[int, int]] = []
    lane = QueueLane("polite", gui, unheard=lambda error: None, gives_way=True)
    lane.run(rank if sys.platform == "linux" else lambda: (0, 0), on_done=heard.append)
    qtbot.waitUntil(lambda: bool(heard))
    lane.close()
    assert lane.join(5)
    assert heard == ([rank()] if sys.platform == "linux" else [(0, 0)])
    marked = object()
    monkeypatch.setattr(builtins, "__orig_import__", marked, raising=False)
    tune(Moment.GUI_THREAD)
    assert builtins.__import__ is not marked
    assert trainers_variables() == {}


def test_off_the_window_works_and_objects_are_still_collected_on_its_thread_alone(
    qtbot: QtBot, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from boxrefine_gui.app import build

    monkeypatch.setenv(VARIABLE, "off")
    frozen = gc.get_freeze_count()
    app = build(load_models=FakeModels())
    app.window.show()
    app.open(pictures)
    ready(qtbot, app)
    draw(qtbot, app, Box(20, 20, 90, 80))
    accept(qtbot, app)
    assert len(stored(app)) == 1
    assert not gc.isenabled() and gc.get_freeze_count() <= frozen  # some that were frozen may have gone
    end(app)
    assert gc.isenabled()


_WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from boxrefine_gui.__main__ import main

qt = QApplication(sys.argv[:1])
looks = QTimer()

def look():
    (window,) = [widget for widget in qt.topLevelWidgets() if type(widget).__name__ == "MainWindow"]
    if window.parts.session.models is not None:
        print(window.parts.session.models.encoder_name)
        looks.stop()
        window.close()

looks.timeout.connect(look)
looks.start(50)
sys.argv = ["boxrefine", sys.argv[1]]
sys.exit(main())
"""


@pytest.mark.slow
@pytest.mark.long
def test_off_the_whole_program_loads_its_models_and_ends(pictures: Path) -> None:
    environment = os.environ | {VARIABLE: "off", "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-c", _WINDOW, str(pictures)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert (done.returncode, done.stdout) == (0, "light\n"), done.stderr
