"""Projects that cannot be opened or written: one sentence each, and nothing is touched."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import BadFileError, KnownError, StorageError
from core.store.project_store import ProjectStore, project_path_for
from tests.core.projects import CORRECTION, fill, folder_of_an_ordinary_user

needs_unix_rights = pytest.mark.skipif(sys.platform == "win32", reason="rights of files are of another kind there")


def refusal(path: Path) -> KnownError:
    """Why `path` is not opened."""
    with pytest.raises(KnownError) as caught:
        ProjectStore.open(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_newer_version_is_refused_and_left_alone(store: ProjectStore, project_path: Path) -> None:
    store.accept(CORRECTION)
    store.close()
    with closing(sqlite3.connect(project_path)) as db, db:
        db.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('boxrefine.project', 'm999_future')")
    before = project_path.read_bytes()
    error = refusal(project_path)
    assert isinstance(error, StorageError)
    assert "update BoxRefine" in str(error)
    assert project_path.read_bytes() == before


def test_a_missing_project_is_told(tmp_path: Path) -> None:
    assert "does not exist" in str(refusal(tmp_path / "none.sqlite"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"not a database, but long enough for a header " * 40, b"\x00" * 5000])
def test_what_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "boxrefine.sqlite"
    path.write_bytes(content)
    assert isinstance(refusal(path), BadFileError)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE notes (text)")
    before = path.read_bytes()
    assert "no BoxRefine project" in str(refusal(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_project_cut_short_is_refused(store: ProjectStore, project_path: Path, keep: float) -> None:
    store.accept_all([CORRECTION] * 200)
    store.close()
    content = project_path.read_bytes()
    project_path.write_bytes(content[: int(len(content) * keep)])
    assert isinstance(refusal(project_path), BadFileError)


def test_pages_of_rubbish_are_found_on_opening(store: ProjectStore, project_path: Path) -> None:
    store.accept_all([CORRECTION] * 200)
    store.close()
    content = bytearray(project_path.read_bytes())
    content[-3 * 4096 :] = b"\xa5" * (3 * 4096)
    project_path.write_bytes(content)
    assert isinstance(refusal(project_path), BadFileError)


def test_create_never_overwrites(store: ProjectStore, project_path: Path) -> None:
    store.accept(CORRECTION)
    with pytest.raises(StorageError, match="exists already"):
        ProjectStore.create(project_path)
    assert store.counts() == {1: 1}


def test_open_or_create_does_either(tmp_path: Path) -> None:
    path = tmp_path / "boxrefine.sqlite"
    path.touch()  # what a power cut at the first moment leaves
    for images in (0, 2):
        store = ProjectStore.open_or_create(path)
        assert len(store.images()) == images
        fill(store)
        store.close()


def test_a_project_that_another_program_holds_is_told(
    store: ProjectStore, project_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.store.project_file._PATIENCE_S", 0.05)
    other = ProjectStore.open(project_path)
    with closing(sqlite3.connect(project_path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="in use by another program"):
            other.accept(CORRECTION)
        holder.execute("ROLLBACK")
    other.accept(CORRECTION)
    assert other.counts() == {1: 1}
    other.close()


@needs_unix_rights
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_read_only_project_can_be_read(kind: str) -> None:
    with folder_of_an_ordinary_user() as folder:
        path = folder / "boxrefine.sqlite"
        store = ProjectStore.create(path)
        fill(store)
        stored, _ = store.accept(CORRECTION)
        store.close()
        (path if kind == "file" else folder).chmod(0o444 if kind == "file" else 0o555)
        store = ProjectStore.open(path)
        assert store.dataset().corrections == (stored,)
        for write in (store.undo, lambda: store.accept(CORRECTION), lambda: store.add_images([])):
            with pytest.raises(StorageError, match="read-only"):
                write()
        store.close()


@needs_unix_rights
def test_a_project_without_the_right_to_read_is_told() -> None:
    with folder_of_an_ordinary_user() as folder:
        path = folder / "boxrefine.sqlite"
        ProjectStore.create(path).close()
        path.chmod(0)
        assert "may not be read" in str(refusal(path))


@needs_unix_rights
def test_a_project_cannot_be_made_where_one_may_not_write() -> None:
    with folder_of_an_ordinary_user() as folder:
        folder.chmod(0o555)
        with pytest.raises(StorageError, match=str(folder)):
            ProjectStore.create(folder / "boxrefine.sqlite")
        with pytest.raises(StorageError, match=str(folder)):
            ProjectStore.create(folder / "new" / "boxrefine.sqlite")


@needs_unix_rights
def test_a_read_only_folder_has_its_project_in_the_users_data(own_home: Path) -> None:
    with folder_of_an_ordinary_user() as folder:
        folder.chmod(0o555)
        path = project_path_for(folder)
    assert path.is_relative_to(own_home)
    assert path.name.startswith(folder.name + "-")


def test_a_header_of_a_format_that_sqlite_does_not_know_is_told(store: ProjectStore, project_path: Path) -> None:
    store.accept(CORRECTION)
    store.close()
    content = bytearray(project_path.read_bytes())
    content[47] = 9  # the schema's format: SQLite calls it an error of the statement, not of the file
    project_path.write_bytes(content)
    assert isinstance(refusal(project_path), BadFileError)
