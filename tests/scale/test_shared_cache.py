"""The shared cache on a real S3 server: the local one reads through it, and whoever is killed leaves nothing half."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.features.cache.feature_cache import FeatureCache
from core.features.cache.feature_file import feature_bytes
from core.features.cache.feature_key import EIGHT_BIT
from core.features.cache.shared_cache import SharedCache, read_manifest, shared_cache
from core.features.feature_source import FeatureSource
from core.object_pictures import find_object_pictures
from core.object_store.address import Address
from core.object_store.folder import ObjectFolder
from core.progress import run
from core.shards.files import read_shards, write_shards
from tests.core.feature_files import CountingEncoder, features_files, key_of, save_picture, small_features

ONE, OTHER = key_of("1" * 32), key_of("2" * 32)


def opened(address: str, folder: Path, **options: object) -> FeatureCache:
    shared = SharedCache(Address(address), **options)  # type: ignore[arg-type]
    return FeatureCache(folder, ram_budget=0, shared=shared)


def test_what_one_machine_writes_another_reads_and_keeps(bucket: str, tmp_path: Path) -> None:
    with opened(bucket, tmp_path / "server") as server:
        server.put(ONE, small_features(0.5, ONE))
    with opened(bucket, tmp_path / "laptop", writes=False) as laptop:
        found = laptop.get(ONE)
        assert found is not None and torch.equal(found.embedding, small_features(0.5, ONE).embedding)
        assert laptop.get(OTHER) is None
        assert laptop.get(ONE) is not None
        assert (laptop.stats.shared_hits, laptop.stats.disk_hits, laptop.stats.misses) == (1, 1, 1)
    [own], [theirs] = features_files(tmp_path / "laptop"), features_files(tmp_path / "server")
    assert own.read_bytes() == theirs.read_bytes()


def test_encoders_and_codecs_are_kept_apart(bucket: str, tmp_path: Path) -> None:
    other = replace(ONE, encoder="counting-2")
    with opened(bucket, tmp_path / "server") as server:
        server.put(ONE, small_features(0.5, ONE))
        server.put(other, small_features(0.25, other))
    with opened(bucket, tmp_path / "laptop") as laptop:
        values = [float(found.embedding[0, 0, 0]) for key in (ONE, other) if (found := laptop.get(key)) is not None]
        assert values == [0.5, 0.25]
        assert laptop.get(key_of("1" * 32, encoder="counting-3")) is None
        encoders = {encoder for encoder, _, _ in read_manifest(ObjectFolder(Address(bucket))).features.values()}
        assert encoders == {"counting-1", "counting-2"}
    shared = SharedCache(Address(bucket))
    assert not shared.holds(replace(ONE, codec=EIGHT_BIT)) and shared.holds(ONE)


def test_damaged_objects_are_missing_and_written_again(bucket: str, tmp_path: Path) -> None:
    data = feature_bytes(ONE, small_features(0.5, ONE))
    folder, name = ObjectFolder(Address(bucket)), f"features/{ONE.digest[:2]}/{ONE.digest}.safetensors"
    for damaged in (data[:-5], b"", data[:-1] + b"\x7f"):
        folder.write(name, damaged)
        with opened(bucket, tmp_path / "laptop") as laptop:
            assert laptop.get(ONE) is None
            assert laptop.shared is not None and laptop.shared.stats.damaged == 1
    assert features_files(tmp_path / "laptop") == []
    with opened(bucket, tmp_path / "laptop") as laptop:
        laptop.put(ONE, small_features(0.5, ONE))
    assert folder.read(name, limit=1 << 20) == data


def test_a_manifest_unites_the_parts_of_many_writers_and_drops_half_ones(bucket: str) -> None:
    writers = [SharedCache(Address(bucket)) for _ in range(3)]
    for number, writer in enumerate(writers):
        key = key_of(f"{number:032x}")
        writer.put(key, feature_bytes(key, small_features(0.5, key)))
        writer.flush()
    folder = ObjectFolder(Address(bucket))
    names = [entry.name for entry in folder.entries("manifest")]
    assert len(names) == 3
    whole = folder.read(names[0], limit=1 << 20)
    folder.write(names[0], whole[: len(whole) // 2])
    manifest = read_manifest(folder)
    assert len(manifest.features) == 2 and manifest.damaged == 1
    reader = SharedCache(Address(bucket))
    assert all(reader.holds(key_of(f"{number:032x}")) for number in range(3))  # by its name, where no part lists it


KILLED = """
import sys
from core.features.cache.feature_file import feature_bytes
from core.features.cache.shared_cache import SharedCache
from core.object_store.address import Address
from tests.core.feature_files import key_of, small_features
cache = SharedCache(Address(sys.argv[1]))
for number in range(10_000):
    key = key_of(f"{number:032x}")
    cache.put(key, feature_bytes(key, small_features(0.5, key)))
    print(number, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s3", "file"])
def test_a_killed_writer_leaves_nothing_half(bucket: str, tmp_path: Path, kind: str) -> None:
    place = bucket if kind == "s3" else f"file://{tmp_path}/shared"
    writer = subprocess.Popen([sys.executable, "-c", KILLED, place], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) == 20:
            writer.kill()
            break
    writer.wait()
    writer.stdout.close()
    cache = SharedCache(Address(place))
    found = [number for number in range(100) if cache.get(key_of(f"{number:032x}")) is not None]
    assert found == list(range(len(found))) and len(found) >= 21
    assert cache.stats.damaged == 0


def test_without_rights_or_network_work_goes_on_with_one_sentence(
    bucket: str, tmp_path: Path, no_rights: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    clock = [0.0]
    no_rights()
    with opened(bucket, tmp_path / "local", now=lambda: clock[0]) as cache:
        cache.put(ONE, small_features(0.5, ONE))
        assert cache.get(ONE) is not None and cache.trouble is None
        assert cache.shared is not None and "You may not use" in str(cache.shared.trouble)
        assert cache.get(OTHER) is None
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    s3fs.S3FileSystem.clear_instance_cache()
    with opened(bucket, tmp_path / "local", now=lambda: clock[0]) as cache:
        assert cache.get(OTHER) is None and cache.shared is not None
        start = time.perf_counter()
        for number in range(100):  # it rests: else each of these would wait for the network
            assert cache.get(key_of(f"{number:032x}")) is None
        assert time.perf_counter() - start < 2
        assert "does not answer" in str(cache.shared.trouble)


def test_an_encoder_asks_the_shared_cache_and_what_others_remember(bucket: str, tmp_path: Path) -> None:
    folder = ObjectFolder(Address(f"{bucket}/pictures"))
    for number in range(3):
        path = save_picture(tmp_path / f"{number}.bmp", gray=40 * number)
        folder.write(path.name, path.read_bytes())
    pictures, _ = run(find_object_pictures(Address(f"{bucket}/pictures")))
    encoders = [CountingEncoder(), CountingEncoder()]
    for encoder, name in zip(encoders, ("server", "laptop"), strict=True):
        with opened(f"{bucket}/cache", tmp_path / name) as cache:
            source = FeatureSource(encoder, cache)
            for picture in pictures:
                assert float(source.of_path(picture).embedding[0, 0, 0]) == 40 * pictures.index(picture)
            assert source.decoded == (3 if name == "server" else 0)  # the manifest has the content of each object
    assert [encoder.encoded for encoder in encoders] == [3, 0]


def test_a_picture_that_changes_is_encoded_again(bucket: str, tmp_path: Path) -> None:
    folder = ObjectFolder(Address(f"{bucket}/pictures"))
    encoder = CountingEncoder()
    with opened(f"{bucket}/cache", tmp_path / "cache") as cache:
        for gray in (40, 80, 80):
            folder.write("one.bmp", save_picture(tmp_path / "one.bmp", gray=gray).read_bytes())
            [picture], _ = run(find_object_pictures(Address(f"{bucket}/pictures")))
            assert float(FeatureSource(encoder, cache).of_path(picture).embedding[0, 0, 0]) == gray
    assert encoder.encoded == 2


def test_a_folder_serves_as_a_shared_cache(tmp_path: Path) -> None:
    place = tmp_path / "team é"
    with FeatureCache(tmp_path / "server", ram_budget=0, shared=shared_cache(place)) as server:
        server.put(ONE, small_features(0.5, ONE))
    with FeatureCache(tmp_path / "laptop", ram_budget=0, shared=shared_cache(place, writes=False)) as laptop:
        assert laptop.get(ONE) is not None


def test_shards_in_a_bucket_are_read_by_their_places(bucket: str, tmp_path: Path) -> None:
    picture = save_picture(tmp_path / "0.bmp", gray=40)
    run(write_shards([("0.bmp", picture, [{"bbox": [1, 1, 9, 9]}])] * 2, tmp_path / "shards", per_shard=9))
    folder = ObjectFolder(Address(f"{bucket}/shards"))
    folder.write("a.tar", (tmp_path / "shards/shard-000000.tar").read_bytes())
    samples = run(read_shards(Address(f"{bucket}/shards")))
    assert [sample.picture.read() for sample in samples] == [picture.read_bytes()] * 2
    encoder = CountingEncoder()
    with opened(f"{bucket}/cache", tmp_path / "cache") as cache:
        source = FeatureSource(encoder, cache)
        for sample in samples:
            assert float(source.of_path(sample.picture).embedding[0, 0, 0]) == 40
            assert source.recall(sample.picture) is not None
    assert (encoder.encoded, source.decoded) == (1, 2)
