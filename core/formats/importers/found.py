"""Match parsed annotations with a project's pictures, and collect the boxes on them and the defects of the others."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from core.correction_table import BoxTable, Came
from core.formats.defects import Defects
from core.formats.importers.coco_reader import id_of
from core.formats.importers.matching import Miss, Named, PictureMatcher, split_of_file
from core.formats.importers.parsed import ParsedBox, ParsedPicture, ParsedSet
from core.geometry import Box
from core.progress import Job, Progress
from core.records import Correction, ImageRecord, ImportedBox, Source
from core.sources import kept_text
from core.translation import tr

SLACK_PX = 2
"""Largest difference of a picture's size, in pixels, because tools round sizes; a larger one means another picture."""

_STEP = 1000

Restore = Callable[[ParsedBox, Path, ImageRecord, Box], Correction]
"""Makes the correction of a box of a file on a picture, clipped to it."""


@dataclass
class FoundBoxes:
    """The boxes that annotation files have for a project's pictures.

    `categories` are all names that the files list, in their order. `missing` has the names of pictures that the project
    does not hold, `defects` counts the other entries that cannot be used. `notes` are sentences on what was assumed;
    they are no defects. `sources` are what the files have besides their boxes, `listed` the ids of the images that they
    have, also without boxes.
    """

    boxes: BoxTable = field(default_factory=BoxTable)
    categories: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    defects: Defects = field(default_factory=Defects)
    notes: list[str] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    listed: set[int] = field(default_factory=set)

    @property
    def problems(self) -> list[str]:
        """A sentence for each kind of defect."""
        return self.defects.sentences()

    def add(self, other: FoundBoxes) -> None:
        """Add what another file has."""
        self.boxes = self.boxes if len(self.boxes) else other.boxes
        if self.boxes is not other.boxes:
            self.boxes.extend(other.boxes)
        self.missing += other.missing
        self.defects.extend(other.defects)
        self.categories += [name for name in other.categories if name not in self.categories]
        self.notes += [note for note in other.notes if note not in self.notes]
        self.sources += other.sources
        self.listed |= other.listed


def find_in(
    parsed: ParsedSet, images: Sequence[ImageRecord], *, folder: Path, title: str, restore: Restore | None = None
) -> Job[FoundBoxes]:
    """The boxes of a parsed file or folder on `images`; see `PictureMatcher`. `restore` makes their corrections."""
    found = FoundBoxes(categories=list(dict.fromkeys(parsed.categories)), notes=list(dict.fromkeys(parsed.notes)))
    found.defects.extend(parsed.defects)
    matcher = PictureMatcher(images, folder=folder)
    splits: dict[Path, str] = {}
    folders: dict[str, str] = {}
    named = [_named(entry, folder, splits, folders) for entry in parsed.pictures]
    done, kept = 0, dict[int, Mapping[str, Any]]()
    for entry, record in zip(parsed.pictures, matcher.match(named), strict=True):
        found.defects.extend(entry.defects)
        if isinstance(record, Miss):
            _miss(entry, record, found)
        elif problem := describe_other_size(record, entry.source, width=entry.width, height=entry.height):
            found.defects.count("size", problem)  # untranslated: a key
        else:
            found.listed.add(record.id)
            if entry.entry is not None:
                kept.setdefault(record.id, entry.entry)
            name = entry.source.name
            for box in chain(entry.boxes, entry.more):
                if done % _STEP == 0:
                    yield Progress(done, max(done, 1), tr("Importing {name}", name=title))
                done += 1
                _add(box, entry, record, found, restore, name)
        entry.boxes, entry.more = [], ()  # a million boxes fit into memory once, not twice
    if kept or parsed.header:
        found.sources.append(Source(parsed.file or title, parsed.format, parsed.header, kept))
    return found


def _named(entry: ParsedPicture, folder: Path, splits: dict[Path, str], folders: dict[str, str]) -> Named:
    """`splits` has those of the files so far, `folders` the absolute folder of each folder so far."""
    here = os.path.split(entry.source)[0]  # noqa: PTH100, PTH117 - of 100,000 files, quickly
    beside = folders.get(here)
    if beside is None:
        beside = folders[here] = entry.source.absolute().parent.as_posix()
    if entry.is_own_file:
        return Named(entry.names, beside)
    if entry.source not in splits:
        splits[entry.source] = split_of_file(entry.source.absolute(), folder)
    return Named(entry.names, beside=beside, split=splits[entry.source])


def _miss(entry: ParsedPicture, why: Miss, found: FoundBoxes) -> None:
    if why is Miss.ABSENT:
        found.missing.append(entry.names[-1] if len(entry.names) > 1 else entry.names[0])
        return
    found.defects.add(
        tr("Several pictures may be the one of {name} in {file}: import the pictures' own folder, or rename them."),
        name=entry.names[0],
        file=entry.source,
    )


def _add(
    box: ParsedBox, entry: ParsedPicture, record: ImageRecord, found: FoundBoxes, restore: Restore | None, name: str
) -> None:
    placed = box.box
    if entry.is_relative:
        x1, y1, x2, y2 = placed
        placed = Box(x1 * record.width, y1 * record.height, x2 * record.width, y2 * record.height)
    clipped = clip_to_picture(placed, record)
    if clipped is None:
        _count_outside(box, entry, record, found)
    elif restore is not None and not box.text:
        found.boxes.append(ImportedBox(box.category, restore(box, entry.source, record, clipped)))
    else:
        _add_as_it_came(box, name, record.id, clipped, found.boxes)


def _add_as_it_came(box: ParsedBox, file: str, image_id: int, clipped: Box, boxes: BoxTable) -> None:
    """Add a box that has nothing but its place: a box to check."""
    is_crowd, text = box.is_crowd, box.text
    if box.entry is not None:
        is_crowd = box.entry.get("iscrowd") in (1, True)
        text = kept_text(box.entry) if box.format else ""
    table = boxes.corrections
    kind = table.kind(Came(file, box.format if text else "", is_crowd))
    table.add(image_id, boxes.category(box.category), clipped, kind, score=box.score or 0.0, text=text)


def _count_outside(box: ParsedBox, entry: ParsedPicture, record: ImageRecord, found: FoundBoxes) -> None:
    held = json.loads(box.text) if box.text else box.entry or {}
    id = id_of(held.get("id"))
    found.defects.add(
        tr("In {file}, {where} lies wholly outside {picture}: correct or delete it."),
        file=entry.source,
        where=tr("a box") if id is None else tr("the annotation {id}", id=id),
        picture=record.path.name,
    )


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
    x1, y1, x2, y2 = box
    if 0 <= x1 <= x2 - 1 and x2 <= record.width and 0 <= y1 <= y2 - 1 and y2 <= record.height:
        return box
    if x1 >= record.width or y1 >= record.height or x2 <= 0 or y2 <= 0:
        return None
    # Not by `clip`, whose arrays would take a third of the time of an import; the result is the same.
    left, right = _clipped(x1, x2, float(record.width))
    top, bottom = _clipped(y1, y2, float(record.height))
    return Box(left, top, right, bottom)


def _clipped(first: float, second: float, side: float) -> tuple[float, float]:
    """Both edges within 0 and `side`, at least one pixel apart where the picture is that large."""
    least = min(1.0, side)
    low = min(max(min(first, second), 0.0), side - least)
    return low, min(max(max(first, second), low + least), side)
