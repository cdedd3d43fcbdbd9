"""The story of a power cut: kill -9 in the middle of work loses nothing that the window had shown as stored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.gui.driving import settled
from tests.gui.fakes import sample_like_pictures
from tests.journeys.conftest import Windows

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9")
@pytest.mark.parametrize("confirmed", [1, 25])
def test_every_confirmed_box_is_there_after_kill_9(
    qtbot: QtBot, windows: Windows, tmp_path: Path, confirmed: int
) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    command = [sys.executable, "-m", "tests.journeys.burst_of_accepts", str(folder)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(confirmed)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    told = {int(line) for line in lines if line.endswith("\n")}
    assert len(told) >= confirmed

    project = ProjectStore.open(folder / PROJECT_FILE_NAME)
    there = {correction.id for correction in project.dataset().corrections}
    project.close()
    assert told <= there

    app = windows.open(folder)
    settled(qtbot, app)
    assert {correction.id for correction in app.session.corrections} == there
