"""Splits of datasets, known by the names of folders: train, val and test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

SPLITS = ("train", "val", "test")
"""The splits in the order in which they are listed; their names are those that exports use."""

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "train": "train",
        "training": "train",
        "trainval": "train",
        "val": "val",
        "valid": "val",
        "validation": "val",
        "dev": "val",
        "test": "test",
        "testing": "test",
    }
)
_AROUND = re.compile(r"^(?:images?[-_ ])|(?:[-_ ]?(?:images?|imgs?|set|split|data|\d+))$")
"""What folders of splits have around the name: `train2017`, `train_images`, `images-train`, `testset`."""


def split_of(path: PurePath | str) -> str:
    """The split of a picture or folder by the folders in its path: "train", "val", "test", or "" if none is called so.

    `path` is relative to the folder of the dataset, because folders above may be called `test`, too. Of several folders
    the deepest counts. The last part counts as a folder, so give a picture's folder, or its path with a suffix.
    """
    parts = path.split("/") if isinstance(path, str) else path.parts
    return next((split for part in reversed(parts) if (split := _split_named(part))), "")


def _split_named(folder: str) -> str:
    name = folder.casefold()
    return _NAMES.get(name) or _NAMES.get(_AROUND.sub("", name), "")
