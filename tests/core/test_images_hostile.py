"""No picture, whatever is in it, raises anything but one sentence, takes a gigabyte, hangs, or runs a program."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from core.cli import main
from core.errors import BadFileError
from core.images import read_picture, read_size, read_thumbnail
from tests.core.hostile_pictures import POSTSCRIPT, jpeg_of, png_of, saved, write_all
from tests.house.source_files import ROOT

pytestmark = pytest.mark.slow

MOST_MEGABYTES = 500
MOST_SECONDS = 5.0

CHILD = """
import json, sys, time
from pathlib import Path
from core.errors import BadFileError
from core.images import read_picture, read_size, read_thumbnail
readers = {"size": read_size, "picture": read_picture, "thumbnail": lambda path: read_thumbnail(path, side=96)}
told = []
for path in map(Path, sys.argv[1:]):
    for name, read in readers.items():
        start = time.perf_counter()
        try:
            read(path)
            outcome = ""
        except BadFileError as error:
            outcome = str(error)
        peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
        told.append([path.name, name, outcome, time.perf_counter() - start, peak])
print(json.dumps(told))
"""


def read_apart(*paths: Path) -> list[tuple[str, str, str, float, float]]:
    """What a process tells of pictures: name, reader, sentence, seconds, and its peak memory in MB so far."""
    command = [sys.executable, "-c", CHILD, *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return [tuple(entry) for entry in json.loads(done.stdout)]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells the peak of a process without its parent's")
def test_lies_cost_a_sentence_each(tmp_path: Path) -> None:
    told = read_apart(*write_all(tmp_path))
    assert [entry for entry in told if entry[1] == "picture" and not entry[2]] == []
    assert [entry for entry in told if entry[3] > MOST_SECONDS] == []
    assert [entry for entry in told if entry[4] > MOST_MEGABYTES][:1] == []  # the first one is at fault
    assert all(sentence.count("\n") == 0 and name in sentence for name, _, sentence, _, _ in told if sentence)


def test_headers_that_lie_are_told_when_the_folder_is_read(tmp_path: Path) -> None:
    for name, content in {"a.png": png_of(30_000, 30_000), "b.jpg": jpeg_of(65_000, 16_000)}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadFileError, match="claims .* pixels, but it has only"):
            read_size(tmp_path / name)


def test_a_picture_of_900_million_pixels_is_one(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (30_000, 30_000)).save(path)  # a bit a pixel, so that the test needs little memory
    assert read_size(path) == (30_000, 30_000)
    with pytest.raises(BadFileError, match="too many for a thumbnail"):
        read_thumbnail(path, side=96)


def test_a_picture_that_half_of_the_memory_does_not_hold_is_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (4_000, 3_000)).save(path)
    monkeypatch.setattr("core.picture_claims._memory", lambda: 230_000_000)
    with pytest.raises(BadFileError, match=r"take 0.1 GB to decode, and this computer has 0.2 GB .* smaller ones"):
        read_picture(path)
    monkeypatch.setattr("core.picture_claims._memory", lambda: 250_000_000)
    assert read_picture(path).shape == (3_000, 4_000, 3)


def test_a_large_jpeg_has_a_thumbnail(tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("L", (12_000, 12_000)).save(path)
    assert read_thumbnail(path, side=96).shape == (96, 96, 3)


def test_more_pixels_than_can_be_shown_are_named(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_of(40_000, 40_000, depth=1, color=0) + bytes(1_000_000))
    with pytest.raises(BadFileError, match="more than 1,074 million"):
        read_size(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000", "AVIF"])
def test_what_is_in_a_file_counts_not_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(saved(kind))
    assert read_picture(path).shape == (40, 60, 3)


@pytest.mark.parametrize("reader", [read_size, read_picture, lambda path: read_thumbnail(path, side=9)])
@pytest.mark.parametrize(
    "error",
    [MemoryError(), OverflowError("x"), RuntimeError("x"), NotImplementedError("x"), SyntaxError("x"), cv2.error("x")],
)
def test_whatever_a_decoder_raises_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: object, error: Exception
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    path = tmp_path / "a.png"
    path.write_bytes(saved("PNG"))
    monkeypatch.setattr(ImageFile.ImageFile, "load", fails)
    monkeypatch.setattr(ImageFile.ImageFile, "draft", fails)
    monkeypatch.setattr(Image.Exif, "get", fails)
    assert callable(reader)
    with pytest.raises(BadFileError, match=r"a\.png"):
        reader(path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.timeout(20)
def test_pipes_sockets_and_devices_are_no_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    os.mkfifo("pipe.jpg")
    Path("zero.png").symlink_to("/dev/zero")
    Path("folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
        for name in ("pipe.jpg", "zero.png", "socket.jpg", "folder.png"):
            for read in (read_size, read_picture):
                with pytest.raises(BadFileError, match=name):
                    read(tmp_path / name)


def test_no_program_is_run_for_postscript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker, path = tmp_path / "ran", tmp_path / "a.jpg"
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("gs", "gswin32c"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {marker}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    path.write_bytes(POSTSCRIPT)
    with pytest.raises(BadFileError, match="not a picture that can be read"):
        read_picture(path)
    assert not marker.exists()


def test_floats_without_end_leave_the_others_as_they_are(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    values[0, :2] = np.inf, np.nan
    assert cv2.imwrite(str(tmp_path / "a.tif"), values)
    found = read_picture(tmp_path / "a.tif")
    assert found[-1, -1].tolist() == [255, 255, 255] and 120 < found[32, 0, 0] < 136


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_folder_of_them_is_encoded_to_its_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    paths = write_all(tmp_path / "pictures")
    (tmp_path / "pictures" / "good.png").write_bytes(saved("PNG"))
    os.mkfifo(tmp_path / "pictures" / "pipe.jpg")
    code = main(["encode", "--images", str(tmp_path / "pictures"), "--cache", str(tmp_path / "cache")])
    captured = capfd.readouterr()
    summary = json.loads(captured.out.splitlines()[-1])
    assert (code, summary["encoded"], summary["failed"]) == (2, 1, len(paths))  # a pipe is no picture
    assert "Traceback" not in captured.err
