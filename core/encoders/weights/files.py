"""Load weights files: tensors only, never code; a converted file keeps the identity of its source."""

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
from core.translation import tr

State = dict[str, Tensor]
"""Parameter name -> tensor on the CPU."""

SOURCE_ENTRY, TENSORS_ENTRY = "source_sha256", "tensors_sha256"
"""Keys in the header of a converted file: the SHA-256 of its source file, and that of its tensors' bytes."""

_SHA256 = re.compile("[0-9a-f]{64}")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits. Raises BadWeightsError where it is missing or cannot be read."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def identity_of(path: Path) -> str:
    """The SHA-256 that identifies weights: that of the file they were converted from, else the file's own.

    So an encoder has one identity, and one set of cached features, whether it was loaded from the published file or
    from the converted one. Raises as `sha256_of`.
    """
    source = notes_of(path).get(SOURCE_ENTRY, "")
    return source if _SHA256.fullmatch(source) else sha256_of(path)


def notes_of(path: Path) -> dict[str, str]:
    """Read the metadata in the header of a .safetensors file; empty for any other or unreadable file."""
    if path.suffix.lower() != ".safetensors" or not path.is_file():
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (OSError, ValueError, SafetensorError):
        return {}  # loading the file raises the reason


def load_state(path: Path, *, most: int | None = None) -> State:
    """Load the tensors of a .safetensors or .pth file of at most `most` bytes onto the CPU; never runs code in it.

    Raises BadWeightsError where the file is missing, cut short, no weights file, compressed, or holds more than
    tensors.
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
    except Exception as error:  # the readers raise errors of any kind for a damaged file
        raise _damaged(path) from error
    if not isinstance(held, dict) or not held or not all(map(_is_plain, held.values())):
        raise BadWeightsError(tr("{file} does not hold a plain table of weights: {cure}.", file=path, cure=_cure(path)))
    return {str(key): value for key, value in held.items()}


def read_torch(path: Path, *, most: int | None = None) -> Any:  # noqa: ANN401 - whatever torch.save was given
    """Load the numbers and tensors that torch.save has written, onto the CPU; never runs code in the file.

    Raises OSError, BadWeightsError for a compressed file, and torch's own errors for a damaged one.
    """
    with open_regular(path) as file:
        _check_length(path, file, most)
        _check_packing(path, file)
        return torch.load(file, map_location="cpu", weights_only=True)


def _check_length(path: Path, file: BinaryIO, most: int | None) -> None:
    size = os.fstat(file.fileno()).st_size
    if most is not None and size > most:
        raise BadWeightsError(
            tr(
                "The weights file {file} has {size} MB, and such weights have at most {most} MB: {cure}.",
                file=path,
                size=f"{size / 1e6:,.0f}",
                most=f"{most / 1e6:,.0f}",
                cure=_cure(path),
            )
        )


def _check_packing(path: Path, file: BinaryIO) -> None:
    """Raise BadWeightsError for compressed content: torch never compresses, and a zip bomb would fill the memory."""
    size = os.fstat(file.fileno()).st_size
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as parts:
            unfolded = sum(part.file_size for part in parts.infolist())
        if unfolded > size:
            raise BadWeightsError(
                tr(
                    "The weights file {file} unfolds to {size} MB: {cure}.",
                    file=path,
                    size=f"{unfolded / 1e6:,.0f}",
                    cure=_cure(path),
                )
            )
    file.seek(0)


def _is_plain(value: object) -> bool:
    """Whether a value is a dense tensor whose memory holds all its elements: a stride of 0 may repeat a few bytes."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_quantized or value.is_meta:
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], *, path: Path, assign: bool = False) -> None:
    """Fill `network` with `state`: keys and shapes must match exactly, but what is `optional` may be missing: zeros.

    `assign` uses the tensors themselves instead of copying them, for a network on the meta device. Raises
    BadWeightsError that names `path`, the source of the weights, and the first key that does not match; `network` is
    then unchanged.
    """
    state = _optional_zeros(network) | dict(state)
    check_keys(network, state, path=path)
    network.load_state_dict(state, strict=True, assign=assign)


def _optional_zeros(network: nn.Module) -> State:
    """Zeros for the parameters that a module of `network` names in `optional`, which earlier weights do not have."""
    return {
        f"{place}.{name}": torch.zeros_like(getattr(module, name), device="cpu")
        for place, module in network.named_modules()
        for name in getattr(module, "optional", ())
    }


def check_keys(network: nn.Module, state: Mapping[str, Tensor], *, path: Path) -> None:
    """Raise BadWeightsError where keys or shapes of `state` and `network` differ, or a number is not finite."""
    wanted = network.state_dict()
    missing = [key for key in wanted if key not in state]
    unexpected = [key for key in state if key not in wanted]
    if missing or unexpected:
        raise BadWeightsError(_other_keys(path, missing, unexpected))
    for key, value in wanted.items():
        if value.shape != state[key].shape:
            raise BadWeightsError(
                tr(
                    "The weights in {file} are of another model ({key} is {found}, not {wanted}): {cure}.",
                    file=path,
                    key=key,
                    found=_shape(state[key]),
                    wanted=_shape(value),
                    cure=_cure(path),
                )
            )
        if not _is_finite(state[key]):
            raise BadWeightsError(
                tr(
                    "The weights in {file} hold numbers that are not finite ({key}): {cure}.",
                    file=path,
                    key=key,
                    cure=_cure(path),
                )
            )


def _other_keys(path: Path, missing: list[str], unexpected: list[str]) -> str:
    differences = []
    if missing:
        differences.append(tr("{count} missing, first {key}", count=len(missing), key=missing[0]))
    if unexpected:
        differences.append(tr("{count} unexpected, first {key}", count=len(unexpected), key=unexpected[0]))
    return tr(
        "The weights in {file} are of another model (keys: {differences}): {cure}.",
        file=path,
        differences="; ".join(differences),
        cure=_cure(path),
    )


def in_float32(state: Mapping[str, Tensor]) -> State:
    """Convert weights, stored as fp16, bfloat16 or fp32, to the fp32 in which the networks compute."""
    return {key: value.float() if value.is_floating_point() else value for key, value in state.items()}


def _is_finite(value: Tensor) -> bool:
    # A sum takes a tenth of the time of testing each number, and any NaN or infinity makes it non-finite.
    return not value.is_complex() and (not value.is_floating_point() or bool(torch.isfinite(value.float().sum())))


def _shape(tensor: Tensor) -> str:
    return "x".join(str(length) for length in tensor.shape) or tr("a number")


def _unreadable(path: Path, error: OSError) -> BadWeightsError:
    if isinstance(error, FileNotFoundError):
        return BadWeightsError(tr("The weights file {file} does not exist: {cure}.", file=path, cure=_cure(path)))
    return BadWeightsError(
        tr("The weights file {file} cannot be read ({why}): check its permissions.", file=path, why=reason(error))
    )


def _not_only_tensors(path: Path, error: pickle.UnpicklingError) -> BadWeightsError:
    # torch's words for a well-formed pickle that names a class or function, which weights never need.
    if "Unsupported global" in str(error) or "Unsupported class" in str(error):  # untranslated: torch's words
        return BadWeightsError(
            tr(
                "The file {file} holds more than weights and could run code, so it was not opened: {cure}.",
                file=path,
                cure=_cure(path),
            )
        )
    return _damaged(path)


def _damaged(path: Path) -> BadWeightsError:
    size = path.stat().st_size
    wanted = next((entry.size for entry in OFFICIAL.values() if entry.file == path.name), size)
    if size < wanted:
        return BadWeightsError(
            tr(
                "The weights file {file} is cut short or no weights file ({size} of {wanted} bytes): {cure}.",
                file=path,
                size=size,
                wanted=wanted,
                cure=_cure(path),
            )
        )
    return BadWeightsError(
        tr("The weights file {file} is cut short or no weights file: {cure}.", file=path, cure=_cure(path))
    )


def _cure(path: Path) -> str:
    """The clause at the end of an error's sentence: how the user gets a file that works."""
    official = next((entry for entry in OFFICIAL.values() if Path(entry.file).stem == path.stem), None)
    if official is None:
        return tr("choose the weights file that belongs to this encoder")
    return tr("get {file} again from huggingface.co/{repository}", file=official.file, repository=OFFICIAL_REPOSITORY)
