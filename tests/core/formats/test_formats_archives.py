"""ZIP archives: their annotations are read, and nothing in them gets out of the temporary folder."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from pathlib import Path

import pytest

from core.errors import BadFileError
from core.formats.importers import archives
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import ImageRecord

LINE = "0 0.3 0.4 0.4 0.4"
BOX = Box(20, 30, 100, 90)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def packed(path: Path, **files: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def images(folder: Path, *names: str) -> list[ImageRecord]:
    return [ImageRecord(number, folder / name, 200, 150) for number, name in enumerate(names, start=1)]


def test_a_dataset_in_an_archive_is_read_and_nothing_is_left(tmp_path: Path, temporary: Path) -> None:
    labels = {"train/labels/a.txt": LINE, "valid/labels/a.txt": LINE}
    path = packed(tmp_path / "set.zip", **{"data.yaml": "names: [cup]", "train/images/a.png": b"x", **labels})
    found = run(find_boxes(path, images(tmp_path, "train/images/a.png", "valid/images/a.png"), folder=tmp_path))
    assert [(entry.category, entry.correction.image_id) for entry in found.boxes] == [("cup", 1), ("cup", 2)]
    assert [Box(*(round(edge, 6) for edge in entry.correction.accepted)) for entry in found.boxes] == [BOX, BOX]
    assert (found.problems, found.missing) == ([], [])
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["../a.txt", "/a.txt", "x/../../a.txt", "..\\a.txt", "C:/a.txt"])
def test_names_that_lead_out_of_it_are_left_out_and_named(tmp_path: Path, temporary: Path, name: str) -> None:
    path = packed(tmp_path / "set.zip", **{"labels/b.txt": LINE, name: LINE})
    before = {*tmp_path.rglob("*")}
    found = run(find_boxes(path, images(tmp_path, "a.png", "b.png"), folder=tmp_path))
    assert [entry.correction.image_id for entry in found.boxes] == [2]
    assert "leads out of the archive" in found.problems[0]
    assert {*tmp_path.rglob("*")} == before and list(temporary.iterdir()) == []


def test_links_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("a.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("b.txt", LINE)
    found = run(find_boxes(path, images(tmp_path, "a.png", "b.png"), folder=tmp_path))
    assert [entry.correction.image_id for entry in found.boxes] == [2]
    assert found.defects.total == 1


def test_more_bytes_than_annotations_have_are_refused_whatever_it_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, temporary: Path
) -> None:
    monkeypatch.setattr(archives, "LARGEST_CONTENT", 100_000)
    path = packed(tmp_path / "set.zip", **{"a.txt": "0" * 10_000_000})
    with pytest.raises(BadFileError, match="unpacks to more"):
        run(find_boxes(path, images(tmp_path, "a.png"), folder=tmp_path))
    assert list(temporary.iterdir()) == []


def test_a_cut_archive_and_one_without_annotations_are_one_sentence(tmp_path: Path) -> None:
    path = packed(tmp_path / "set.zip", **{"a.txt": LINE})
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(BadFileError, match=r"set.zip cannot be unpacked"):
        run(find_boxes(path, images(tmp_path, "a.png"), folder=tmp_path))
    path = packed(tmp_path / "set.zip", **{"a.png": b"x"})
    with pytest.raises(BadFileError, match=r"set.zip holds no annotations"):
        run(find_boxes(path, images(tmp_path, "a.png"), folder=tmp_path))
