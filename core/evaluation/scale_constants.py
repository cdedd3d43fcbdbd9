"""The constants of `core.evaluation.scale_plan` as this machine has them, measured on a folder of pictures."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch

from core.encoders.image_features import Encoder
from core.errors import BadFileError
from core.evaluation.scale_plan import Constants
from core.features.cache.feature_file import write_features
from core.features.cache.feature_key import EIGHT_BIT, FeatureKey
from core.features.encoding.batches import BatchEncoder, Prepared
from core.geometry import Frame
from core.images import read_picture
from core.picture_folders import find_pictures
from core.progress import run
from core.translation import tr

_BATCH = 8


def measure(folder: Path, encoder: Encoder, constants: Constants, *, count: int, seed: int = 0) -> Constants:
    """A copy of the constants with measured ones: bytes, reading, decoding, encoding, and the bytes of features.

    Reading is as fast as the folder, which may be in the memory of this machine; decoding is on one core. `cores` are
    those of this machine. Raises BadFileError if the folder holds no pictures.
    """
    paths = _some(folder, count, seed)
    batches = BatchEncoder(encoder)
    sizes, prepared, decoding = 0, list[Prepared](), 0.0
    start = time.perf_counter()
    for path in paths:
        sizes += len(path.read_bytes())
    reading = time.perf_counter() - start
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for path in paths:
            start = time.perf_counter()
            picture = read_picture(path)
            height, width = picture.shape[:2]
            made = batches.prepare(picture, Frame.whole(width=width, height=height))
            decoding += time.perf_counter() - start
            prepared = [*prepared, made][-_BATCH:]
    finally:
        torch.set_num_threads(threads)
    encode_ms = batches.time_alone(prepared, size=min(_BATCH, len(prepared)), warm_up=1)
    return replace(
        constants,
        picture_mb=sizes / len(paths) / 1e6,
        network_mb_s=sizes / 1e6 / max(reading, 1e-9),
        decode_s=decoding / len(paths),
        encode_s=encode_ms / 1000,
        feature_mb=_feature_bytes(encoder, paths[0]) / 1e6,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )


def _some(folder: Path, count: int, seed: int) -> Sequence[Path]:
    """Up to `count` pictures below a folder, by chance."""
    found = list(run(find_pictures(folder)).paths)
    if not found:
        raise BadFileError(tr("The folder {folder} holds no pictures: name another one.", folder=folder))
    random.Random(seed).shuffle(found)  # noqa: S311 - no secret
    return list(islice(found, count))


def _feature_bytes(encoder: Encoder, path: Path) -> int:
    """The bytes of a picture's features, as the cache stores them with its 8-bit codec."""
    picture = read_picture(path)
    frame = Frame.whole(width=picture.shape[1], height=picture.shape[0])
    key = FeatureKey("0" * 32, encoder.identity, frame, EIGHT_BIT)
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        return write_features(Path(name, "features"), key, encoder.encode(picture, frame))
