"""The weights folder: list, download, add (converted to safetensors), check and remove weights of HQ-SAM."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from core.encoders.weights.download import download, part_of
from core.encoders.weights.files import (
    SOURCE_ENTRY,
    TENSORS_ENTRY,
    State,
    check_keys,
    identity_of,
    load_state,
    notes_of,
)
from core.encoders.weights.published import OFFICIAL, OfficialWeights, find_weights, is_official, weights_folder
from core.errors import BadInputError, BadWeightsError, StorageError, reason
from core.files import written_whole
from core.progress import Job, Progress
from core.translation import tr

_TIMES_PUBLISHED = 3
"""The largest accepted file, in published sizes: weights of your own may be float64, which is twice the size."""


@dataclass(frozen=True)
class HeldWeights:
    """Installed weights of an HQ-SAM encoder; `official`: they are the published ones."""

    name: str
    path: Path
    nbytes: int
    official: bool


def held_weights(name: str) -> HeldWeights | None:
    """The installed weights of the encoder `name`, or None. Raises BadWeightsError where they cannot be read."""
    path = find_weights(name)
    if path is None:
        return None
    return HeldWeights(name, path, path.stat().st_size, is_official(name=name, sha256=identity_of(path)))


def bring(name: str) -> Job[Path]:
    """Download the published weights of the encoder `name`, convert them, and return their path.

    Raises as `download` and `add_file` do.
    """
    official = _known(name)
    part = yield from download(official)
    converted = yield from _convert(part, name=name, sha256=official.sha256, shown=official.file)
    part.unlink(missing_ok=True)
    return converted


def add_file(name: str, path: Path) -> Job[HeldWeights]:
    """Convert a .pth or .safetensors file of the user into the weights folder; the file itself stays.

    Raises BadInputError for an unknown encoder, BadWeightsError where the file is damaged or of another encoder,
    StorageError where the disk is full.
    """
    _known(name)
    yield Progress(0, 3, tr("checking {file}", file=path.name))
    sha256 = identity_of(path)
    yield from _convert(path, name=name, sha256=sha256, shown=path.name)
    held = held_weights(name)
    assert held is not None
    return held


def verify(name: str) -> Job[HeldWeights]:
    """Read an encoder's weights whole, and compare them with the checksums of their conversion.

    Raises BadWeightsError where they are missing, damaged, changed or of another encoder.
    """
    official = _known(name)
    path = find_weights(name)
    if path is None:
        raise BadWeightsError(
            tr("The weights of {name} are not here: run boxrefine models download {name}.", name=name)
        )
    yield Progress(0, 2, tr("reading {file}", file=path.name))
    state = load_state(path, most=_TIMES_PUBLISHED * official.size)
    _check_network(name, state, path)
    yield Progress(1, 2, tr("checking {file}", file=path.name))
    noted = notes_of(path).get(TENSORS_ENTRY)
    if noted is not None and noted != tensors_sha256(state):
        raise BadWeightsError(
            tr("{file} has changed since it came: run boxrefine models download {name}.", file=path, name=name)
        )
    held = held_weights(name)
    assert held is not None
    if path.name == official.file and not held.official and path.stat().st_size == official.size:
        raise BadWeightsError(
            tr("{file} has the published size but not the published SHA-256: download it again.", file=path)
        )
    return held


def remove(name: str) -> int:
    """Remove an encoder's weights and its partial download; return the bytes freed. Raises StorageError."""
    official = weights_folder() / _known(name).file
    freed = 0
    for path in (official, official.with_suffix(".safetensors"), part_of(OFFICIAL[name])):
        try:
            size = path.stat().st_size
            path.unlink()
            freed += size
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StorageError(
                tr("{file} could not be removed ({why}): close what uses it.", file=path, why=reason(error))
            ) from error
    return freed


def tensors_sha256(state: State) -> str:
    """SHA-256 of names, types, shapes and bytes of all tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(f"{name} {state[name].dtype} {tuple(state[name].shape)}\n".encode())
        # As uint8, because numpy has no bfloat16.
        digest.update(state[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _convert(path: Path, *, name: str, sha256: str, shown: str) -> Job[Path]:
    """Write the weights of a file as safetensors into the weights folder, whole or not at all."""
    yield Progress(0, 3, tr("reading {file}", file=shown))
    state = load_state(path, most=_TIMES_PUBLISHED * OFFICIAL[name].size)
    _check_network(name, state, path)
    yield Progress(1, 3, tr("converting {file}", file=shown))
    tensors = _unshare(state)
    notes = {SOURCE_ENTRY: sha256, TENSORS_ENTRY: tensors_sha256(tensors)}
    target = (weights_folder() / OFFICIAL[name].file).with_suffix(".safetensors")
    yield Progress(2, 3, tr("writing {file}", file=target.name))
    try:
        with written_whole(target) as beside:
            safetensors.torch.save_file(tensors, beside, metadata=notes)
    except (OSError, SafetensorError) as error:
        raise StorageError(
            tr("{file} could not be written ({why}): make room or check the disk.", file=target, why=reason(error))
        ) from error
    return target


def _check_network(name: str, state: State, path: Path) -> None:
    from core.encoders.hq_sam.encoder import empty_network  # imports half of torchvision

    check_keys(empty_network(name), state, path=path)


def _unshare(state: State) -> dict[str, Tensor]:
    """Copy tensors that share memory with another one, which safetensors refuses."""
    seen: set[int] = set()
    unshared = {}
    for key, value in state.items():
        place = value.untyped_storage().data_ptr()
        unshared[key] = value.clone().contiguous() if place in seen else value.contiguous()
        seen.add(place)
    return unshared


def _known(name: str) -> OfficialWeights:
    if name not in OFFICIAL:
        raise BadInputError(
            tr(
                "There are no weights to be had for {name}: choose one of {names}.",
                name=name,
                names=", ".join(OFFICIAL),
            )
        )
    return OFFICIAL[name]
