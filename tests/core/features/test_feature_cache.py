"""Features come back from memory and disk, and whatever is wrong with the disk costs time, never work."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
from core.features.cache import cache_index, feature_key
from core.features.cache.feature_cache import FeatureCache
from core.features.cache.feature_file import FeatureKey, read_key
from core.geometry import Frame
from tests.core.feature_files import FRAME, SMALL_BYTES, features_files, key_of, small_features
from tests.core.frame_time import frame_s

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache 写真"


@pytest.fixture
def cache(folder: Path) -> Iterator[FeatureCache]:
    """A cache that keeps nothing in memory, so that each answer comes from the disk."""
    with FeatureCache(folder, ram_budget=0) as cache:
        yield cache


def put(cache: FeatureCache, *contents: str) -> None:
    for content in contents:
        cache.put(key_of(content), small_features(1.0, key_of(content)))


def held(cache: FeatureCache, *contents: str) -> list[bool]:
    return [cache.get(key_of(content)) is not None for content in contents]


def rows(folder: Path) -> set[str]:
    connection = sqlite3.connect(folder / "index.sqlite")
    found = {row[0] for row in connection.execute("SELECT digest FROM features")}
    connection.close()
    return found


def test_features_come_back_as_they_were_put(cache: FeatureCache) -> None:
    key = key_of("a")
    cache.put(key, small_features(3.25, key))
    back = cache.get(key)
    assert back is not None
    assert torch.equal(back.embedding, torch.full((256, 2, 2), 3.25, dtype=torch.float16))
    assert torch.equal(back.detail, torch.full((32, 8, 8), 3.25, dtype=torch.float16))
    assert (back.frame, back.encoder) == (FRAME, "counting-1")


def test_another_content_encoder_or_frame_is_a_miss(cache: FeatureCache) -> None:
    put(cache, "a")
    part = Frame(5, 0, 20, 20, 40, 30)
    others = [key_of("b"), key_of("a", encoder="counting-2"), key_of("a", frame=part)]
    assert [cache.get(key) for key in others] == [None, None, None]
    assert cache.stats.misses == 3


def test_what_one_run_kept_the_next_one_finds(folder: Path) -> None:
    with FeatureCache(folder) as first:
        put(first, "a")
    with FeatureCache(folder) as second:
        assert held(second, "a") == [True]
        assert second.stats.disk_hits == 1


def test_memory_answers_without_the_disk(folder: Path) -> None:
    with FeatureCache(folder) as cache:
        put(cache, "a")
        features_files(folder)[0].unlink()
        assert held(cache, "a") == [True]
        assert (cache.stats.ram_hits, cache.stats.disk_hits, cache.stats.hits) == (1, 0, 1)


def test_memory_lets_go_of_what_was_used_longest_ago(folder: Path) -> None:
    with FeatureCache(folder, disk_budget=0, ram_budget=2 * SMALL_BYTES) as cache:
        put(cache, "a", "b")
        assert held(cache, "a") == [True]
        put(cache, "c")
        assert held(cache, "a", "b", "c") == [True, False, True]
        assert cache.stats.ram_bytes == 2 * SMALL_BYTES


def test_peek_asks_memory_alone(folder: Path) -> None:
    with FeatureCache(folder) as cache:
        put(cache, "a")
    with FeatureCache(folder) as cache:
        assert cache.peek(key_of("a")) is None
        cache.get(key_of("a"))
        assert cache.peek(key_of("a")) is not None


def test_opening_touches_no_disk(folder: Path) -> None:
    FeatureCache(folder).close()
    assert not folder.exists()


def test_a_disk_budget_of_nothing_keeps_memory_only(folder: Path) -> None:
    with FeatureCache(folder, disk_budget=0) as cache:
        put(cache, "a")
        assert held(cache, "a", "b") == [True, False]
    assert not folder.exists()


def test_the_disk_budget_holds_and_the_longest_unused_goes(folder: Path) -> None:
    with FeatureCache(folder, ram_budget=0) as cache:
        put(cache, "a")
    one = features_files(folder)[0].stat().st_size
    with FeatureCache(folder, ram_budget=0, disk_budget=3 * one + 100) as cache:
        put(cache, "b", "c")
        assert held(cache, "a") == [True]
        put(cache, "d")
        assert held(cache, "a", "b", "c", "d") == [True, False, True, True]
        assert (cache.stats.evicted, cache.stats.disk_bytes) == (1, 3 * one)
    assert len(features_files(folder)) == len(rows(folder)) == 3


def test_the_bytes_held_stay_right_whatever_becomes_of_the_files(folder: Path) -> None:
    with FeatureCache(folder, ram_budget=0) as cache:
        put(cache, "a", "b", "c", "b")
        one = features_files(folder)[0].stat().st_size
        assert cache.stats.disk_bytes == 3 * one
        features_files(folder)[0].unlink()  # by hand
        cache.repair()
        cache.remove(rows(folder).pop())
        put(cache, "d")
        assert cache.stats.disk_bytes == 2 * one
        assert sum(entry.nbytes for entry in cache.entries()) == 2 * one


def test_an_index_of_an_older_version_is_made_anew_from_the_files(folder: Path) -> None:
    with FeatureCache(folder, ram_budget=0) as cache:
        put(cache, "a", "b")
        both = cache.stats.disk_bytes
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    with FeatureCache(folder, ram_budget=0) as cache:
        put(cache, "c")
        assert held(cache, "a", "b", "c") == [True, True, True]
        assert cache.stats.disk_bytes == both * 3 // 2


def test_files_of_an_older_version_make_room_with_the_first_new_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(feature_key, "FORMAT_VERSION", feature_key.FORMAT_VERSION - 1)
        before.setattr(cache_index, "_INDEX_VERSION", cache_index._INDEX_VERSION - 1)
        with FeatureCache(folder, ram_budget=0) as cache:
            put(cache, "a", "b")
            assert held(cache, "a", "b") == [True, True]
    old = features_files(folder)
    with FeatureCache(folder, ram_budget=0) as cache:
        assert held(cache, "a", "b") == [False, False]
        put(cache, "a")
        assert held(cache, "a", "b") == [True, False]
        (new,) = features_files(folder)
        assert cache.stats.disk_bytes == new.stat().st_size
    assert len(old) == 2 and not any(path.exists() for path in old)


def test_what_is_larger_than_the_budget_is_not_written(folder: Path) -> None:
    with FeatureCache(folder, ram_budget=0, disk_budget=100) as cache:
        put(cache, "a")
        assert (held(cache, "a"), cache.trouble) == ([False], None)


def test_a_row_without_a_file_is_a_miss_and_goes(cache: FeatureCache, folder: Path) -> None:
    put(cache, "a")
    features_files(folder)[0].unlink()
    assert held(cache, "a") == [False]
    assert rows(folder) == set()


def test_a_file_without_a_row_is_found_and_gets_one(cache: FeatureCache, folder: Path) -> None:
    put(cache, "a")
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.execute("DELETE FROM features")
    connection.commit()
    connection.close()
    assert held(cache, "a") == [True]
    assert rows(folder) == {key_of("a").digest}


@pytest.mark.parametrize("length", [0, 5, 200, -1])
def test_a_file_cut_short_is_a_miss_and_is_removed(cache: FeatureCache, folder: Path, length: int) -> None:
    put(cache, "a")
    path = features_files(folder)[0]
    data = path.read_bytes()
    path.write_bytes(data[:length])
    assert held(cache, "a") == [False]
    assert (features_files(folder), rows(folder), cache.stats.repaired) == ([], set(), 1)
    put(cache, "a")
    assert held(cache, "a") == [True]


def test_a_file_of_another_key_under_this_name_is_a_miss(cache: FeatureCache, folder: Path) -> None:
    put(cache, "a", "b")
    first, second = (next(folder.glob(f"??/{key_of(name).digest}.safetensors")) for name in "ab")
    second.write_bytes(first.read_bytes())
    assert held(cache, "a", "b") == [True, False]
    assert not second.exists()


@pytest.mark.parametrize("damage", ["garbage", "cut", "gone", "foreign"])
def test_a_lost_or_broken_index_is_made_anew_from_the_files(folder: Path, damage: str) -> None:
    with FeatureCache(folder) as cache:
        put(cache, "a", "b")
    index = folder / "index.sqlite"
    if damage == "garbage":
        index.write_bytes(b"no database at all " * 500)
    elif damage == "cut":
        index.write_bytes(index.read_bytes()[:3000])
    else:
        index.unlink()
        if damage == "foreign":
            connection = sqlite3.connect(index)
            connection.execute("CREATE TABLE features (other TEXT)")
            connection.execute("PRAGMA user_version = 1")
            connection.close()
    with FeatureCache(folder) as cache:
        put(cache, "c")
        assert held(cache, "a", "b", "c") == [True, True, True]
        assert cache.trouble is None
    assert rows(folder) == {key_of(name).digest for name in "abc"}


def test_an_index_broken_while_open_heals(cache: FeatureCache, folder: Path) -> None:
    put(cache, "a")
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.execute("DROP TABLE features")
    connection.commit()
    connection.close()
    put(cache, "b")
    assert held(cache, "a", "b") == [True, True]
    assert (cache.trouble, cache.stats.repaired) == (None, 1)


def test_healing_adopts_files_and_drops_rows_and_leftovers(cache: FeatureCache, folder: Path) -> None:
    put(cache, "a", "b", "c")
    files = {read_key(path).content: path for path in features_files(folder)}
    files["a"].unlink()
    files["b"].write_bytes(b"cut")
    left_over = folder / "incoming" / "half"
    left_over.write_bytes(b"half")
    os.utime(left_over, (0, 0))
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.execute("DELETE FROM features WHERE digest != ?", [key_of("a").digest])
    connection.commit()
    connection.close()
    assert cache.repair() == 3
    assert rows(folder) == {key_of("c").digest}
    assert features_files(folder) == [files["c"]]
    assert not left_over.exists()


def test_a_full_disk_is_told_once_and_never_raised(cache: FeatureCache, folder: Path) -> None:
    put(cache, "a")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        put(cache, "b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cache.trouble is not None
    assert str(folder) in cache.trouble
    assert cache.trouble.count(". ") == 0
    assert list((folder / "incoming").iterdir()) == []
    assert held(cache, "a", "b") == [True, False]
    put(cache, "b")
    assert (cache.trouble, held(cache, "b")) == (None, [True])


def test_a_place_where_no_folder_can_be_is_told_and_memory_goes_on(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    with FeatureCache(in_the_way / "cache") as cache:
        assert held(cache, "a") == [False]
        put(cache, "a")
        assert held(cache, "a") == [True]
        assert cache.trouble is not None
        assert str(in_the_way) in cache.trouble


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_still_gives_what_it_has(folder: Path) -> None:
    with FeatureCache(folder) as cache:
        put(cache, "a")
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in places:
        path.chmod(0o500)
    try:
        with FeatureCache(folder) as cache:
            put(cache, "b")
            assert held(cache, "a") == [True]
            assert cache.trouble is not None
    finally:
        for path in places:
            path.chmod(0o700)


def test_a_folder_that_vanishes_is_made_again(cache: FeatureCache, folder: Path) -> None:
    put(cache, "a")
    folder.rename(folder.with_name("elsewhere"))
    assert held(cache, "a") == [False]
    put(cache, "b")
    assert held(cache, "b") == [True]


def test_a_closed_cache_finds_and_keeps_nothing(folder: Path) -> None:
    cache = FeatureCache(folder)
    put(cache, "a")
    cache.close()
    cache.close()
    put(cache, "b")
    assert held(cache, "a", "b") == [False, False]
    assert len(features_files(folder)) == 1


def test_threads_share_one_cache(folder: Path) -> None:
    names = [f"{number}" for number in range(24)]
    with FeatureCache(folder, ram_budget=4 * SMALL_BYTES) as cache:
        found: list[list[bool]] = []

        def work(own: list[str]) -> None:
            put(cache, *own)
            found.append(held(cache, *own))

        threads = [threading.Thread(target=work, args=(names[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [[True] * 6] * 4
        assert (cache.trouble, cache.stats.stored) == (None, 24)


OTHER_PROCESS = """
    import sys
    from pathlib import Path
    from core.features.cache.feature_cache import FeatureCache
    from tests.core.feature_files import key_of, small_features
    with FeatureCache(Path(sys.argv[1]), disk_budget=int(sys.argv[2]), ram_budget=0) as cache:
        for number in range(40):
            key = key_of(f"{sys.argv[3]}-{number % 25}")
            if cache.get(key) is None:
                cache.put(key, small_features(1.0, key))
        print(cache.trouble, cache.stats.repaired)
"""


def test_two_processes_share_one_folder_and_one_budget(folder: Path) -> None:
    budget = 10 * 10_000
    command = [sys.executable, "-c", textwrap.dedent(OTHER_PROCESS), str(folder), str(budget)]
    both = [
        subprocess.Popen([*command, name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for name in ("x", "y")
    ]
    answers = [process.communicate(timeout=120) for process in both]
    assert answers == [("None 0\n", "")] * 2
    assert 0 < sum(path.stat().st_size for path in features_files(folder)) <= budget
    assert {path.stem for path in features_files(folder)} == rows(folder)


def test_features_in_full_size_come_back_within_a_frame(cache: FeatureCache) -> None:
    key = FeatureKey("full", "counting-1", FRAME)
    embedding, detail = (torch.randn(shape).half() for shape in (EMBEDDING_SHAPE, DETAIL_SHAPE))
    cache.put(key, ImageFeatures(embedding, detail, FRAME, "counting-1"))
    spent = []
    for _ in range(9):
        start = time.thread_time()
        back = cache.get(key)
        spent.append(time.thread_time() - start)
        assert back is not None
        assert torch.equal(back.detail, detail)
    assert min(spent) < frame_s()
