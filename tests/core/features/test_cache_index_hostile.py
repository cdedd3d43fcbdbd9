"""An index of the feature cache that somebody has crafted is a miss and is made anew; it never breaks or acts."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.features.cache.feature_cache import FeatureCache
from core.features.cache.index_schema import INDEX_NAME, SET_ASIDE_NAME
from core.features.cache.picture_memory import Fingerprint, KnownPicture
from tests.core.feature_files import features_files, key_of, small_features

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
SCHEMAS = [
    f"CREATE TRIGGER more AFTER INSERT ON features BEGIN INSERT INTO care {ENDLESS.replace('max(i)', 'i, i')}; END",
    "CREATE TRIGGER more BEFORE INSERT ON features BEGIN SELECT RAISE(ABORT, 'no'); END",
    "CREATE TRIGGER more AFTER INSERT ON features BEGIN DELETE FROM features; END",
    f"DROP TABLE features; CREATE VIEW features AS SELECT max(i) AS digest, 1 AS bytes, 1 AS used FROM ({ENDLESS})",
    "DROP TABLE care; CREATE TABLE care (what TEXT, at INTEGER)",
    "DROP TABLE pictures; CREATE TABLE pictures (path BLOB PRIMARY KEY, fingerprint TEXT, content TEXT, width, height"
    " CHECK (height < 0))",
    "CREATE TABLE more (a INTEGER)",
    "CREATE TABLE more (a INTEGER); PRAGMA user_version = 1",
    "DROP TABLE features; DROP TABLE care; DROP TABLE pictures",
    "PRAGMA user_version = -1; CREATE VIEW more AS SELECT 1",
]
ROWS = [
    "UPDATE features SET digest = '../../victim' WHERE rowid = 1",
    "UPDATE features SET digest = CAST(x'ff00fe' AS TEXT) WHERE rowid = 1",
    "UPDATE features SET digest = x'00ff' WHERE rowid = 1",
    "UPDATE features SET digest = NULL WHERE rowid = 1",
    "UPDATE features SET bytes = 'many'",
    "UPDATE features SET bytes = NULL",
    "UPDATE features SET bytes = 9e999",
    "UPDATE features SET bytes = -5",
    "UPDATE features SET bytes = 9223372036854775807",
    "UPDATE features SET used = 'never'",
    "UPDATE features SET used = x'00'",
    "UPDATE features SET used = 1e300",
    "UPDATE care SET at = 'much'",
    "UPDATE care SET at = NULL",
    "UPDATE care SET at = 9223372036854775807",
    "UPDATE care SET at = -9223372036854775808",
    "UPDATE care SET at = 9e999",
    "UPDATE pictures SET content = x'00'",
    "UPDATE pictures SET content = '../../victim'",
    "UPDATE pictures SET width = 'wide'",
    "UPDATE pictures SET height = -1",
    "UPDATE pictures SET fingerprint = x'ff'",
    "UPDATE pictures SET content = CAST(zeroblob(3000000) AS TEXT)",
]
PICTURE, FINGERPRINT = Path("/pictures/a.png"), Fingerprint(1, 2, 3, 4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache that holds two pictures and remembers one file."""
    with FeatureCache(tmp_path / "cache", ram_budget=0) as cache:
        put(cache, "a", "b")
        cache.remember(PICTURE, FINGERPRINT, KnownPicture("0" * 32, 40, 30))
    return tmp_path / "cache"


def put(cache: FeatureCache, *contents: str) -> None:
    for content in contents:
        cache.put(key_of(content), small_features(1.0, key_of(content)))


def craft(folder: Path, script: str) -> None:
    """Run a script on the index; one that changes rows does so behind the back of the triggers."""
    with closing(sqlite3.connect(folder / INDEX_NAME)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        if script.startswith("UPDATE"):
            script = ";".join(
                [*(f"DROP TRIGGER {name}" for name, _ in triggers), script, *(sql for _, sql in triggers)]
            )
        connection.executescript(script)


def use_all_of(folder: Path) -> None:
    """Everything that asks the index; no error may come out, and what is whole has to come back."""
    for budget in (10 * 1024**2, 3 * one_file(folder) // 2):
        with FeatureCache(folder, ram_budget=0, disk_budget=budget) as cache:
            assert cache.recall(PICTURE, FINGERPRINT) in (None, KnownPicture("0" * 32, 40, 30))
            cache.remember(PICTURE, FINGERPRINT, KnownPicture("0" * 32, 40, 30))
            assert cache.recall(PICTURE, FINGERPRINT) == KnownPicture("0" * 32, 40, 30)
            put(cache, "c")
            cache.entries()
            cache.look()
            cache.get(key_of("a"))
            assert cache.get(key_of("c")) is not None
            cache.repair()
            assert cache.trouble is None
            assert {entry.digest for entry in cache.entries()} == {path.stem for path in features_files(folder)}
            assert 0 < sum(entry.nbytes for entry in cache.entries()) <= budget


def one_file(folder: Path) -> int:
    return features_files(folder)[0].stat().st_size


@pytest.mark.parametrize("script", [*SCHEMAS, *ROWS])
def test_a_crafted_index_is_a_miss_and_is_made_anew(folder: Path, script: str) -> None:
    victim = folder.parent / "victim.safetensors"
    victim.write_bytes(b"somebody's")
    craft(folder, script)
    use_all_of(folder)
    assert victim.read_bytes() == b"somebody's"


@pytest.mark.parametrize("script", [*SCHEMAS, *ROWS])
def test_a_crafted_index_is_mended_by_healing(folder: Path, script: str) -> None:
    craft(folder, script)
    with FeatureCache(folder, ram_budget=0) as cache:
        cache.repair()
        assert cache.trouble is None
        assert {entry.digest for entry in cache.entries()} == {path.stem for path in features_files(folder)}
        assert cache.get(key_of("a")) is not None


@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "dangling"])
def test_what_is_no_file_under_the_name_of_the_index_makes_way(folder: Path, kind: str) -> None:
    index = folder / INDEX_NAME
    index.unlink()
    other = folder.parent / "other.sqlite"
    with closing(sqlite3.connect(other)) as connection:
        connection.executescript("CREATE TABLE features (mine TEXT); INSERT INTO features VALUES ('kept')")
    if kind == "folder":
        index.mkdir()
        (index / "file").write_bytes(b"")
    elif kind == "pipe":
        os.mkfifo(index)
    else:
        index.symlink_to(other if kind == "link" else folder / "nowhere")
    use_all_of(folder)
    with closing(sqlite3.connect(other)) as connection:
        assert connection.execute("SELECT mine FROM features").fetchall() == [("kept",)]


def test_the_database_of_another_program_is_set_aside_whole(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "new")) as connection:
        connection.executescript("CREATE TABLE theirs (mine TEXT); INSERT INTO theirs VALUES ('kept')")
    (folder / "new").replace(folder / INDEX_NAME)
    use_all_of(folder)
    with closing(sqlite3.connect(folder / SET_ASIDE_NAME)) as connection:
        assert connection.execute("SELECT mine FROM theirs").fetchall() == [("kept",)]


def test_a_count_that_is_too_high_costs_the_others_once(folder: Path) -> None:
    with FeatureCache(folder, ram_budget=0, disk_budget=10 * one_file(folder)) as cache:
        craft(folder, f"UPDATE care SET at = {10**15} WHERE what = 'held'")
        put(cache, "c", "d", "e")
        assert [cache.get(key_of(name)) is not None for name in "cde"] == [True] * 3


def test_safetensors_of_others_are_never_removed(folder: Path) -> None:
    weights = [folder / "hf" / "model.safetensors", folder / "v1" / f"{'0' * 32}.safetensors"]
    outside = folder.parent / "outside" / f"ab{'0' * 30}.safetensors"
    for path in (*weights, outside):
        path.parent.mkdir()
        path.write_bytes(b"somebody's weights")
    (folder / "ab").symlink_to(outside.parent)
    with FeatureCache(folder, ram_budget=0) as cache:
        cache.repair()
    assert all(path.read_bytes() == b"somebody's weights" for path in (*weights, outside))
