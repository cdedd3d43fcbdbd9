"""Read VIA 2: the JSON of a project or of its annotations, and its CSV; and VIA 3's projects. Shapes are in pixels."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.formats.importers.book import Book, EntryFormat, entry_at
from core.formats.importers.parsed import NO_CATEGORY, category_of
from core.formats.importers.shapes import around_ellipse, floats, from_corner
from core.translation import tr

VIA = "VIA"  # untranslated: the name of a format
VIA_CSV = "VIA CSV"
CSV_COLUMNS = ("filename", "region_shape_attributes", "region_attributes")

_FILES = "_via_img_metadata"
_USUAL = ("label", "class", "name", "category", "type", "object")  # untranslated: attributes in files
_NO_BOXES = ("point",)


def _sniff(document: object) -> bool:
    files = document.get(_FILES, document) if isinstance(document, dict) else None
    first = next(iter(files.values()), None) if isinstance(files, dict) else None
    is_file = isinstance(first, dict) and "filename" in first and "regions" in first
    return is_file or (isinstance(document, dict) and isinstance(document.get(_FILES), dict))


def _entries(book: Book, document: dict[str, Any]) -> Iterator[tuple[object, str]]:
    """Each file with the attribute that names the categories; the options of the attribute come first, in order."""
    files = list(document.get(_FILES, document).values())
    listed = document.get("_via_attributes")
    listed = listed.get("region") if isinstance(listed, dict) else None
    listed = listed if isinstance(listed, dict) else {}
    seen = (name for file in files for region in _regions(file) for name in _mapping(region, "region_attributes"))
    attribute = choose_attribute(book, list(dict.fromkeys([*listed, *seen])))
    options = listed.get(attribute)
    options = options.get("options") if isinstance(options, dict) else None
    names = [category_of(name) for name in options] if isinstance(options, dict) else []
    book.parsed.categories += [name for name in names if name is not None and name != NO_CATEGORY]
    book.parsed.header = {"attribute": attribute, "_via_attributes": document.get("_via_attributes")}
    for file in files:
        yield file, attribute


def _add(book: Book, number: int, pair: tuple[object, str]) -> None:
    file, attribute = pair
    picture = book.picture(file.get("filename") if isinstance(file, dict) else None, entry_at(number))
    if picture is not None and (attributes := _mapping(file, "file_attributes")):
        picture.entry = {"file_attributes": attributes}
    for place, region in enumerate(_regions(file) if picture is not None else [], start=1):
        shape = _mapping(region, "shape_attributes")
        if shape.get("name") in _NO_BOXES:
            book.note_left_out(str(shape["name"]))
        elif picture is not None:
            where = tr("the shape {number}", number=place)
            label = label_in(_mapping(region, "region_attributes"), attribute)
            picture.add(label, _corners(shape), where=where, entry=region, format=VIA)


def without_copies(documents: Sequence[tuple[Path, Any]]) -> list[tuple[Path, Any]]:
    """The documents without those of annotations whose pictures a project in the same folder has, too."""
    files = {path: _names(document) for path, document in documents}
    projects = [path for path, document in documents if _FILES in document]
    return [
        (path, document)
        for path, document in documents
        if path in projects
        or not any(other.parent == path.parent and files[path] <= files[other] for other in projects)
    ]


def _names(document: Mapping[str, Any]) -> set[str]:
    files = document.get(_FILES, document)
    entries = files.values() if isinstance(files, dict) else ()
    return {str(entry.get("filename")) for entry in entries if isinstance(entry, dict)}


def _csv_sniff(row: list[str]) -> bool:
    return {name.strip().lstrip("#").casefold() for name in row} >= set(CSV_COLUMNS)


def _csv_entries(book: Book, rows: Iterator[list[str]]) -> Iterator[tuple[dict[str, Any], str]]:
    header = [name.strip().lstrip("#").casefold() for name in next(rows, [])]
    found: list[dict[str, Any]] = [dict(zip(header, row, strict=False)) for row in rows]
    for row in found:
        for column in CSV_COLUMNS[1:]:
            row[column] = _parsed(row.get(column))
    names = dict.fromkeys(name for row in found for name in _mapping(row, CSV_COLUMNS[2]))
    attribute = choose_attribute(book, list(names))
    book.parsed.header = {"attribute": attribute}
    return ((row, attribute) for row in found)


def _csv_add(book: Book, number: int, pair: tuple[dict[str, Any], str]) -> None:
    row, attribute = pair
    where = tr("the line {number}", number=number + 1)
    picture = book.picture(row.get("filename"), where)
    shape = row[CSV_COLUMNS[1]]
    if picture is None or (shape == {} and str(row.get("region_count", "")).strip() in ("", "0")):
        return
    if isinstance(shape, dict) and shape.get("name") in _NO_BOXES:
        book.note_left_out(str(shape["name"]))
    else:
        label = label_in(_mapping(row, CSV_COLUMNS[2]), attribute)
        entry = {"shape_attributes": shape, "region_attributes": _mapping(row, CSV_COLUMNS[2])}
        corners = _corners(shape if isinstance(shape, dict) else {})
        picture.add(label, corners, where=where, entry=entry, format=VIA)


def _parsed(text: object) -> object:
    try:
        return json.loads(str(text or "{}"))
    except (ValueError, RecursionError):
        return None


def choose_attribute(book: Book, attributes: list[str]) -> str:
    """The attribute that names the categories: one of a usual name, else the first."""
    chosen = next((name for name in attributes if name.casefold() in _USUAL), attributes[0] if attributes else "")
    if len(attributes) > 1:
        book.note(
            tr(
                "The attribute {name} in {file} names the categories; its others are left out.",
                name=chosen,
                file=book.path,
            )
        )
    return chosen


def label_in(attributes: Mapping[str, Any], attribute: str) -> object:
    """The value of an attribute; of one with check boxes, the first that is checked."""
    value = attributes.get(attribute)
    if isinstance(value, dict):
        return next((name for name, is_checked in value.items() if is_checked), None)
    return value


def _regions(file: object) -> list[Any]:
    """The regions of a file; VIA 1 has them as an object."""
    regions = file.get("regions") if isinstance(file, dict) else None
    return list(regions.values()) if isinstance(regions, dict) else regions if isinstance(regions, list) else []


def _mapping(entry: object, key: str) -> Mapping[str, Any]:
    value = entry.get(key) if isinstance(entry, dict) else None
    return value if isinstance(value, dict) else {}


def _corners(shape: Mapping[str, Any]) -> list[float]:
    get = shape.get
    if get("name") == "rect":
        return from_corner(map(get, ("x", "y", "width", "height")))
    if get("name") == "circle":
        return around_ellipse(map(get, ("cx", "cy", "r", "r")))
    if get("name") == "ellipse":
        return around_ellipse(map(get, ("cx", "cy", "rx", "ry")), math.degrees((floats([get("theta", 0)]) or [0.0])[0]))
    xs, ys = (get(f"all_points_{axis}") for axis in "xy")
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
        return []
    return floats(value for pair in zip(xs, ys, strict=True) for value in pair)


FORMAT = EntryFormat(VIA, _sniff, _entries, _add)
CSV_FORMAT = EntryFormat(VIA_CSV, _csv_sniff, _csv_entries, _csv_add)
