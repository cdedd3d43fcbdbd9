"""Annotation files that are odd or meant to hurt: the entry at defect is named, the rest comes in."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

from core.errors import BadFileError
from core.formats.importers.json_steps import parse_steps
from core.formats.importing import find_boxes
from core.plain_yaml import parse_yaml
from core.progress import run
from tests.core.formats.test_formats_import_labels import SHAPE, boxes, find, labelme, voc, voc_object, written

pytestmark = pytest.mark.slow

DEEP = "[" * 200_000 + "]" * 200_000
NOTE = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 30, 80, 60]}
IMAGE = {"id": 1, "file_name": "a.png", "width": 200, "height": 150}
BAD_NAMES = ["\ud800", "a\0b", "\x1b]0;owned\x07", "x" * 2000, ["cup"], {"a": 1}, True]


def coco(**changes: object) -> dict[str, object]:
    return {"images": [IMAGE], "annotations": [NOTE], "categories": [{"id": 1, "name": "cup"}]} | changes


def found_in(tmp_path: Path, text: str, name: str = "boxes.json") -> tuple[list[str], list[str]]:
    """The categories of the boxes that come in, and the problems."""
    found = find(written(tmp_path / name, text), "a.png")
    return [entry.category for entry in found.boxes], found.problems


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_shape_whose_label_is_no_name_is_left_out(tmp_path: Path, name: object) -> None:
    categories, problems = found_in(tmp_path, labelme(SHAPE, SHAPE | {"label": name}, SHAPE | {"label": 3}))
    assert categories == ["cup", "3"]
    assert len(problems) == 1 and "the shape 2 has a name that cannot be used" in problems[0]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_category_whose_name_is_none_is_named_and_its_boxes_come_in(tmp_path: Path, name: object) -> None:
    entries = [{"id": 1, "name": "cup"}, {"id": 2, "name": name}]
    document = coco(categories=entries, annotations=[NOTE, NOTE | {"id": 2, "category_id": 2}])
    categories, problems = found_in(tmp_path, json.dumps(document))
    assert categories == ["cup", "object"]
    assert len(problems) == 1 and "the category 2 has a name that cannot be used" in problems[0]


@pytest.mark.parametrize("name", ["a\0.png", "\ud800.png"])
def test_an_image_that_no_file_can_be_called_is_named(tmp_path: Path, name: str) -> None:
    document = coco(images=[IMAGE, {"id": 2, "file_name": name}], annotations=[NOTE, NOTE | {"id": 2, "image_id": 2}])
    categories, problems = found_in(tmp_path, json.dumps(document))
    assert categories == ["cup"] and len(problems) == 2


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "1" * 10_000, DEEP, '"9px"', "null"])
def test_one_odd_number_costs_its_box_alone(tmp_path: Path, number: str) -> None:
    text = json.dumps(coco(annotations=[NOTE | {"bbox": [20, "HERE", 80, 60]}, NOTE | {"id": 2}]))
    categories, problems = found_in(tmp_path, text.replace('"HERE"', number))
    assert (categories, len(problems)) == (["cup"], 1)
    shapes = labelme(SHAPE | {"points": [[20, "HERE"], [100, 90]]}, SHAPE).replace('"HERE"', number)
    categories, problems = found_in(tmp_path, shapes)
    assert (categories, len(problems)) == (["cup"], 1)


@pytest.mark.parametrize("number", ["1e999", "nan", "inf", "9" * 10_000, "x"])
def test_one_odd_number_of_text_costs_its_box_alone(tmp_path: Path, number: str) -> None:
    categories, problems = found_in(tmp_path, f"0 0.3 0.4 0.4 0.4\n0 0.3 {number} 0.4 0.4\n", "a.txt")
    assert (len(categories), len(problems)) == (1, 1)
    categories, problems = found_in(tmp_path, voc(voc_object(), voc_object(box=(1, number, 20, 30))), "a.xml")
    assert (len(categories), len(problems)) == (1, 1)


def test_what_is_nested_too_deep_costs_itself_alone(tmp_path: Path) -> None:
    document = json.dumps(coco(info="HERE", licenses=["HERE"])).replace('"HERE"', DEEP)
    assert found_in(tmp_path, document) == (["cup"], [])


@pytest.mark.parametrize("text", [DEEP, DEEP[:200_000], "{" * 100_000, '{"a":' * 100_000, "[1", "9" * 10_000, ""])
def test_json_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFileError, match=r"boxes\.json"):
        found_in(tmp_path, text)


def test_skipping_what_is_too_deep_minds_brackets_in_texts() -> None:
    text = '{"deep": ' + "[" * 100_000 + '"]\\"[" ' + "]" * 100_000 + ', "after": 1}'
    assert run(parse_steps(text, name="")) == {"deep": [None], "after": 1}


@pytest.mark.parametrize("encoding", ["klingon", "utf-16", "utf-7", "euc-jp", "ebcdic-cp-us"])
def test_a_file_in_an_encoding_that_is_none_is_named_and_the_others_come_in(tmp_path: Path, encoding: str) -> None:
    written(tmp_path / "x" / "a.xml", voc(voc_object()))
    (tmp_path / "x" / "b.xml").write_bytes(f'<?xml version="1.0" encoding="{encoding}"?><a>\xff'.encode("latin-1"))
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert len(found.boxes) == 1 and "b.xml" in found.problems[0]


ENTITIES = '<!ENTITY a0 "xxxxxxxxxx">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
HURTING_XML = [
    "<a>" * 100_000,
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    f"<!DOCTYPE annotation [{ENTITIES}]><annotation><filename>&a9;</filename></annotation>",
]


@pytest.mark.parametrize("text", HURTING_XML, ids=["deep", "file", "laughs"])
@pytest.mark.timeout(20)
def test_xml_that_is_meant_to_hurt_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFileError, match=r"a\.xml"):
        found_in(tmp_path, text, "a.xml")


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
MERGES = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12))
ODD_YAML = [
    LAUGHS + "names: *a11",
    MERGES,
    "names: " + "[" * 5000,
    "names: 2001-99-99",
    "? [a]\n: b",
    "names: !!python/object:os.system x",
    "%YAML 9.9\n---\nnames: [a]",
    "\0",
    "names: &a [*a]",
    "- names",
    "names: 3",
    "9" * 10_000,
]


@pytest.mark.parametrize("text", ODD_YAML)
@pytest.mark.timeout(20)
def test_yaml_that_is_odd_or_a_bomb_is_told(tmp_path: Path, text: str) -> None:
    written(tmp_path / "x" / "data.yaml", text)
    written(tmp_path / "x" / "labels" / "a.txt", "0 0.3 0.4 0.4 0.4")
    try:
        found = find(tmp_path / "x", "a.png", folder=tmp_path)
    except BadFileError as error:
        assert "data.yaml" in str(error) and "\n" not in str(error)
    else:
        assert len(found.boxes) == 1


def test_a_class_whose_name_is_none_is_named_and_the_rest_comes_in(tmp_path: Path) -> None:
    names = 'names: {0: cup, 1: [a, b], 2: "\\0", 1e9: far, 0xffffffffffffffffffff: far, x: y}'
    written(tmp_path / "x" / "data.yaml", names)
    written(tmp_path / "x" / "labels" / "a.txt", "".join(f"{n} 0.{n + 3} 0.4 0.4 0.4\n" for n in range(3)))
    found = find(tmp_path / "x", "a.png", folder=tmp_path)
    assert [entry.category for entry in found.boxes] == ["cup", "class 1", "class 2"]
    assert found.defects.total == 2 and all("has a name that cannot be used" in each for each in found.problems)


@pytest.mark.parametrize("text", ["[" * 500_000, "[\n" * 250_000, "- a\n" * 130_000, "[" + "a," * 260_000 + "]"])
def test_long_yaml_is_refused_in_good_time(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(ValueError, match="it is nested too deep|it has too many entries"):
        parse_yaml(text)
    assert time.perf_counter() - start < 20  # a few seconds; all of it would take a minute, or hours


def test_yaml_as_people_write_it_is_read() -> None:
    assert parse_yaml("path: ../a\nnc: 2\nnames:\n  0: cup\n  1: 'a b'\n") == {
        "path": "../a", "nc": 2, "names": {0: "cup", 1: "a b"}
    }  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("name", ["a.json", "a.xml", "a.txt"])
@pytest.mark.timeout(20)
def test_pipes_are_no_annotations(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(BadFileError, match="no regular file"):
        run(find_boxes(tmp_path / name, [], folder=tmp_path))


def test_the_pictures_of_an_export_may_be_called_anything(tmp_path: Path) -> None:
    written(tmp_path / "x" / "pictures.csv", "place,picture\n.,a\nimages/..,b\n..,c\nimages/a.png,a.png\n")
    written(tmp_path / "x" / "labels" / "a.txt", "0 0.3 0.4 0.4 0.4")
    assert len(boxes(find(tmp_path / "x", "a.png", folder=tmp_path))) == 1
