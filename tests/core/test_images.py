"""Pictures of every kind become upright 8-bit RGB, and damaged ones give one sentence."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import BadFileError
from core.images import content_hash, read_picture, read_size, read_thumbnail
from core.text import in_natural_order

WIDTH, HEIGHT = 60, 40


def corner_picture() -> np.ndarray:
    """Grey with a red top left quarter, so that every turn shows."""
    pixels = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    pixels[: HEIGHT // 2, : WIDTH // 2] = (255, 0, 0)
    return pixels


def is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60)


@pytest.mark.parametrize("name", ["a.jpg", "b.png", "c.bmp", "d.tiff", "e.webp", "with space.png", "Möwe 图像.jpg"])
def test_formats_and_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Image.fromarray(corner_picture()).save(path)
    found = read_picture(path)
    assert found.shape == (HEIGHT, WIDTH, 3)
    assert found.dtype == np.uint8
    assert is_red(found[5, 5])
    assert read_size(path) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "tif", "png", "webp"])
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int, kind: str) -> None:
    stored = Image.fromarray(corner_picture())
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{kind}"
    stored.save(path, exif=exif)
    found = read_picture(path)
    width, height = read_size(path)
    assert found.shape[:2] == (height, width)
    assert (width, height) == ((HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT))
    corner = {1: (5, 5), 2: (5, -5), 3: (-5, -5), 4: (-5, 5), 5: (5, 5), 6: (5, -5), 7: (-5, -5), 8: (-5, 5)}
    assert is_red(found[corner[orientation]])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16", "F"])
def test_tiffs_of_all_kinds_are_turned_as_often_as_they_ask_for(tmp_path: Path, orientation: int, mode: str) -> None:
    bright = np.zeros((HEIGHT, WIDTH), np.uint8)
    bright[:20, :20] = 200
    stored = (
        Image.fromarray(bright.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(bright).convert(mode)
    )
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.tif"
    stored.save(path, exif=exif)
    found, (width, height) = read_picture(path), read_size(path)
    assert found.shape[:2] == (height, width)
    assert (width, height) == ((HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT))
    corner = {1: (5, 5), 2: (5, -5), 3: (-5, -5), 4: (-5, 5), 5: (5, 5), 6: (5, -5), 7: (-5, -5), 8: (-5, 5)}
    assert found[corner[orientation]].min() > 190
    assert (found > 190).all(axis=2).sum() == 400
    assert read_thumbnail(path, side=20).shape[0] == (20 if height > width else round(20 * height / width))


def test_sixteen_bit_turned_picture_is_upright(tmp_path: Path) -> None:
    deep = corner_picture().astype(np.uint16) * 257
    path = tmp_path / "deep.png"
    assert cv2.imwrite(str(path), deep[..., ::-1])
    with Image.open(path) as image:
        assert image.size == (WIDTH, HEIGHT)
    found = read_picture(path)
    assert found.dtype == np.uint8
    assert is_red(found[5, 5])
    assert found[30, 50].tolist() == [128, 128, 128]


def test_gray_sixteen_bit_and_float_are_stretched(tmp_path: Path) -> None:
    ramp = np.linspace(0, 4000, 64 * 64).reshape(64, 64)
    for name, values in (("twelve.png", ramp.astype(np.uint16)), ("float.tif", ramp.astype(np.float32))):
        path = tmp_path / name
        assert cv2.imwrite(str(path), values)
        found = read_picture(path)
        assert found.shape == (64, 64, 3)
        assert found.min() == 0
        assert found.max() == 255


@pytest.mark.parametrize("mode", ["L", "P", "LA", "RGBA", "1", "CMYK"])
def test_modes_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.fromarray(corner_picture()).convert(mode).save(path)
    assert read_picture(path).shape == (HEIGHT, WIDTH, 3)


def test_alpha_is_laid_over_white(tmp_path: Path) -> None:
    clear = np.zeros((4, 4, 4), np.uint8)
    Image.fromarray(clear).save(tmp_path / "clear.png")
    assert (read_picture(tmp_path / "clear.png") == 255).all()


def test_thumbnails_are_small_and_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((400, 900, 3), np.uint8)).save(tmp_path / "a.jpg", exif=exif)
    assert read_thumbnail(tmp_path / "a.jpg", side=90).shape == (90, 40, 3)


def test_damaged_files_give_one_sentence_with_the_name(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)).save(whole)
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole.read_bytes()[:4000])
    text = tmp_path / "text.png"
    text.write_text("no picture")
    empty = tmp_path / "empty.jpg"
    empty.write_bytes(b"")
    for path in (cut, text, empty, tmp_path / "missing.jpg"):
        with pytest.raises(BadFileError, match=path.name) as caught:
            read_picture(path)
        assert "\n" not in str(caught.value)
        assert ":" in str(caught.value)


def test_hash_depends_on_pixels_and_shape_alone() -> None:
    first = corner_picture()
    assert content_hash(first) == content_hash(first.copy())
    other = first.copy()
    other[0, 0, 0] ^= 1
    assert content_hash(first) != content_hash(other)
    assert content_hash(np.zeros((2, 8, 3), np.uint8)) != content_hash(np.zeros((4, 4, 3), np.uint8))


def test_names_that_differ_in_case_alone_have_an_order_too() -> None:
    names = ["b.jpg", "B.jpg", "a2.jpg", "A2.jpg", "a10.jpg"]
    assert in_natural_order(names) == in_natural_order(names[::-1]) == ["A2.jpg", "a2.jpg", "a10.jpg", "B.jpg", "b.jpg"]
