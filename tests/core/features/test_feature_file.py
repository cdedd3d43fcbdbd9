"""Features files: what they hold, who can read them, and what a power cut does to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.features.cache.feature_cache import FeatureCache
from tests.core.feature_files import features_files, key_of, small_features


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_features_of_a_batch_are_held_without_the_batch(folder: Path) -> None:
    key = key_of("a")
    batch = torch.arange(8 * 256 * 2 * 2).reshape(8, 256, 2, 2).half()
    with FeatureCache(folder, ram_budget=1 << 20) as cache:
        cache.put(key, replace(small_features(1.0, key), embedding=batch[3]))
        back = cache.peek(key)
        assert back is not None
        assert torch.equal(back.embedding, batch[3])
        assert back.embedding.untyped_storage().nbytes() == back.embedding.nbytes


def test_a_file_that_a_power_cut_left_with_zeros_is_a_miss_and_goes(folder: Path) -> None:
    with FeatureCache(folder, ram_budget=0) as cache:
        for content in ("a", "b"):
            cache.put(key_of(content), small_features(1.0, key_of(content)))
        path = next(path for path in features_files(folder) if path.stem == key_of("a").digest)
        whole = path.read_bytes()
        path.write_bytes(whole[:-512] + bytes(512))
        assert [cache.get(key_of(content)) is None for content in ("a", "b")] == [True, False]
        assert not path.exists()
        assert cache.stats.repaired == 1
        cache.put(key_of("a"), small_features(1.0, key_of("a")))
        assert cache.get(key_of("a")) is not None


@pytest.mark.parametrize("codec", ["fp16", "8bit"])
def test_files_are_what_others_know_as_safetensors(folder: Path, codec: str) -> None:
    with FeatureCache(folder, codec=codec) as cache:
        cache.put(key_of("a"), small_features(1.0, key_of("a")))
    [path] = features_files(folder)
    tensors = load_file(path)
    assert tensors["embedding"].shape == (256, 2, 2)
    assert tensors["detail"].shape == (32, 8, 8)
    assert {str(values.dtype) for values in tensors.values()} <= {"torch.float16", "torch.uint8", "torch.float32"}
    assert path.stat().st_size % 8 == 0
