"""A project whose file is deleted, moved or replaced while it is open: nothing goes there, and nothing is lost."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import ProjectGoneError, StorageError
from core.store.copying import rescue_path
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, fill, python, title, titles

unix_files = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let an open file go")

TWO_ACCEPTS = """
import sys
from pathlib import Path
from core.errors import ProjectGoneError
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION

store = ProjectStore.open(Path(sys.argv[1]))
store.accept(CORRECTION)
print("stored", flush=True)
sys.stdin.readline()
try:
    store.accept(CORRECTION)
except ProjectGoneError:
    print("gone", flush=True)
store.close()
"""


def delete_file(path: Path) -> None:
    path.unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def rename_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("renamed"))


def put_older_copy(path: Path) -> None:
    """As programs that synchronise folders do: a new file that is renamed onto the old name."""
    with closing(ProjectStore.create(path.with_name("older.sqlite"))) as older:
        fill(older)
    path.with_name("older.sqlite").replace(path)


WAYS = [delete_file, delete_folder, rename_folder, put_older_copy]


@unix_files
@pytest.mark.parametrize("way", WAYS)
def test_no_write_goes_into_nothing_and_the_work_can_go_on_elsewhere(
    store: ProjectStore, project_path: Path, tmp_path: Path, way: Callable[[Path], None]
) -> None:
    first, _ = store.accept(CORRECTION)
    assert not store.is_gone
    pictures = [image.path for image in store.images()]
    way(project_path)
    assert store.is_gone
    for write in (lambda: store.accept(CORRECTION), store.undo, lambda: store.add_images([])):
        with pytest.raises(ProjectGoneError, match="no longer at its place"):
            write()
    target = rescue_path(project_path)
    store.copy_to(target)
    with closing(ProjectStore.open(target)) as rescued:
        assert rescued.corrections(1) == [first]
        assert [image.path for image in rescued.images()] == pictures
        second, _ = rescued.accept(CORRECTION)
        assert [title(rescued.undo().step), title(rescued.undo().step)] == ["Accept box", "Accept box"]
        assert second.id > first.id


@unix_files
def test_a_replaced_file_is_neither_written_nor_robbed_of_its_journal(project_path: Path) -> None:
    with closing(ProjectStore.create(project_path)) as store:
        fill(store)
    with python(TWO_ACCEPTS, project_path) as process:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == "stored\n"
        put_older_copy(project_path)
        with closing(ProjectStore.open(project_path)) as newcomer:
            stored, _ = newcomer.accept(CORRECTION)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "gone\n"
            process.wait(timeout=30)
            assert project_path.with_name(project_path.name + "-wal").exists()
            again, _ = newcomer.accept(CORRECTION)
        with closing(ProjectStore.open(project_path)) as whole:
            assert whole.corrections(1) == [stored, again]
    with closing(sqlite3.connect(project_path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@unix_files
def test_a_file_that_goes_while_a_box_is_stored_is_known_at_once(
    store: ProjectStore, project_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit went through; the copy has it, so it must not be stored again."""
    is_gone = store._place.is_gone
    checks: list[bool] = []

    def check_and_delete() -> bool:
        found = is_gone()
        checks.append(found)
        if len(checks) == 2:  # the last check before the commit
            project_path.unlink()
        return found

    monkeypatch.setattr(store._place, "is_gone", check_and_delete)
    stored, _ = store.accept(CORRECTION)
    monkeypatch.undo()
    assert store.is_gone
    store.copy_to(project_path.with_name("saved.sqlite"))
    with closing(ProjectStore.open(project_path.with_name("saved.sqlite"))) as saved:
        assert saved.corrections(1) == [stored]


def test_a_copy_elsewhere_is_whole_and_replaces_nothing(
    store: ProjectStore, project_path: Path, tmp_path: Path
) -> None:
    store.accept(CORRECTION)
    target = tmp_path / "far away" / "harbour.sqlite"
    store.copy_to(target)
    with closing(ProjectStore.open(target)) as copy:
        assert copy.dataset().images == store.dataset().images
        assert copy.dataset().corrections == store.dataset().corrections
        assert titles(copy) == ("Accept box", None)
    before = target.read_bytes()
    with pytest.raises(StorageError, match="exists already"):
        store.copy_to(target)
    assert target.read_bytes() == before
    assert [path.name for path in target.parent.iterdir()] == ["harbour.sqlite"]


@unix_files
def test_a_project_that_was_copied_after_a_crash_keeps_its_journal(project_path: Path, tmp_path: Path) -> None:
    with closing(ProjectStore.create(project_path)) as store:
        fill(store)
    with python(TWO_ACCEPTS, project_path) as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    copy = tmp_path / "copy"
    shutil.copytree(project_path.parent, copy)
    with closing(ProjectStore.open(copy / project_path.name)) as store:
        assert len(store.corrections(1)) == 1
    put_older_copy(project_path)
    with closing(ProjectStore.open(project_path)) as store:
        assert store.corrections(1) == []  # the journal would not have fitted the older copy


def test_the_journal_of_a_deleted_project_is_not_the_new_ones(store: ProjectStore, project_path: Path) -> None:
    store.accept(CORRECTION)
    wal = project_path.with_name(project_path.name + "-wal")
    left = wal.read_bytes()
    store.close()
    project_path.unlink()
    wal.write_bytes(left)
    with closing(ProjectStore.create(project_path)) as new:
        assert new.images() == []
        fill(new)
    with closing(ProjectStore.open(project_path)) as new:
        assert new.counts() == {}


KILLED_CREATION = """
import os, sys
from pathlib import Path
from core.store import project_file
from core.store.project_store import ProjectStore

def die(*_):
    os.kill(os.getpid(), 9)

setattr(project_file, sys.argv[2], die)
ProjectStore.open_or_create(Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="this system cannot kill -9")
@pytest.mark.parametrize("step", ["make_writable", "_give_name", "sync_folder"])
def test_a_creation_that_is_killed_leaves_nothing_or_a_project(tmp_path: Path, step: str) -> None:
    path = tmp_path / "boxrefine.sqlite"
    with python(KILLED_CREATION, path, step) as process:
        process.communicate(timeout=60)
    assert process.returncode == -9
    with closing(ProjectStore.open_or_create(path)) as store:
        fill(store)
        store.accept(CORRECTION)
    assert [entry.name for entry in tmp_path.iterdir()] == ["boxrefine.sqlite"]


def test_an_empty_database_as_older_versions_left_it_becomes_a_project(tmp_path: Path) -> None:
    path = tmp_path / "boxrefine.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (x)")
        db.execute("DROP TABLE t")
    assert path.stat().st_size > 0
    with closing(ProjectStore.open(path)) as store:
        fill(store)
    with closing(ProjectStore.open(path)) as store:
        assert len(store.images()) == 2
