"""Files that are written whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import time
from pathlib import Path

import pytest

from core import files
from core.files import file_system_of, written_whole


def write(path: Path, text: str) -> None:
    with written_whole(path) as beside:
        beside.write_text(text, "utf-8")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_made_with_its_folders_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    write(path, "one")
    write(path, "two")
    assert path.read_text("utf-8") == "two"
    assert names(path.parent) == ["file.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write(path, "one")
    with pytest.raises(ValueError), written_whole(path) as beside:
        beside.write_text("half", "utf-8")
        raise ValueError
    assert path.read_text("utf-8") == "one"
    assert names(tmp_path) == ["file.txt"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_what_a_writer_keeps_for_itself_is_for_others_as_other_files_are(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with written_whole(tmp_path / "weights") as beside:
        os.close(os.open(beside, os.O_CREAT | os.O_WRONLY, 0o600))  # as safetensors does
    assert (tmp_path / "weights").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_keeps_pointing_at_its_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    write(tmp_path / "real" / "file.txt", "one")
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real" / "file.txt")
    write(link, "two")
    assert link.is_symlink()
    assert (tmp_path / "real" / "file.txt").read_text("utf-8") == "two"


def test_what_a_killed_process_left_goes_after_a_day(tmp_path: Path) -> None:
    old, young = (tmp_path / f".file.txt-{name}.partial" for name in ("0000aaaa", "0000bbbb"))
    for path in (old, young):
        path.write_text("half", "utf-8")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    write(tmp_path / "file.txt", "whole")
    assert not old.exists()
    assert young.exists()


class Library:
    """A C library whose `syncfs` returns what it is told to."""

    def __init__(self, answer: int) -> None:
        self.syncfs = lambda _: (ctypes.set_errno(errno.EIO), answer)[1]


def test_a_file_system_is_flushed_at_once_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with file_system_of(tmp_path) as flush:
        (tmp_path / "file.txt").write_text("one", "utf-8")
        assert flush() is (files._libc() is not None)
    monkeypatch.setattr(files, "_libc", lambda: None)
    with file_system_of(tmp_path) as flush:
        assert flush() is False


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be opened there")
def test_an_error_of_the_disk_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_libc", lambda: Library(-1))
    with file_system_of(tmp_path) as flush, pytest.raises(OSError, match="rror"):
        flush()
