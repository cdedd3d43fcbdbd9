"""Notes on rescue copies: they lead from a project's place to its copies, until these are saved elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.store.copying import rescue_path
from core.store.project_store import ProjectStore
from core.store.rescued import note_rescue, rescued_copies, settle_rescue


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.store.copying.rescue_folder", lambda: tmp_path / "rescued")
    monkeypatch.setattr("core.store.rescued.rescue_folder", lambda: tmp_path / "rescued")


def rescue(project: Path) -> Path:
    """A copy of a project in its place among the rescued ones."""
    copy = rescue_path(project)
    copy.parent.mkdir(parents=True, exist_ok=True)
    ProjectStore.create(copy).close()
    note_rescue(copy, project=project)
    return copy


def test_a_projects_place_leads_to_its_copies_and_no_other_does(tmp_path: Path) -> None:
    here, there = tmp_path / "one" / "boxrefine.sqlite", tmp_path / "two" / "boxrefine.sqlite"
    first, second = rescue(here), rescue(here)
    assert rescued_copies(here) == sorted([first, second])
    assert rescued_copies(there) == []


def test_a_copy_that_is_gone_or_saved_elsewhere_is_told_of_no_more(tmp_path: Path) -> None:
    project = tmp_path / "boxrefine.sqlite"
    gone, saved = rescue(project), rescue(project)
    gone.unlink()
    settle_rescue(saved)
    assert rescued_copies(project) == []
    assert saved.is_file()
