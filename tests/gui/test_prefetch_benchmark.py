"""Nobody waits: the benchmark that steps through pictures runs, and the GUI thread's own work is short."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from boxrefine_gui import operations
from boxrefine_gui.app import App
from boxrefine_gui.offscreen import IdleProcess, Watchdog
from tests.gui.driving import ready
from tests.gui.fakes import FakeModels

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_benchmark_steps_the_real_window_and_finds_features_in_time() -> None:
    command = [sys.executable, "-m", "boxrefine_gui", "benchmark", "prefetch", "--count", "6", "--device", "cpu"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert figures["pictures shown"] == 5
    assert figures["share with features when shown"] >= 0.6
    assert "stalls over 16 ms, stepping" in figures
    assert "| share with features when shown" in done.stdout


def test_the_watchdog_sees_a_stall_and_whose_it_is(qtbot: QtBot) -> None:
    watchdog = Watchdog()
    watchdog.start("nothing")
    with qtbot.waitSignal(watchdog.destroyed, timeout=50, raising=False):
        pass
    watchdog.start("work")
    QTimer.singleShot(0, lambda: sum(number * number for number in range(1_500_000)))
    qtbot.waitUntil(lambda: watchdog.stalls["work"].count > 0)
    watchdog.stop()
    assert watchdog.stalls["work"].own_s > 0.016
    assert watchdog.stalls["work"].longest_s >= watchdog.stalls["work"].own_s * 0.9


def test_an_idle_process_tells_the_machines_own_stalls() -> None:
    count, longest_s = IdleProcess().stalls()
    assert count >= 0 and longest_s >= 0


def test_the_gui_thread_itself_never_works_for_long(qtbot: QtBot, app: App, models: FakeModels) -> None:
    watchdog = Watchdog()
    watchdog.start("stepping")
    for row in (1, 2, 0, 2, 1, 0):
        operations.show_image(app.parts, app.session.images[row].id)
        ready(qtbot, app)
    app.window.action_by_id["encoder_vit_tiny"].trigger()
    qtbot.waitUntil(lambda: app.session.settings.encoder == "vit_tiny" and app.session.features is not None)
    watchdog.stop()
    assert watchdog.stalls["stepping"].own_s < 0.05  # 16 ms on a quiet machine; processors of tests are shared
