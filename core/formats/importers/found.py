"""What annotation files have for a project's pictures: found by name, checked for size, told where it is of no use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.geometry import Box, clip
from core.records import ImageRecord, ImportedBox

SLACK_PX = 2
"""Tools round the size of a resized picture up or down; more than this is another picture."""

NO_CATEGORY = "object"
"""What a box is labelled as whose file does not tell."""


@dataclass
class FoundBoxes:
    """What files have for a project's pictures.

    `missing` are the names of their pictures that the project does not hold, `problems` a sentence for each other
    thing that cannot be used.
    """

    boxes: list[ImportedBox] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Places:
    """The project's pictures by the names that files have for them.

    A picture is found under its whole name below `folder`, or else by the last part, if the project has one such
    picture alone and the files (`names` are all that they have) mean one alone. Not `by_suffix`: files do not tell the
    suffix of their picture.
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

    def record_of(self, name: str, found: FoundBoxes, *, source: Path, width: int, height: int) -> ImageRecord | None:
        """The picture that the file `source` calls so; where there is none, or one of another size, `found` tells."""
        record = self.find(name)
        if record is None:
            found.missing.append(name)
            return None
        if problem := other_size(record, source, width=width, height=height):
            found.problems.append(problem)
            return None
        return record

    def find(self, name: str) -> ImageRecord | None:
        """The picture that a file calls so, None where there is none or several may be meant."""
        found = self._by_path.get((self._folder / name.replace("\\", "/")).as_posix(), [])
        if not found and self._shared[_last_part(name)] <= 1:
            found = self._by_last.get(_last_part(name), [])
        return found[0] if len(found) == 1 else None


def _last_part(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name.casefold()


def other_size(record: ImageRecord, source: Path, *, width: int, height: int) -> str:
    """A sentence where a file says another size of a picture than it has (0: it does not say), else empty."""
    said = width or record.width, height or record.height
    if max(abs(said[0] - record.width), abs(said[1] - record.height)) <= SLACK_PX:
        return ""
    return (
        f"The picture {record.path} is {record.width} x {record.height} pixels upright but {source} says "
        f"{said[0]} x {said[1]}: give the picture that the boxes were drawn on."
    )


def inside(box: Box, record: ImageRecord) -> Box | None:
    """The part of a box that lies on the picture, None where there is none."""
    if box.x1 >= record.width or box.y1 >= record.height or box.x2 <= 0 or box.y2 <= 0:
        return None
    return Box.of(clip([box], width=record.width, height=record.height))
