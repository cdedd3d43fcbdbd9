"""Weights files: the official HQ-SAM table, where weights live, and loading that trusts nothing but tensors."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import safetensors.torch
import torch
from torch import Tensor, nn

from core.errors import BadWeightsError, reason

State = dict[str, Tensor]
"""Parameter name -> tensor on the CPU."""

OFFICIAL_REPOSITORY = "lkeab/hq-sam"
"""The Hugging Face repository of the official HQ-SAM weights (Apache-2.0)."""


@dataclass(frozen=True)
class OfficialWeights:
    """One published file of HQ-SAM weights, pinned to a revision; `size` is in bytes."""

    encoder: str
    file: str
    revision: str
    size: int
    sha256: str


_TABLE = (
    OfficialWeights(
        encoder="vit_tiny",
        file="sam_hq_vit_tiny.pth",
        revision="a3a77cd0a2e5e50eaa76faccf61b964732d9b35f",
        size=42526881,
        sha256="0f32c075ccdd870ae54db2f7630e7a0878ede5a2b06d05d6fe02c65a82fb7196",
    ),
    OfficialWeights(
        encoder="vit_b",
        file="sam_hq_vit_b.pth",
        revision="8a94b5e92b6a4997d813d9057f37a8cb6213082a",
        size=379335069,
        sha256="14a9d662cd6f5a9c2dba6d40ab0058d88d287e4a18fd6fdc6ad5fb1a3fdeaa57",
    ),
    OfficialWeights(
        encoder="vit_l",
        file="sam_hq_vit_l.pth",
        revision="519b37f36c603d27fadf4000b8f8e10258b213eb",
        size=1254865805,
        sha256="e1a6c385d62bf005ded91a54d5ec55c985cfc4103ef89c08d90f39f04934c343",
    ),
    OfficialWeights(
        encoder="vit_h",
        file="sam_hq_vit_h.pth",
        revision="67ab82412bc794d5ce2e9799b8b6a3c0a8cfe1d2",
        size=2570940653,
        sha256="a7ac14a085326d9fa6199c8c698c4f0e7280afdbb974d2c4660ec60877b45e35",
    ),
)
OFFICIAL: Mapping[str, OfficialWeights] = {entry.encoder: entry for entry in _TABLE}
"""Encoder name -> its official weights."""


def weights_folder() -> Path:
    """Where weights are looked for: `BOXREFINE_WEIGHTS`, else a folder of the user's data."""
    chosen = os.environ.get("BOXREFINE_WEIGHTS")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "weights"


def find_weights(name: str) -> Path | None:
    """The weights file of the HQ-SAM encoder `name` in the weights folder, safetensors before .pth, or None."""
    if name not in OFFICIAL:
        return None
    official = weights_folder() / OFFICIAL[name].file
    return next((path for path in (official.with_suffix(".safetensors"), official) if path.is_file()), None)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, 64 hex digits. Raises BadWeightsError where it is missing or cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def is_official(*, name: str, sha256: str) -> bool:
    """Whether a file of this SHA-256 is the published one of encoder `name`; own weights are allowed, but noted."""
    return name in OFFICIAL and OFFICIAL[name].sha256 == sha256


def load_state(path: Path) -> State:
    """The tensors of a .safetensors or .pth file, on the CPU; nothing in the file is ever run.

    Raises BadWeightsError where the file is missing, cut short, no weights, or holds more than tensors.
    """
    try:
        if path.suffix.lower() == ".safetensors":
            return safetensors.torch.load_file(path, device="cpu")
        with path.open("rb") as file:
            held = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise _unreadable(path, error) from error
    except pickle.UnpicklingError as error:
        raise _not_only_tensors(path, error) from error
    except Exception as error:  # a damaged file may trip the readers in any way; all of them mean the same
        raise _damaged(path) from error
    if not isinstance(held, dict) or not held or not all(isinstance(value, Tensor) for value in held.values()):
        raise BadWeightsError(f"{path} does not hold a plain table of weights: {_cure(path)}.")
    return {str(key): value for key, value in held.items()}


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], *, path: Path) -> None:
    """Fill `network` with `state`: every key must be there, none may be left over, shapes must be equal.

    Raises BadWeightsError that names the first key at fault and `path`, where the weights came from; the
    network is then unchanged.
    """
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
    network.load_state_dict(state, strict=True)


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
