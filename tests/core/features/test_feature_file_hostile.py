"""Features that cannot be right are a miss and go: wrong shapes, types and numbers, crafted headers, packs that lie."""

from __future__ import annotations

import io
import json
import os
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from core.encoders.image_features import DETAIL_SHAPE, EMBEDDING_SHAPE
from core.errors import BadFileError, BadInputError
from core.features.cache.cache_care import survey, verify
from core.features.cache.cache_folder import file_of
from core.features.cache.cache_pack import END, MANIFEST, import_pack
from core.features.cache.codecs import checksum
from core.features.cache.feature_cache import FeatureCache
from core.features.cache.feature_file import DamagedFileError, check_bytes
from core.features.cache.feature_key import FeatureKey
from core.geometry import Frame
from core.progress import run

FRAME = Frame.whole(width=40, height=30)
KEY = FeatureKey("a" * 32, "light-0123456789ab", FRAME)


def parts(codec: str = "fp16") -> dict[str, Tensor]:
    """Tensors as they should be."""
    whole = {"embedding": torch.ones(EMBEDDING_SHAPE).half(), "detail": torch.ones(DETAIL_SHAPE).half()}
    if codec == "fp16":
        return whole
    steps = {f"{name}_steps": torch.ones(len(values), 2) for name, values in whole.items()}
    return {name: values.to(torch.uint8) for name, values in whole.items()} | steps


def file_with(tensors: dict[str, Tensor], key: FeatureKey = KEY) -> bytes:
    """A file whose checksum is right, so that only what it holds is wrong."""
    notes = {"boxrefine": key.text, "xxh3": checksum(tensors)}
    return safetensors.torch.save(tensors, notes)


def placed(folder: Path, content: bytes, key: FeatureKey = KEY) -> Path:
    path = file_of(folder, key.digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


WRONG: dict[str, dict[str, Tensor]] = {
    "shape": {"embedding": torch.ones(256, 32, 32).half()},
    "flat": {"embedding": torch.ones(256).half()},
    "empty": {"detail": torch.ones(32, 0, 256).half()},
    "deep": {"detail": torch.ones(1, *DETAIL_SHAPE).half()},
    "type": {"detail": torch.ones(DETAIL_SHAPE)},
    "integers": {"detail": torch.ones(DETAIL_SHAPE, dtype=torch.int16)},
    "nan": {"embedding": torch.full(EMBEDDING_SHAPE, float("nan")).half()},
    "infinity": {"detail": torch.full(DETAIL_SHAPE, float("inf")).half()},
    "more": {"further": torch.ones(3)},
}
WRONG_STEPS: dict[str, dict[str, Tensor]] = {
    "multiplied": {"embedding": torch.ones(1 << 20, dtype=torch.uint8), "embedding_steps": torch.ones(1 << 20, 2)},
    "nan": {"detail_steps": torch.full((32, 2), float("nan"))},
    "types": {"detail_steps": torch.ones(32, 2, dtype=torch.float64)},
    "shapes": {"detail_steps": torch.ones(31, 2)},
}
CASES = [("fp16", name, change) for name, change in WRONG.items()]
CASES += [("8bit", name, change) for name, change in WRONG_STEPS.items()]


@pytest.mark.parametrize(("codec", "name", "change"), CASES, ids=[f"{codec} {name}" for codec, name, _ in CASES])
def test_features_that_cannot_be_right_are_a_miss_and_go(
    tmp_path: Path, codec: str, name: str, change: dict[str, Tensor]
) -> None:
    key = replace(KEY, codec=codec)
    content = file_with(parts(codec) | change, key)
    with FeatureCache(tmp_path / "cache", ram_budget=0, codec=codec) as cache:
        path = placed(tmp_path / "cache", content, key)
        assert cache.get(KEY) is None and not path.exists()
        placed(tmp_path / "cache", content, key)
        assert run(verify(cache)).damaged == 1 and not path.exists()
        whole = placed(tmp_path / "cache", file_with(parts(codec), key), key)
        assert cache.get(KEY) is not None and whole.exists()


HEADERS: list[object] = [
    None,
    [],
    7,
    {},
    {"__metadata__": []},
    {"__metadata__": {"boxrefine": 3, "xxh3": 4}},
    {"__metadata__": {"boxrefine": KEY.text, "xxh3": "0"}},
    {"__metadata__": {"boxrefine": KEY.text, "xxh3": "0"}, "detail": {"data_offsets": [[1], [1, 2, "x"]]}},
    {"__metadata__": {"boxrefine": KEY.text, "xxh3": "0"}, "detail": {"data_offsets": {}}},
    {"__metadata__": {"boxrefine": KEY.text, "xxh3": "0"}, "detail": 3, "embedding": {"data_offsets": [0, 1e999]}},
    {"__metadata__": {"boxrefine": KEY.text, "xxh3": "0"}, "detail": {"data_offsets": [0, 100], "shape": [-1]}},
    {"__metadata__": {"boxrefine": KEY.text, "xxh3": "\ud800"}, "detail": {"data_offsets": [0, 100], "dtype": "x"}},
]
DEEP = b'{"__metadata__": ' + b"[" * 100_000


@pytest.mark.parametrize("header", [*(json.dumps(header).encode() for header in HEADERS), DEEP, b"\xff", b"9" * 9000])
def test_crafted_headers_break_neither_verify_nor_info_nor_healing(tmp_path: Path, header: bytes) -> None:
    content = len(header).to_bytes(8, "little") + header + bytes(100)
    for tail in (content, content[:-3]):
        with pytest.raises(DamagedFileError):
            check_bytes(tail, digest=KEY.digest)
    with FeatureCache(tmp_path) as cache:
        path = placed(tmp_path, content)
        run(survey(tmp_path))
        cache.repair()
        placed(tmp_path, content)
        run(verify(cache))
        assert not path.exists() and cache.get(KEY) is None


KEYS: list[dict[str, object]] = [
    {"encoder": 3},
    {"encoder": "\x1b[2J"},
    {"content": None},
    {"codec": ["fp16"]},
    {"frame": {"left": "a", "top": 0, "width": 1, "height": 1, "image_width": 1, "image_height": 1}},
    {"frame": {"left": 0, "top": 0, "width": 0, "height": 1, "image_width": 1, "image_height": 1}},
    {"frame": {"left": 5, "top": 0, "width": 36, "height": 1, "image_width": 40, "image_height": 1}},
    {"frame": {"left": 0.5, "top": 0, "width": 1, "height": 1, "image_width": 40, "image_height": 1}},
    {"frame": {"left": 0, "top": 0, "width": 2**40, "height": 1, "image_width": 2**40, "image_height": 1}},
    {"frame": []},
]


@pytest.mark.parametrize("change", KEYS)
def test_keys_of_nothing_are_no_keys(change: dict[str, object]) -> None:
    text = json.dumps(json.loads(KEY.text) | change, sort_keys=True)
    with pytest.raises(ValueError, match="key"):
        FeatureKey.of_text(text)
    assert FeatureKey.of_text(KEY.text) == KEY


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_features_is_a_miss_and_goes(tmp_path: Path) -> None:
    path = file_of(tmp_path, KEY.digest)
    path.parent.mkdir(parents=True)
    with FeatureCache(tmp_path) as cache:
        os.mkfifo(path)
        assert cache.get(KEY) is None and not path.exists()
        os.mkfifo(path)
        run(survey(tmp_path))
        assert run(verify(cache)).damaged == 1 and not path.exists()


def pack_of(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], **manifest: object) -> Path:
    """A pack with a manifest, in which anything may stand."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as pack:
        text = json.dumps({"version": 2, "features": 1, "bytes": 1} | manifest).encode()
        for info, data in [(info_of(MANIFEST, len(text)), text), *members, (info_of(END, 0), b"")]:
            pack.addfile(info, io.BytesIO(data))
    return path


def info_of(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info


NAME = f"{KEY.digest[:2]}/{KEY.digest}.safetensors"


def test_a_pack_gives_what_is_whole_and_leaves_the_rest_out(tmp_path: Path) -> None:
    good = file_with(parts())
    bad = [file_with(parts() | change) for change in WRONG.values()]
    members = [(info_of(NAME, len(content)), content) for content in (*bad, good)]
    members += [(info_of("../../x.safetensors", 3), b"abc"), (info_of(NAME, 0, tarfile.SYMTYPE), b"")]
    pack = pack_of(tmp_path / "pack.tar", members)
    with FeatureCache(tmp_path / "cache", ram_budget=0) as cache:
        packed = run(import_pack(cache, pack))
        assert (packed.features, packed.damaged) == (1, len(bad) + 2)
        assert cache.get(KEY) is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "pack.tar"]


def sparse(size: int) -> bytes:
    """A header of tar that stands for `size` bytes of which none are there."""
    block = bytearray(info_of(NAME, 0, tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
    block[483:495] = f"{size:011o} ".encode()
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


@pytest.mark.timeout(30)
def test_sparse_members_stand_for_nothing(tmp_path: Path) -> None:
    whole = pack_of(tmp_path / "pack.tar", []).read_bytes()
    end = whole.index(END.encode())
    (tmp_path / "pack.tar").write_bytes(whole[:end] + sparse(60_000_000) * 2000 + whole[end:])
    with FeatureCache(tmp_path / "cache") as cache:
        assert run(import_pack(cache, tmp_path / "pack.tar")).damaged == 2000


@pytest.mark.timeout(30)
@pytest.mark.parametrize("size", [10**9, 2**62, -512])
def test_members_that_claim_more_than_is_there_end_the_import(tmp_path: Path, size: int) -> None:
    whole = pack_of(tmp_path / "pack.tar", []).read_bytes()
    end = whole.index(END.encode())
    lie = info_of(NAME, size).tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "pack.tar").write_bytes(whole[:end] + lie + whole[end:])
    with FeatureCache(tmp_path / "cache") as cache, pytest.raises(BadFileError, match="cut short or no cache pack"):
        run(import_pack(cache, tmp_path / "pack.tar"))


@pytest.mark.parametrize("value", ["2", None, [], 1e999, -1, True, 10**30])
def test_a_manifest_of_anything_else_than_numbers_is_refused(tmp_path: Path, value: object) -> None:
    for name in ("version", "features", "bytes"):
        pack = pack_of(tmp_path / "pack.tar", [], **{name: value})
        with FeatureCache(tmp_path / "cache") as cache, pytest.raises(BadFileError, match="no cache pack"):
            run(import_pack(cache, pack))


def test_a_pack_that_claims_more_than_the_cache_may_hold_is_refused_unread(tmp_path: Path) -> None:
    pack = pack_of(tmp_path / "pack.tar", [], bytes=2**50)
    with FeatureCache(tmp_path / "cache") as cache, pytest.raises(BadInputError, match="raise cache_disk_budget"):
        run(import_pack(cache, pack))
