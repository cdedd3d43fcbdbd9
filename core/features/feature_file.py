"""One image's features as one safetensors file that carries its own key, so that an index can be made anew from it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import safetensors.torch
import torch
from safetensors import SafetensorError

from core.encoders.image_features import ImageFeatures
from core.geometry import Frame

FORMAT_VERSION = 1
CODEC = "fp16"
_KEY_ENTRY = "boxrefine"
_LENGTH_BYTES = 8
_LONGEST_HEADER = 1 << 20


class DamagedFileError(Exception):
    """A cached file that is cut short, no safetensors, or not what its name says; the cache removes it."""


@dataclass(frozen=True)
class FeatureKey:
    """What features are of: the content hash of the upright pixels, the encoder's identity, the frame."""

    content: str
    encoder: str
    frame: Frame

    @property
    def text(self) -> str:
        """The whole key as JSON, with what else the bytes depend on."""
        return json.dumps(asdict(self) | {"codec": CODEC, "version": FORMAT_VERSION}, sort_keys=True)

    @property
    def digest(self) -> str:
        """32 hex digits that name the file."""
        return hashlib.blake2b(self.text.encode(), digest_size=16).hexdigest()


def write_features(path: Path, key: FeatureKey, features: ImageFeatures) -> int:
    """Write features to a new file and force it to the disk; gives its bytes. Raises OSError; leaves no part then."""
    tensors = {
        "embedding": features.embedding.detach().to("cpu", torch.float16).contiguous(),
        "detail": features.detail.detach().to("cpu", torch.float16).contiguous(),
    }
    data = safetensors.torch.save(tensors, metadata={_KEY_ENTRY: key.text})
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return len(data)


def read_features(path: Path, key: FeatureKey) -> ImageFeatures:
    """The features in a file. Raises OSError where it cannot be read, DamagedFileError where it is not `key`'s."""
    with path.open("rb") as file:
        if _stored_text(file, size=os.fstat(file.fileno()).st_size) != key.text:
            raise DamagedFileError(f"{path} holds the features of another key")
        file.seek(0)
        # Read whole, never mapped: another process may remove the file while the tensors live on.
        data = file.read()
    try:
        tensors = safetensors.torch.load(data)
        return ImageFeatures(tensors["embedding"], tensors["detail"], key.frame, key.encoder)
    except (SafetensorError, KeyError, ValueError) as error:
        raise DamagedFileError(f"{path} holds no features") from error


def read_key(path: Path) -> FeatureKey:
    """The key in a file's header, the rest left unread but its length checked. Raises as `read_features` does."""
    with path.open("rb") as file:
        text = _stored_text(file, size=os.fstat(file.fileno()).st_size)
    try:
        values = json.loads(text)
        key = FeatureKey(values["content"], values["encoder"], Frame(**values["frame"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(f"{path} carries no key") from error
    if key.text != text or key.digest != path.stem:
        raise DamagedFileError(f"{path} is of another version or name")
    return key


def _stored_text(file: BinaryIO, *, size: int) -> str:
    """The key as it stands in a safetensors header: 8 bytes of length, JSON, then the tensors' bytes."""
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if not 0 < length <= min(_LONGEST_HEADER, size - _LENGTH_BYTES):
        raise DamagedFileError(f"{file.name} is cut short")
    try:
        header = json.loads(file.read(length))
        text = header.pop("__metadata__")[_KEY_ENTRY]
        end = max(entry["data_offsets"][1] for entry in header.values())
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise DamagedFileError(f"{file.name} has no header of ours") from error
    if not isinstance(text, str) or size != _LENGTH_BYTES + length + end:
        raise DamagedFileError(f"{file.name} is cut short")
    return text
