"""Exports are whole or not there: full disks, missing rights, cancelling, folders that hold other things."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from core.errors import BadInputError, StorageError
from core.formats import EXPORTERS, export, files_there, safe_write
from core.formats.exporters.coco import write_json
from core.formats.safe_write import ExportFile
from core.progress import run
from tests.core.datasets import difficult
from tests.core.projects import folder_of_an_ordinary_user, python

needs_unix = pytest.mark.skipif(sys.platform == "win32", reason="rights and limits of files are of another kind there")

FULL_DISK = """
import resource, sys
from pathlib import Path
from core.errors import StorageError
from core.formats import export
from core.progress import run
from tests.core.datasets import difficult

resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
try:
    run(export(difficult(), format=sys.argv[1], out=Path(sys.argv[2])))
except StorageError as error:
    assert sys.argv[2] in str(error) and "make room" in str(error), error
else:
    raise AssertionError("the disk was not full")
"""


def everything(folder: Path) -> dict[str, bytes]:
    """Names and contents below a folder, also hidden ones."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")
    }


@needs_unix
@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.parametrize("exists", [False, True])
def test_a_full_disk_leaves_nothing_half_written(format: str, exists: bool, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    if exists:
        run(export(difficult(), format=format, out=out))
        (out / "notes.txt").write_text("mine")
    before = everything(tmp_path)
    with python(FULL_DISK, format, out) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert everything(tmp_path) == before


@pytest.mark.parametrize("exists", [False, True])
def test_a_cancelled_export_leaves_nothing(exists: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if exists:
        out.mkdir()
    before = everything(tmp_path)
    job = export(difficult(), format="yolo", out=out)
    for _ in range(4):
        next(job)
    job.close()
    assert everything(tmp_path) == before


def test_an_export_goes_beside_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "other.txt").write_text("mine")
    (tmp_path / "data.yaml").write_text("old")
    run(export(difficult(), format="yolo", out=tmp_path))
    assert (tmp_path / "labels" / "other.txt").read_text() == "mine"
    assert "names" in (tmp_path / "data.yaml").read_text("utf-8")
    assert not [name for name in everything(tmp_path) if "partial" in name]


@pytest.mark.parametrize("format", EXPORTERS)
def test_what_an_export_would_replace_is_known_before(format: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert files_there(difficult(), format=format, out=tmp_path) == []
    assert files_there(difficult(), format=format, out=tmp_path / "none") == []
    assert files_there(difficult(), format=format, out=tmp_path / "notes.txt") == []
    run(export(difficult(), format=format, out=tmp_path))
    there = {str(name) for name in files_there(difficult(), format=format, out=tmp_path)}
    assert there == {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} - {"notes.txt"}


def test_the_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    steps = [(step.done, step.total) for step in export(difficult(), format="yolo", out=tmp_path / "out")]
    assert steps == [(done, 8) for done in range(9)]


def test_an_unknown_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=", ".join(EXPORTERS)):
        run(export(difficult(), format="none of them", out=tmp_path))


@pytest.mark.parametrize("format", EXPORTERS)
def test_a_file_in_the_way_is_told(format: str, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(StorageError, match="out"):
        run(export(difficult(), format=format, out=tmp_path / "out"))
    assert everything(tmp_path) == {"out": b"mine"}


@needs_unix
def test_a_folder_without_rights_is_told() -> None:
    with folder_of_an_ordinary_user() as folder:
        folder.chmod(0o555)
        for out in (folder, folder / "new" / "out"):
            with pytest.raises(StorageError, match="choose another folder"):
                run(export(difficult(), format="coco", out=out))
        with pytest.raises(StorageError, match=r"a\.json"):
            write_json({}, folder / "a.json")


@needs_unix
def test_written_files_have_usual_rights(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_json({}, tmp_path / "a.json")
    run(export(difficult(), format="coco", out=tmp_path / "out"))
    usual = stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == usual
    assert stat.S_IMODE((tmp_path / "out" / "annotations.json").stat().st_mode) == usual


def test_a_json_file_is_replaced_whole_and_through_links(tmp_path: Path) -> None:
    write_json({"old": 1}, tmp_path / "a.json")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    write_json({"new": 2}, tmp_path / "link.json")
    assert (tmp_path / "a.json").read_bytes() == b'{"new":2}\n'
    assert (tmp_path / "link.json").is_symlink()


@pytest.mark.parametrize("at_once", [True, False])
def test_all_files_are_flushed_before_they_get_their_names(
    at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []

    @contextmanager
    def system(folder: Path) -> Iterator[Callable[[], bool]]:
        def flush() -> bool:
            assert not (tmp_path / "out").exists()
            flushed.append("all")
            return at_once

        yield flush

    monkeypatch.setattr(safe_write, "_MANY", 2)
    monkeypatch.setattr(safe_write, "file_system_of", system)
    monkeypatch.setattr(safe_write, "_flush", lambda paths: flushed.extend(Path(path).name for path in paths))
    files = [ExportFile(PurePosixPath(f"{number}.txt"), str(number).encode) for number in range(4)]
    assert list(safe_write.write_folder(tmp_path / "out", files)) == [1, 2, 3, 4]
    assert flushed == ["all", *([] if at_once else ["0.txt", "1.txt", "2.txt", "3.txt"])]
    assert (tmp_path / "out" / "3.txt").read_text() == "3"
