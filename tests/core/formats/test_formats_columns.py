"""Large files are held in columns; what comes of them is the same as from small ones, which are held as objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import correction_table
from core.correction_table import BoxTable, CorrectionTable
from core.formats import EXPORTERS, export
from core.formats.importers import json_steps
from core.formats.importers.found import FoundBoxes
from core.formats.importers.json_steps import JsonEntries, parse_steps
from core.formats.importing import find_boxes
from core.progress import run
from core.records import ImportedBox, NewImage
from core.store.project_store import ProjectStore
from tests.core.datasets import difficult

MANY = 10**9

ODD: dict[str, Any] = {
    "info": {"year": 2017},
    "images": [
        {"id": 1, "file_name": "a.png", "width": 200, "height": 150, "license": 3},
        {"id": "2", "file_name": "b.png", "width": 200, "height": 150},
        {"id": 3.0, "file_name": "c.png", "width": 200, "height": 150},
        {"id": 4, "file_name": "gone.png", "width": 200, "height": 150},
        {"id": 1, "file_name": "again.png", "width": 200, "height": 150},
    ],
    "categories": [{"id": 1, "name": "cup"}, {"id": "7", "name": "mug"}],
    "annotations": [
        {
            "id": 10,
            "image_id": 1,
            "category_id": 1,
            "bbox": [20, 30, 80, 60],
            "area": 5,
            "mine": {"é": ["😀"]},
        },
        {"id": 10, "image_id": 1, "category_id": 7, "bbox": [21, 30, 80, 60]},
        {"id": "11", "image_id": "2", "category_id": 7.0, "bbox": [1, 2, 30, 40], "score": 0.25},
        {"id": 12.0, "image_id": 2, "category_id": 99, "bbox": [1, 2, 300, 400], "iscrowd": 1},
        {"image_id": 3, "bbox": [5.5, 6, 7, 8], "score": float("nan")},
        {"id": None, "image_id": 3, "category_id": 1, "segmentation": [[5, 5, 50, 5, 50, 40]]},
        {"id": 13, "image_id": 4, "category_id": 1, "bbox": [5, 6, 7, 8]},
        {"id": 14, "image_id": 5, "category_id": 1, "bbox": [5, 6, 7, 8]},
        {"id": 15, "image_id": 1, "category_id": 1, "bbox": [5, 6, 0, 8]},
        {"id": 16, "image_id": 1, "category_id": 1, "bbox": [500, 6, 10, 8]},
        {"id": 17, "category_id": 1, "bbox": [5, 6, 10, 8]},
        {"id": 18, "image_id": 2, "category_id": 1, "bbox": [5, 6, 10, float("inf")]},
        {"id": 19, "image_id": 2, "category_id": 1, "bbox": [5, 6, 10, 10**400]},
        {"id": 20, "image_id": 2, "category_id": 1, "bbox": "none"},
        {"id": 21, "image_id": 2, "category_id": 1, "bbox": [9, 9, 20, 20], "drawn_bbox": [8, 8, 22, 22]},
        {"id": 22, "image_id": 2, "category_id": 1, "bbox": [9, 9, 25, 20], "long": "x" * 5000},
        {"nested": {"id": 5}, "id": 23, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]},
        {"id": 24, "id ": 1, "image_id": 3, "category_id": 1, "bbox": [3, 3, 9, 9]},
        [1, 2],
        None,
    ],
}


@pytest.fixture
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """All files and projects are large ones."""
    monkeypatch.setattr(json_steps, "MANY", 1)
    monkeypatch.setattr(correction_table, "MANY", 0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ProjectStore]:
    with closing(ProjectStore.create(tmp_path / "boxrefine.sqlite")) as store:
        store.add_images([NewImage(tmp_path / f"{name}.png", 200, 150) for name in "abc"])
        yield store


def found_in(path: Path, store: ProjectStore) -> FoundBoxes:
    return run(find_boxes(path, store.images(), folder=path.parent))


def bring(store: ProjectStore, path: Path) -> FoundBoxes:
    found = found_in(path, store)
    store.import_boxes(found.boxes, file=path.name, categories=found.categories, sources=found.sources)
    return found


@pytest.mark.parametrize("is_ascii", [True, False])
@pytest.mark.parametrize("is_strict", [True, False])
def test_the_boxes_of_a_large_file_and_the_words_on_it_are_those_of_a_small_one(
    is_ascii: bool, is_strict: bool, store: ProjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [entry for entry in ODD["annotations"] if not is_strict or _is_strict(entry)]
    if is_ascii:
        entries.append({"id": 30, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9], "half": "\ud83d"})
    document = {**ODD, "annotations": entries}
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(document, ensure_ascii=is_ascii), "utf-8")
    small = found_in(path, store)
    monkeypatch.setattr(json_steps, "MANY", 1)
    large = found_in(path, store)
    assert len(small.boxes) >= 9
    assert list(large.boxes) == list(small.boxes)
    assert [_kept(entry) for entry in large.boxes] == [_kept(entry) for entry in small.boxes]
    assert (large.problems, large.missing, large.categories, large.sources, large.listed) == (
        small.problems,
        small.missing,
        small.categories,
        small.sources,
        small.listed,
    )


def _kept(entry: ImportedBox) -> object:
    origin = entry.correction.origin
    return None if origin is None else (origin.format, origin.kept("COCO"))


def _is_strict(entry: object) -> bool:
    text = json.dumps(entry)
    return "NaN" not in text and "Infinity" not in text


def test_a_long_list_of_annotations_stays_text_and_gives_the_same_entries() -> None:
    text = json.dumps(ODD)
    small = run(parse_steps(text, name="odd.json"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_steps, "MANY", 1)
        large = run(parse_steps(text, name="odd.json"))
    assert isinstance(large["annotations"], JsonEntries) and isinstance(small["annotations"], list)
    assert json.dumps(list(large["annotations"])) == json.dumps(small["annotations"])
    assert json.dumps([large["annotations"][place] for place in range(20)]) == json.dumps(small["annotations"])


@pytest.mark.parametrize("end", ["", "]", ', {"id": }]}', ', {"id": 1} {}]}', "]} x", ",]}"])
def test_a_long_list_that_is_no_json_is_refused_as_a_short_one(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"annotations": [' + ", ".join('{"id": 1}' for _ in range(20)) + end
    with pytest.raises(ValueError) as small:  # noqa: PT011 - any sentence of the json module
        run(parse_steps(text, name="x"))
    monkeypatch.setattr(json_steps, "MANY", 1)
    with pytest.raises(ValueError) as large:  # noqa: PT011
        run(parse_steps(text, name="x"))
    assert str(large.value) == str(small.value)


@pytest.mark.parametrize("format", EXPORTERS)
def test_exports_of_columns_are_those_of_objects(
    format: str, store: ProjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(ODD), "utf-8")
    bring(store, path)
    first, second, third = (item.id for item in store.dataset().corrections[:3])
    store.delete([second])
    store.relabel([third], store.add_category("new").id)
    store.move(first, store.dataset().corrections[0].accepted._replace(x1=22.0))
    store.confirm([third], take=False)
    monkeypatch.setattr(correction_table, "MANY", MANY)
    objects = store.dataset()
    monkeypatch.setattr(correction_table, "MANY", 0)
    table = store.dataset()
    assert isinstance(table.corrections, CorrectionTable) and isinstance(objects.corrections, tuple)
    assert table == objects
    for name, dataset in (("objects", objects), ("columns", table)):
        run(export(dataset, format=format, out=tmp_path / name))
        accepted = dataset.accepted().labelled()
        if accepted.corrections:
            run(export(accepted, format=format, out=tmp_path / f"{name}-accepted"))
    for part in ("", "-accepted"):
        assert _contents(tmp_path / f"columns{part}") == _contents(tmp_path / f"objects{part}")


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("columns")
def test_a_large_file_that_nobody_touched_comes_back_as_the_same_data(store: ProjectStore, tmp_path: Path) -> None:
    entries = [
        {"id": 7 * n, "image_id": n % 3 + 1, "category_id": 1, "bbox": [n, n, 20, 30], "area": 600, "mine": [n, "é"]}
        for n in range(1, 60)
    ]
    images = [{**ODD["images"][0], "id": n + 1, "file_name": f"{name}.png"} for n, name in enumerate("abc")]
    document = {**ODD, "images": images, "categories": [{"id": 1, "name": "cup"}], "annotations": entries}
    path = tmp_path / "came.json"
    path.write_text(json.dumps(document), "utf-8")
    assert bring(store, path).problems == []
    run(export(store.dataset(), format="coco", out=tmp_path / "out"))
    back = json.loads((tmp_path / "out" / "annotations.json").read_text("utf-8"))
    kept = [{**entry, "iscrowd": 0} for entry in entries]
    by_id = {entry["id"]: entry for entry in back["annotations"]}
    assert [{key: by_id[entry["id"]][key] for key in entry} for entry in kept] == kept
    assert back["images"] == images and back["info"] == ODD["info"]


@pytest.mark.parametrize("format", EXPORTERS)
def test_the_difficult_dataset_is_the_same_in_columns(format: str, tmp_path: Path) -> None:
    objects = difficult()
    table = CorrectionTable()
    table.extend(objects.corrections)
    columns = replace(objects, corrections=table)
    assert table == objects.corrections and table[-1] == objects.corrections[-1]
    assert list(table.on_images({1})) == [item for item in objects.corrections if item.image_id == 1]
    run(export(objects, format=format, out=tmp_path / "objects"))
    run(export(columns, format=format, out=tmp_path / "columns"))
    assert _contents(tmp_path / "columns") == _contents(tmp_path / "objects")


@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.usefixtures("columns")
def test_a_large_import_of_which_nothing_is_checked_exports_no_box(
    format: str, store: ProjectStore, tmp_path: Path
) -> None:
    path = tmp_path / "odd.json"
    entries = [entry for entry in ODD["annotations"] if "drawn_bbox" not in (entry or {})]
    path.write_text(json.dumps({**ODD, "annotations": entries}), "utf-8")
    bring(store, path)
    accepted = store.dataset().accepted()
    assert isinstance(accepted.corrections, CorrectionTable)
    assert run(export(accepted, format=format, out=tmp_path / "out")).boxes == 0


def test_a_table_of_boxes_is_a_sequence(store: ProjectStore, tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(ODD), "utf-8")
    boxes = found_in(path, store).boxes
    again = BoxTable(list(boxes))
    assert again == boxes and again[2:4] == list(boxes)[2:4] and again[-1] == boxes[len(boxes) - 1]
    with pytest.raises(IndexError):
        again[len(again)]
    table = again.with_categories({name: 10 + place for place, name in enumerate(again.names)})
    assert [item.id for item in table] == list(range(1, len(again) + 1))
    assert [again.names[item.category_id - 10] for item in table] == [entry.category for entry in again]
