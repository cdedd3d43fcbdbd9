"""A project on a real file, for the tests of core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.store.project_store import ProjectStore
from tests.core.projects import fill


@pytest.fixture
def project_path(tmp_path: Path) -> Path:
    """A project file's place in a folder with a space and letters that are no ASCII."""
    return tmp_path / "bilder 写真" / "boxrefine.sqlite"


@pytest.fixture
def store(project_path: Path) -> Iterator[ProjectStore]:
    """A new project with two images (ids 1 and 2) and two categories (cat 1, dog 2)."""
    store = ProjectStore.create(project_path)
    fill(store)
    yield store
    store.close()
