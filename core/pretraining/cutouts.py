"""Cut-outs: objects with an exact alpha channel, in memory as tensors, to be pasted over training frames."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.bounded import MEGA, read_text
from core.errors import BadFileError, reason
from core.images import read_with_alpha
from core.progress import Progress

SIDE = 160
LARGEST_INDEX = 256 * MEGA


@dataclass(frozen=True)
class Cutouts:
    """All cut-outs of a folder, on one device.

    looks: (C, 4, 160, 160) uint8, red, green, blue and alpha, each stretched over the object's tight box
    shapes: (C,) width / height of that box
    """

    looks: Tensor
    shapes: Tensor

    @classmethod
    def none(cls) -> Cutouts:
        """Make an empty collection."""
        return cls(torch.zeros(0, 4, SIDE, SIDE, dtype=torch.uint8), torch.zeros(0))

    def to(self, device: torch.device) -> Cutouts:
        """Copy the cut-outs to another device."""
        return Cutouts(self.looks.to(device), self.shapes.to(device))


def load_cutouts(folder: Path) -> Generator[Progress, None, Cutouts]:
    """Read every set below `folder` (each: images/ and index.json with `file_name` and `box` = [x1, y1, x2, y2]).

    Raises BadFileError if there is no set or a set is damaged.
    """
    indexes = sorted(folder.glob("*/index.json"))
    if not indexes:
        raise BadFileError(f"{folder} holds no cut-outs: it must have folders with index.json and images/.")
    wanted = [(index.parent, entry) for index in indexes for entry in _entries(index)]
    looks: list[NDArray[np.uint8]] = []
    shapes: list[float] = []
    for done, (place, entry) in enumerate(wanted, start=1):
        look, shape = _read(place / "images" / str(entry["file_name"]), entry["box"])
        looks.append(look)
        shapes.append(shape)
        if done % 500 == 0 or done == len(wanted):
            yield Progress(done, len(wanted), "reading cut-outs")
    return Cutouts(torch.from_numpy(np.stack(looks)).permute(0, 3, 1, 2).contiguous(), torch.tensor(shapes))


def _entries(index: Path) -> list[dict[str, Any]]:
    try:
        entries = [dict(entry) for entry in json.loads(read_text(index, limit=LARGEST_INDEX))["images"]]
        return [entry | {"file_name": str(entry["file_name"]), "box": list(entry["box"])} for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadFileError(f"{index} is no index of cut-outs ({reason(error)}): replace it.") from error


def _read(path: Path, box: list[int]) -> tuple[NDArray[np.uint8], float]:
    """Read red, green, blue and alpha (160, 160, 4) of the object's box, and its width / height."""
    pixels = read_with_alpha(path)
    try:
        x1, y1, x2, y2 = (int(edge) for edge in box)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadFileError(f"The index of {path} has a box that is none: correct it.") from error
    part = pixels[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    if part.size == 0:
        raise BadFileError(f"The index has a box outside {path}: correct it.")
    shrinks = max(part.shape[:2]) > SIDE
    resized = cv2.resize(part, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8), (x2 - x1) / max(1, y2 - y1)
