"""The folders of a project's images: which image is in which, for lists that show them as groups."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.records import ImageRecord
from core.splits import split_of


@dataclass(frozen=True)
class ImageFolders:
    """The folders of images, numbered in the order in which the images come.

    `names` are relative to `base`, the deepest folder that holds all images, with slashes; "" is that folder itself.
    `numbers` is the number of the folder of each row. `counts` and `splits` are by number, see `split_of`.
    """

    base: str = ""
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    splits: tuple[str, ...] = ()
    numbers: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))

    @property
    def are_several(self) -> bool:
        """Whether there is anything to group."""
        return len(self.names) > 1

    def starts(self, rows: Sequence[int] | None) -> list[int]:
        """The places in a list at which another folder begins; `rows` are those that it shows, None for all.

        Empty if one of the rows came later than the folders were worked out.
        """
        numbers = self.numbers
        if rows is not None:
            shown = np.asarray(rows, np.int64)
            numbers = numbers[shown] if shown.max(initial=-1) < len(numbers) else numbers[:0]
        if not len(numbers):
            return []
        return [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist()]

    def matching(self, folder: str, split: str) -> NDArray[np.bool_]:
        """By number, whether a folder is `folder` or below it, and of a split; "" stands for any."""
        below = folder + "/"
        return np.array(
            [
                (not folder or name == folder or name.startswith(below)) and (not split or split == own)
                for name, own in zip(self.names, self.splits, strict=True)
            ],
            bool,
        )

    def is_in(self, row: int, matching: NDArray[np.bool_]) -> bool:
        """Whether the image of a row is in one of the folders of `matching`."""
        return row < len(self.numbers) and bool(matching[self.numbers[row]])

    def tree(self) -> dict[str, int]:
        """All folders and those above them up to `base`, in natural order of their places, with the images in each."""
        found: dict[str, int] = {}
        for name, count in zip(self.names, self.counts, strict=True):
            parts = name.split("/") if name else []
            for depth in range(1, len(parts) + 1):
                above = "/".join(parts[:depth])
                found[above] = found.get(above, 0) + count
        return found

    def per_split(self) -> dict[str, int]:
        """The images of each split."""
        found: dict[str, int] = {}
        for split, count in zip(self.splits, self.counts, strict=True):
            if split:
                found[split] = found.get(split, 0) + count
        return found


def common_folder(folders: Iterable[str]) -> str:
    """The deepest folder that holds all of these; empty if there is none, as on two drives."""
    try:
        return os.path.commonpath([folder or os.sep for folder in folders])
    except ValueError:
        return ""


def folders_of(images: Sequence[ImageRecord]) -> ImageFolders:
    """Group images by their folders: 100,000 take a tenth of a second."""
    if not images:
        return ImageFolders()
    separator = os.sep
    of_text: dict[str, int] = {}
    numbers = np.fromiter(
        (of_text.setdefault((text := str(image.path))[: text.rfind(separator)], len(of_text)) for image in images),
        np.int32,
        len(images),
    )
    base = common_folder(of_text)
    start = len(os.path.join(base, "")) if base else 0  # noqa: PTH118 - a text, because there may be 10,000 folders
    names = tuple(text[start:].replace(separator, "/") for text in of_text)
    counts = tuple(np.bincount(numbers, minlength=len(names)).tolist())
    return ImageFolders(Path(base).name or base, names, counts, tuple(map(split_of, names)), numbers)
