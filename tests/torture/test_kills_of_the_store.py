"""kill -9 while boxes are stored: every box that was confirmed is there, and the project is whole."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from core.geometry import Box
from core.store.openings import folder_of
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.torture.conftest import Host, Worker

pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill -9"),
]

_SAME_PROJECT = 12
"""Rounds on one project, which then holds thousands of boxes."""


@dataclass
class Confirmed:
    """What workers have said: boxes that are there, those that are gone, those of which nobody knows, and imports."""

    boxes: dict[int, Box] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    imports: dict[str, int | None] = field(default_factory=dict)
    drawn: set[str] = field(default_factory=set)

    def take(self, worker: Worker) -> None:
        """Take in what a worker has said."""
        for line in worker.said():
            if line.startswith("+"):
                id, box = line[1:].split(" ", 1)
                self._know(int(id))
                self.boxes[int(id)] = Box(*json.loads(box))
            elif line.startswith("drawn "):
                self.drawn.add(line.split()[1])
            elif line.startswith("?drawn"):
                self.drawn.discard(line.removeprefix("?drawn").strip())
            elif line.startswith(("-", "?")):
                self._know(int(line[1:]))
                (self.gone if line[0] == "-" else self.unknown).add(int(line[1:]))
            elif line.startswith("begin "):
                self.imports[line.split()[1]] = None
            elif line.startswith("import "):
                _, file, count = line.split()
                self.imports[file] = int(count)

    def check(self, path: Path) -> int:
        """Hold the project against it; gives how many confirmed boxes there are."""
        assert check_project(path) == []
        with closing(ProjectStore.open(path)) as store:
            stored = {entry.id: entry for entry in store.dataset().corrections}
            drawn = {entry.key for image in store.images() for entry in store.drawn_boxes(image.id)}
            assert store.findings() == []
        assert self.drawn <= drawn, "a drawn box is lost"
        lost = {id: box for id, box in self.boxes.items() if id not in stored or stored[id].accepted != box}
        assert not lost, f"confirmed and not there: {lost}"
        assert not self.gone & stored.keys(), "undone or deleted, and there"
        by_file = Counter(entry.origin.file for entry in stored.values() if entry.origin is not None)
        for file, count in self.imports.items():
            assert by_file[file] == count or count is None, f"{file}: {by_file[file]} of {count}"
        return len(self.boxes)

    def _know(self, id: int) -> None:
        self.boxes.pop(id, None)
        self.gone.discard(id)
        self.unknown.discard(id)


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_no_confirmed_box_is_lost(
    host: Host,
    tmp_path: Path,
    rounds: int,
    random: Random,
    processes: int,
) -> None:
    confirmed, kills, checked = Confirmed(), 0, 0
    path = tmp_path / "0" / "boxrefine.sqlite"
    for n in range(rounds):
        if n % _SAME_PROJECT == 0:
            path, confirmed = tmp_path / str(n) / "boxrefine.sqlite", Confirmed()
            path.parent.mkdir()
        workers = [host.start("label", str(path), random.randrange(10**9)) for _ in range(processes)]
        host.kill_at_random(workers, random, within_s=0.35)
        for worker in workers:
            confirmed.take(worker)
        kills += processes
        if path.exists():
            checked += confirmed.check(path)
            assert not folder_of(path).exists(), "the last opening leaves nothing behind"
    sys.stdout.write(f"{kills} kills; a confirmed box was looked for {checked} times, and none was lost\n")


def test_a_creation_that_is_killed_leaves_no_half_made_project(
    host: Host, tmp_path: Path, rounds: int, random: Random
) -> None:
    for n in range(rounds):
        worker = host.start("create", str(tmp_path / "made"), n)
        host.kill_at_random([worker], random, within_s=0.25)
        made = {line.split()[1] for line in worker.said() if line.startswith("made ")}
        for folder in (tmp_path / "made").glob(f"{n}-*"):
            with closing(ProjectStore.open_or_create(folder / "boxrefine.sqlite")) as store:
                assert len(store.dataset().corrections) == 1 or folder.name not in made
            assert check_project(folder / "boxrefine.sqlite") == []
            assert [entry.name for entry in folder.iterdir()] == ["boxrefine.sqlite"]
