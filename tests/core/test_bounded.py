"""Files are read within their bounds, and only where they are files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.bounded import open_regular, read_bytes, read_text
from tests.house.source_files import ROOT


def test_a_file_within_the_bound_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x\r\ny\rz")
    assert read_bytes(path, limit=6) == b"x\r\ny\rz"
    assert read_text(path, limit=6) == "x\ny\nz"
    with pytest.raises(OSError, match="and a file of its kind at most"):
        read_bytes(path, limit=5)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        open_regular(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can bound the memory of a process")
def test_reading_takes_no_more_memory_than_the_file_has_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(1000))
    script = (
        "import resource, sys; from pathlib import Path; from core.bounded import read_bytes\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))\n"
        "assert len(read_bytes(Path(sys.argv[1]), limit=1 << 31)) == 1000"
    )
    done = subprocess.run([sys.executable, "-c", script, path], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.timeout(20)
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="no regular file"):
            open_regular(path)
