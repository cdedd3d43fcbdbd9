"""The cache is looked after by verbs, travels as a pack, and survives what disks and killed processes do to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import pytest
import torch

from core.encoders.image_features import ImageFeatures
from core.errors import BadFileError, BadInputError, StorageError
from core.features.cache.cache_care import clear, survey, verify
from core.features.cache.cache_pack import export_pack, import_pack
from core.features.cache.feature_cache import FeatureCache
from core.features.cache.feature_key import EIGHT_BIT
from core.features.feature_source import FeatureSource
from core.geometry import Frame
from core.progress import run
from tests.core.command_line import Verb
from tests.core.feature_files import CountingEncoder, features_files, key_of, save_picture, small_features

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache of three pictures and a crop of one encoder, and a picture of another."""
    folder = tmp_path / "cache 写真"
    with FeatureCache(folder) as cache:
        for content in "abc":
            put(cache, content)
        put(cache, "a", frame=Frame(5, 0, 20, 20, 40, 30))
        put(cache, "a", encoder="other-0123")
    return folder


def put(cache: FeatureCache, content: str, *, encoder: str = "counting-1", frame: Frame | None = None) -> None:
    key = key_of(content, encoder=encoder, frame=frame or Frame.whole(width=40, height=30))
    cache.put(key, small_features(1.0, key))


def damage(path: Path) -> None:
    """Turn over one bit of the last tensor, which no header tells."""
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_info_tells_what_there_is_encoder_by_encoder(folder: Path, verb: Verb) -> None:
    said = verb("cache", "info", "--cache", folder)
    assert (said.code, said.summary["pictures"]) == (0, 4)
    assert said.summary["bytes"] == sum(path.stat().st_size for path in features_files(folder))
    lines = [line.replace(" ", "") for line in said.out.splitlines()]
    assert any(line.startswith("|counting-1|fp16|3|1|") for line in lines)
    assert any(line.startswith("|other-0123|fp16|1|0|") for line in lines)


def test_info_of_a_cache_that_was_never_used_is_nothing(tmp_path: Path, verb: Verb) -> None:
    said = verb("cache", "info", "--cache", tmp_path / "none")
    assert (said.code, said.summary["bytes"]) == (0, 0)
    assert not (tmp_path / "none").exists()


def test_clear_removes_one_encoder_or_all(folder: Path, verb: Verb) -> None:
    assert verb("cache", "clear", "--cache", folder, "--encoder", "other").summary["removed"] == 1
    assert [holding.encoder for holding in run(survey(folder))] == ["counting-1"]
    assert verb("cache", "clear", "--cache", folder).summary["removed"] == 4
    assert features_files(folder) == []
    with FeatureCache(folder) as cache:
        assert cache.entries() == []


def test_verify_removes_what_is_damaged_and_only_that(folder: Path, verb: Verb) -> None:
    flipped, cut, *whole = features_files(folder)
    damage(flipped)
    cut.write_bytes(cut.read_bytes()[:-10])
    (folder / "index.sqlite").unlink()
    said = verb("cache", "verify", "--cache", folder)
    assert said.code == 0
    assert (said.summary["whole"], said.summary["damaged"]) == (3, 2)
    assert features_files(folder) == whole
    with FeatureCache(folder) as cache:
        assert {entry.digest for entry in cache.entries()} == {path.stem for path in whole}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_clearing_a_read_only_cache_says_so(folder: Path, verb: Verb) -> None:
    places = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    for path in places:
        path.chmod(0o500)
    try:
        said = verb("cache", "clear", "--cache", folder)
    finally:
        for path in places:
            path.chmod(0o700)
    assert said.code == 2
    assert len(said.sentences) == 1 and str(folder) in said.sentences[0]


def test_a_folder_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="file cannot be read"):
        run(survey(tmp_path / "file"))


# Packs


def with_members(pack: Path, out: Path, more: dict[str, Path]) -> Path:
    """A copy of a pack with other files put in behind its first entry."""
    with tarfile.open(pack) as old, tarfile.open(out, "w") as new:
        for place, member in enumerate(old.getmembers()):
            new.addfile(member, old.extractfile(member))
            for name, path in more.items() if place == 0 else ():
                new.add(path, name)
    return out


def test_a_pack_carries_features_to_a_machine_with_the_same_pictures(tmp_path: Path) -> None:
    server, laptop = tmp_path / "server", tmp_path / "laptop"
    for place in (server, laptop / "elsewhere"):
        place.mkdir(parents=True)
        save_picture(place / "a.bmp", gray=100)
    with FeatureCache(server / "cache") as cache:
        FeatureSource(CountingEncoder(), cache).of_path(server / "a.bmp")
        run(export_pack(cache, tmp_path / "pack 写.tar"))
    with FeatureCache(laptop / "cache") as cache:
        assert run(import_pack(cache, tmp_path / "pack 写.tar")).features == 1
        source = FeatureSource(CountingEncoder(), cache)
        assert float(source.of_path(laptop / "elsewhere" / "a.bmp").embedding[0, 0, 0]) == 100
        assert (source.encoder.encoded, cache.stats.disk_hits) == (0, 1)


def test_the_verbs_export_and_import(folder: Path, tmp_path: Path, verb: Verb) -> None:
    pack = tmp_path / "pack.tar"
    assert verb("cache", "export", "--cache", folder, "--out", pack).summary["features"] == 5
    said = verb("cache", "import", pack, "--cache", tmp_path / "other")
    assert (said.code, said.summary["features"], said.summary["damaged"]) == (0, 5, 0)
    there, here = (
        {path.name: path.read_bytes() for path in features_files(place)} for place in (folder, tmp_path / "other")
    )
    assert there == here


def test_a_pack_may_hold_one_encoder_and_one_folder_of_pictures(tmp_path: Path, verb: Verb) -> None:
    (tmp_path / "some").mkdir()
    chosen = save_picture(tmp_path / "some" / "a.bmp", gray=1)
    other = save_picture(tmp_path / "b.bmp", gray=2)
    with FeatureCache(tmp_path / "cache") as cache:
        for path in (chosen, other):
            FeatureSource(CountingEncoder(), cache).of_path(path)
    arguments = ["cache", "export", "--cache", tmp_path / "cache", "--out", tmp_path / "p.tar"]
    assert verb(*arguments, "--images", tmp_path / "some").summary["features"] == 1
    said = verb(*arguments, "--encoder", "vit_h")
    assert said.code == 2
    assert "holds no such features" in said.sentences[0]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7])
def test_a_pack_cut_short_is_named_and_what_was_whole_is_kept(folder: Path, tmp_path: Path, share: float) -> None:
    pack = tmp_path / "pack.tar"
    with FeatureCache(folder) as cache:
        run(export_pack(cache, pack))
    data = pack.read_bytes()
    pack.write_bytes(data[: int(len(data) * share)])
    with FeatureCache(tmp_path / "other") as cache:
        with pytest.raises(BadFileError, match=r"pack\.tar is (cut short|no cache pack)"):
            run(import_pack(cache, pack))
        assert run(verify(cache)).damaged == 0
        assert len(cache.entries()) == {0.0: 0, 0.02: 0, 0.3: 1, 0.7: 3}[share]
    assert not any((tmp_path / "other" / "incoming").glob("*"))


def test_damaged_and_foreign_members_are_left_out(folder: Path, tmp_path: Path, verb: Verb) -> None:
    first, second, *_ = features_files(folder)
    data = second.read_bytes()
    damage(first)
    second.write_bytes(features_files(folder)[2].read_bytes())
    pack = tmp_path / "pack.tar"
    with FeatureCache(folder) as cache:
        run(export_pack(cache, pack))
    second.write_bytes(data)
    strange = {"../../outside.safetensors": second, "index.sqlite": folder / "index.sqlite"}
    pack = with_members(pack, tmp_path / "strange.tar", strange)
    said = verb("cache", "import", pack, "--cache", tmp_path / "other")
    assert (said.summary["features"], said.summary["damaged"]) == (3, 3)
    assert str(pack) in said.sentences[0]
    assert not list(tmp_path.rglob("outside*"))


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\0" * 20480])
def test_what_is_no_pack_is_named(tmp_path: Path, content: bytes) -> None:
    pack = tmp_path / "page.tar"
    pack.write_bytes(content)
    with FeatureCache(tmp_path / "cache") as cache, pytest.raises(BadFileError, match=r"page\.tar"):
        run(import_pack(cache, pack))
    with FeatureCache(tmp_path / "cache") as cache, pytest.raises(BadFileError, match=r"gone\.tar cannot be read"):
        run(import_pack(cache, tmp_path / "gone.tar"))


def test_a_pack_larger_than_the_budget_is_refused_before_anything_goes(folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack.tar"
    with FeatureCache(folder) as cache:
        run(export_pack(cache, pack))
    with FeatureCache(tmp_path / "other", disk_budget=10_000) as cache:
        put(cache, "own")
        with pytest.raises(BadInputError, match=r"pack\.tar holds .* raise cache_disk_budget"):
            run(import_pack(cache, pack))
        assert len(cache.entries()) == 1


def test_an_export_that_is_cancelled_or_refused_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with FeatureCache(folder) as cache:
        job = export_pack(cache, out / "pack.tar")
        next(job)
        job.close()
        assert list(out.iterdir()) == []
        (out / "taken").mkdir()
        with pytest.raises(StorageError, match="taken could not be written"):
            run(export_pack(cache, out / "taken"))
    assert [path.name for path in out.iterdir()] == ["taken"]


@pytest.mark.parametrize(("version", "told"), [(99, "newer BoxRefine: update"), (1, "older BoxRefine: export")])
def test_a_pack_of_another_version_is_refused(tmp_path: Path, version: int, told: str) -> None:
    manifest = tmp_path / "boxrefine-features.json"
    manifest.write_text(json.dumps({"version": version, "features": 0, "bytes": 0}))
    with tarfile.open(tmp_path / "other.tar", "w") as file:
        file.add(manifest, manifest.name)
    with FeatureCache(tmp_path / "cache") as cache, pytest.raises(BadFileError, match=told):
        run(import_pack(cache, tmp_path / "other.tar"))


# The 8-bit codec


def test_8_bit_features_come_back_within_half_a_step_in_half_the_bytes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    key = key_of("a")
    features = ImageFeatures(
        torch.randn(256, 16, 16).half(), (torch.randn(32, 64, 64) * 9 + 4).half(), key.frame, key.encoder
    )
    with FeatureCache(tmp_path / "full", ram_budget=0) as cache:
        cache.put(key, features)
    with FeatureCache(tmp_path / "small", ram_budget=0, codec=EIGHT_BIT) as cache:
        cache.put(key, features)
        back = cache.get(key)
        assert back is not None
    for ours, theirs in ((back.embedding, features.embedding), (back.detail, features.detail)):
        span = (theirs.flatten(1).amax(1) - theirs.flatten(1).amin(1)).float()
        worst = (ours.float() - theirs.float()).abs().flatten(1).amax(1)
        assert bool((worst <= 0.51 * span / 255 + 0.01).all())
        assert ours.dtype == torch.float16
    sizes = [features_files(tmp_path / name)[0].stat().st_size for name in ("full", "small")]
    assert 0.48 < sizes[1] / sizes[0] < 0.53


def test_the_two_codecs_do_not_answer_for_each_other(tmp_path: Path) -> None:
    with FeatureCache(tmp_path, ram_budget=0, codec=EIGHT_BIT) as cache:
        put(cache, "a")
        constant = cache.get(key_of("a"))
        assert constant is not None and bool((constant.embedding == 1.0).all())
    with FeatureCache(tmp_path, ram_budget=0) as cache:
        assert cache.get(key_of("a")) is None
    assert [holding.codec for holding in run(survey(tmp_path))] == ["8bit"]


# Killed in mid-write

WRITER = """
    import sys
    from pathlib import Path
    import torch
    from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE, ImageFeatures
    from core.features.cache.feature_cache import FeatureCache
    from tests.core.feature_files import FRAME, key_of
    cache = FeatureCache(Path(sys.argv[1]), ram_budget=0)
    embedding, detail = torch.zeros(EMBEDDING_SHAPE).half(), torch.zeros(DETAIL_SHAPE).half()
    for number in range(10_000):
        key = key_of(f"{number}")
        cache.put(key, ImageFeatures(embedding, detail, FRAME, key.encoder))
        print(number, flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_in_mid_write_harms_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    for files in (3, 8):
        command = [sys.executable, "-c", textwrap.dedent(WRITER), str(folder)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(files):
                assert writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        stored = len(features_files(folder))
        assert stored >= files - 1
        with FeatureCache(folder, ram_budget=0) as cache:
            found = run(verify(cache))
            assert (found.whole, found.damaged) == (stored, 0)
            assert cache.get(key_of("0")) is not None
            assert {entry.digest for entry in cache.entries()} == {path.stem for path in features_files(folder)}
            assert cache.trouble is None


def test_clearing_goes_on_while_another_holds_the_cache_open(folder: Path) -> None:
    with FeatureCache(folder, ram_budget=0) as window, FeatureCache(folder, ram_budget=0) as other:
        assert window.get(key_of("a")) is not None
        assert run(clear(other))[0] == 5
        assert window.get(key_of("a")) is None
        put(window, "a")
        assert other.get(key_of("a")) is not None
        assert (window.trouble, other.trouble) == (None, None)
