"""No field of a correction is forgotten: a new one makes these tests fail until every place knows it."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

from core.formats import export
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import Correction, Origin
from core.store.correction_columns import COLUMNS
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION

FULL = replace(
    CORRECTION,
    image_id=1,
    category_id=2,
    outline=((14.0, 22.0, 90.0, 22.0, 90.0, 80.0),),
    origin=Origin("labels.json", Box(11.0, 21.0, 100.0, 88.0)),
    confirmed=False,
    margin=(3.0, 2.5, -1.0, 0.25),
)
NOT_IN_FILES = {"id", "image_id", "category_id", "origin"}
"""Fields that a file of ours gives anew: numbers of the project that reads it, and the file's own name."""

LOST_BY_WITHDRAWAL = {"refined", "edge_confidence", "score", "encoder", "refiner", "outline", "margin"}


def test_every_field_has_a_column() -> None:
    assert {column.name for column in COLUMNS} == {entry.name for entry in fields(Correction)} - {"id"}


def test_the_example_tells_something_in_every_field() -> None:
    nothing = vars(Correction(0, 0, Box(0, 0, 1, 1), Box(0, 0, 1, 1)))
    assert [name for name, value in vars(FULL).items() if name != "id" and value == nothing[name]] == []


def test_every_field_comes_back_from_the_project(store: ProjectStore) -> None:
    stored, _ = store.accept(FULL)
    assert store.corrections(1) == [stored]
    assert replace(stored, id=0) == FULL


def test_a_withdrawn_proposal_loses_what_the_refiner_said_and_nothing_else(store: ProjectStore) -> None:
    stored, _ = store.accept(FULL)
    store.withdraw_proposals()
    (left,) = store.corrections(1)
    changed = {entry.name for entry in fields(left) if getattr(left, entry.name) != getattr(stored, entry.name)}
    assert changed == LOST_BY_WITHDRAWAL


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
    assert lost <= {"seconds", "outline"}, "say in the exporter and the importer what becomes of a new field"
