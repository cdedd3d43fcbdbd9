"""kill -9 of a whole window in the middle of work: what it had shown as stored is there, and it opens again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from threading import Event

import pytest

from core.store.project_check import check_project
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.gui.fakes import sample_like_pictures
from tests.torture.conftest import ROOT

pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9"),
]

_LEAST, _MOST = 2, 20
"""A window takes seconds to be there."""


def test_what_a_window_has_shown_as_stored_is_there_after_kills(tmp_path: Path, rounds: int, random: Random) -> None:
    folder = sample_like_pictures(tmp_path / "pictures")
    command = [sys.executable, "-m", "tests.journeys.burst_of_accepts", str(folder)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    told: set[int] = set()
    for _ in range(min(max(_LEAST, rounds // 4), _MOST)):
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline()]
            Event().wait(random.uniform(0, 1.0))
            process.send_signal(signal.SIGKILL)
            lines += process.stdout.readlines()
        told |= {int(line) for line in lines if line.endswith("\n")}
        assert check_project(folder / PROJECT_FILE_NAME) == []
        with closing(ProjectStore.open(folder / PROJECT_FILE_NAME)) as project:
            assert project.opened_elsewhere == ()
            assert told <= {correction.id for correction in project.dataset().corrections}
    assert told
