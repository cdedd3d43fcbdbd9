"""Read CVAT for images 1.1 and CVAT for video 1.1: an XML file for all pictures, with shapes and tracks in pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from xml.etree import ElementTree

from core.formats.importers.book import Book, EntryFormat, entry_at
from core.formats.importers.parsed import NO_CATEGORY, ParsedPicture, category_of, number_in
from core.formats.importers.shapes import around_ellipse, floats, from_corner, rotated
from core.translation import tr

CVAT = "CVAT"  # untranslated: the name of a format

_NO_BOXES = ("tag", "points")
_SHAPES = ("box", "polygon", "polyline", "ellipse", "mask", "cuboid", "skeleton", *_NO_BOXES)
_LONGEST_FRAME = 9
_STEP_OF_FRAMES = re.compile(r"step\s*=\s*(\d{1,6})")


def _sniff(root: ElementTree.Element) -> bool:
    return root.tag == "annotations" and any(root.find(tag) is not None for tag in ("image", "track", "meta"))


@dataclass(frozen=True)
class _Whole:
    """What tracks need of the whole file: its tasks or its job, and names of pictures by the numbers of frames."""

    tasks: list[ElementTree.Element]
    names: dict[str, str]

    def task(self, id: str | None) -> ElementTree.Element | None:
        """The task of a track: that of the id in a file of several, else the first."""
        first = self.tasks[0] if self.tasks else None
        return next((task for task in self.tasks if id is not None and task.findtext("id") == id), first)


def _entries(book: Book, root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, _Whole]]:
    """Each image and track with what it needs of the file; the names of labels come first, in their order."""
    for label in root.iterfind("meta//label"):
        name = category_of(label.findtext("name"))
        if label.find("parent") is None and name is not None and name != NO_CATEGORY:
            book.parsed.categories.append(name)
    names = {image.get("id", ""): image.get("name", "") for image in root.iterfind("image")}
    whole = _Whole([*root.iterfind("meta//task"), *root.iterfind("meta/job")], names)
    for entry in root:
        if entry.tag in ("image", "track"):
            yield entry, whole
            entry.clear()  # a million shapes take half a gigabyte


def _add(book: Book, number: int, pair: tuple[ElementTree.Element, _Whole]) -> None:
    entry, whole = pair
    if entry.tag == "track":
        _add_track(book, number, entry, whole)
        return
    get = entry.get
    subset = get("subset", "").strip()
    picture = book.picture(
        get("name"), entry_at(number), width=get("width"), height=get("height"),
        folder="" if subset.casefold() == "default" else subset,
    )  # fmt: skip
    for shape in entry if picture is not None else ():
        if shape.tag in _NO_BOXES:
            book.note_left_out(shape.tag)
        elif shape.tag in _SHAPES and picture is not None:
            _add_shape(picture, shape, shape.get("label"), number)


def _add_track(book: Book, number: int, track: ElementTree.Element, whole: _Whole) -> None:
    """Add the shapes of a track, which CVAT writes for each frame; none where the object is outside."""
    task = whole.task(track.get("task_id"))
    wide, high = (task.findtext(f"original_size/{side}") if task is not None else None for side in ("width", "height"))
    source = (track.get("task_name") or (task.findtext("source") if task is not None else "") or "").strip()
    folder = PurePosixPath(source.replace("\\", "/")).stem
    step = _STEP_OF_FRAMES.search((task.findtext("frame_filter") if task is not None else None) or "")
    last: int | None = None
    for shape in track:
        frame = shape.get("frame", "")
        if shape.tag not in _SHAPES or shape.tag in _NO_BOXES:
            continue
        if not frame.isdecimal() or len(frame) > _LONGEST_FRAME:
            book.defect(tr("In {file}, {where} has no number of a frame: correct or delete it."), entry_at(number))
            continue
        if last is not None and int(frame) - last > int(step[1] if step else 1):
            book.note(
                tr("{file} has tracks without a box on some frames: those frames get none.", file=book.path)
            )  # no interpolation, because only the program that made the track knows how it interpolates
        last = None if shape.get("outside") == "1" else int(frame)
        if last is not None:
            known = whole.names.get(frame)
            name = known or f"frame_{int(frame):06d}"  # as CVAT names them
            place = "" if known else folder
            picture = book.picture(name, entry_at(number), width=wide, height=high, folder=place)
            if picture is not None:
                _add_shape(picture, shape, track.get("label"), number)


def _add_shape(picture: ParsedPicture, shape: ElementTree.Element, label: str | None, number: int) -> None:
    picture.add(label, _corners(shape), where=entry_at(number), score=number_in(shape.get("score")))


def _corners(shape: ElementTree.Element) -> list[float]:
    get = shape.get
    degrees = floats([get("rotation", "0")]) or [0.0]
    if shape.tag == "box":
        return rotated(floats(map(get, ("xtl", "ytl", "xbr", "ybr"))), degrees[0], about_center=True)
    if shape.tag == "ellipse":
        return around_ellipse(map(get, ("cx", "cy", "rx", "ry")), degrees[0])
    if shape.tag == "mask":
        return from_corner(map(get, ("left", "top", "width", "height")))
    if shape.tag == "cuboid":
        return floats(get(axis + key[1:]) for key in shape.attrib if key[0] == "x" for axis in "xy")
    points = [shape] if shape.tag != "skeleton" else [point for point in shape if point.get("outside") != "1"]
    return floats(number for point in points for pair in _points(point) for number in pair)


def _points(shape: ElementTree.Element) -> list[list[str]]:
    """The pairs of numbers, as text, of an attribute such as `1,2;3,4`."""
    return [pair.split(",") for pair in shape.get("points", "").split(";") if pair.strip()]


FORMAT = EntryFormat(CVAT, _sniff, _entries, _add)
