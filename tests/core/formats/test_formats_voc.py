"""Pascal VOC export: edges in whole pixels from 0, with lists of images, and what came from VOC."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from core.formats import export
from core.formats.converting import read_files
from core.formats.exporters.voc import _element, pixels, xml_text
from core.geometry import Box
from core.progress import run
from core.records import Category, Dataset, ImageRecord
from tests.core.datasets import FOLDER, correction, difficult


@pytest.mark.parametrize(
    ("box", "corners"),
    [
        (Box(0, 0, 640, 480), (0, 0, 640, 480)),
        (Box(0, 0, 1, 1), (0, 0, 1, 1)),
        (Box(639, 479, 640, 480), (639, 479, 640, 480)),
        (Box(10.4, 20.6, 30.4, 40.6), (10, 21, 30, 41)),
        (Box(5.4, 5.4, 5.5, 5.5), (5, 5, 6, 6)),
        (Box(639.9, 479.9, 640, 480), (639, 479, 640, 480)),
        (Box(-50, -50, 700, 700), (0, 0, 640, 480)),
    ],
)
def test_pixels_count_from_zero(box: Box, corners: tuple[int, int, int, int]) -> None:
    assert pixels(box, ImageRecord(1, FOLDER / "a.png", 640, 480)) == corners


def test_one_file_an_image_in_the_folders_of_the_pictures(tmp_path: Path) -> None:
    run(export(difficult(), format="voc", out=tmp_path))
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.xml")}
    assert {"Annotations/a/cat.xml", "Annotations/b/cat.xml", "Annotations/b/cat-2.xml"} <= names
    root = ElementTree.parse(tmp_path / "Annotations" / "b" / "cat-2.xml").getroot()
    assert (root.findtext("folder"), root.findtext("filename")) == ("b", "cat.png")
    assert root.findtext("object/name") == "Möwe: <groß> & 1"
    assert [root.findtext(f"size/{side}") for side in ("width", "height", "depth")] == ["640", "480", "3"]


def test_control_characters_do_not_break_the_file(tmp_path: Path) -> None:
    image = ImageRecord(1, FOLDER / "a\udce9.png", 64, 48)
    box = correction(1, image=1, category=1, accepted=Box(1, 1, 9, 9))
    run(export(Dataset((image,), (Category(1, "cat\x00\x1b"),), (box,)), format="voc", out=tmp_path))
    (path,) = tmp_path.rglob("*.xml")
    assert ElementTree.parse(path).getroot().findtext("object/name") == "cat??"


@pytest.mark.parametrize("text", ["cat", "", "<&>\"'", " a\tb\n", "\x00\x1b\ud800", "Möwe 猫 😀", "a\r\nb"])
def test_elements_are_those_that_an_xml_writer_makes(text: str) -> None:
    element = ElementTree.Element("name")
    element.text = xml_text(text)
    assert _element("  ", "name", text) == f"  {ElementTree.tostring(element, encoding='unicode')}"


def labelled(names: list[str], folder: Path) -> Dataset:
    """One picture with a box of the first name."""
    image = ImageRecord(1, folder / "a.png", 64, 48)
    categories = tuple(Category(number, name) for number, name in enumerate(names, 1))
    return Dataset((image,), categories, (correction(1, image=1, category=1, accepted=Box(1, 1, 9, 9)),), folder=folder)


def test_the_names_of_classes_lie_beside_in_their_order(tmp_path: Path) -> None:
    names = ["cup", "Möwe grau", "unused", "a#b"]
    run(export(labelled(names, tmp_path), format="voc", out=tmp_path / "out"))
    lines = (tmp_path / "out" / "labelmap.txt").read_text("utf-8").splitlines()
    assert lines == ["# label:color_rgb:parts:actions", "cup:::", "Möwe grau:::", "unused:::", "a#b:::"]
    assert [category.name for category in run(read_files(tmp_path / "out")).dataset.categories] == names


@pytest.mark.parametrize("names", [["cup", "a:b"], ["cup", "#1"]])
def test_names_that_a_label_map_cannot_hold_leave_it_out(names: list[str], tmp_path: Path) -> None:
    run(export(labelled(names, tmp_path), format="voc", out=tmp_path / "out"))
    assert not (tmp_path / "out" / "labelmap.txt").exists()


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"# label:color_rgb:parts:actions\nbackground:0,0,0::\ndog:1,2,3::\ncup:4,5,6:handle:\n", ["dog", "cup"]),
        (b"\xff\xfe\x00", ["cup"]),
        (b"cup\ndog\n", ["cup"]),
        (b"dog:::\n\ndog:::\ncup:::\n", ["dog", "cup"]),
    ],
    ids=["CVAT's", "no text", "no fields", "twice"],
)
def test_label_maps_of_others(content: bytes, names: list[str], tmp_path: Path) -> None:
    run(export(labelled(["cup"], tmp_path), format="voc", out=tmp_path / "out"))
    (tmp_path / "out" / "labelmap.txt").write_bytes(content)
    assert [category.name for category in run(read_files(tmp_path / "out")).dataset.categories] == names
