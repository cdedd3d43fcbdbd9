"""What was confirmed is in the file, whatever happens to the process or the disk."""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, python

pytestmark = pytest.mark.slow

BURST = """
import sys
from pathlib import Path
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, fill

store = ProjectStore.create(Path(sys.argv[1]))
fill(store)
while True:
    print(store.accept(CORRECTION)[0].id, flush=True)
"""

FULL_DISK = """
import resource, sys
from pathlib import Path
from core.errors import StorageError
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION, fill, title

store = ProjectStore.create(Path(sys.argv[1]))
fill(store)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    while True:
        print(store.accept(CORRECTION)[0].id, flush=True)
except StorageError as error:
    assert sys.argv[1] in str(error) and "full" in str(error), error
    assert title(store.undo_steps()[0]) == "Accept box"
    print("told")
"""


LARGE_UNDO = """
import sys
from pathlib import Path
from core.geometry import Box
from core.records import Correction, ImportedBox
from core.store.project_store import ProjectStore
from tests.core.projects import fill

store = ProjectStore.create(Path(sys.argv[1]))
fill(store)
places = [Box(n % 600, n // 600, n % 600 + 30, n // 600 + 20) for n in range(30_000)]
store.import_boxes([ImportedBox("owl", Correction(1, 0, box, box)) for box in places], file="owls.json")
while True:
    print("undo", flush=True)
    store.undo()
    print("redo", flush=True)
    store.redo()
"""


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_an_undo_that_is_killed_half_way_leaves_all_or_nothing(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "boxrefine.sqlite"
    with python(LARGE_UNDO, path) as process:
        assert process.stdout
        for _ in range(steps):
            process.stdout.readline()
        process.kill()
    with closing(ProjectStore.open(path)) as store:
        count, categories = len(store.corrections(1)), len(store.categories())
        assert (count, categories) in ((30_000, 3), (0, 2))
        assert (store.undo() if count else store.redo()).anything
        assert len(store.corrections(1)) == 30_000 - count


@pytest.mark.parametrize("burst", [1, 60])
def test_all_confirmed_boxes_survive_kill_9(tmp_path: Path, burst: int) -> None:
    path = tmp_path / "boxrefine.sqlite"
    with python(BURST, path) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(burst)]
        process.kill()
        lines += process.stdout.readlines()
    confirmed = {int(line) for line in lines if line.endswith("\n")}
    with closing(ProjectStore.open(path)) as store:
        stored = {correction.id for correction in store.corrections(1)}
        assert confirmed <= stored
        assert len(stored - confirmed) <= 1  # the one that was stored but not yet told
        assert store.undo().image_ids == {1}


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_FSIZE")
def test_a_full_disk_is_told_and_all_confirmed_boxes_stay(tmp_path: Path) -> None:
    path = tmp_path / "boxrefine.sqlite"
    with python(FULL_DISK, path) as process:
        printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    *ids, last = printed.split()
    assert last == "told"
    with closing(ProjectStore.open(path)) as store:
        assert [correction.id for correction in store.corrections(1)] == [int(id) for id in ids]
        store.undo()


def test_a_project_of_before_there_were_imports_opens_and_its_undo_still_works(
    store: ProjectStore, project_path: Path
) -> None:
    stored, _ = store.accept(CORRECTION)
    store.delete([stored.id])
    store.close()
    with closing(sqlite3.connect(project_path)) as db, db:
        db.execute("DROP INDEX corrections_to_check")
        for column in ("origin", "confirmed"):
            db.execute(f"ALTER TABLE corrections DROP COLUMN {column}")
        steps = db.execute("SELECT id, row_changes FROM undo_steps").fetchall()
        for id, text in steps:
            old = re.sub(r', "(origin|confirmed)": (null|1)', "", text)
            db.execute("UPDATE undo_steps SET row_changes = ? WHERE id = ?", [old, id])
        assert all("confirmed" not in text for (text,) in db.execute("SELECT row_changes FROM undo_steps"))
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm004_origins'")
    with closing(ProjectStore.open(project_path)) as again:
        again.undo()
        assert again.corrections(1) == [stored]
        again.undo()
        again.redo()
        assert again.corrections(1) == [stored]
