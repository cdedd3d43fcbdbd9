"""Match the entries of annotation files with a project's pictures by name, and collect their boxes and problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.geometry import Box, clip
from core.records import ImageRecord, ImportedBox
from core.translation import tr

SLACK_PX = 2
"""Largest difference of a picture's size, in pixels, because tools round sizes; a larger one means another picture."""

NO_CATEGORY = "object"
"""Category of a box without one in its file. It is stored in projects, so it is not translated."""


@dataclass
class FoundBoxes:
    """The boxes that annotation files have for a project's pictures.

    `missing` has the names of pictures that the project does not hold, `problems` a sentence for each other entry that
    cannot be used.
    """

    boxes: list[ImportedBox] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class ImageMatcher:
    """Finds the project's pictures by the names in annotation files.

    A name matches a picture by its whole path relative to `folder`. Otherwise it matches by its last part, if that is
    unique both in the project and among `names`, which are all names in the files. Without `by_suffix`, the names have
    no file suffix, as in YOLO.
    """

    def __init__(
        self, images: Sequence[ImageRecord], *, folder: Path, names: Iterable[str], by_suffix: bool = True
    ) -> None:
        self._folder = folder
        self._by_path: dict[str, list[ImageRecord]] = {}
        self._by_last: dict[str, list[ImageRecord]] = {}
        for image in images:
            paths = [image.path.as_posix()]
            paths += [] if by_suffix or not image.path.suffix else [paths[0].removesuffix(image.path.suffix)]
            for path in paths:
                self._by_path.setdefault(path, []).append(image)
                self._by_last.setdefault(_last_part(path), []).append(image)
        self._shared = Counter(map(_last_part, names))

    def match(self, name: str, found: FoundBoxes, *, source: Path, width: int, height: int) -> ImageRecord | None:
        """Find the picture that the file `source` names, of `width` x `height` pixels (0: not known).

        If there is none, or it has another size, add that to `found` and return None.
        """
        record = self.find(name)
        if record is None:
            found.missing.append(name)
            return None
        if problem := describe_other_size(record, source, width=width, height=height):
            found.problems.append(problem)
            return None
        return record

    def find(self, name: str) -> ImageRecord | None:
        """Find the picture of this name; None if there is none, or if the name is ambiguous."""
        found = self._by_path.get((self._folder / name.replace("\\", "/")).as_posix(), [])
        if not found and self._shared[_last_part(name)] <= 1:
            found = self._by_last.get(_last_part(name), [])
        return found[0] if len(found) == 1 else None


def _last_part(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name.casefold()


def describe_other_size(record: ImageRecord, source: Path, *, width: int, height: int) -> str:
    """A sentence if `source` has another size for a picture than it is (0: not known), else empty."""
    width, height = width or record.width, height or record.height
    if max(abs(width - record.width), abs(height - record.height)) <= SLACK_PX:
        return ""
    return tr(
        "The picture {path} is {own_width} x {own_height} pixels upright but {source} says {width} x {height}: give "
        "the picture that the boxes were drawn on.",
        path=record.path,
        own_width=record.width,
        own_height=record.height,
        source=source,
        width=width,
        height=height,
    )


def clip_to_picture(box: Box, record: ImageRecord) -> Box | None:
    """Clip a box to the picture; None if it is wholly outside."""
    if box.x1 >= record.width or box.y1 >= record.height or box.x2 <= 0 or box.y2 <= 0:
        return None
    return Box.of(clip([box], width=record.width, height=record.height))
