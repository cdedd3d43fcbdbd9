"""A glance at a project: its progress without opening it, whatever the file is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from core.geometry import Box
from core.origins import Origin
from core.records import Correction
from core.store.glance import Glance, glance
from core.store.project_store import PROJECT_FILE_NAME, ProjectStore
from tests.core.projects import fill


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two images, one of them done, with one accepted box and one to check."""
    path = tmp_path / PROJECT_FILE_NAME
    store = ProjectStore.create(path)
    fill(store)
    box = Box(1, 2, 30, 40)
    to_check = Correction(1, 1, box, box, origin=Origin("coarse.json", box), confirmed=False)
    store.accept_all([Correction(1, 1, box, box), to_check])
    store.mark([2], done=True)
    store.close()
    return path


def test_a_project_and_its_folder_show_the_same(project: Path) -> None:
    expected = Glance(images=2, done=1, boxes=1, picture=project.parent / "eins.png")
    assert glance(project) == expected
    assert glance(project.parent) == expected


def test_it_writes_nothing_and_works_beside_a_window(project: Path) -> None:
    store = ProjectStore.open(project)
    before = project.read_bytes()
    assert glance(project) is not None
    assert project.read_bytes() == before
    store.close()


def test_what_is_no_project_gives_nothing(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("no database")
    with sqlite3.connect(tmp_path / "other.sqlite") as db:
        db.execute("CREATE TABLE things (id INTEGER)")
    (tmp_path / "empty").mkdir()
    for name in ("text.sqlite", "other.sqlite", "gone.sqlite", "empty", "gone"):
        assert glance(tmp_path / name) is None
