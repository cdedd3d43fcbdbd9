"""Read Pascal VOC: an XML file for each picture, with corners in pixels that count from 0 or from 1."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from core.bounded import MEGA, read_bytes
from core.errors import BadFileError, KnownError, reason
from core.formats.importers.parsed import NO_CATEGORY, ParsedPicture, ParsedSet, category_of, number_in, side_of
from core.formats.importers.text_files import decode
from core.formats.importers.yolo_reader import place_of
from core.progress import Job, Progress
from core.translation import tr

VOC = "Pascal VOC"  # untranslated: the name of a format

LARGEST_XML = 256 * MEGA
"""Largest XML file, in bytes: CVAT writes one for all pictures, some two million boxes."""

_MARKS = ("pose", "truncated", "difficult", "occluded")
_STEP = 50
_DECLARED = re.compile(rb"""\A<\?xml[^>]*encoding=["']([A-Za-z0-9_.:-]+)["']""")
_DECLARATION = re.compile(r"\A<\?xml[^>]*\?>")
LABEL_MAP = "labelmap.txt"
"""The names of classes, as datumaro and CVAT write them beside; they count from 0, as we do."""

_LARGEST_MAP = 4 * MEGA
_BACKGROUND = "background"  # untranslated: a class of VOC's masks

_FROM_0 = ("pixels from 0", "roboflow", "x-anylabeling", "labelformat", "labelme")  # untranslated: parts of files
_FROM_1 = ("boxrefine", "voc20", "pascal voc", "ilsvrc", "imagenet")  # untranslated: parts of files


@dataclass
class _VocFile:
    """A file with the corners as they are in it."""

    picture: ParsedPicture
    objects: list[tuple[str | None, Sequence[float | None]]] = field(default_factory=list)
    marks: list[dict[str, str]] = field(default_factory=list)
    sources: str = ""

    @property
    def numbers(self) -> list[Sequence[float]]:
        """The corners that are whole."""
        return [[edge for edge in box if edge is not None] for _, box in self.objects if None not in box]


def read_voc(
    files: Sequence[Path], *, root: Path, origin: int | None, roots: dict[Path, ElementTree.Element], title: str
) -> Job[ParsedSet]:
    """Read VOC files. `origin` is the number of the first pixel, None to decide by the files.

    A corner at 0, the name of a tool or the labelmap.txt of datumaro beside proves 0; a box of one pixel or the name of
    a data set of VOC's proves 1. Without a proof it is 1, as VOC defines it, and a note states that. From 1, corners
    name the last pixel of the box; from 0, they are its edges. `roots` has the elements of files that are parsed.
    """
    parsed = ParsedSet(VOC)
    read: list[_VocFile] = []
    marks: dict[tuple[str | None, ...], dict[str, str]] = {}
    for done, path in enumerate(files):
        if done % _STEP == 0:
            yield Progress(done, len(files), tr("Importing {name}", name=title))
        try:
            element = roots.pop(path, None)
            read.append(_read(path, parse_xml(path) if element is None else element, root, marks))
        except KnownError as error:
            if len(files) == 1:
                raise
            parsed.defects.count("unreadable", str(error))  # untranslated: a key
    first = origin if origin is not None else _origin(read)
    beside = next((here for here in (root / LABEL_MAP, root.parent / LABEL_MAP) if here.is_file()), None)
    if beside is not None:
        first = 0 if first is None else first
        parsed.categories = _classes_in(beside)
    if first is None:
        first = 1
        if any(file.objects for file in read):
            parsed.notes.append(_describe_assumed(title))
    while read:  # each is freed when its boxes are made
        file = read.pop()
        for place, (name, (x1, y1, x2, y2)) in enumerate(file.objects, start=1):
            low = [None if value is None else value - first for value in (x1, y1)]
            where = tr("the object {number}", number=place)
            file.picture.add(name, [*low, x2, y2], where=where, entry=file.marks[place - 1], format=VOC)
        parsed.pictures.append(file.picture)
    parsed.pictures.reverse()
    return parsed


def parse_xml(file: Path) -> ElementTree.Element:
    """The outermost element of an XML file in any encoding. Raises BadFileError."""
    try:
        content = read_bytes(file, limit=LARGEST_XML)
        return _parse(content)
    except Exception as error:  # the parser also raises LookupError for an unknown encoding, and others
        raise BadFileError(
            tr("{file} cannot be read as XML ({why}): export it again.", file=file, why=reason(error))
        ) from error


def _parse(content: bytes) -> ElementTree.Element:
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError):
        # The parser knows no encoding of several bytes, and many Chinese files name none.
        declared = _DECLARED.match(content)
        try:
            text = content.decode(declared[1].decode()) if declared else decode(content)[0]
        except (LookupError, UnicodeDecodeError):
            text = decode(content)[0]
        return ElementTree.fromstring(_DECLARATION.sub("", text))


def _classes_in(file: Path) -> list[str]:
    """The names of labelmap.txt in their order; none if it cannot be read, because the boxes have names, too."""
    try:
        lines = decode(read_bytes(file, limit=_LARGEST_MAP))[0].splitlines()
    except (OSError, ValueError):
        return []
    fields = [line.split(":") for line in lines if line.strip() and not line.startswith("#")]
    names = [category_of(parts[0]) for parts in fields if len(parts) == 4 and parts[0].strip() != _BACKGROUND]
    return [name for name in dict.fromkeys(names) if name is not None and name != NO_CATEGORY]


def _describe_assumed(name: str) -> str:
    return tr(
        "{name} does not show whether its pixels count from 0 or from 1, so 1 is assumed, as Pascal VOC defines it. If "
        "all boxes lie one pixel too far to the left and to the top, undo and import with 0.",
        name=name,
    )


def _read(
    file: Path, root: ElementTree.Element, folder: Path, known: dict[tuple[str | None, ...], dict[str, str]]
) -> _VocFile:
    """Read one file; objects with the same marks share those of `known`."""
    if _tag(root) != "annotation":
        raise BadFileError(tr("{file} is no Pascal VOC file: give one whose outermost tag is <annotation>.", file=file))
    width, height = (side_of(_text(root, f"size/{side}")) for side in ("width", "height"))
    stated = (_text(root, "filename") or "").strip()
    names = (place_of(file, folder), *([stated] if stated else []))
    found = _VocFile(ParsedPicture(file, names, width, height, is_own_file=True))
    found.sources = " ".join(_text(root, f"source/{tag}") or "" for tag in ("annotation", "database")).casefold()
    for entry in root.iter():
        if _tag(entry) == "object":
            corners = [number_in(_text(entry, f"bndbox/{edge}")) for edge in ("xmin", "ymin", "xmax", "ymax")]
            found.objects.append((_text(entry, "name"), corners))
            texts = tuple(_text(entry, mark) for mark in _MARKS)
            marks = known.get(texts)
            if marks is None:
                marks = {mark: text for mark, text in zip(_MARKS, texts, strict=True) if text is not None}
                known[texts] = marks
            found.marks.append(marks)
    return found


def _text(element: ElementTree.Element, path: str) -> str | None:
    """The text below an element, in any namespace."""
    # Not by `findtext` with any namespace, which takes most of the time of an import.
    first, _, rest = path.partition("/")
    for child in element:
        if child.tag == first or _tag(child) == first:
            found = _text(child, rest) if rest else child.text or ""
            if found is not None:
                return found
    return None


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _origin(files: Sequence[_VocFile]) -> int | None:
    """The number of the first pixel that the files prove, None if they prove none."""
    boxes = [box for file in files for box in file.numbers]
    if any(x1 < 1 or y1 < 1 for x1, y1, _, _ in boxes):
        return 0
    if any(x1 == x2 or y1 == y2 for x1, y1, x2, y2 in boxes):
        return 1
    sources = {file.sources for file in files}
    if any(tool in text for text in sources for tool in _FROM_0):
        return 0
    return 1 if any(name in text for text in sources for name in _FROM_1) else None
