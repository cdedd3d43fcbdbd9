"""Full disks, read-only ones, folders that vanish, few descriptors: a sentence each, and what was confirmed stays."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import KnownError, ProjectUnwritableError
from core.formats import export
from core.geometry import Box
from core.progress import run
from core.records import Correction
from core.store.project_check import check_project
from core.store.project_store import ProjectStore
from tests.torture.conftest import Host, Worker
from tests.torture.jobs import dataset_of, open_project

pytestmark = [
    pytest.mark.torture,
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs limits and mounts of Unix"),
]

_SMALL = 1_500_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one and a half megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine mounts no small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def confirmed(worker: Worker) -> dict[int, Box]:
    """The boxes that a worker has said are stored."""
    lines = [line[1:].split(" ", 1) for line in worker.said() if line.startswith("+")]
    return {int(id): Box(*json.loads(box)) for id, box in lines}


def stored(path: Path) -> dict[int, Box]:
    """The boxes of a project that is whole."""
    assert check_project(path) == []
    with closing(ProjectStore.open(path)) as store:
        return {entry.id: entry.accepted for entry in store.dataset().corrections}


def test_a_full_disk_loses_no_confirmed_box_and_the_work_can_go_elsewhere(
    host: Host, small_disk: Path, tmp_path: Path
) -> None:
    path = small_disk / "boxrefine.sqlite"
    worker = host.start("fill_up", str(path), 100_000)
    assert host.wait(worker) == 0
    assert "disk is full" in worker.said()[-1]
    held = confirmed(worker)
    assert held and stored(path) == held
    (small_disk / "rest").write_bytes(b"x" * shutil.disk_usage(small_disk).free)
    with closing(ProjectStore.open(path)) as store:
        target = tmp_path / "elsewhere" / "mine.sqlite"
        store.copy_to(target)
    assert stored(target) == held
    with pytest.raises(KnownError, match="full|make room|No space"):
        run(export(dataset_of(1, images=2000), format="yolo", out=small_disk / "out"))
    # The journal of what there was no room to merge may be there; nothing else is.
    left = {entry.name for entry in small_disk.iterdir()} - {"boxrefine.sqlite-wal", "boxrefine.sqlite-shm"}
    assert left == {"boxrefine.sqlite", "rest"}


def test_a_disk_that_becomes_read_only_is_told_and_nothing_is_lost(small_disk: Path, tmp_path: Path) -> None:
    store = open_project(small_disk / "boxrefine.sqlite")
    box = Box(1, 2, 30, 40)
    stored_box, _ = store.accept(Correction(1, 1, box, box))
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with closing(ProjectStore.open(small_disk / "boxrefine.sqlite")) as read:
        assert read.corrections(1) == [stored_box]
        with pytest.raises(KnownError, match="read-only"):
            read.accept(Correction(1, 1, box, box))
        read.copy_to(tmp_path / "mine.sqlite")
    with closing(ProjectStore.open(tmp_path / "mine.sqlite")) as copy:
        assert copy.corrections(1) == [stored_box]
        copy.accept(Correction(1, 1, box, box))


def test_a_drive_that_is_unmounted_is_gone_and_the_copy_has_all(small_disk: Path, tmp_path: Path) -> None:
    store = open_project(small_disk / "boxrefine.sqlite")
    box = Box(1, 2, 30, 40)
    store.accept(Correction(1, 1, box, box))
    subprocess.run(["umount", "-l", str(small_disk)], check=True)
    try:
        assert store.is_gone
        with pytest.raises(ProjectUnwritableError):
            store.accept(Correction(1, 1, box, box))
        store.copy_to(tmp_path / "mine.sqlite")
        store.close()
        assert list(small_disk.iterdir()) == []
    finally:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(small_disk)], check=True)  # for the fixture to unmount
    assert len(stored(tmp_path / "mine.sqlite")) == 1


@pytest.mark.parametrize("limit", [60_000, 150_000, 400_000])
def test_a_limit_on_files_loses_no_confirmed_box(host: Host, tmp_path: Path, limit: int) -> None:
    path = tmp_path / "project" / "boxrefine.sqlite"
    open_project(path).close()
    worker = host.start("fill_up_limited", str(path), limit)
    assert host.wait(worker) == 0
    assert worker.said()[-1].startswith("told ")
    assert stored(path) == confirmed(worker)


@pytest.mark.parametrize("left", range(9))
def test_few_descriptors_end_in_a_sentence(host: Host, tmp_path: Path, left: int) -> None:
    path = tmp_path / "project" / "boxrefine.sqlite"
    open_project(path).close()
    worker = host.start("with_few_descriptors", str(path), str(tmp_path / "out"), left)
    code = host.wait(worker)
    assert code == 0, "".join(worker.lines())
    assert worker.said()[-1].startswith(("told ", "done"))
    assert stored(path) == confirmed(worker)
    assert not (tmp_path / "out").exists() or (tmp_path / "out" / "annotations.json").exists()


def test_a_folder_that_vanishes_while_it_is_worked_in_ends_in_a_sentence(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "project" / "boxrefine.sqlite"
    worker = host.start("fill_up", str(path), 100_000)
    while not confirmed(worker):
        assert worker.said() is not None
    shutil.rmtree(path.parent)
    assert host.wait(worker) == 0
    assert "no longer at its place" in worker.said()[-1]
    assert not path.exists()
