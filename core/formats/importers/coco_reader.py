"""Reading COCO files: what can be used, and a sentence for each box that cannot."""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from core.bounded import MEGA, read_bytes
from core.errors import BadFileError, BadInputError, reason
from core.formats.importers.json_steps import STEP, parse_steps
from core.geometry import Box
from core.progress import Job, Progress, run
from core.text import is_file_name

LARGEST_JSON = 2048 * MEGA
"""Of annotations: those of COCO itself take 470 MB."""

LONGEST_BITS = 1000
"""Of a whole number that a float holds, too."""

CocoId = int | str
"""COCO's ids are whole numbers; files with text instead exist and work."""


class CocoImage(NamedTuple):
    """A picture of a COCO file; `width` and `height` are 0 where the file does not tell them."""

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


@dataclass(frozen=True)
class CocoFile:
    """A COCO document as it was read, and what of it can be used.

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
    """Read and check a COCO file of boxes; bad entries are told in `problems`, the others can be used.

    Raises BadFileError where the file is missing, no JSON, or has no lists of images and annotations.
    """
    return run(check_steps(path, run(read_json_steps(path))))


def check_steps(path: Path, document: Any) -> Job[CocoFile]:  # noqa: ANN401 - raw JSON
    """Check a document that was read from `path`; in steps, between which other threads get their turn."""
    for key in ("images", "annotations"):
        if not isinstance(document, dict) or not isinstance(document.get(key), list):
            raise BadFileError(f"{path} has no list of {key}: give a COCO file with images and annotations.")
    images, problems = _read_images(path, document["images"])
    annotations: list[CocoAnnotation] = []
    unusable: set[int] = set()
    seen: set[CocoId] = set()
    total = len(document["annotations"])
    for index, entry in enumerate(document["annotations"]):
        if index % STEP == 0:
            yield Progress(index, total, f"Looking at the boxes of {path.name}")
        try:
            annotation = _annotation(index, entry, images)
            if annotation.id in seen:
                raise BadInputError("has an id that an earlier annotation has: give it one of its own")
        except BadInputError as error:
            problems.append(f"In {path}, {_name(index, entry)} {error}.")
            unusable.add(index)
        else:
            annotations.append(annotation)
        seen.update(_ids(entry))
    return CocoFile(path, document, images, annotations, problems, frozenset(unusable))


def read_json_steps(path: Path) -> Job[Any]:
    """What a JSON file holds. Raises BadFileError where it is missing or no JSON."""
    try:
        content = read_bytes(path, limit=LARGEST_JSON)
        text = content.removeprefix(codecs.BOM_UTF8).decode(json.detect_encoding(content), "surrogatepass")
        return (yield from parse_steps(text, name=path.name))
    except FileNotFoundError as error:
        raise BadFileError(f"The file {path} does not exist: check the path.") from error
    except OSError as error:
        raise BadFileError(f"The file {path} cannot be read ({reason(error)}): check the path.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        message = f"{path} is not valid JSON ({reason(error)}): export it again from where it came."
        raise BadFileError(message) from error


def _read_images(path: Path, entries: list[Any]) -> tuple[dict[CocoId, CocoImage], list[str]]:
    images: dict[CocoId, CocoImage] = {}
    problems: list[str] = []
    for index, entry in enumerate(entries):
        id = next(_ids(entry), None)
        name = entry.get("file_name") if isinstance(entry, dict) else None
        if id is None or not isinstance(name, str) or not name:
            problems.append(f"In {path}, the image at place {index + 1} has no id or no file_name: add it.")
        elif not is_file_name(name):
            problems.append(
                f"In {path}, the image {id} has a file_name that no file can have ({name!r:.100}): correct it."
            )
        elif id in images:
            problems.append(f"In {path}, the image {name} has the id {id} of an earlier one: give it one of its own.")
        else:
            images[id] = CocoImage(name, _side(entry.get("width")), _side(entry.get("height")))
    return images, problems


def _annotation(index: int, entry: Any, images: dict[CocoId, CocoImage]) -> CocoAnnotation:  # noqa: ANN401 - raw JSON
    id = next(_ids(entry), None)
    if id is None:
        raise BadInputError("has no id: give it one of its own")
    image_id = next(_ids({"id": entry.get("image_id")}), None)
    if image_id is None:
        raise BadInputError("has no image_id: name the image that it is on")
    if image_id not in images:
        raise BadInputError(f"is on an image {image_id} that the file does not have: add it or correct the image_id")
    return CocoAnnotation(index, id, image_id, _box(entry.get("bbox"), images[image_id]))


def _box(bbox: object, image: CocoImage) -> Box:
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(is_number(value) for value in bbox):
        raise BadInputError("has no bbox of four numbers: give x, y, width and height")
    if not all(math.isfinite(value) for value in bbox):
        raise BadInputError("has a bbox with NaN or Infinity: give finite numbers")
    x, y, width, height = (float(value) for value in bbox)
    if not math.isfinite(x + width) or not math.isfinite(y + height):
        raise BadInputError("has a bbox without end: give numbers of pixels")
    if width <= 0 or height <= 0:
        raise BadInputError(f"has a bbox of size {width:g} x {height:g}: give it a width and a height above 0")
    beside = image.width and (x >= image.width or x + width <= 0)
    if beside or (image.height and (y >= image.height or y + height <= 0)):
        raise BadInputError(f"has a bbox wholly outside {image.file_name}: correct its x and y")
    return Box(x, y, x + width, y + height)


def _ids(entry: object) -> Iterator[CocoId]:
    """The entry's id, if it has one that can be used."""
    id = entry.get("id") if isinstance(entry, dict) else None
    if isinstance(id, str) or (isinstance(id, int) and not isinstance(id, bool) and id.bit_length() <= LONGEST_BITS):
        yield id


def _name(index: int, entry: object) -> str:
    return next((f"the annotation {id}" for id in _ids(entry)), f"the annotation at place {index + 1}")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is one, and not a whole number so long that no float holds it, which JSON allows."""
    return (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and not (isinstance(value, int) and value.bit_length() > LONGEST_BITS)
    )


def _side(value: object) -> int:
    return int(value) if is_number(value) and 0 < value < 1e9 else 0
