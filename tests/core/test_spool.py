"""Large pictures decoded into a file: the same pixels as in memory, little memory, and nothing left behind."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.errors import BadFileError
from core.images import read_picture, spool_picture
from core.pictures import spool
from core.progress import run

WIDTH, HEIGHT = 203, 157
PLANAR = 284


def pixels(channels: int = 3) -> NDArray[np.uint8]:
    random = np.random.default_rng(3)
    coarse = random.integers(0, 255, (12, 15, channels), np.uint8)
    return np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT))).reshape(HEIGHT, WIDTH, channels)


def picture(channels: int = 3) -> Image.Image:
    found = pixels(channels)
    return Image.fromarray(found[..., 0] if channels == 1 else found)


def in_file(name: str, *, channels: int = 3, **options: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        picture(channels).save(folder / name, **options)
        return folder / name

    return write


def palette(folder: Path) -> Path:
    picture().quantize(16).save(folder / "palette.png")
    return folder / "palette.png"


def cmyk(folder: Path) -> Path:
    picture().convert("CMYK").save(folder / "cmyk.jpg")
    return folder / "cmyk.jpg"


def deep(folder: Path) -> Path:
    cv2.imwrite(str(folder / "deep.tif"), pixels().astype(np.uint16) * 200)
    return folder / "deep.tif"


KINDS = {
    "jpeg": in_file("a.jpg", quality=95),
    "gray jpeg": in_file("a.jpg", channels=1),
    "progressive jpeg": in_file("a.jpg", progressive=True),
    "cmyk jpeg": cmyk,
    "png": in_file("a.png"),
    "gray png": in_file("a.png", channels=1),
    "png with alpha": in_file("a.png", channels=4),
    "palette": palette,
    "webp": in_file("a.webp", lossless=True),
    "raw tiff": in_file("a.tif"),
    "gray tiff": in_file("a.tif", channels=1),
    "tiff with alpha": in_file("a.tif", channels=4),
    "lzw tiff": in_file("a.tif", compression="tiff_lzw"),
    "deflated tiff in strips": in_file("a.tif", compression="tiff_adobe_deflate", tiffinfo={278: 16}),
    "jpeg in tiff": in_file("a.tif", compression="jpeg"),
    "deep tiff": deep,
}


@pytest.fixture(autouse=True)
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands of few rows and a coarsest level of 40 pixels, so that small pictures are large."""
    monkeypatch.setattr(spool, "_BAND_BYTES", 20_000)
    monkeypatch.setattr(spool, "COARSEST", 40)
    monkeypatch.setattr(spool, "_CHUNK", 700)


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_the_pixels_of_the_picture(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path)
    made = run(spool_picture(path, tmp_path / "cache"))
    whole = read_picture(path)
    assert made.size == (WIDTH, HEIGHT)
    apart = np.abs(made.part(0, 0, 0, WIDTH, HEIGHT).astype(int) - whole)
    assert apart.max() <= (1 if "alpha" in kind else 0)
    assert [made.size_of(level) for level in range(len(made.levels))] == [(203, 157), (101, 78), (50, 39), (25, 19)]
    half = cv2.resize(whole[:156, :202], (101, 78), interpolation=cv2.INTER_AREA)
    assert np.abs(made.part(1, 0, 0, 101, 78).astype(int) - half).max() <= 2
    made.close()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_parts_are_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    picture().save(tmp_path / "turned.png", exif=exif)
    made, whole = run(spool_picture(tmp_path / "turned.png", tmp_path)), read_picture(tmp_path / "turned.png")
    assert made.size == (whole.shape[1], whole.shape[0])
    for left, top, width, height in ((0, 0, 50, 40), (100, 90, 40, 30), (140, 120, 500, 500)):
        expected = whole[top : top + height, left : left + width]
        assert np.array_equal(made.part(0, left, top, width, height), expected)
    made.close()


def test_tiles_and_planes_of_a_tiff(tmp_path: Path) -> None:
    """Pillow writes neither, so the file is written by hand: planes of tiles without compression."""
    side, tile = 96, 32
    whole = np.ascontiguousarray(pixels()[:side, :side])
    blocks = [
        whole[y : y + tile, x : x + tile, band].tobytes()
        for band in range(3) for y in range(0, side, tile) for x in range(0, side, tile)
    ]  # fmt: skip
    count, size = len(blocks), tile * tile
    entries = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 2), (277, 3, 1, 3)]
    entries += [(PLANAR, 3, 1, 2), (322, 4, 1, tile), (323, 4, 1, tile)]
    at = 8 + 2 + 12 * (len(entries) + 2) + 4
    entries += [(324, 4, count, at), (325, 4, count, at + 4 * count)]
    data = at + 8 * count
    head = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", len(entries))
    head += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    head += struct.pack(f"<{count}I", *(data + size * place for place in range(count)))
    head += struct.pack(f"<{count}I", *[size] * count)
    (tmp_path / "planes.tif").write_bytes(head + b"".join(blocks))
    made = run(spool_picture(tmp_path / "planes.tif", tmp_path))
    assert np.array_equal(made.part(0, 0, 0, side, side), whole)
    made.close()


@pytest.mark.parametrize("kind", ["jpeg", "png", "raw tiff"])
def test_a_file_that_is_cut_short_is_named(tmp_path: Path, kind: str) -> None:
    path = KINDS[kind](tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(0.6 * len(content))])
    with pytest.raises(BadFileError, match=path.name):
        run(spool_picture(path, tmp_path / "cache"))
    assert list((tmp_path / "cache").glob("*")) == []


def test_a_full_disk_is_said_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "free_bytes", lambda _: 1000)
    path = KINDS["jpeg"](tmp_path)
    with pytest.raises(BadFileError, match=r"a\.jpg needs .* of room in"):
        run(spool_picture(path, tmp_path / "cache"))


def test_a_closed_job_leaves_nothing(tmp_path: Path) -> None:
    job = spool_picture(KINDS["png"](tmp_path), tmp_path / "cache")
    next(job)
    job.close()
    assert list((tmp_path / "cache").glob("*")) == []


_MEASURE = """
import json, sys
from pathlib import Path
from typing import Any
from core.images import spool_picture
from core.progress import run
made = run(spool_picture(Path(sys.argv[1]), Path(sys.argv[2])))
part = made.part(0, made.size[0] - 100, made.size[1] - 100, 100, 100)
most = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(json.dumps([made.size, int(most.split()[1]) / 1024, int(part.mean())]))
"""


def in_little_memory(folder: Path, side: int, suffix: str) -> None:
    """Spool a gray picture of one value in a process of its own, and compare its largest size with 500 MB."""
    if not Path("/proc/self/status").exists():
        pytest.skip("this system does not say how much memory a process has taken")
    path = folder / f"large{suffix}"
    Image.MAX_IMAGE_PIXELS = None
    Image.new("RGB", (side, side), (90, 90, 90)).save(path)
    command = [sys.executable, "-c", _MEASURE, str(path), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    size, megabytes, mean = json.loads(done.stdout)
    assert size == [side, side] and abs(mean - 90) <= 1
    assert megabytes < 500


@pytest.mark.slow
def test_12000_pixels_square_take_little_memory(tmp_path: Path) -> None:
    in_little_memory(tmp_path, 12_000, ".jpg")


@pytest.mark.long
@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_30000_pixels_square_take_little_memory(tmp_path: Path, suffix: str) -> None:
    in_little_memory(tmp_path, 30_000, suffix)
