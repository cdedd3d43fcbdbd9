"""Weights files: loading that trusts nothing but tensors, and what was converted once keeps its published name."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from core.bounded import open_regular
from core.encoders.weights.published import OFFICIAL, OFFICIAL_REPOSITORY
from core.errors import BadWeightsError, reason

State = dict[str, Tensor]
"""Parameter name -> tensor on the CPU."""

SOURCE_ENTRY, TENSORS_ENTRY = "source_sha256", "tensors_sha256"
"""Notes in a converted file: the SHA-256 of the file it was made of, and that of its tensors' bytes."""


_SHA256 = re.compile("[0-9a-f]{64}")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits. Raises BadWeightsError where it is missing or cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def identity_of(path: Path) -> str:
    """The SHA-256 that names weights: that of the file they were converted from, else the file's own.

    So the features of an encoder are the same ones whether it was loaded from the published file or from the
    converted one. Raises as `sha256_of`.
    """
    source = notes_of(path).get(SOURCE_ENTRY, "")
    return source if _SHA256.fullmatch(source) else sha256_of(path)


def notes_of(path: Path) -> dict[str, str]:
    """What stands in the header of a .safetensors file beside its tensors; nothing in any other file."""
    if path.suffix.lower() != ".safetensors" or not path.is_file():
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, ValueError, SafetensorError):
        return {}  # loading it will say what is wrong


def load_state(path: Path, *, most: int | None = None) -> State:
    """The tensors of a .safetensors or .pth file of at most `most` bytes, on the CPU; nothing in the file is ever run.

    Raises BadWeightsError where the file is missing, cut short, no weights, holds more than tensors, or where it
    unfolds to more than the bytes that it has.
    """
    try:
        if path.suffix.lower() == ".safetensors":
            with open_regular(path) as file:
                _check_length(path, file, most)
            return safetensors.torch.load_file(path, device="cpu")
        held = read_torch(path, most=most)
    except OSError as error:
        raise _unreadable(path, error) from error
    except BadWeightsError:
        raise
    except pickle.UnpicklingError as error:
        raise _not_only_tensors(path, error) from error
    except Exception as error:  # a damaged file may trip the readers in any way; all of them mean the same
        raise _damaged(path) from error
    if not isinstance(held, dict) or not held or not all(map(_is_plain, held.values())):
        raise BadWeightsError(f"{path} does not hold a plain table of weights: {_cure(path)}.")
    return {str(key): value for key, value in held.items()}


def read_torch(path: Path, *, most: int | None = None) -> Any:  # noqa: ANN401 - whatever torch.save was given
    """What torch has saved, on the CPU, as far as that is numbers and tensors; nothing in the file is ever run.

    Raises OSError, BadWeightsError for a file that unfolds to more than it has, and whatever torch raises for damage.
    """
    with open_regular(path) as file:
        _check_length(path, file, most)
        _check_packing(path, file)
        return torch.load(file, map_location="cpu", weights_only=True)


def _check_length(path: Path, file: BinaryIO, most: int | None) -> None:
    size = os.fstat(file.fileno()).st_size
    if most is not None and size > most:
        sizes = f"{size / 1e6:,.0f} MB, and such weights have at most {most / 1e6:,.0f} MB"
        raise BadWeightsError(f"The weights file {path} has {sizes}: {_cure(path)}.")


def _check_packing(path: Path, file: BinaryIO) -> None:
    """Refuse a file whose parts are packed: torch itself never does, and a few bytes may unfold without end."""
    size = os.fstat(file.fileno()).st_size
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as parts:
            unfolded = sum(part.file_size for part in parts.infolist())
        if unfolded > size:
            raise BadWeightsError(f"The weights file {path} unfolds to {unfolded / 1e6:,.0f} MB: {_cure(path)}.")
    file.seek(0)


def _is_plain(value: object) -> bool:
    """A tensor that lies in memory as it looks: none that repeats a few bytes without end, or is packed its own way."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_quantized or value.is_meta:
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], *, path: Path, assign: bool = False) -> None:
    """Fill `network` with `state`: every key must be there, none may be left over, shapes must be equal.

    `assign` hands the tensors themselves over instead of copying them, for a network that was built without any.
    Raises BadWeightsError that names the first key at fault and `path`, where the weights came from; the
    network is then unchanged.
    """
    check_keys(network, state, path=path)
    network.load_state_dict(state, strict=True, assign=assign)


def check_keys(network: nn.Module, state: Mapping[str, Tensor], *, path: Path) -> None:
    """Raises BadWeightsError where `state` is not exactly what `network` wants, see `load_strictly`."""
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in state]
    unexpected = [key for key in state if key not in wanted]
    faults = [f"{len(missing)} missing, first {missing[0]}"] if missing else []
    faults += [f"{len(unexpected)} unexpected, first {unexpected[0]}"] if unexpected else []
    if faults:
        raise BadWeightsError(f"The weights in {path} are of another model (keys: {'; '.join(faults)}): {_cure(path)}.")
    for key, value in wanted.items():
        if value.shape != state[key].shape:
            shapes = f"{key} is {_shape(state[key])}, not {_shape(value)}"
            raise BadWeightsError(f"The weights in {path} are of another model ({shapes}): {_cure(path)}.")
        if not _is_finite(state[key]):
            raise BadWeightsError(f"The weights in {path} hold numbers that are not finite ({key}): {_cure(path)}.")


def in_float32(state: Mapping[str, Tensor]) -> State:
    """The same weights as the networks compute with them, whatever they were kept in: fp16, bfloat16, fp32."""
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def _is_finite(value: Tensor) -> bool:
    # A sum takes a tenth of the time of looking at each number, and neither NaN nor infinity can leave it.
    return not value.is_complex() and (not value.is_floating_point() or bool(torch.isfinite(value.float().sum())))


def _shape(tensor: Tensor) -> str:
    return "x".join(str(length) for length in tensor.shape) or "a number"


def _unreadable(path: Path, error: OSError) -> BadWeightsError:
    if isinstance(error, FileNotFoundError):
        return BadWeightsError(f"The weights file {path} does not exist: {_cure(path)}.")
    return BadWeightsError(f"The weights file {path} cannot be read ({reason(error)}): check its permissions.")


def _not_only_tensors(path: Path, error: pickle.UnpicklingError) -> BadWeightsError:
    # torch words it so when a well-formed pickle asks for a class or function that weights never need.
    if "Unsupported global" in str(error) or "Unsupported class" in str(error):
        what = "holds more than weights and could run code, so it was not opened"
        return BadWeightsError(f"The file {path} {what}: {_cure(path)}.")
    return _damaged(path)


def _damaged(path: Path) -> BadWeightsError:
    size = path.stat().st_size
    wanted = next((entry.size for entry in OFFICIAL.values() if entry.file == path.name), size)
    short = f" ({size} of {wanted} bytes)" if size < wanted else ""
    return BadWeightsError(f"The weights file {path} is cut short or no weights file{short}: {_cure(path)}.")


def _cure(path: Path) -> str:
    """What to do, in the words that fit the file."""
    official = next((entry for entry in OFFICIAL.values() if Path(entry.file).stem == path.stem), None)
    if official is None:
        return "choose the weights file that belongs to this encoder"
    return f"get {official.file} again from huggingface.co/{OFFICIAL_REPOSITORY}"
