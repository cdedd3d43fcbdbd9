"""Read COCO files: the usable entries, and a sentence for each other one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from core.bounded import MEGA, read_bytes
from core.errors import BadFileError, reason
from core.formats.defects import Defects
from core.formats.importers.json_steps import STEP, JsonEntries, parse_steps
from core.formats.importers.parsed import LONGEST_BITS, is_finite, is_number, number_in, side_of
from core.formats.importers.run_lengths import box_of_rle
from core.formats.importers.text_files import decode
from core.formats.importers.unknown import describe_unknown
from core.geometry import Box
from core.progress import Job, Progress, run
from core.text import is_file_name
from core.translation import tr

LARGEST_JSON = 2048 * MEGA
"""Largest JSON file, in bytes; the annotations of COCO itself take 470 MB."""

EDGES = ("left", "top", "right", "bottom")
"""The names of edges in files of BoxRefine, in the order of edge confidences."""

Edges = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""

CocoId = int | str
"""COCO's ids are whole numbers; some files have text or 1.0 instead, and "1", 1.0 and 1 are one id."""


class CocoImage(NamedTuple):
    """A picture of a COCO file; `width` and `height` are 0 if the file does not have them."""

    file_name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class CocoAnnotation:
    """A usable box; `index` is its place in `document["annotations"]`.

    `id` is the one in the file, which may be that of another one too; without one, it is `-1 - index`. `is_crowd`: the
    box is around many objects, so it is not to be refined.
    """

    index: int
    id: CocoId
    image_id: CocoId
    box: Box
    is_crowd: bool = False


class UnusableError(Exception):
    """An annotation that cannot be used; `sentence` has {file} and {entry}, which `count` fills in, and `values`."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence, self.values = sentence, values

    def count(self, defects: Defects, path: Path, index: int, entry: object) -> None:
        """Count the defect of the annotation at a place of the file."""
        defects.add(self.sentence, file=path, entry=_name(index, entry), **self.values)


@dataclass(frozen=True)
class CocoFile:
    """A COCO document as it was read, and its usable entries.

    `defects` counts the unusable images and annotations; `unusable` has the indices of those annotations in
    `document["annotations"]`.
    """

    path: Path
    document: dict[str, Any]
    images: dict[CocoId, CocoImage]
    annotations: list[CocoAnnotation]
    defects: Defects
    unusable: frozenset[int]

    @property
    def problems(self) -> list[str]:
        """A sentence for each kind of unusable entry."""
        return self.defects.sentences()

    def by_image(self) -> dict[CocoId, list[CocoAnnotation]]:
        """Image id -> its usable annotations in their order, for images that have some."""
        groups: dict[CocoId, list[CocoAnnotation]] = {}
        for annotation in self.annotations:
            groups.setdefault(annotation.image_id, []).append(annotation)
        return groups


def read_coco(path: Path) -> CocoFile:
    """Read and check a COCO file of boxes; unusable entries are counted in `defects`.

    Raises BadFileError if the file is missing, no JSON, or has no lists of images and annotations.
    """
    return run(check_steps(path, run(read_json_steps(path))))


def check_steps(path: Path, document: Any) -> Job[CocoFile]:  # noqa: ANN401 - raw JSON
    """Check a document that was read from `path`, as a job, so that other threads run between its steps."""
    images, defects = check_images(path, document)
    annotations: list[CocoAnnotation] = []
    unusable: set[int] = set()
    total = len(document["annotations"])
    for index, entry in enumerate(document["annotations"]):
        if index % STEP == 0:
            yield Progress(index, total, tr("Checking the boxes of {name}", name=path.name))
        try:
            image_id, box = place_of(entry, images)
            id = id_of(entry.get("id"))
            is_crowd = entry.get("iscrowd") in (1, True)
            annotations.append(CocoAnnotation(index, -1 - index if id is None else id, image_id, Box(*box), is_crowd))
        except UnusableError as error:
            error.count(defects, path, index, entry)
            unusable.add(index)
    return CocoFile(path, document, images, annotations, defects, frozenset(unusable))


def check_images(path: Path, document: Any) -> tuple[dict[CocoId, CocoImage], Defects]:  # noqa: ANN401 - raw JSON
    """The usable images of a document, and the defects of the others. Raises BadFileError without the two lists."""
    for key in ("images", "annotations"):
        if not isinstance(document, dict) or not isinstance(document.get(key), list | JsonEntries):
            raise BadFileError(
                tr("{file} has no list of {key}: give a COCO file with images and annotations.", file=path, key=key)
            )
    return _read_images(path, document["images"])


def read_json_steps(path: Path) -> Job[Any]:
    """Parse a JSON file, as a job. Raises BadFileError if it is missing, too large or no JSON."""
    content = b""
    try:
        content = read_bytes(path, limit=LARGEST_JSON)
        return (yield from parse_steps(_text_of(content), name=path.name))
    except FileNotFoundError as error:
        raise BadFileError(tr("The file {file} does not exist: check the path.", file=path)) from error
    except OSError as error:
        raise BadFileError(
            tr("The file {file} cannot be read ({why}): check the path.", file=path, why=reason(error))
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        if sentence := describe_unknown(path, content):
            raise BadFileError(sentence) from error
        raise BadFileError(
            tr("{file} is not valid JSON ({why}): export it again from where it came.", file=path, why=reason(error))
        ) from error


def _text_of(content: bytes) -> str:
    """Decode JSON: Unicode as its first bytes show, else what older programs write."""
    try:
        return content.decode(json.detect_encoding(content), "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return decode(content)[0]


def image_entries(listed: Iterable[Any], images: Mapping[CocoId, CocoImage]) -> dict[CocoId, dict[str, Any]]:
    """Image id -> what a document has on it, for the usable images."""
    entries: dict[CocoId, dict[str, Any]] = {}
    for entry in listed:
        id = id_of(entry.get("id")) if isinstance(entry, dict) else None
        if id is not None and id in images:
            entries.setdefault(id, entry)
    return entries


def _read_images(path: Path, entries: list[Any]) -> tuple[dict[CocoId, CocoImage], Defects]:
    images: dict[CocoId, CocoImage] = {}
    defects = Defects()
    for index, entry in enumerate(entries):
        id = id_of(entry.get("id")) if isinstance(entry, dict) else None
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if id is None or not isinstance(name, str) or not name:
            defects.add(
                tr("In {file}, the image at place {number} has no id or no file_name: add it."),
                file=path,
                number=index + 1,
            )
        elif not is_file_name(name):
            defects.add(
                tr("In {file}, the image {id} has a file_name that no file can have ({name}): correct it."),
                file=path,
                id=id,
                name=f"{name!r:.100}",
            )
        elif id in images:
            defects.add(
                tr("In {file}, the image {name} has the id {id} of an earlier one: give it one of its own."),
                file=path,
                name=name,
                id=id,
            )
        else:
            images[id] = CocoImage(name, side_of(entry.get("width")), side_of(entry.get("height")))
    return images, defects


def place_of(entry: Any, images: Mapping[CocoId, CocoImage]) -> tuple[CocoId, Edges]:  # noqa: ANN401 - raw JSON
    """The id of the image that an annotation is on, and its edges. Raises UnusableError."""
    if not isinstance(entry, dict):
        raise UnusableError(tr("In {file}, {entry} is no object: correct or delete it."))
    image_id = id_of(entry.get("image_id"))
    if image_id is None:
        raise UnusableError(tr("In {file}, {entry} has no image_id: name the image that it is on."))
    image = images.get(image_id)
    if image is None:
        raise UnusableError(
            tr("In {file}, {entry} is on an image {id} that the file does not have: add it or correct the image_id."),
            id=image_id,
        )
    return image_id, _edges(entry.get("bbox") or _around(entry.get("segmentation")), image)


def _around(segmentation: object) -> list[float] | None:
    """The bbox around polygons or a mask, None without a usable one."""
    if isinstance(segmentation, dict):
        return box_of_rle(segmentation)
    polygons = segmentation if isinstance(segmentation, list) else []
    polygons = polygons if polygons and isinstance(polygons[0], list) else [polygons]
    numbers = [[value for value in polygon if is_finite(value)] for polygon in polygons if isinstance(polygon, list)]
    xs, ys = ([value for polygon in numbers for value in polygon[start::2]] for start in (0, 1))
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)] if len(xs) > 1 and len(xs) == len(ys) else None


def _edges(bbox: object, image: CocoImage) -> Edges:
    if isinstance(bbox, list) and str in map(type, bbox):
        bbox = [number_in(value) if isinstance(value, str) else value for value in bbox]
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(is_number, bbox)):
        raise UnusableError(tr("In {file}, {entry} has no bbox of four numbers: give x, y, width and height."))
    x, y, width, height = map(float, bbox)
    right, bottom = x + width, y + height
    if not (math.isfinite(right) and math.isfinite(bottom)):
        if not all(map(math.isfinite, bbox)):
            raise UnusableError(tr("In {file}, {entry} has a bbox with NaN or Infinity: give finite numbers."))
        raise UnusableError(tr("In {file}, {entry} has a bbox without end: give numbers of pixels."))
    if width <= 0 or height <= 0:
        raise UnusableError(
            tr("In {file}, {entry} has a bbox of size {width} x {height}: give it a width and a height above 0."),
            width=f"{width:g}",
            height=f"{height:g}",
        )
    is_beside = image.width and (x >= image.width or right <= 0)
    if is_beside or (image.height and (y >= image.height or bottom <= 0)):
        raise UnusableError(
            tr("In {file}, {entry} has a bbox wholly outside {picture}: correct its x and y."), picture=image.file_name
        )
    return x, y, right, bottom


def id_of(value: object) -> CocoId | None:
    """The id that a value stands for; None if it is none."""
    if type(value) is int and -(2**63) < value < 2**63:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, str):
        is_whole = value.isdecimal() and value.isascii() and len(value) < 19 and str(int(value)) == value
        return int(value) if is_whole else value
    is_usable = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= LONGEST_BITS
    return value if is_usable and isinstance(value, int) else None


def _name(index: int, entry: object) -> str:
    """The annotation as the subject of a sentence."""
    id = id_of(entry.get("id")) if isinstance(entry, dict) else None
    if id is None:
        return tr("the annotation at place {number}", number=index + 1)
    return tr("the annotation {id}", id=id)
