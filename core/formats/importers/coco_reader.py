"""Read COCO files: the usable entries, and a sentence for each other one."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from core.bounded import MEGA, read_bytes
from core.errors import BadFileError, reason
from core.formats.importers.json_steps import STEP, parse_steps
from core.geometry import Box
from core.progress import Job, Progress, run
from core.text import is_file_name
from core.translation import tr

LARGEST_JSON = 2048 * MEGA
"""Largest JSON file, in bytes; the annotations of COCO itself take 470 MB."""

LONGEST_BITS = 1000
"""Bits of the largest whole number to accept, because any float can hold it."""

EDGES = ("left", "top", "right", "bottom")
"""The names of edges in files of BoxRefine, in the order of edge confidences."""

CocoId = int | str
"""COCO's ids are whole numbers, but some files have text instead, which is accepted."""


class CocoImage(NamedTuple):
    """A picture of a COCO file; `width` and `height` are 0 if the file does not have them."""

    file_name: str
    width: int
    height: int


@dataclass(frozen=True)
class CocoAnnotation:
    """A usable box; `index` is its place in `document["annotations"]`."""

    index: int
    id: CocoId
    image_id: CocoId
    box: Box


class _UnusableError(Exception):
    """An annotation that cannot be used; `sentence` has {file} and {entry}, which the caller fills in, and `values`."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence)
        self.sentence, self.values = sentence, values


@dataclass(frozen=True)
class CocoFile:
    """A COCO document as it was read, and its usable entries.

    `problems` has one sentence for each unusable image or annotation; `unusable` has the indices of those
    annotations in `document["annotations"]`.
    """

    path: Path
    document: dict[str, Any]
    images: dict[CocoId, CocoImage]
    annotations: list[CocoAnnotation]
    problems: list[str]
    unusable: frozenset[int]

    def by_image(self) -> dict[CocoId, list[CocoAnnotation]]:
        """Image id -> its usable annotations in their order, for images that have some."""
        groups: dict[CocoId, list[CocoAnnotation]] = {}
        for annotation in self.annotations:
            groups.setdefault(annotation.image_id, []).append(annotation)
        return groups


def read_coco(path: Path) -> CocoFile:
    """Read and check a COCO file of boxes; each unusable entry has a sentence in `problems`.

    Raises BadFileError if the file is missing, no JSON, or has no lists of images and annotations.
    """
    return run(check_steps(path, run(read_json_steps(path))))


def check_steps(path: Path, document: Any) -> Job[CocoFile]:  # noqa: ANN401 - raw JSON
    """Check a document that was read from `path`, as a job, so that other threads run between its steps."""
    for key in ("images", "annotations"):
        if not isinstance(document, dict) or not isinstance(document.get(key), list):
            raise BadFileError(
                tr("{file} has no list of {key}: give a COCO file with images and annotations.", file=path, key=key)
            )
    images, problems = _read_images(path, document["images"])
    annotations: list[CocoAnnotation] = []
    unusable: set[int] = set()
    seen: set[CocoId] = set()
    total = len(document["annotations"])
    for index, entry in enumerate(document["annotations"]):
        if index % STEP == 0:
            yield Progress(index, total, tr("Checking the boxes of {name}", name=path.name))
        try:
            annotation = _annotation(index, entry, images)
            if annotation.id in seen:
                raise _UnusableError(
                    tr("In {file}, {entry} has an id that an earlier annotation has: give it one of its own.")
                )
        except _UnusableError as error:
            problems.append(error.sentence.format(file=path, entry=_name(index, entry), **error.values))
            unusable.add(index)
        else:
            annotations.append(annotation)
        seen.update(_ids(entry))
    return CocoFile(path, document, images, annotations, problems, frozenset(unusable))


def read_json_steps(path: Path) -> Job[Any]:
    """Parse a JSON file, as a job. Raises BadFileError if it is missing, too large or no JSON."""
    try:
        content = read_bytes(path, limit=LARGEST_JSON)
        text = content.removeprefix(codecs.BOM_UTF8).decode(json.detect_encoding(content), "surrogatepass")
        return (yield from parse_steps(text, name=path.name))
    except FileNotFoundError as error:
        raise BadFileError(tr("The file {file} does not exist: check the path.", file=path)) from error
    except OSError as error:
        raise BadFileError(
            tr("The file {file} cannot be read ({why}): check the path.", file=path, why=reason(error))
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadFileError(
            tr("{file} is not valid JSON ({why}): export it again from where it came.", file=path, why=reason(error))
        ) from error


def _read_images(path: Path, entries: list[Any]) -> tuple[dict[CocoId, CocoImage], list[str]]:
    images: dict[CocoId, CocoImage] = {}
    problems: list[str] = []
    for index, entry in enumerate(entries):
        id = next(_ids(entry), None)
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if id is None or not isinstance(name, str) or not name:
            problems.append(
                tr(
                    "In {file}, the image at place {number} has no id or no file_name: add it.",
                    file=path,
                    number=index + 1,
                )
            )
        elif not is_file_name(name):
            problems.append(
                tr(
                    "In {file}, the image {id} has a file_name that no file can have ({name}): correct it.",
                    file=path,
                    id=id,
                    name=f"{name!r:.100}",
                )
            )
        elif id in images:
            problems.append(
                tr(
                    "In {file}, the image {name} has the id {id} of an earlier one: give it one of its own.",
                    file=path,
                    name=name,
                    id=id,
                )
            )
        else:
            images[id] = CocoImage(name, _side(entry.get("width")), _side(entry.get("height")))
    return images, problems


def _annotation(index: int, entry: Any, images: dict[CocoId, CocoImage]) -> CocoAnnotation:  # noqa: ANN401 - raw JSON
    id = next(_ids(entry), None)
    if id is None:
        raise _UnusableError(tr("In {file}, {entry} has no id: give it one of its own."))
    image_id = next(_ids({"id": entry.get("image_id")}), None)
    if image_id is None:
        raise _UnusableError(tr("In {file}, {entry} has no image_id: name the image that it is on."))
    if image_id not in images:
        raise _UnusableError(
            tr("In {file}, {entry} is on an image {id} that the file does not have: add it or correct the image_id."),
            id=image_id,
        )
    return CocoAnnotation(index, id, image_id, _box(entry.get("bbox"), images[image_id]))


def _box(bbox: object, image: CocoImage) -> Box:
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(is_number(value) for value in bbox):
        raise _UnusableError(tr("In {file}, {entry} has no bbox of four numbers: give x, y, width and height."))
    if not all(math.isfinite(value) for value in bbox):
        raise _UnusableError(tr("In {file}, {entry} has a bbox with NaN or Infinity: give finite numbers."))
    x, y, width, height = (float(value) for value in bbox)
    if not math.isfinite(x + width) or not math.isfinite(y + height):
        raise _UnusableError(tr("In {file}, {entry} has a bbox without end: give numbers of pixels."))
    if width <= 0 or height <= 0:
        raise _UnusableError(
            tr("In {file}, {entry} has a bbox of size {width} x {height}: give it a width and a height above 0."),
            width=f"{width:g}",
            height=f"{height:g}",
        )
    is_beside = image.width and (x >= image.width or x + width <= 0)
    if is_beside or (image.height and (y >= image.height or y + height <= 0)):
        raise _UnusableError(
            tr("In {file}, {entry} has a bbox wholly outside {picture}: correct its x and y."), picture=image.file_name
        )
    return Box(x, y, x + width, y + height)


def _ids(entry: object) -> Iterator[CocoId]:
    """Yield the entry's id, if it has a usable one."""
    id = entry.get("id") if isinstance(entry, dict) else None
    if isinstance(id, str) or (isinstance(id, int) and not isinstance(id, bool) and id.bit_length() <= LONGEST_BITS):
        yield id


def _name(index: int, entry: object) -> str:
    """The annotation as the subject of a sentence."""
    for id in _ids(entry):
        return tr("the annotation {id}", id=id)
    return tr("the annotation at place {number}", number=index + 1)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number that a float can hold; JSON allows larger whole numbers."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and not (isinstance(value, int) and value.bit_length() > LONGEST_BITS)
    )


def _side(value: object) -> int:
    return int(value) if is_number(value) and 0 < value < 1e9 else 0
