"""A picture is decoded and encoded once, and a replaced file is never answered with old features."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.encoders.image_features import ImageFeatures
from core.errors import BadFileError, BadInputError
from core.features.cache.feature_cache import FeatureCache
from core.features.feature_source import FeatureSource
from core.geometry import Frame
from tests.core.feature_files import CountingEncoder, save_picture


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[FeatureCache]:
    with FeatureCache(tmp_path / "cache") as cache:
        yield cache


def much_later() -> int:
    """A clock by which every file of the test has long been as it is."""
    return time.time_ns() + 10**10


def gray_of(features: ImageFeatures) -> float:
    return float(features.embedding[0, 0, 0])


def test_a_picture_is_encoded_once(tmp_path: Path, cache: FeatureCache) -> None:
    source = FeatureSource(CountingEncoder(), cache)
    path = save_picture(tmp_path / "a b 写.bmp", gray=100)
    assert [gray_of(source.of_path(path)) for _ in range(3)] == [100.0] * 3
    assert (source.encoder.encoded, cache.stats.misses, cache.stats.hits) == (1, 1, 2)
    assert source.of_path(path).frame == Frame.whole(width=40, height=30)


def test_a_settled_file_is_not_decoded_again_even_in_the_next_run(tmp_path: Path) -> None:
    path = save_picture(tmp_path / "a.bmp", gray=100)
    for decoded in (1, 0):
        with FeatureCache(tmp_path / "cache") as cache:
            source = FeatureSource(CountingEncoder(), cache, now_ns=much_later)
            source.of_path(path)
            source.of_path(path)
            assert source.decoded == decoded


@pytest.mark.parametrize(("name", "decoded"), [("a.png", 1), ("a.bmp", 0)])
def test_what_may_be_deep_is_decoded_again_by_a_version_that_scales_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, decoded: int
) -> None:
    path = save_picture(tmp_path / name, gray=100)
    with FeatureCache(tmp_path / "cache") as cache:
        FeatureSource(CountingEncoder(), cache, now_ns=much_later).of_path(path)
        monkeypatch.setattr("core.features.cache.picture_memory._SCALING", 99)
        source = FeatureSource(CountingEncoder(), cache, now_ns=much_later)
        source.of_path(path)
        assert (source.decoded, source.encoder.encoded) == (decoded, 0)  # its pixels are the same


def test_a_file_of_just_now_is_decoded_again(tmp_path: Path, cache: FeatureCache) -> None:
    source = FeatureSource(CountingEncoder(), cache)
    path = save_picture(tmp_path / "a.bmp", gray=100)
    source.of_path(path)
    source.of_path(path)
    assert (source.decoded, source.encoder.encoded) == (2, 1)


@pytest.mark.parametrize("settled", [False, True])
def test_a_file_replaced_under_the_same_date_and_size_is_seen(
    tmp_path: Path, cache: FeatureCache, settled: bool
) -> None:
    source = FeatureSource(CountingEncoder(), cache, now_ns=much_later if settled else time.time_ns)
    path = save_picture(tmp_path / "a.bmp", gray=100)
    before = path.stat()
    assert gray_of(source.of_path(path)) == 100
    other = save_picture(tmp_path / "b.bmp", gray=200)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert gray_of(source.of_path(path)) == 200


def test_two_files_of_equal_pixels_are_one(tmp_path: Path, cache: FeatureCache) -> None:
    source = FeatureSource(CountingEncoder(), cache)
    for name in ("a.bmp", "b.bmp"):
        source.of_path(save_picture(tmp_path / name, gray=7))
    assert source.encoder.encoded == 1


def test_a_frame_is_encoded_by_itself(tmp_path: Path, cache: FeatureCache) -> None:
    source = FeatureSource(CountingEncoder(), cache)
    path = save_picture(tmp_path / "a.bmp", gray=9)
    part = Frame(10, 5, 20, 20, 40, 30)
    assert source.of_path(path, part).frame == part
    assert source.of_path(path).frame.is_whole
    assert source.of_path(path, part).frame == part
    assert source.encoder.encoded == 2


def test_a_frame_of_another_image_size_is_refused_with_the_name(tmp_path: Path, cache: FeatureCache) -> None:
    source = FeatureSource(CountingEncoder(), cache)
    path = save_picture(tmp_path / "a.bmp", gray=9)
    with pytest.raises(BadInputError, match=r"a\.bmp is 40x30 pixels, not 50x30"):
        source.of_path(path, Frame.whole(width=50, height=30))


def test_peek_knows_what_is_in_memory(tmp_path: Path, cache: FeatureCache) -> None:
    source = FeatureSource(CountingEncoder(), cache)
    path = save_picture(tmp_path / "a.bmp", gray=50)
    assert source.peek(path) is None
    features = source.of_path(path)
    path.unlink()
    assert source.peek(path) is features
    assert source.peek(path, Frame(0, 0, 10, 10, 40, 30)) is None


def test_without_a_cache_each_question_is_encoded(tmp_path: Path) -> None:
    source = FeatureSource(CountingEncoder(), None)
    path = save_picture(tmp_path / "a.bmp", gray=60)
    assert [gray_of(source.of_path(path)) for _ in range(2)] == [60.0] * 2
    assert (source.encoder.encoded, source.peek(path)) == (2, None)


def test_a_missing_and_a_damaged_picture_are_named(tmp_path: Path, cache: FeatureCache) -> None:
    source = FeatureSource(CountingEncoder(), cache)
    with pytest.raises(BadFileError, match=r"gone\.bmp does not exist"):
        source.of_path(tmp_path / "gone.bmp")
    path = tmp_path / "cut.bmp"
    path.write_bytes(save_picture(tmp_path / "a.bmp", gray=1).read_bytes()[:900])
    with pytest.raises(BadFileError, match=r"cut\.bmp is damaged"):
        source.of_path(path)


def test_features_at_hand_are_those_in_the_cache_and_no_others(tmp_path: Path) -> None:
    path, other = save_picture(tmp_path / "a.bmp", gray=100), save_picture(tmp_path / "b.bmp", gray=50)
    with FeatureCache(tmp_path / "cache") as cache:
        source = FeatureSource(CountingEncoder(), cache, now_ns=much_later)
        assert source.at_hand(path) is None
        source.of_path(path)
        assert source.at_hand(path) is not None
    with FeatureCache(tmp_path / "cache") as cache:
        source = FeatureSource(CountingEncoder(), cache, now_ns=much_later)
        kept = source.at_hand(path)
        assert kept is not None and gray_of(kept) == 100.0, "also from the disk"
        assert source.at_hand(other) is None and source.at_hand(tmp_path / "gone.bmp") is None
        assert (source.decoded, source.encoder.encoded) == (0, 0)
