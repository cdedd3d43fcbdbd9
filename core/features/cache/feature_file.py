"""One image's features as one safetensors file that carries its own key, so that an index can be made anew from it."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path
from typing import BinaryIO

import safetensors.torch
import torch
from torch import Tensor

from core.bounded import MEGA, open_regular
from core.encoders.image_features import ImageFeatures
from core.features.cache.codecs import checksum, decoded, encoded
from core.features.cache.feature_key import FeatureKey

_KEY_ENTRY = "boxrefine"
_CHECKSUM_ENTRY = "xxh3"
_LENGTH_BYTES = 8
_TYPES = {torch.float16: "F16", torch.float32: "F32", torch.uint8: "U8"}
_LONGEST_HEADER = 1 << 20
LARGEST_FILE = 64 * MEGA
"""Ten times what the features of a picture take."""


class DamagedFileError(Exception):
    """A cached file that is cut short, no safetensors, or not what its name says; the cache removes it."""


def write_features(path: Path, key: FeatureKey, features: ImageFeatures) -> int:
    """Write features to a new file; gives its bytes. Raises OSError; leaves no part then."""
    tensors = encoded(features, key.codec)
    start = _start({_KEY_ENTRY: key.text, _CHECKSUM_ENTRY: checksum(tensors)}, tensors)
    parts = [values.contiguous().numpy().data.cast("B") for values in tensors.values()]
    write_new(path, start, *parts)
    return len(start) + sum(part.nbytes for part in parts)


def _start(metadata: dict[str, str], tensors: dict[str, Tensor]) -> bytes:
    """What a safetensors file begins with.

    Written here, because the library puts a whole file together in memory: twice 6 MB of fresh memory a picture are
    dear where a GPU makes hundreds of them a second.
    """
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name, values in tensors.items():
        header[name] = {"dtype": _TYPES[values.dtype], "shape": list(values.shape)} | {
            "data_offsets": [end, end + values.nbytes]
        }
        end += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)  # so that the tensors' bytes are aligned
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text


def write_new(path: Path, *parts: bytes | memoryview) -> None:
    """Write a new file. Raises OSError; leaves no part then.

    It is not forced to the disk, for which everybody else's writes would wait: what a power cut takes away is found
    by its checksum when it is read, and encoded again.
    """
    try:
        with path.open("wb") as file:
            for part in parts:
                file.write(part)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def read_features(path: Path, key: FeatureKey) -> ImageFeatures:
    """The features in a file. Raises OSError where it cannot be read, DamagedFileError where it is not `key`'s."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        header = _header(file, size=size, name=str(path))
        if header[_KEY_ENTRY] != key.text:
            raise DamagedFileError(f"{path} holds the features of another key")
        file.seek(0)
        # Read whole, never mapped: another process may remove the file while the tensors live on.
        data = file.read(size)
    return _features_in(data, header, key, name=str(path))


def _opened(path: Path) -> io.BufferedReader:
    """Raises OSError, and DamagedFileError where what has the name is no file at all."""
    try:
        return open_regular(path)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EISDIR):
            raise DamagedFileError(f"{path} is no file") from error
        raise


def read_key(path: Path) -> FeatureKey:
    """The key in a file's header, the rest left unread but its length checked. Raises as `read_features` does."""
    with _opened(path) as file:
        header = _header(file, size=os.fstat(file.fileno()).st_size, name=str(path))
    return _key_in(header, digest=path.stem)


def check_whole(path: Path) -> FeatureKey:
    """The key of a file whose every byte is as it was written. Raises as `read_features` does."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_FILE:
            raise DamagedFileError(f"{path} is too large for features")
        data = file.read(size)
    return check_bytes(data, digest=path.stem)


def check_bytes(data: bytes, *, digest: str) -> FeatureKey:
    """The key in the bytes of a file that is whole, holds features, and whose name is `digest`.

    Raises DamagedFileError.
    """
    header = _header(io.BytesIO(data), size=len(data), name=digest)
    key = _key_in(header, digest=digest)
    _features_in(data, header, key, name=digest)
    return key


def _features_in(data: bytes, header: dict[str, str], key: FeatureKey, *, name: str) -> ImageFeatures:
    tensors = _tensors(data, name=name)
    if checksum(tensors) != header[_CHECKSUM_ENTRY]:
        raise DamagedFileError(f"{name} has changed since it was written")
    try:
        return decoded(tensors, key)
    except ValueError as error:
        raise DamagedFileError(f"{name} holds no features") from error


def _tensors(data: bytes, *, name: str) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(data)
    except Exception as error:  # the library and torch raise whatever a made-up type or shape leads to
        raise DamagedFileError(f"{name} holds no features") from error


def _key_in(header: dict[str, str], *, digest: str) -> FeatureKey:
    try:
        key = FeatureKey.of_text(header[_KEY_ENTRY])
    except ValueError as error:
        raise DamagedFileError(f"{digest} carries no key of this version") from error
    if key.digest != digest:
        raise DamagedFileError(f"{digest} is of another name")
    return key


def _header(file: BinaryIO, *, size: int, name: str) -> dict[str, str]:
    """Key and checksum as they stand in a safetensors header: 8 bytes of length, JSON, then the tensors' bytes."""
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if size > LARGEST_FILE or not 0 < length <= min(_LONGEST_HEADER, size - _LENGTH_BYTES):
        raise DamagedFileError(f"{name} is cut short, or too large for features")
    try:
        header = json.loads(file.read(length))
        found = header.pop("__metadata__")
        texts = {entry: found[entry] for entry in (_KEY_ENTRY, _CHECKSUM_ENTRY)}
        ends = [entry["data_offsets"][1] for entry in header.values()]
    except Exception as error:  # JSON of any shape, or none
        raise DamagedFileError(f"{name} has no header of ours") from error
    are_texts = all(isinstance(text, str) for text in texts.values())
    if not are_texts or not ends or any(type(end) is not int for end in ends):
        raise DamagedFileError(f"{name} has no header of ours")
    if size != _LENGTH_BYTES + length + max(ends):
        raise DamagedFileError(f"{name} is cut short")
    return texts
