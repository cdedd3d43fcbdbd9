"""What the export formats share: names relative to a folder, clipped boxes, boxes by image, splits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import overload

import numpy as np
from numpy.typing import NDArray

from core.correction_table import CorrectionTable
from core.formats.choices import NO_SPLITS, Splits
from core.formats.importers.matching import without_role_folders
from core.geometry import Box
from core.records import Correction, Dataset, ImageRecord
from core.splits import SPLITS, split_of


def picture_names(dataset: Dataset) -> dict[int, str]:
    """Image id -> the picture's name, relative to the dataset's folder, or to the deepest that holds all pictures.

    Folders are separated by slashes on every system. Pictures without a common folder keep their whole path.
    """
    root = _root(dataset)
    start = f"{root}{os.sep}"
    names = {}
    for image in dataset.images:
        whole = str(image.path)
        if os.sep == "/" and root and whole.startswith(start):  # as `relative_to`, in a tenth of the time
            names[image.id] = whole[len(start) :]
        else:
            names[image.id] = (image.path.relative_to(root) if root else image.path.absolute()).as_posix()
    return names


def side_file_names(
    dataset: Dataset, *, folder: str, suffix: str, splits: Splits = NO_SPLITS
) -> dict[int, PurePosixPath]:
    """Image id -> the name of its own file: `folder`, the picture's subfolders, its stem, `suffix`.

    With `splits`, the split follows `folder`, and subfolders that name a split or a role, such as `images`, are left
    out. Two pictures of one folder that differ only in their suffix get `cat.txt` and `cat-2.txt`.
    """
    names: dict[int, PurePosixPath] = {}
    taken: set[str] = set()
    for image_id, picture in picture_names(dataset).items():
        top = PurePosixPath(folder, splits[image_id]) if splits else PurePosixPath(folder)
        plain = _without_suffix(top, _without_split(picture) if splits else picture)
        name, count = plain, 1
        while name.casefold() in taken:  # file names ignore case on Windows and macOS
            count += 1
            name = f"{plain}-{count}"
        taken.add(name.casefold())
        names[image_id] = PurePosixPath(f"{name}{suffix}")
    return names


def _without_suffix(folder: PurePosixPath, picture: str) -> str:
    """A picture's name below `folder`, without its suffix."""
    if _PLAIN.fullmatch(picture):
        name = picture if folder == _HERE else f"{folder}/{picture}"
        return name[: name.rindex(".")]
    path = below(folder, PurePath(picture))
    return str(path.with_name(path.name.removesuffix(path.suffix)))


_HERE = PurePosixPath()
_PLAIN = re.compile(r"(?:\w[\w -]*/)*\w[\w -]*\.\w+")
"""Names that need no care, as most are: relative, of letters, digits and spaces, with one dot."""


def beside(names: Mapping[int, PurePosixPath], dataset: Dataset) -> dict[int, PurePosixPath]:
    """Image id -> the place of its picture: the name of its own file with the suffix of the picture."""
    return {
        image.id: names[image.id].with_name(names[image.id].stem + image.path.suffix.replace("\\", "_"))
        for image in dataset.images
    }


def in_splits(dataset: Dataset, splits: Splits) -> list[tuple[str, Sequence[ImageRecord]]]:
    """The splits that have images, in their order, with those images; one without a name if there are no splits."""
    if not splits:
        return [("", dataset.images)]
    found = [(split, [image for image in dataset.images if splits[image.id] == split]) for split in SPLITS]
    return [(split, images) for split, images in found if images]


def group_by_image(dataset: Dataset) -> Mapping[int, Sequence[Correction]]:
    """Image id -> its corrections in their order; an image without corrections has none."""
    if isinstance(dataset.corrections, CorrectionTable):
        return _ByImage(dataset.corrections, {image.id for image in dataset.images})
    groups: dict[int, list[Correction]] = {image.id: [] for image in dataset.images}
    for correction in dataset.corrections:
        groups[correction.image_id].append(correction)
    return groups


class _ByImage(Mapping[int, Sequence[Correction]]):
    """The corrections of a table by their images."""

    def __init__(self, table: CorrectionTable, images: set[int]) -> None:
        self._table, self._images = table, images
        self._order, self._slices = table.rows_by_image()

    def __getitem__(self, id: int) -> Sequence[Correction]:
        if id not in self._images:
            raise KeyError(id)
        start, end = self._slices.get(id, (0, 0))
        return _Rows(self._table, self._order[start:end])

    def __iter__(self) -> Iterator[int]:
        return iter(self._images)

    def __len__(self) -> int:
        return len(self._images)


class _Rows(Sequence[Correction]):
    """Some rows of a table, which become objects when they are needed, because all at a time take a gigabyte."""

    def __init__(self, table: CorrectionTable, rows: NDArray[np.int64]) -> None:
        self._table, self._rows = table, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Correction: ...

    @overload
    def __getitem__(self, place: slice) -> list[Correction]: ...

    def __getitem__(self, place: int | slice) -> Correction | list[Correction]:
        if isinstance(place, slice):
            return [self._table[row] for row in self._rows[place].tolist()]
        return self._table[int(self._rows[place])]

    def __iter__(self) -> Iterator[Correction]:
        return iter(self[:])


def clip_to_image(box: Box, image: ImageRecord) -> Box:
    """Clip a box to the picture, keeping it at least one pixel long on each side."""
    # As `geometry.clip` does; without arrays, because an export may have a million boxes.
    x1, y1, x2, y2 = box
    if x1 >= 0 and x1 + 1 <= x2 <= image.width and y1 >= 0 and y1 + 1 <= y2 <= image.height:
        return Box(float(x1), float(y1), float(x2), float(y2))
    x1, x2 = _clip_side(box.x1, box.x2, image.width)
    y1, y2 = _clip_side(box.y1, box.y2, image.height)
    return Box(x1, y1, x2, y2)


def _clip_side(first: float, second: float, side: float) -> tuple[float, float]:
    least = min(1.0, side)
    low = float(min(max(min(first, second), 0.0), side - least))
    return low, float(min(max(max(first, second), low + least), side))


def _without_split(picture: str) -> str:
    *folders, name = without_role_folders(picture).split("/")
    return "/".join([*(folder for folder in folders if not split_of(folder)), name])


def _root(dataset: Dataset) -> Path | None:
    if dataset.folder is not None and dataset.folder.is_absolute():
        start = f"{dataset.folder}{os.sep}"
        if all(str(image.path).startswith(start) for image in dataset.images):
            return dataset.folder
    folders = [image.path.absolute().parent for image in dataset.images]
    if dataset.folder is not None and all(folder.is_relative_to(dataset.folder) for folder in folders):
        return dataset.folder
    return _common(folders)


def _common(folders: Iterable[Path]) -> Path | None:
    try:
        root = Path(os.path.commonpath(list(folders)))
    except ValueError:  # no pictures, or two drives
        return None
    return None if root == Path(root.anchor) else root


def below(folder: PurePosixPath, picture: PurePath) -> PurePosixPath:
    """Join `folder` and `picture`, also if that is absolute: `C:/a` becomes `C/a`, and `..` is resolved."""
    picture = PurePath(os.path.normpath(picture))
    parts = picture.parts[1:] if picture.anchor else picture.parts
    drive = [picture.drive.strip(":\\/").replace("\\", "-")] if picture.drive.strip(":\\/") else []
    # On Linux a file name may have a backslash, which would separate folders on Windows.
    return folder.joinpath(*drive, *(part.replace("\\", "_") for part in parts))
