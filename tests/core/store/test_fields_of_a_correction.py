"""No field of a correction is forgotten: a new one makes these tests fail until every place knows it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import MISSING, fields, replace
from pathlib import Path

from sqlite_utils import Database

from core.formats import export
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import Candidate, Choice, Correction, DrawnBox, DrawnBy, Origin
from core.store.correction_columns import COLUMNS, OF_DRAWN_ROWS, OF_OLD_ROWS, Group
from core.store.migrations import MIGRATIONS
from core.store.project_store import ProjectStore
from core.store.row_repair import _OF_THE_REFINEMENT
from tests.core.old_projects import versions
from tests.core.projects import CORRECTION

FULL = replace(
    CORRECTION,
    image_id=1,
    category_id=2,
    outline=((14.0, 22.0, 90.0, 22.0, 90.0, 80.0),),
    origin=Origin("labels.json", Box(11.0, 21.0, 100.0, 88.0)),
    confirmed=False,
    margin=(3.0, 2.5, -1.0, 0.25),
    choice=Choice(
        (
            Candidate(Box(10.0, 20.0, 60.0, 70.0), 0.6, edge_confidence=(0.9, 0.8, 0.7, 0.6), score=0.8),
            Candidate(Box(14.125, 22.1, 99.0, 88.0), 0.4, margin=(3.0, 2.5, -1.0, 0.25)),
        ),
        chosen=1,
    ),
    doubtful=(1, 3),
    drawn_by=DrawnBy.FOUR_POINTS,
)
NOT_IN_FILES = {"id", "image_id", "category_id", "origin"}
"""Fields that a file of ours gives anew: numbers of the project that reads it, and the file's own name."""

LOST_BY_WITHDRAWAL = {"refined", "edge_confidence", "score", "encoder", "refiner", "outline", "margin", "choice"}
REPAIRED_BY_RULES = {"image_id", "category_id", "drawn", "refined", "accepted"}
"""Columns for which `core/store/row_repair.py` has a rule of its own."""


def columns_in(table: str, *, before: str | None = None) -> set[str]:
    """The columns that the migrations make, all of them or those before one."""
    with closing(Database(memory=True, execute_plugins=False)) as db:
        MIGRATIONS.apply(db, stop_before=before)
        return {str(row[1]) for row in db.execute(f"PRAGMA table_info({table})").fetchall()}


def values_of(correction: Correction) -> dict[str, object]:
    """The value of each field."""
    return {field.name: getattr(correction, field.name) for field in fields(Correction)}


def test_every_field_has_a_column() -> None:
    names, wanted = {column.name for column in COLUMNS}, {entry.name for entry in fields(Correction)} - {"id"}
    assert wanted - names == set(), "add a row to COLUMNS of core/store/correction_columns.py"
    assert names - wanted == set(), "COLUMNS of core/store/correction_columns.py has rows without a field"


def test_the_example_tells_something_in_every_field() -> None:
    nothing = values_of(Correction(0, 0, Box(0, 0, 1, 1), Box(0, 0, 1, 1)))
    silent = [name for name, value in values_of(FULL).items() if name != "id" and value == nothing[name]]
    assert silent == [], "give the new field a value in FULL above, so that the tests below can see it"


def test_every_column_has_a_migration() -> None:
    lacking = {column.name for column in COLUMNS} - columns_in("corrections")
    assert lacking == set(), "add a migration at the end of core/store/migrations.py"
    drawn = {column.name for column in COLUMNS if column.group is not Group.STATUS} - columns_in("drawn_boxes")
    assert drawn == set(), "the migration must add a column of Group.BOX or REFINEMENT to drawn_boxes, too"


def test_every_later_column_has_a_value_for_older_rows() -> None:
    """Undo steps of earlier versions hold rows without it."""
    later = columns_in("corrections") - columns_in("corrections", before=versions()[0])
    lacking = {column.name for column in COLUMNS if column.name in later} - set(OF_OLD_ROWS)
    assert lacking == set(), "give the column a `before` in COLUMNS of core/store/correction_columns.py"


def test_every_column_can_be_repaired() -> None:
    lacking = {column.name for column in COLUMNS if not column.can_be_lost} - REPAIRED_BY_RULES
    assert lacking == set(), "give the column an `unread` in COLUMNS of core/store/correction_columns.py"


def test_a_repair_that_drops_a_refinement_drops_all_that_it_said() -> None:
    said = {column.name for column in COLUMNS if column.group is Group.REFINEMENT} - {"encoder", "refiner"}
    assert said - set(_OF_THE_REFINEMENT) == set(), "add it to _OF_THE_REFINEMENT of core/store/row_repair.py"


def test_every_status_has_a_default() -> None:
    """Rows of drawn boxes do not hold it, so they are read with the default."""
    required = {entry.name for entry in fields(Correction) if entry.default is entry.default_factory is MISSING}
    assert set(OF_DRAWN_ROWS) & required == set(), "give the field a default in core/records.py"


def test_every_field_of_a_drawn_box_comes_back(store: ProjectStore) -> None:
    plain = values_of(Correction(0, 0, Box(0, 0, 1, 1), Box(0, 0, 1, 1)))
    status = {name: plain[name] for name in OF_DRAWN_ROWS} | {"confirmed": False}
    drawn = DrawnBox("key", replace(FULL, **status))
    store.keep_drawn(drawn)
    assert store.drawn_boxes(1) == [drawn]


def test_every_field_comes_back_from_the_project(store: ProjectStore) -> None:
    stored, _ = store.accept(FULL)
    assert store.corrections(1) == [stored]
    assert replace(stored, id=0) == FULL


def test_a_withdrawn_proposal_loses_what_the_refiner_said_and_nothing_else(store: ProjectStore) -> None:
    stored, _ = store.accept(FULL)
    store.withdraw_proposals()
    (left,) = store.corrections(1)
    changed = {entry.name for entry in fields(left) if getattr(left, entry.name) != getattr(stored, entry.name)}
    assert changed == LOST_BY_WITHDRAWAL, "a column of Group.REFINEMENT stands in LOST_BY_WITHDRAWAL, no other does"


def test_every_field_but_the_projects_own_comes_back_from_an_export(store: ProjectStore, tmp_path: Path) -> None:
    drawn_here = replace(FULL, origin=None, confirmed=True)
    stored, _ = store.accept(drawn_here)
    out = run(export(store.dataset(), format="coco", out=tmp_path / "out", outlines=True)).path
    found = run(find_boxes(out, store.images(), folder=store.path.absolute().parent))
    (entry,) = found.boxes
    back = entry.correction
    lost = {
        field.name
        for field in fields(back)
        if field.name not in NOT_IN_FILES and getattr(back, field.name) != getattr(stored, field.name)
    }
    assert lost <= {"seconds", "outline"}, (
        "write it in core/formats/exporters/coco.py and read it in core/formats/importers/coco_import.py, "
        "or add it to NOT_IN_FILES with the reason"
    )
