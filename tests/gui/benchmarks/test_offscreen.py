"""The window of a benchmark is gone when its figures are there, whatever its lanes were doing."""

from __future__ import annotations

import threading

import pytest
from pytestqt.qtbot import QtBot

from boxrefine_gui.benchmarks.offscreen import offscreen_window
from core.settings import Settings


def test_a_lane_inside_a_long_call_is_waited_for(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boxrefine_gui.app._PATIENCE_S", 0.05)
    begun, released, ended = threading.Event(), threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        released.wait()
        ended.set()

    with offscreen_window(Settings(encode_folder=False)) as (app, _):
        app.learn.run(long)
        assert begun.wait(10)
        threading.Timer(1.5, released.set).start()
    assert ended.is_set() and app.wait(0)
