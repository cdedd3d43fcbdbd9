"""Read YOLO labels: a text file for each picture, with a line for each object."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.bounded import MEGA
from core.errors import BadFileError, KnownError, reason
from core.formats.importers.box_columns import BoxColumns
from core.formats.importers.matching import without_role_folders
from core.formats.importers.parsed import ParsedPicture, ParsedSet, category_of, number_in
from core.formats.importers.text_files import read_any_text
from core.formats.importers.yolo_classes import MOST_CLASSES, YoloClasses, is_class_list
from core.progress import Job, Progress
from core.translation import tr

LARGEST_LABELS = 64 * MEGA
"""Largest label file of one picture, in bytes."""

YOLO = "YOLO"  # untranslated: the name of a format

_STEP = 50
_MOST_WORDS = 10_000
_VISIBILITIES = (0.0, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a label file: its number, its class (None: none) and the numbers after it (None: not a number)."""

    place: int
    number: int | None
    values: Sequence[float | None]
    words: Sequence[str]


def read_yolo(
    files: Sequence[tuple[Path, str]], classes: YoloClasses, *, known: Collection[str], title: str
) -> Job[ParsedSet]:
    """Read label files, each with the place of its picture without a suffix.

    Lines are a class and center and size in fractions of the picture's sides; or a polygon; or, after center and size,
    the points of a pose. A confidence may follow each of them, and the number of a track. A file that no picture is
    called after, which is in none of `known`, and that has no line of numbers is no label file: a README, for example.
    """
    parsed = ParsedSet(YOLO, categories=classes.listed())
    parsed.defects.extend(classes.defects)
    read: list[tuple[ParsedPicture, Sequence[_Line]]] = []
    plain = _PlainLines(classes.names)
    for done, (file, place) in enumerate(files):
        if done % _STEP == 0:
            yield Progress(done, len(files), tr("Importing {name}", name=title))
        picture = ParsedPicture(file, (place,), is_own_file=True, is_relative=True)
        try:
            text = _text(file, parsed.notes)
        except KnownError as error:
            if len(files) == 1:
                raise
            parsed.defects.count("unreadable", str(error))  # untranslated: a key
            continue
        if plain.add(text, picture):
            read.append((picture, ()))
            continue
        lines = _lines(text)
        is_labels = place.rsplit("/", 1)[-1].casefold() in known or any(_is_usable(line) for line in lines)
        if is_labels or (not lines and not is_class_list(file.name)):
            read.append((picture, lines))
    if not read and not parsed.defects.total:
        raise BadFileError(
            tr(
                "{file} holds no YOLO labels, which are lines of a class and numbers: give the labels' folder.",
                file=files[0][0] if len(files) == 1 else title,
            )
        )
    pose = classes.pose if classes.pose[0] or plain.has_boxes else _guess_pose(lines for _, lines in read)
    if pose[0] and not classes.pose[0]:
        parsed.notes.append(
            tr(
                "The labels in {name} look like poses of {count} points: give kpt_shape in data.yaml if they are none.",
                name=title,
                count=pose[0],
            )
        )
    if pose[0]:
        parsed.header = {"kpt_shape": list(pose)}
    are_tracks = _are_tracks(line for _, lines in read for line in lines)
    for picture, lines in read:
        for line in lines:
            _add(picture, line, classes.names, pose, are_tracks=are_tracks)
        parsed.pictures.append(picture)
    return parsed


def is_yolo(line: str) -> bool:
    """Whether a line of text is a class and at least four numbers."""
    return bool(line.strip()) and _is_usable(_parse(1, line))


def place_of(file: Path, root: Path) -> str:
    """The place of a label file's picture: its own below `root`, without its suffix and folders such as `labels`."""
    return without_role_folders(plain_place(file, root))


def plain_place(file: Path, root: Path) -> str:
    """The place of a file below `root`, without its suffix."""
    # Not by the methods of paths, which take longer than to read the file.
    whole, base = str(file), os.path.join(root, "")  # noqa: PTH118
    place = whole[len(base) :] if whole.startswith(base) else str(file.relative_to(root))
    place = place.replace(os.sep, "/")
    start, dot = place.rfind("/") + 1, place.rfind(".")
    return place[:dot] if start < dot < len(place) - 1 else place


def _lines(text: str) -> Sequence[_Line]:
    return [_parse(place, line) for place, line in enumerate(text.splitlines(), start=1) if line.strip()]


class _PlainLines:
    """The files of nothing but plain boxes, in columns; a plain box is no pose and no track, whatever others are."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names, self._columns = names, BoxColumns(YOLO)
        self._places: dict[str, int] = {}

    @property
    def has_boxes(self) -> bool:
        return len(self._columns) > 0

    def add(self, text: str, picture: ParsedPicture) -> bool:
        """Add the boxes of a file's text to its picture; False, and nothing is added, if a line has anything else."""
        columns, start = self._columns, len(self._columns)
        for line in text.splitlines():
            words = line.split()
            if not words:
                continue
            if len(words) != 5 or (place := self._place(words[0])) < 0:
                break
            try:
                x, y, width, height = map(float, words[1:])
            except ValueError:
                break
            x1, y1, x2, y2 = x - width / 2, y - height / 2, x + width / 2, y + height / 2
            if not (x1 < x2 and y1 < y2 and math.isfinite(x1 + y1 + x2 + y2)):
                break
            columns.edges.extend((x1, y1, x2, y2))
            columns.category.append(place)
            columns.text.append(0)
        else:
            picture.more = columns.rows(start, len(columns))
            return len(columns) > start
        columns.truncate(start)
        return False

    def _place(self, word: str) -> int:
        """The place of the category of a class in the columns; -1 if the word is none, or its name cannot be used."""
        place = self._places.get(word)
        if place is None:
            number = _class_in(number_in(word))
            name = None if number is None else category_of(_name(number, self._names))
            place = -1 if name is None else self._columns.place_of(name)
            if len(self._places) < _MOST_WORDS:
                self._places[word] = place
        return place


def _text(file: Path, notes: list[str]) -> str:
    def note(name: str, encoding: str) -> None:
        notes.append(tr("{file} was read as {encoding}.", file=name, encoding=encoding))

    try:
        return read_any_text(file, limit=LARGEST_LABELS, note=note)
    except (OSError, ValueError) as error:
        raise BadFileError(
            tr("{file} cannot be read as YOLO labels ({why}): export it again.", file=file, why=reason(error))
        ) from error


def _parse(place: int, line: str) -> _Line:
    words = line.split()
    first, *values = (number_in(word) for word in words)
    return _Line(place, _class_in(first), values, words[1:])


def _class_in(number: float | None) -> int | None:
    """The class that a number stands for; None if it is none."""
    is_class = number is not None and 0 <= number < MOST_CLASSES and number == int(number)
    return int(number) if number is not None and is_class else None


def _name(number: int, names: Mapping[int, str]) -> str:
    return names.get(number, f"class {number}")


def _is_usable(line: _Line) -> bool:
    return line.number is not None and len(line.values) >= 4 and None not in line.values


def _add(
    picture: ParsedPicture, line: _Line, names: Mapping[int, str], pose: tuple[int, int], *, are_tracks: bool
) -> None:
    where = tr("the line {number}", number=line.place)
    if line.number is None:
        picture.add_defect(tr("In {file}, {where} starts with no class: correct or delete it."), where)
        return
    numbers, score = _corners(line.values, pose, are_tracks=are_tracks)
    entry = {"numbers": list(line.words)} if len(line.words) > 4 else None
    picture.add(_name(line.number, names), numbers, where=where, score=score, entry=entry, format=YOLO)


def _corners(
    values: Sequence[float | None], pose: tuple[int, int], *, are_tracks: bool
) -> tuple[Sequence[float | None], float | None]:
    """The corners x1, y1, x2, y2, ... that a line has, and its confidence, None without one."""
    count, points = len(values), pose[0] * pose[1]
    confidence_at: dict[int, int | None] = {4: None, 5: 4} | ({6: 4} if are_tracks else {})
    if points:
        confidence_at |= {4 + points: None, 5 + points: 4 + points, 6 + points: 4 + points}
    if count in confidence_at:
        at = confidence_at[count]
        return _around(values[:4]), None if at is None else values[at]
    if count < 6:
        return [], None
    return (values, None) if count % 2 == 0 else (values[:-1], values[-1])


def _around(values: Sequence[float | None]) -> Sequence[float]:
    x, y, width, height = values
    if x is None or y is None or width is None or height is None or width <= 0 or height <= 0:
        return []
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _are_tracks(lines: Iterable[_Line]) -> bool:
    """Whether lines of six numbers are a box, a confidence and the number of a track, rather than a triangle.

    The number of a track is written without a point; one above 1 is no fraction of a side.
    """
    longest = 0
    for line in lines:
        if len(line.words) == 6:
            if not line.words[-1].isdecimal():
                return False
            longest = max(longest, int(line.words[-1]) if len(line.words[-1]) < 10 else 2)
    return longest > 1


def _guess_pose(files: Iterable[Iterable[_Line]]) -> tuple[int, int]:
    """The layout of poses without `kpt_shape`: every line as long, and every third number a visibility of 0, 1 or 2."""
    lengths, seen = set(), 0
    for lines in files:
        for line in lines:
            lengths.add(len(line.values))
            points = line.values[4:]
            if len(lengths) > 1 or len(points) < 6 or len(points) % 3 or not set(points[2::3]) <= set(_VISIBILITIES):
                return 0, 0
            seen += 1
    return ((lengths.pop() - 4) // 3, 3) if seen else (0, 0)
