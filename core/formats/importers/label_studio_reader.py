"""Read Label Studio: its JSON of tasks, and its JSON-MIN; shapes are in percent of the picture's sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from core.bounded import MEGA, read_bytes
from core.formats.importers.book import Book, EntryFormat, entry_at, is_picture
from core.formats.importers.parsed import NO_CATEGORY, ParsedPicture, category_of, is_finite
from core.formats.importers.shapes import around_ellipse, floats, from_corner, rotated
from core.text import is_file_name
from core.translation import tr

LABEL_STUDIO = "Label Studio"  # untranslated: the name of a format
LABEL_STUDIO_MIN = "Label Studio JSON-MIN"

CONFIG_FILE = "label_config.xml"
"""The configuration of a project, which has the labels in their order; what our export calls it."""

SHAPES = {"rectangle": "rectanglelabels", "polygon": "polygonlabels", "ellipse": "ellipselabels"}
_NO_BOXES = ("brush", "brushlabels", "keypoint", "keypointlabels", "bitmask", "bitmasklabels", "vector", "vectorlabels")
_USUAL = ("image", "img", "picture", "photo", "url", "ocr")  # untranslated: keys in files
_MINIMAL = ("annotation_id", "annotator", "lead_time")
_WHOLE = 100.0
_NOT_KEPT = ("annotations", "predictions", "completions")
_LARGEST_CONFIG = 4 * MEGA


def _sniff(document: object) -> bool:
    first = document[0] if isinstance(document, list) and document else None
    keys = ("annotations", "predictions", "completions")
    return isinstance(first, dict) and isinstance(first.get("data"), dict) and any(key in first for key in keys)


def _sniff_min(document: object) -> bool:
    first = document[0] if isinstance(document, list) and document else None
    if not isinstance(first, dict) or _name(first) is None:
        return False
    regions = (value[0] for value in first.values() if isinstance(value, list) and value)
    has_regions = any(isinstance(region, dict) and "original_width" in region for region in regions)
    return has_regions or any(key in first for key in _MINIMAL)


def _entries(book: Book, document: list[Any]) -> Iterator[Any]:
    """The tasks; the labels of a configuration beside or above come first, in their order."""
    for folder in (book.path.parent, book.path.parent.parent):
        try:
            root = ElementTree.fromstring(read_bytes(folder / CONFIG_FILE, limit=_LARGEST_CONFIG))
        except (OSError, ValueError, ElementTree.ParseError, LookupError):
            continue  # it only adds the order of labels
        names = [category_of(label.get("value")) for label in root.iter("Label")]
        book.parsed.categories = list(dict.fromkeys(name for name in names if name not in (None, NO_CATEGORY)))
        break
    return iter(document)


def _add(book: Book, number: int, task: object) -> None:
    task = task if isinstance(task, dict) else {}
    done, name = _newest(book, task), _name(_mapping(task.get("data")))
    uploaded = task.get("file_upload")
    picture = book.picture(name or (uploaded if isinstance(uploaded, str) else None), entry_at(number))
    if picture is not None:
        picture.entry = picture.entry or {key: value for key, value in task.items() if key not in _NOT_KEPT}
        results = done.get("result")
        _add_results(book, picture, results if isinstance(results, list) else [], done.get("score"))


def _newest(book: Book, task: Mapping[str, Any]) -> Mapping[str, Any]:
    """The annotation that is the ground truth, else the newest; a prediction only if the task has no annotation."""
    for key in ("annotations", "completions", "predictions"):
        listed = task.get(key)
        usable = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        usable = [each for each in usable if not each.get("was_cancelled")]
        if usable:
            if len(usable) > 1:
                book.note(
                    tr(
                        "{file} has several annotations of one task: the ground truth or the newest is read.",
                        file=book.path,
                    )
                )
            return max(usable, key=lambda each: (bool(each.get("ground_truth")), str(each.get("created_at") or "")))
    return {}


def _add_min(book: Book, number: int, entry: object) -> None:
    entry = entry if isinstance(entry, dict) else {}
    picture = book.picture(_name(entry), entry_at(number))
    if picture is None:
        return
    for values in entry.values():
        for value in values if isinstance(values, list) else []:
            kinds = [kind for kind, labels in SHAPES.items() if isinstance(value, dict) and labels in value]
            if kinds or (isinstance(value, dict) and "original_width" in value):
                _add_results(
                    book, picture, [value | {"type": SHAPES[kinds[0]] if kinds else "brush", "value": value}], None
                )


def _add_results(book: Book, picture: ParsedPicture, results: list[Any], score: object) -> None:
    """Add the regions; labels may be in a result of their own with the id of the region."""
    named = {
        result["id"]: labels
        for result in results
        if isinstance(result, dict) and isinstance(result.get("id"), str) and (labels := label_in(result)) is not None
    }
    seen: set[object] = set()
    for place, result in enumerate(results, start=1):
        kind = str(result.get("type")) if isinstance(result, dict) else ""
        if kind in _NO_BOXES:
            book.note_left_out(kind)
        shape = kind.removesuffix("labels")
        if not isinstance(result, dict) or shape not in SHAPES:
            continue
        id = result["id"] if isinstance(result.get("id"), str) else place
        if id in seen:
            continue  # the region again, with another of its values
        seen.add(id)
        sides = [floats([result.get(f"original_{side}")]) for side in ("width", "height")]
        wide, high = ((side[0] if side and side[0] > 0 else 0.0) for side in sides)
        where = tr("the shape {number}", number=place)
        if result.get("image_rotation") not in (0, None):
            picture.add_defect(tr("In {file}, {where} is on a turned picture: turn it back and export again."), where)
            continue
        if not wide or not high:
            picture.add_defect(tr("In {file}, {where} has no original_width and original_height: add them."), where)
            continue
        picture.width, picture.height = picture.width or round(min(wide, 1e8)), picture.height or round(min(high, 1e8))
        own = result.get("score")
        corners = _corners(shape, _mapping(result.get("value")), wide, high)
        sure = own if is_finite(own) else score
        label = named.get(id, label_in(result))
        picture.add(label, corners, where=where, score=sure, entry=result, format=LABEL_STUDIO)


def label_in(result: Mapping[str, Any]) -> object:
    """The first label of a result, None without one."""
    value = _mapping(result.get("value"))
    for key in (*SHAPES.values(), "labels", "choices"):
        labels = value.get(key)
        if isinstance(labels, list) and labels:
            return labels[0]
    return None


def _corners(shape: str, value: Mapping[str, Any], wide: float, high: float) -> list[float]:
    """The corners of a shape in pixels. A rectangle is turned about its first corner, an ellipse about its center."""
    across, down, degrees = wide / _WHOLE, high / _WHOLE, floats([value.get("rotation", 0)]) or [0.0]
    if shape == "polygon":
        points = value.get("points")
        pairs = [floats(pair) for pair in points if isinstance(pair, list)] if isinstance(points, list) else []
        is_whole = all(len(pair) == 2 for pair in pairs)
        return (
            [number * side for pair in pairs for number, side in zip(pair, (across, down), strict=True)]
            if is_whole
            else []
        )
    keys = ("x", "y", "width", "height") if shape == "rectangle" else ("x", "y", "radiusX", "radiusY")
    numbers = floats(map(value.get, keys))
    scaled = [number * side for number, side in zip(numbers, (across, down, across, down), strict=False)]
    if shape == "ellipse":
        return around_ellipse(scaled, degrees[0])
    return rotated(from_corner(scaled), degrees[0], about_center=False)


def _name(data: Mapping[str, Any]) -> str | None:
    """The name of the picture in the values of a task: that of a usual key, else one with the suffix of a picture."""
    texts = {key: value for key, value in data.items() if isinstance(value, str) and value}
    for key in _USUAL:
        if key in texts:
            return _path_of(texts[key])
    paths = (_path_of(text) for text in texts.values())
    return next((path for path in paths if is_picture(path)), None)


def _path_of(address: str) -> str:
    """The path in an address: after `?d=` in those of local files, else without the signature behind it."""
    if "?d=" in address:  # relative to the document root of a local storage
        path = unquote(address.rsplit("?d=", 1)[-1])
        return path if is_file_name(path) else address
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    path = unquote(parts.path) if parts.scheme and parts.netloc else address
    return path if is_file_name(path) else address


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


FORMAT = EntryFormat(LABEL_STUDIO, _sniff, _entries, _add)
MIN_FORMAT = EntryFormat(LABEL_STUDIO_MIN, _sniff_min, _entries, _add_min)
