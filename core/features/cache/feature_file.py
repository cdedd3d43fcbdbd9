"""One image's features as one safetensors file that carries its own key, so that an index can be rebuilt from it."""

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
"""Ten times the bytes of a picture's features."""


class DamagedFileError(Exception):
    """A cached file that is cut short, no safetensors file, or not that of its name; the cache removes it."""


def write_features(path: Path, key: FeatureKey, features: ImageFeatures) -> int:
    """Write features to a new file and return its bytes. Raises OSError, and then leaves no partial file."""
    parts = _parts(key, features)
    write_new(path, *parts)
    return sum(memoryview(part).nbytes for part in parts)


def feature_bytes(key: FeatureKey, features: ImageFeatures) -> bytes:
    """The bytes of the file that `write_features` writes."""
    return b"".join(_parts(key, features))


def _parts(key: FeatureKey, features: ImageFeatures) -> list[bytes | memoryview]:
    tensors = encoded(features, key.codec)
    start = _build_header({_KEY_ENTRY: key.text, _CHECKSUM_ENTRY: checksum(tensors)}, tensors)
    return [start, *(values.contiguous().numpy().data.cast("B") for values in tensors.values())]


def _build_header(metadata: dict[str, str], tensors: dict[str, Tensor]) -> bytes:
    """Build the header of a safetensors file.

    The library would assemble the whole file in memory: allocating twice 6 MB a picture is expensive where a GPU
    encodes hundreds of pictures a second.
    """
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name, values in tensors.items():
        header[name] = {"dtype": _TYPES[values.dtype], "shape": list(values.shape)} | {
            "data_offsets": [end, end + values.nbytes]
        }
        end += values.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH_BYTES)  # aligns the tensors' bytes
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text


def write_new(path: Path, *parts: bytes | memoryview) -> None:
    """Write a new file. Raises OSError, and then leaves no partial file.

    Without fsync, for which the writes of all programs would wait: after a power cut the checksum reveals a damaged
    file when it is read, and its picture is encoded again.
    """
    try:
        with path.open("wb") as file:
            for part in parts:
                file.write(part)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def read_features(path: Path, key: FeatureKey) -> ImageFeatures:
    """Read the features of `key` from a file.

    Raises OSError where it cannot be read, DamagedFileError where it is damaged or has another key.
    """
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        header = _header(file, size=size, name=str(path))
        if header[_KEY_ENTRY] != key.text:
            raise DamagedFileError(f"{path} holds the features of another key")  # untranslated: never shown
        file.seek(0)
        # Read whole, not memory-mapped: another process may remove the file while the tensors are in use.
        data = file.read(size)
    return _features_in(data, header, key, name=str(path))


def features_of(data: bytes, key: FeatureKey) -> ImageFeatures:
    """Read the features of `key` from the bytes of a file. Raises DamagedFileError."""
    header = _header(io.BytesIO(data), size=len(data), name=key.digest)
    if header[_KEY_ENTRY] != key.text:
        raise DamagedFileError(f"{key.digest} holds the features of another key")  # untranslated: never shown
    return _features_in(data, header, key, name=key.digest)


def _open(path: Path) -> io.BufferedReader:
    """Open a file. Raises OSError, and DamagedFileError for a folder or another object that is no file."""
    try:
        return open_regular(path)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EISDIR):
            raise DamagedFileError(f"{path} is no file") from error  # untranslated: never shown
        raise


def read_key(path: Path) -> FeatureKey:
    """Read the key in a file's header, and check the file's length only. Raises as `read_features` does."""
    with _open(path) as file:
        header = _header(file, size=os.fstat(file.fileno()).st_size, name=str(path))
    return _key_in(header, digest=path.stem)


def check_whole(path: Path) -> FeatureKey:
    """Read a file whole, verify its checksum, and return its key. Raises as `read_features` does."""
    with _open(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST_FILE:
            raise DamagedFileError(f"{path} is too large for features")  # untranslated: never shown
        data = file.read(size)
    return check_bytes(data, digest=path.stem)


def check_bytes(data: bytes, *, digest: str) -> FeatureKey:
    """Verify the bytes of a file named `digest`, and return its key.

    Raises DamagedFileError where they are damaged, hold no features, or are those of another digest.
    """
    header = _header(io.BytesIO(data), size=len(data), name=digest)
    key = _key_in(header, digest=digest)
    _features_in(data, header, key, name=digest)
    return key


def _features_in(data: bytes, header: dict[str, str], key: FeatureKey, *, name: str) -> ImageFeatures:
    tensors = _tensors(data, name=name)
    if checksum(tensors) != header[_CHECKSUM_ENTRY]:
        raise DamagedFileError(f"{name} has changed since it was written")  # untranslated: never shown
    try:
        return decoded(tensors, key)
    except ValueError as error:
        raise DamagedFileError(f"{name} holds no features") from error  # untranslated: never shown


def _tensors(data: bytes, *, name: str) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(data)
    except Exception as error:  # the library and torch raise errors of any kind for a forged type or shape
        raise DamagedFileError(f"{name} holds no features") from error  # untranslated: never shown


def _key_in(header: dict[str, str], *, digest: str) -> FeatureKey:
    try:
        key = FeatureKey.of_text(header[_KEY_ENTRY])
    except ValueError as error:
        raise DamagedFileError(f"{digest} carries no key of this version") from error  # untranslated: never shown
    if key.digest != digest:
        raise DamagedFileError(f"{digest} is of another name")  # untranslated: never shown
    return key


def _header(file: BinaryIO, *, size: int, name: str) -> dict[str, str]:
    """Read key and checksum from a safetensors header: 8 bytes of length, JSON, then the tensors' bytes."""
    length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    if size > LARGEST_FILE or not 0 < length <= min(_LONGEST_HEADER, size - _LENGTH_BYTES):
        raise DamagedFileError(f"{name} is cut short, or too large for features")  # untranslated: never shown
    try:
        header = json.loads(file.read(length))
        found = header.pop("__metadata__")
        texts = {entry: found[entry] for entry in (_KEY_ENTRY, _CHECKSUM_ENTRY)}
        ends = [entry["data_offsets"][1] for entry in header.values()]
    except Exception as error:  # JSON of another structure, or no JSON
        raise DamagedFileError(f"{name} has no header of BoxRefine") from error  # untranslated: never shown
    are_texts = all(isinstance(text, str) for text in texts.values())
    if not are_texts or not ends or any(type(end) is not int for end in ends):
        raise DamagedFileError(f"{name} has no header of BoxRefine")  # untranslated: never shown
    if size != _LENGTH_BYTES + length + max(ends):
        raise DamagedFileError(f"{name} is cut short")  # untranslated: never shown
    return texts
