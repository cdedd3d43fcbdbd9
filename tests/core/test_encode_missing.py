"""Only what is missing is encoded, many pictures at once, with the same features as one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.hq_sam import HqSamEncoder
from core.encoders.image_features import BatchEncoder, Encoder, encode_many
from core.features.encode_missing import encode_missing
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
    # Files of this moment are looked into again, but not encoded again.
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
    assert found.encoded == 2 and list(found.bad) == [paths[1]] and "disc 1.png" in found.bad[paths[1]]
    assert source.cache is not None
    source.cache.close()


def check_batch(encoder: Encoder, folder: Path) -> None:
    pictures = [read_picture(path) for path in save_pictures(folder, 2)]
    pictures[1] = pictures[1][:100]  # of another shape
    frames = [Frame.whole(width=picture.shape[1], height=picture.shape[0]) for picture in pictures]
    together = encode_many(encoder, pictures, frames)
    assert isinstance(encoder, BatchEncoder)
    for picture, frame, found in zip(pictures, frames, together, strict=True):
        alone = encoder.encode(picture, frame)
        assert found.frame == frame and found.encoder == encoder.identity
        assert torch.allclose(found.embedding.float(), alone.embedding.float(), atol=0.02)
        assert torch.allclose(found.detail.float(), alone.detail.float(), atol=0.02)


def test_many_at_once_are_as_one_by_one(tmp_path: Path, encoder: Encoder) -> None:
    check_batch(encoder, tmp_path)


@pytest.mark.slow
def test_many_at_once_are_as_one_by_one_with_hq_sam(tmp_path: Path, hq_encoder: HqSamEncoder) -> None:
    check_batch(hq_encoder, tmp_path)
