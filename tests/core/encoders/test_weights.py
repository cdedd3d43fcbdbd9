"""Weights are loaded strictly and safely, and whatever is wrong with a file is said by its name."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from core.encoders.weights.files import in_float32, load_state, load_strictly, sha256_of
from core.encoders.weights.model_folder import tensors_sha256
from core.encoders.weights.published import OFFICIAL, find_weights, is_official, weights_folder
from core.errors import BadWeightsError
from core.training.run_files import load_state_of


class Pair(nn.Module):
    """Two layers, whose keys are first.weight, first.bias, second.weight and second.bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.second = nn.Linear(3, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Weights of a Pair as .pth, in a folder whose name is not ASCII."""
    folder = tmp_path / "gewichte 重み"
    folder.mkdir()
    torch.save(Pair().state_dict(), folder / "pair.pth")
    return folder / "pair.pth"


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_was_saved_is_loaded(path: Path, suffix: str) -> None:
    state = Pair().state_dict()
    path = path.with_suffix(suffix)
    if suffix == ".pth":
        torch.save(state, path)
    else:
        safetensors.torch.save_file(state, path)
    network = Pair()
    load_strictly(network, load_state(path), path=path)
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.99])
def test_a_file_cut_short_is_named(path: Path, suffix: str, share: float) -> None:
    path = path.with_suffix(suffix)
    if suffix == ".safetensors":
        safetensors.torch.save_file(Pair().state_dict(), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(BadWeightsError, match=f"{path.name} is cut short"):
        load_state(path)


def test_a_short_official_file_says_how_short_and_where_to_get_it(tmp_path: Path) -> None:
    path = tmp_path / "sam_hq_vit_tiny.pth"
    path.write_bytes(b"PK\x03\x04" + bytes(996))
    with pytest.raises(BadWeightsError, match=r"\(1000 of 42526881 bytes\): get .* again from huggingface.co/lkeab"):
        load_state(path)


@pytest.mark.parametrize("content", [b"<!DOCTYPE html><html>Not found</html>", b"\x00" * 5000, b"weights" * 99])
def test_what_is_no_weights_file_is_named(tmp_path: Path, content: bytes) -> None:
    for name in ("page.pth", "page.safetensors"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadWeightsError, match=f"{name} is cut short or no weights file"):
            load_state(tmp_path / name)


class Trap:
    """Pickles to a call that would leave a mark on the disk."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_carries_code_is_refused_unopened(tmp_path: Path, zipped: bool) -> None:
    path, mark = tmp_path / "trap.pth", tmp_path / "mark"
    if zipped:
        torch.save({"first.weight": Trap(mark)}, path)
    else:
        path.write_bytes(pickle.dumps({"first.weight": Trap(mark)}))
    with pytest.raises(BadWeightsError, match=r"trap\.pth"):
        load_state(path)
    assert not mark.exists()


@pytest.mark.parametrize("held", [[1, 2], {}, {"model": {"weight": torch.zeros(1)}}, {"epoch": 3}, torch.zeros(2)])
def test_what_is_no_plain_table_of_tensors_is_named(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "other.pth")
    with pytest.raises(BadWeightsError, match=r"other\.pth does not hold a plain table of weights"):
        load_state(tmp_path / "other.pth")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for load in (load_state, sha256_of):
        with pytest.raises(BadWeightsError, match=r"gone\.pth does not exist"):
            load(tmp_path / "gone.pth")
        with pytest.raises(BadWeightsError, match="cannot be read"):
            load(tmp_path)


def test_the_first_missing_and_the_first_unexpected_key_are_named(path: Path) -> None:
    state = load_state(path)
    state["third.weight"] = state.pop("second.weight")
    network = Pair()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(BadWeightsError, match=r"1 missing, first second\.weight; 1 unexpected, first third\.weight"):
        load_strictly(network, state, path=path)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_another_shape_is_named(path: Path) -> None:
    state = load_state(path) | {"second.weight": torch.zeros(1, 4)}
    with pytest.raises(BadWeightsError, match=r"second\.weight is 1x4, not 1x3"):
        load_strictly(Pair(), state, path=path)


def test_the_checksum_is_that_of_the_bytes(path: Path) -> None:
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_official_files_are_known_by_their_checksum() -> None:
    assert list(OFFICIAL) == ["vit_tiny", "vit_b", "vit_l", "vit_h"]
    assert {(len(entry.sha256), len(entry.revision)) for entry in OFFICIAL.values()} == {(64, 40)}
    assert is_official(name="vit_b", sha256=OFFICIAL["vit_b"].sha256)
    assert not is_official(name="vit_b", sha256=OFFICIAL["vit_l"].sha256)
    assert not is_official(name="light", sha256="")


def test_weights_are_found_in_their_folder_safetensors_first(own_home: Path) -> None:
    folder = weights_folder()
    assert own_home in folder.parents
    assert (find_weights("vit_tiny"), find_weights("light")) == (None, None)
    folder.mkdir(parents=True)
    for suffix in (".pth", ".safetensors"):
        found = folder / f"sam_hq_vit_tiny{suffix}"
        found.touch()
        assert find_weights("vit_tiny") == found
    assert find_weights("vit_b") is None


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_of_any_width_are_taken(tmp_path: Path, kind: torch.dtype, suffix: str) -> None:
    state = {key: value.to(kind) for key, value in Pair().state_dict().items()}
    path = tmp_path / f"pair{suffix}"
    torch.save(state, path) if suffix == ".pth" else safetensors.torch.save_file(state, path)
    network = Pair()
    load_strictly(network, in_float32(load_state(path)), path=path, assign=True)
    assert network.first.weight.dtype == torch.float32
    assert len(tensors_sha256(load_state(path))) == 64


def test_a_packed_file_that_unfolds_is_refused_before_it_is_read(path: Path) -> None:
    packed = path.with_name("packed.pth")
    torch.save({"first.weight": torch.zeros(50_000_000)}, path)
    with zipfile.ZipFile(path) as parts, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for part in parts.infolist():
            out.writestr(part.filename, parts.read(part))
    assert packed.stat().st_size < 1_000_000
    with pytest.raises(BadWeightsError, match=r"packed\.pth unfolds to 200 MB"):
        load_state(packed)
    with pytest.raises(BadWeightsError, match="cannot be resumed from"):
        load_state_of(packed, fingerprint="")


def test_a_tensor_that_repeats_its_bytes_without_end_is_refused(path: Path) -> None:
    torch.save({"first.weight": torch.zeros(1).expand(100_000, 100_000, 100)}, path)
    with pytest.raises(BadWeightsError, match="does not hold a plain table"):
        load_state(path)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_named(path: Path, number: float) -> None:
    state = Pair().state_dict()
    state["second.bias"][0] = number
    with pytest.raises(BadWeightsError, match=r"not finite \(second.bias\)"):
        load_strictly(Pair(), state, path=path)


@pytest.mark.parametrize("odd", [torch.zeros(2, 3).to_sparse(), torch.zeros(3, 2, dtype=torch.complex64)])
def test_tensors_of_a_kind_that_no_network_has_are_refused(path: Path, odd: torch.Tensor) -> None:
    torch.save(Pair().state_dict() | {"first.weight": odd}, path)
    with pytest.raises(BadWeightsError, match=r"pair\.pth"):
        load_strictly(Pair(), load_state(path), path=path)


def test_weights_that_are_too_large_for_their_encoder_are_refused_unread(path: Path) -> None:
    with pytest.raises(BadWeightsError, match="and such weights have at most 0 MB"):
        load_state(path, most=100)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_pipes_are_no_weights(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    for read in (load_state, sha256_of):
        with pytest.raises(BadWeightsError, match="no regular file"):
            read(tmp_path / name)
