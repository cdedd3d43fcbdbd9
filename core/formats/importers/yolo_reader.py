"""Read YOLO labels: a text file for each picture, with a line for each object."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.bounded import MEGA
from core.errors import BadFileError, KnownError, reason
from core.formats.importers.matching import without_role_folders
from core.formats.importers.parsed import ParsedPicture, ParsedSet, number_in
from core.formats.importers.text_files import read_any_text
from core.formats.importers.yolo_classes import MOST_CLASSES, YoloClasses, is_class_list
from core.progress import Job, Progress
from core.translation import tr

LARGEST_LABELS = 64 * MEGA
"""Largest label file of one picture, in bytes."""

YOLO = "YOLO"  # untranslated: the name of a format

_STEP = 50
_VISIBILITIES = (0.0, 1.0, 2.0)


@dataclass(frozen=True)
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
    read: list[tuple[ParsedPicture, list[_Line]]] = []
    for done, (file, place) in enumerate(files):
        if done % _STEP == 0:
            yield Progress(done, len(files), tr("Importing {name}", name=title))
        picture = ParsedPicture(file, (place,), is_own_file=True, is_relative=True)
        try:
            lines = _lines(file, parsed.notes)
        except KnownError as error:
            if len(files) == 1:
                raise
            parsed.defects.count("unreadable", str(error))  # untranslated: a key
            continue
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
    pose = classes.pose if classes.pose[0] else _guess_pose(lines for _, lines in read)
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
    return without_role_folders(file.relative_to(root).as_posix().removesuffix(file.suffix))


def _lines(file: Path, notes: list[str]) -> list[_Line]:
    def note(name: str, encoding: str) -> None:
        notes.append(tr("{file} was read as {encoding}.", file=name, encoding=encoding))

    try:
        text = read_any_text(file, limit=LARGEST_LABELS, note=note)
    except (OSError, ValueError) as error:
        raise BadFileError(
            tr("{file} cannot be read as YOLO labels ({why}): export it again.", file=file, why=reason(error))
        ) from error
    return [_parse(place, line) for place, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _parse(place: int, line: str) -> _Line:
    words = line.split()
    first, *values = (number_in(word) for word in words)
    is_class = first is not None and 0 <= first < MOST_CLASSES and first == int(first)
    return _Line(place, int(first) if first is not None and is_class else None, values, words[1:])


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
    category = names.get(line.number, f"class {line.number}")
    picture.add(category, numbers, where=where, score=score, entry=entry, format=YOLO)


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
