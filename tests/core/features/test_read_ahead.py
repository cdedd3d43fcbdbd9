"""Pictures are read ahead by threads or processes: the same answers in the same order, whatever happens to one."""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import BadFileError, StorageError
from core.features.cache.feature_cache import FeatureCache
from core.features.encoding.batches import Prepared
from core.features.encoding.read_ahead import Found, PictureReader, read_ahead
from core.features.feature_source import FeatureSource
from core.geometry import Frame
from core.images import Picture
from tests.core.feature_files import CountingEncoder, small_features

COUNT = 9
APART = [False, pytest.param(True, marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks"))]


def prepared(picture: Picture, frame: Frame) -> Prepared:
    """The picture's own first pixel stands for it."""
    return Prepared(torch.from_numpy(picture[:1, :1].copy()), frame.width, frame.height, frame)


def deadly(picture: Picture, frame: Frame) -> Prepared:
    """As a system without memory does it."""
    if picture[0, 0, 0] == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return prepared(picture, frame)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Nine grey pictures, each of its own brightness; the fourth is no picture."""
    found = [tmp_path / f"{number}.png" for number in range(COUNT)]
    for number, path in enumerate(found):
        Image.fromarray(np.full((20, 30, 3), number, np.uint8)).save(path)
    found[3].write_bytes(b"no picture")
    return found


def brightness(found: Found) -> int | None:
    return int(found[1].pixels[0, 0, 0]) if isinstance(found, tuple) else None


@pytest.mark.parametrize("apart", APART)
def test_pictures_come_in_order_and_a_damaged_one_is_named(paths: list[Path], apart: bool) -> None:
    reader = PictureReader(FeatureSource(CountingEncoder(), None), prepared, side=1)
    found = list(read_ahead(paths, reader, count=2, in_processes=apart, slack=2, held=COUNT))
    assert [brightness(entry) for entry in found] == [0, 1, 2, None, 4, 5, 6, 7, 8]
    assert isinstance(found[3], BadFileError)
    assert "3.png" in str(found[3])


@pytest.mark.parametrize("apart", APART)
def test_what_is_cached_is_not_read_again(paths: list[Path], tmp_path: Path, apart: bool) -> None:
    with FeatureCache(tmp_path / "cache", ram_budget=0) as cache:
        source = FeatureSource(CountingEncoder(), cache)
        _, known = source.read(paths[1])
        key = source.key_of(paths[1], known)
        cache.put(key, small_features(1.0, key))
        found = list(
            read_ahead(paths, PictureReader(source, prepared, side=1), count=2, in_processes=apart, slack=2, held=COUNT)
        )
    assert [entry is None for entry in found] == [number == 1 for number in range(COUNT)]


@pytest.mark.parametrize("apart", APART)
def test_reading_may_be_stopped_before_its_end(paths: list[Path], apart: bool) -> None:
    reader = PictureReader(FeatureSource(CountingEncoder(), None), prepared, side=1)
    ahead = read_ahead(paths, reader, count=2, in_processes=apart, slack=2, held=COUNT)
    assert [brightness(entry) for entry in islice(ahead, 2)] == [0, 1]
    ahead.close()
    assert list(ahead) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
def test_a_process_that_the_system_takes_away_is_told_of(paths: list[Path]) -> None:
    reader = PictureReader(FeatureSource(CountingEncoder(), None), deadly, side=1)
    with pytest.raises(StorageError, match="use fewer --readers"):
        list(read_ahead(paths, reader, count=2, in_processes=True, slack=2, held=COUNT))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
@pytest.mark.parametrize("every", [1, 3])
def test_pixels_stay_for_as_long_as_was_promised(tmp_path: Path, every: int) -> None:
    """Also where most pictures have none, since their features are cached, or since they cannot be read."""
    many = [tmp_path / f"{number}.png" for number in range(150)]
    for number, path in enumerate(many):
        if number % every:
            path.write_bytes(b"no picture")
        else:
            Image.fromarray(np.full((2, 2, 3), number, np.uint8)).save(path)
    reader = PictureReader(FeatureSource(CountingEncoder(), None), prepared, side=1)
    taken: deque[tuple[int, Found]] = deque(maxlen=21)
    for number, entry in enumerate(read_ahead(many, reader, count=3, in_processes=True, slack=4, held=20)):
        if isinstance(entry, tuple):
            taken.append((number, entry))
        assert [brightness(found) for _, found in taken] == [before for before, _ in taken]
    assert number == len(many) - 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
def test_more_memory_than_there_is_is_told_of(paths: list[Path]) -> None:
    reader = PictureReader(FeatureSource(CountingEncoder(), None), prepared, side=1 << 28)
    with pytest.raises(StorageError, match="no memory to read pictures ahead"):
        list(read_ahead(paths, reader, count=2, in_processes=True, slack=2, held=COUNT))


@pytest.mark.parametrize(
    "error", [MemoryError("x"), OverflowError("x"), ValueError("x"), RuntimeError("x"), cv2.error("x")]
)
def test_whatever_one_picture_raises_the_others_are_read(paths: list[Path], error: Exception) -> None:
    def fails(picture: Picture, frame: Frame) -> Prepared:
        if picture[0, 0, 0] == 5:
            raise error
        return prepared(picture, frame)

    reader = PictureReader(FeatureSource(CountingEncoder(), None), fails, side=1)
    found = list(read_ahead(paths, reader, count=2, in_processes=False, slack=2, held=COUNT))
    assert [brightness(entry) for entry in found] == [0, 1, 2, None, 4, None, 6, 7, 8]
    assert isinstance(found[5], BadFileError) and "5.png cannot be prepared" in str(found[5])
