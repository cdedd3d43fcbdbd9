"""Read Pascal VOC: an XML file for each picture, with corners in pixels that count from 0 or from 1."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import lt
from pathlib import Path
from xml.etree import ElementTree

from core.bounded import MEGA, read_bytes
from core.errors import BadFileError, KnownError, reason
from core.formats.importers.box_columns import BoxColumns
from core.formats.importers.parsed import NO_CATEGORY, ParsedPicture, ParsedSet, category_of, number_in, side_of
from core.formats.importers.text_files import decode
from core.formats.importers.yolo_reader import place_of
from core.progress import Job, Progress
from core.sources import kept_text
from core.translation import tr

VOC = "Pascal VOC"  # untranslated: the name of a format

LARGEST_XML = 256 * MEGA
"""Largest XML file, in bytes: CVAT writes one for all pictures, some two million boxes."""

_MARKS = ("pose", "truncated", "difficult", "occluded")
_EDGES = ("xmin", "ymin", "xmax", "ymax")
_STEP = 50
_DECLARED = re.compile(rb"""\A<\?xml[^>]*encoding=["']([A-Za-z0-9_.:-]+)["']""")
_DECLARATION = re.compile(r"\A<\?xml[^>]*\?>")
LABEL_MAP = "labelmap.txt"
"""The names of classes, as datumaro and CVAT write them beside; they count from 0, as we do."""

_LARGEST_MAP = 4 * MEGA
_BACKGROUND = "background"  # untranslated: a class of VOC's masks

_FROM_0 = ("pixels from 0", "roboflow", "x-anylabeling", "labelformat", "labelme")  # untranslated: parts of files
_FROM_1 = ("boxrefine", "voc20", "pascal voc", "ilsvrc", "imagenet")  # untranslated: parts of files


_Object = tuple[str | None, Sequence[float | None], tuple[str | None, ...]]
"""The name of an object, its corners (None: not a number), and the texts of _MARKS (None: it has none)."""


@dataclass(slots=True)
class _VocFile:
    """A file and its objects: rows of the columns from `start` to `end`, or all as they are if one is no plain box."""

    picture: ParsedPicture
    start: int
    end: int
    objects: Sequence[_Object] = ()


class VocFiles:
    """The objects of VOC files, which are added in their order; plain boxes are kept in columns."""

    def __init__(self, root: Path) -> None:
        """Places of pictures are relative to `root`."""
        self._root = root
        self._files: list[_VocFile] = []
        self._columns = BoxColumns(VOC)
        self._categories: dict[str | None, int] = {}
        self._places: dict[tuple[str | None, ...], int] = {}
        self._marks: list[tuple[tuple[str | None, ...], dict[str, str]]] = [((), {})]
        self._sources: set[str] = set()
        self._has_zero = self._has_single = self._has_objects = False
        self._errors: list[KnownError] = []

    @property
    def first(self) -> Path | None:
        """The first file that was read; None if none was."""
        return self._files[0].picture.source if self._files else None

    def add_unreadable(self, error: KnownError) -> None:
        """Count a file that cannot be read."""
        self._errors.append(error)

    def add(self, file: Path, element: ElementTree.Element) -> None:
        """Add the objects of a file that is parsed, whose outermost tag is <annotation>."""
        stated, sources, sides = _head_of(element)
        names = (place_of(file, self._root), *([stated] if stated else []))
        picture = ParsedPicture(file, names, *sides, is_own_file=True)
        objects = [_object_of(entry) for entry in element.iter() if entry.tag.endswith("object") and _is_object(entry)]
        self._sources.add(sources)
        self._has_objects = self._has_objects or bool(objects)
        start = len(self._columns)
        whole = [self._add_object(*each) for each in objects]
        if not all(whole):
            self._columns.truncate(start)
        self._files.append(_VocFile(picture, start, len(self._columns), () if all(whole) else objects))

    def _add_object(self, name: str | None, corners: Sequence[float | None], texts: tuple[str | None, ...]) -> bool:
        """Add an object to the columns, and note what it proves; whether it is a plain box, with an area or without."""
        x1, y1, x2, y2 = corners
        if x1 is None or y1 is None or x2 is None or y2 is None:
            return False
        self._has_zero = self._has_zero or x1 < 1 or y1 < 1
        self._has_single = self._has_single or x1 == x2 or y1 == y2
        category = self._categories.get(name)
        if category is None:
            usable = category_of(name)
            category = self._categories[name] = -1 if usable is None else self._columns.place_of(usable)
        if category < 0 or not math.isfinite(x1 + y1 + x2 + y2):
            return False
        self._columns.edges.extend((x1, y1, x2, y2))
        self._columns.category.append(category)
        self._columns.text.append(self._kept(texts))
        return True

    def _kept(self, texts: tuple[str | None, ...]) -> int:
        """The place of the marks of an object, and of their text in the columns; objects share those that are equal."""
        place = self._places.get(texts)
        if place is None:
            place = self._places[texts] = len(self._marks)
            marks = {mark: text for mark, text in zip(_MARKS, texts, strict=True) if text is not None}
            self._marks.append((texts, marks))
            self._columns.texts.append(kept_text(marks))
        return place

    def parsed(self, *, root: Path, origin: int | None, title: str) -> Job[ParsedSet]:
        """The contents of the files. `origin` is the number of the first pixel, None to decide by the files.

        A corner at 0, the name of a tool or the labelmap.txt of datumaro beside proves 0; a box of one pixel or the
        name of a data set of VOC's proves 1. Without a proof it is 1, as VOC defines it, and a note states that. From
        1, corners name the last pixel of the box; from 0, they are its edges.
        """
        parsed = ParsedSet(VOC)
        for error in self._errors:
            parsed.defects.count("unreadable", str(error))  # untranslated: a key
        first = origin if origin is not None else self._origin()
        beside = next((here for here in (root / LABEL_MAP, root.parent / LABEL_MAP) if here.is_file()), None)
        if beside is not None:
            first = 0 if first is None else first
            parsed.categories = _classes_in(beside)
        if first is None:
            first = 1
            if self._has_objects:
                parsed.notes.append(_describe_assumed(title))
        for done, file in enumerate(self._files):
            if done % _STEP == 0:
                yield Progress(done, len(self._files), tr("Importing {name}", name=title))
            self._complete(file, first)
            parsed.pictures.append(file.picture)
        return parsed

    def _origin(self) -> int | None:
        """The number of the first pixel that the files prove, None if they prove none."""
        if self._has_zero or self._has_single:
            return 0 if self._has_zero else 1
        if any(tool in text for text in self._sources for tool in _FROM_0):
            return 0
        return 1 if any(name in text for text in self._sources for name in _FROM_1) else None

    def _complete(self, file: _VocFile, first: int) -> None:
        """Give the picture of a file its boxes; `first` is the number of the first pixel."""
        start, end = file.start, file.end
        edges = self._columns.edges[4 * start : 4 * end]
        are_boxes = all(map(lt, [edge - first for edge in edges[0::4]], edges[2::4])) and all(
            map(lt, [edge - first for edge in edges[1::4]], edges[3::4])
        )
        if are_boxes and not file.objects:
            file.picture.more = self._columns.rows(start, end, first=first)
        else:
            self._add_singly(file, first)

    def _add_singly(self, file: _VocFile, first: int) -> None:
        """Add the objects of a file to its picture one by one, with a defect for each that is no box."""
        for place, (name, (x1, y1, x2, y2), texts) in enumerate(file.objects or self._objects(file), start=1):
            low = [None if value is None else value - first for value in (x1, y1)]
            where = tr("the object {number}", number=place)
            marks = self._marks[self._kept(texts)][1]
            file.picture.add(name, [*low, x2, y2], where=where, entry=marks, format=VOC)

    def _objects(self, file: _VocFile) -> Iterator[_Object]:
        """The objects of a file whose boxes are in the columns."""
        columns = self._columns
        for row in range(file.start, file.end):
            edges = columns.edges[4 * row : 4 * row + 4]
            yield columns.categories[columns.category[row]], edges, self._marks[columns.text[row]][0]


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


def _head_of(root: ElementTree.Element) -> tuple[str, str, tuple[int, int]]:
    """The name that a file states for its picture, the names of its source in lower case, and the picture's size."""
    stated = (_text(root, "filename") or "").strip()
    sources = " ".join(_text(root, f"source/{tag}") or "" for tag in ("annotation", "database")).casefold()
    return stated, sources, (side_of(_text(root, "size/width")), side_of(_text(root, "size/height")))


def _is_object(element: ElementTree.Element) -> bool:
    return element.tag == "object" or _tag(element) == "object"


def _object_of(entry: ElementTree.Element) -> _Object:
    """The name of an object, its corners (None: not a number) and the texts of _MARKS (None: it has none)."""
    texts: dict[str, str] = {}
    edges: dict[str, str] = {}
    # Not by paths, which take most of the time of an import.
    for child in entry:
        tag = child.tag if "}" not in child.tag else _tag(child)
        if tag == "bndbox":
            for edge in child:
                edges.setdefault(edge.tag if "}" not in edge.tag else _tag(edge), edge.text or "")
        else:
            texts.setdefault(tag, child.text or "")
    corners = [number_in(edges.get(edge)) for edge in _EDGES]
    return texts.get("name"), corners, tuple([texts.get(mark) for mark in _MARKS])


def _text(element: ElementTree.Element, path: str) -> str | None:
    """The text below an element, in any namespace."""
    first, _, rest = path.partition("/")
    for child in element:
        if child.tag == first or _tag(child) == first:
            found = _text(child, rest) if rest else child.text or ""
            if found is not None:
                return found
    return None


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]
