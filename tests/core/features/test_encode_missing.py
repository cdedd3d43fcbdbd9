"""Only what is missing is encoded, many pictures at once, with the same features as one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder
from core.features.encoding.encode_missing import encode_missing
from core.geometry import Frame
from core.images import read_picture
from core.progress import run
from tests.core.lessons_by_hand import save_pictures, source_of


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


def test_a_second_time_everything_is_there(tmp_path: Path, encoder: Encoder) -> None:
    paths = save_pictures(tmp_path / "discs", 5)
    source = source_of(tmp_path, encoder)
    first = run(encode_missing(paths[:3], source, batch=2))
    assert (first.hits, first.encoded, first.hit_rate) == (0, 3, 0.0)
    decoded = source.decoded
    second = run(encode_missing(paths, source, batch=2))
    assert second.hits + second.encoded == 5 and source.decoded >= decoded
    assert source.cache is not None
    assert source.cache.stats.stored >= 5
    source.cache.close()


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_encoded(tmp_path: Path, encoder: Encoder) -> None:
    paths = save_pictures(tmp_path / "discs", 3)
    paths[1].write_bytes(b"no picture")
    source = source_of(tmp_path, encoder)
    found = run(encode_missing(paths, source, batch=8))
    assert found.encoded == 2 and len(found.bad) == 1 and "disc 1.png" in found.bad[0]
    assert source.cache is not None
    source.cache.close()


def test_many_at_once_are_as_one_by_one(tmp_path: Path, encoder: Encoder) -> None:
    paths = save_pictures(tmp_path / "discs", 3)
    source = source_of(tmp_path, encoder)
    run(encode_missing(paths, source, batch=3))
    for path in paths:
        picture = read_picture(path)
        alone = encoder.encode(picture, Frame.whole(width=picture.shape[1], height=picture.shape[0]))
        found = source.of_path(path)
        assert torch.allclose(found.embedding.float(), alone.embedding.float(), atol=0.02)
        assert torch.allclose(found.detail.float(), alone.detail.float(), atol=0.02)
    assert source.cache is not None
    assert source.cache.stats.misses == 0
    source.cache.close()
