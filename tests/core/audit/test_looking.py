"""The look at a picture: size and orientation, likeness, flat boxes, copies, unreadable files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.audit.checks.copies import check_copies
from core.audit.context import AuditContext
from core.audit.looking import look_at, shape_of
from core.geometry import Box
from core.progress import run
from tests.core.audit.labels import dataset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A coarse random picture, a copy, one in JPEG, one turned by EXIF, an even one, and one that is none."""
    pixels = np.random.default_rng(0).integers(0, 255, (10, 20, 3), np.uint8)
    pixels[:, :5] = 90
    picture = Image.fromarray(pixels).resize((200, 100), Image.Resampling.NEAREST)
    picture.save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "copy.png")
    picture.save(tmp_path / "a.jpg", quality=80)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    Image.new("RGB", (200, 100), (90, 90, 90)).save(tmp_path / "even.png")
    (tmp_path / "none.png").write_bytes(b"nothing")
    return tmp_path


def test_what_a_look_shows(folder: Path) -> None:
    boxes = [("cat", Box(5, 5, 45, 95)), ("cat", Box(60, 5, 160, 95)), ("cat", Box(1, 1, 2, 2))]
    labels = {"a.png": boxes, "copy.png": [], "a.jpg": [], "turned.jpg": [], "even.png": [], "none.png": []}
    looks = run(look_at(dataset(labels, folder)))
    a, copy, jpeg, turned, even, none = looks.values()
    assert (a.width, a.height, a.orientation) == (200, 100, 1)
    assert a.content == copy.content != "" and jpeg.content == ""
    assert a.shape is not None and jpeg.shape is not None and (a.shape ^ jpeg.shape).bit_count() <= 12
    assert (turned.width, turned.height, turned.orientation) == (100, 200, 6)
    assert turned.shape is not None and (a.shape ^ turned.shape).bit_count() > 60
    assert even.shape is None
    assert a.spreads[1] < 1 < 20 < a.spreads[2] and 3 not in a.spreads
    assert "none.png" in none.error


def test_the_shape_is_where_brightness_rises() -> None:
    rising = np.tile(np.linspace(0, 255, 170).astype(np.uint8), (160, 1))
    assert shape_of(rising) == 2**256 - 1
    assert shape_of(rising[:, ::-1].copy()) == 0


def test_a_mirrored_copy_in_another_split_is_named(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    for split in ("train", "val"):
        (tmp_path / split).mkdir()
    pictures = [
        Image.fromarray(chance.integers(0, 255, (10, 20, 3), np.uint8)).resize((200, 100), Image.Resampling.BICUBIC)
        for _ in range(3)
    ]
    for number, picture in enumerate(pictures[:2]):
        picture.save(tmp_path / "train" / f"{number}.png")
    pictures[2].save(tmp_path / "val" / "2.png")
    ImageOps.mirror(pictures[1]).resize((150, 75)).save(tmp_path / "val" / "mirrored.jpg", quality=80)
    held = dataset(dict.fromkeys(("train/0.png", "train/1.png", "val/2.png", "val/mirrored.jpg"), []), tmp_path)
    (found,) = check_copies(AuditContext(held, looks=run(look_at(held))))
    assert found.picture == "val/mirrored.jpg"
    assert found.sentence == "This picture looks like train/1.png with left and right exchanged."
