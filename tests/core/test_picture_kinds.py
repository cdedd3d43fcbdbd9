"""Kinds of pictures by their names: what is read, and a sentence on what is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli import main
from core.picture_folders import list_pictures
from core.pictures.kinds import SUFFIXES, count_left_out, words_on_left_out


def test_what_is_left_out_is_counted_by_kind() -> None:
    names = ["a.HEIC", "b.heif", "c.jxl", "d.jpg", "e.txt", ".f.heic", "g.gif", "h.cr2", "h.jpg", "i"]
    assert count_left_out(names) == {"HEIC": 2, "JXL": 1}  # h.cr2 lies beside its JPEG
    assert words_on_left_out(count_left_out(names)) == (
        "3 pictures of kinds that BoxRefine does not read (HEIC, JXL) are left out: convert them to JPEG or PNG."
    )
    assert words_on_left_out({"JXL": 1}) == (
        "1 picture of a kind that BoxRefine does not read (JXL) is left out: convert it to JPEG or PNG."
    )
    assert words_on_left_out({}) == ""


def test_kinds_that_pillow_reads_are_listed(tmp_path: Path) -> None:
    names = {"a.gif", "b.jp2", "c.avif", "d.jfif", "e.J2K"}
    for name in names | {"f.heic"}:
        (tmp_path / name).write_bytes(b"")
    assert {path.name for path in list_pictures(tmp_path)} == names
    assert {".gif", ".jp2", ".avif"} <= SUFFIXES


def test_encode_says_what_it_leaves_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.heic").write_bytes(b"")
    assert main(["encode", "--images", str(folder), "--cache", str(tmp_path / "cache")]) == 2
    said = capfd.readouterr().err
    assert "holds no pictures" in said and "1 picture of a kind that BoxRefine does not read (HEIC)" in said
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(folder / "b.png")
    assert main(["encode", "--images", str(folder), "--cache", str(tmp_path / "cache")]) == 0
    captured = capfd.readouterr()
    assert captured.err.count("(HEIC) is left out") == 1
    assert json.loads(captured.out.splitlines()[-1])["encoded"] == 1
