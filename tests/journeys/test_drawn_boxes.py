"""The story of boxes that nobody has accepted: kill -9 loses none that was kept, and they come back to be accepted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.gui.driving import accept, settled
from tests.gui.fakes import sample_like_pictures
from tests.journeys.conftest import Windows

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9")]


def killed(folder: Path, mode: str, *, kept: int) -> set[str]:
    """Kill a window that draws once it has told of so many kept boxes; gives the keys of all that it told of."""
    command = [sys.executable, "-m", "tests.journeys.burst_of_drafts", str(folder), mode]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(kept)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    told = {line.strip() for line in lines if line.endswith("\n")}
    assert len(told) >= kept
    return told


def held(folder: Path) -> tuple[set[str], int]:
    """The keys of the drawn boxes in the project's file, and how many accepted ones it has."""
    with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as project:
        return {box.key for box in project.drawn_boxes(1)}, len(project.corrections(1))


@pytest.mark.parametrize("kept", [1, 25])
def test_every_drawn_box_is_there_after_kill_9_and_can_be_accepted(
    qtbot: QtBot, windows: Windows, tmp_path: Path, kept: int
) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    told = killed(folder, "leaves", kept=kept)
    there, _ = held(folder)
    assert told <= there

    app = windows.open(folder)
    settled(qtbot, app)
    assert app.session.drawn_count == len(there) and app.session.draft is not None
    before = app.session.counts.get(1, 0)
    accept(qtbot, app)
    assert app.session.counts[1] == before + 1
    assert app.session.drawn_count == len(there) - 1


@pytest.mark.parametrize("kept", [1, 25])
def test_going_on_turns_drawn_boxes_into_accepted_ones_and_a_kill_loses_none_between(
    qtbot: QtBot, tmp_path: Path, kept: int
) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    told = killed(folder, "accepts", kept=kept)
    drawn, accepted = held(folder)
    assert len(told - drawn) <= accepted  # those that are drawn no longer are accepted
