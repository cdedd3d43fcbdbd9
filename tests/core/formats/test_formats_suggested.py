"""Where a suggested box comes from goes through COCO files and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from core.formats import export
from core.formats.importing import find_boxes
from core.progress import run
from core.records import DrawnBy, Origin
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION
from tests.core.store.test_suggestions import FIRST, SECOND, suggested


def annotations_of(path: Path) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = json.loads(path.read_text("utf-8"))["annotations"]
    return entries


def test_an_accepted_suggestion_says_who_suggested_it(store: ProjectStore, tmp_path: Path) -> None:
    store.suggest(1, [suggested(FIRST), suggested(SECOND)])
    store.confirm([store.corrections(1)[0].id], take=True)
    out = run(export(store.dataset().accepted(), format="coco", out=tmp_path / "out")).path
    (entry,) = annotations_of(out)
    assert entry["suggested"] == {"head": "head-1", "score": 0.83}
    assert "source" not in entry and "confirmed" not in entry
    (found,) = run(find_boxes(out, store.images(), folder=store.path.absolute().parent)).boxes
    assert found.correction.confirmed
    assert found.correction.origin == Origin(out.name, found.correction.accepted, "head-1", 0.83)


def test_exports_tell_how_each_box_was_made(store: ProjectStore, tmp_path: Path) -> None:
    store.accept(replace(CORRECTION, drawn_by=DrawnBy.TWO_CLICKS))
    store.accept(CORRECTION)  # of an earlier version
    store.suggest(1, [suggested(SECOND)])
    file = Origin("labels.json", FIRST)
    came = replace(suggested(FIRST), correction=replace(suggested(FIRST).correction, image_id=1, origin=file))
    store.import_boxes([came], file="labels.json")
    entries = annotations_of(run(export(store.dataset(), format="coco", out=tmp_path / "out")).path)
    assert sorted(str(entry.get("drawn_by")) for entry in entries) == ["None", "imported", "suggested", "two_clicks"]


@pytest.mark.parametrize("said", ["by telepathy", 7, None, "imported"])
def test_an_unknown_way_of_drawing_leaves_the_origin(store: ProjectStore, tmp_path: Path, said: object) -> None:
    store.accept(replace(CORRECTION, drawn_by=DrawnBy.KEYS))
    out = run(export(store.dataset(), format="coco", out=tmp_path / "out")).path
    document = json.loads(out.read_text("utf-8"))
    document["annotations"][0]["drawn_by"] = said
    out.write_text(json.dumps(document), "utf-8")
    (found,) = run(find_boxes(out, store.images(), folder=store.path.absolute().parent)).boxes
    assert (found.correction.drawn_by, found.correction.made_by) == (DrawnBy.UNKNOWN, DrawnBy.IMPORTED)


def test_an_imported_suggestion_belongs_to_its_file(store: ProjectStore) -> None:
    """A newer head of this project does not replace it; rejecting it is remembered."""
    entry = suggested(FIRST)
    origin = Origin("proposals.json", FIRST, "head-9", 0.5)
    store.import_boxes([replace(entry, correction=replace(entry.correction, image_id=1, origin=origin))], file="p")
    (held,) = store.corrections(1)
    assert held.origin == origin and held.is_suggestion
    store.suggest(1, [suggested(SECOND)])
    assert held in store.corrections(1)
    store.delete([held.id])
    assert store.labels_of([1])[1].rejected == ((FIRST, "cat"),)


@pytest.mark.parametrize(
    "wrong", [7, {}, {"head": "head-1"}, {"head": "", "score": 0.5}, {"head": "a", "score": "high"}]
)
def test_what_a_file_says_otherwise_is_no_suggestion(store: ProjectStore, tmp_path: Path, wrong: object) -> None:
    store.suggest(1, [suggested(FIRST)])
    out = run(export(store.dataset(), format="coco", out=tmp_path / "out")).path
    document = json.loads(out.read_text("utf-8"))
    document["annotations"][0]["suggested"] = wrong
    out.write_text(json.dumps(document), "utf-8")
    (found,) = run(find_boxes(out, store.images(), folder=store.path.absolute().parent)).boxes
    assert found.correction.origin is not None and found.correction.origin.head == ""
