"""Formats with a file for each picture: 100,000 files are held in columns, and odd boxes are what they were."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from core.evaluation.format_speed import HEIGHT, WIDTH, SetSize, write_set
from core.formats.importers.found import FoundBoxes
from core.formats.importing import Request, find_boxes, parse
from core.geometry import Box
from core.progress import run
from core.records import ImageRecord
from tests.core.formats.written import boxes, find, written

PICTURES, BOXES = 100, 20_000


def objects(*corners: tuple[object, ...], name: str = "cup") -> str:
    """A file of VOC with an object for each `xmin, ymin, xmax, ymax`."""
    edges = ("xmin", "ymin", "xmax", "ymax")
    held = (
        "".join(f"<{edge}>{value}</{edge}>" for edge, value in zip(edges, each, strict=True)) for each in corners
    )  # fmt: skip
    listed = "".join(
        f"<object><name>{name}</name><difficult>1</difficult><bndbox>{box}</bndbox></object>" for box in held
    )
    return f"<annotation><size><width>200</width><height>150</height></size>{listed}</annotation>"


@pytest.mark.parametrize("format", ["yolo", "voc"])
def test_a_box_of_many_files_takes_less_than_100_bytes(format: str, tmp_path: Path) -> None:
    labels = write_set(SetSize(PICTURES, BOXES), format, tmp_path)
    images = [ImageRecord(number + 1, tmp_path / f"frame_{number:07}.jpg", WIDTH, HEIGHT) for number in range(PICTURES)]
    tracemalloc.start()
    try:
        parsed = run(parse(Request(labels, images, tmp_path)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(entry.boxes) + len(list(entry.more)) for each, _ in parsed for entry in each.pictures) == BOXES
    assert peak / BOXES < 100


def entries(found: FoundBoxes) -> list[str]:
    return [each.correction.origin.entry for each in found.boxes if each.correction.origin]


def test_a_plain_line_beside_an_odd_one_gives_the_box_of_a_plain_file(tmp_path: Path) -> None:
    plain = "1 0.5 0.5 0.2 0.4"
    written(tmp_path / "labels" / "a.txt", f"{plain}\n0 0.25 0.5 0.1 0.1\n")
    written(tmp_path / "labels" / "b.txt", f"{plain}\n1 0.5 none 0.2 0.4\n0 0.25 0.5 0.1 0.1\n")
    written(tmp_path / "labels" / "c.txt", f"\n{plain} 0.75\n1.0 0.5 0.5 0.2 0.4\n")
    written(tmp_path / "labels" / "d.txt", "")
    written(tmp_path / "data.yaml", "names: [cup, mug]\n")
    found = find(tmp_path, "a.jpg", "b.jpg", "c.jpg", "d.jpg")
    large, small = Box(80, 45, 120, 105), Box(40, 67.5, 60, 82.5)
    assert boxes(found) == [
        *((1, "mug", large), (1, "cup", small)),
        *((2, "mug", large), (2, "cup", small)),
        *((3, "mug", large), (3, "mug", large)),
    ]
    assert found.boxes[4].correction.origin and found.boxes[4].correction.origin.probability == 0.75
    assert found.listed == {1, 2, 3, 4}
    (problem,) = found.problems
    assert "b.txt, the line 2 has no box of numbers" in problem


@pytest.mark.parametrize(("last", "first"), [((0, 5, 9, 9), 0), ((5, 5, 5, 9), 1)])
def test_a_pixel_in_the_last_file_of_voc_counts_for_all_before(
    last: tuple[int, ...], first: int, tmp_path: Path
) -> None:
    written(tmp_path / "xml" / "a.xml", objects((11, 21, 50, 60)))
    written(tmp_path / "xml" / "b.xml", objects((11, 21, 50, 60), (30, "none", 40, 50), (9, 9, 9, 8), name="mug"))
    written(tmp_path / "xml" / "c.xml", objects(last))
    found = find(tmp_path / "xml", "a.jpg", "b.jpg", "c.jpg", folder=tmp_path)
    box = Box(11 - first, 21 - first, 50, 60)
    left, top, right, bottom = last
    ends = [(3, "cup", Box(left - first, top - first, right, bottom))]
    assert boxes(found) == [(1, "cup", box), (2, "mug", box), *ends]
    assert entries(found) == ['{"difficult":"1"}'] * 3
    assert [sentence.split(" ")[1].rstrip(",") for sentence in found.problems] == [str(tmp_path / "xml" / "b.xml")] * 2


def test_a_file_of_voc_that_is_broken_leaves_the_others(tmp_path: Path) -> None:
    written(tmp_path / "xml" / "a.xml", "<annotation")
    written(tmp_path / "xml" / "b.xml", objects((1, 1, 50, 60)))
    found = run(find_boxes(tmp_path / "xml", [ImageRecord(1, tmp_path / "b.jpg", 200, 150)], folder=tmp_path))
    assert boxes(found) == [(1, "cup", Box(0, 0, 50, 60))]
    assert "a.xml cannot be read as XML" in found.problems[0]
