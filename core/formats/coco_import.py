"""COCO import: the boxes of a file that lie on pictures of a project, and what of it cannot be used."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from core.formats.coco_reader import CocoAnnotation, CocoFile, CocoImage, is_number, read_coco_steps
from core.formats.json_steps import STEP
from core.geometry import Box, clip
from core.progress import Job, Progress
from core.records import Correction, EdgeConfidence, ImageRecord, ImportedBox, Origin

SLACK_PX = 2
"""Tools round the size of a resized picture up or down; more than this is another picture."""

NO_CATEGORY = "object"
"""What a box is labelled as whose file does not tell."""


@dataclass
class FoundBoxes:
    """What a file has for a project's pictures.

    `missing` are the names of its pictures that the project does not hold, `problems` a sentence for each other thing
    that cannot be used.
    """

    boxes: list[ImportedBox] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def find_boxes(path: Path, images: Sequence[ImageRecord], *, folder: Path) -> Job[FoundBoxes]:
    """Read the boxes of a COCO file that lie on `images`; `folder` is the one that its file names are relative to.

    A picture that is not there under its whole name is found by its last part, if no other has that. What `export` has
    written comes back with what was drawn, refined and accepted. Raises BadFileError as `read_coco`.
    """
    coco = yield from read_coco_steps(path)
    found = FoundBoxes(problems=list(coco.problems))
    places = dict(_places(coco, images, folder, found))
    names = category_names(coco)
    for done, note in enumerate(coco.annotations):
        if done % STEP == 0:
            yield Progress(done, len(coco.annotations), f"Importing {path.name}")
        image = places.get(note.image_id)
        if image is None:
            continue
        box = Box.of(clip([note.box], width=image.width, height=image.height))
        if max(note.box.x1, 0) >= image.width or max(note.box.y1, 0) >= image.height or min(note.box[2:]) <= 0:
            found.problems.append(
                f"In {path}, the annotation {note.id} has a bbox wholly outside {image.path.name}: correct its x and y."
            )
        else:
            found.boxes.append(ImportedBox(names[note.index] or NO_CATEGORY, _correction(coco, note, image, box)))
    return found


def category_names(coco: CocoFile) -> dict[int, str | None]:
    """Names of the boxes' categories by `CocoAnnotation.index`, None where the file does not tell."""
    entries = coco.document.get("categories")
    entries = entries if isinstance(entries, list) else []
    named = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), int | str)]
    known = {entry["id"]: str(entry.get("name") or "").strip() or None for entry in named}
    notes = coco.document["annotations"]
    chosen = {note.index: notes[note.index].get("category_id") for note in coco.annotations}
    return {index: known.get(id) if isinstance(id, int | str) else None for index, id in chosen.items()}


def _places(
    coco: CocoFile, images: Sequence[ImageRecord], folder: Path, found: FoundBoxes
) -> Iterator[tuple[Any, ImageRecord]]:
    """The file's id of each picture and the project's record of it; what has none is noted in `found`."""
    by_path = {image.path.as_posix(): image for image in images}
    by_name: dict[str, list[ImageRecord]] = {}
    for image in images:
        by_name.setdefault(image.path.name.casefold(), []).append(image)
    shared = Counter(_last_part(entry) for entry in coco.images.values())
    for id, entry in coco.images.items():
        whole = (folder / entry.file_name.replace("\\", "/")).as_posix()
        name = _last_part(entry)
        alike = by_name.get(name, [])
        record = by_path.get(whole) or (alike[0] if len(alike) == 1 and shared[name] == 1 else None)
        if record is None:
            found.missing.append(entry.file_name)
        elif not _is_of_size(entry, record):
            found.problems.append(
                f"The picture {record.path} is {record.width} x {record.height} pixels upright but {coco.path} says "
                f"{entry.width} x {entry.height}: give the picture that the boxes were drawn on."
            )
        else:
            yield id, record


def _last_part(entry: CocoImage) -> str:
    return PurePosixPath(entry.file_name.replace("\\", "/")).name.casefold()


def _is_of_size(entry: CocoImage, record: ImageRecord) -> bool:
    width, height = entry.width or record.width, entry.height or record.height
    return max(abs(width - record.width), abs(height - record.height)) <= SLACK_PX


def _correction(coco: CocoFile, note: CocoAnnotation, image: ImageRecord, box: Box) -> Correction:
    entry = coco.document["annotations"][note.index]
    drawn, refined = _box_in(entry.get("drawn_bbox")), _box_in(entry.get("refined_bbox"))
    is_ours = drawn is not None
    if refined is None and _is_finite(entry.get("refine_score")) and not is_ours:
        refined = box  # of the verb refine, which does not tell what was drawn
    return Correction(
        image_id=image.id,
        category_id=0,
        drawn=drawn or box,
        accepted=box,
        refined=refined,
        edge_confidence=_confidence(entry.get("edge_confidence")) if refined else None,
        score=float(entry["refine_score"]) if refined and _is_finite(entry.get("refine_score")) else None,
        encoder=str(entry.get("encoder") or "") if refined else "",
        refiner=str(entry.get("refiner") or "") if refined else "",
        seconds=float(entry["seconds"]) if is_ours and _is_finite(entry.get("seconds")) else 0.0,
        origin=Origin(coco.path.name, box),
        confirmed=is_ours and entry.get("confirmed") is not False,
    )


def _box_in(bbox: object) -> Box | None:
    """The box in x, y, width, height, if that is what it is."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_is_finite, bbox)):
        return None
    x, y, width, height = map(float, bbox)
    return Box(x, y, x + width, y + height) if width > 0 and height > 0 else None


def _confidence(values: object) -> EdgeConfidence | None:
    if not isinstance(values, list) or len(values) != 4 or not all(map(_is_finite, values)):
        return None
    left, top, right, bottom = map(float, values)
    return left, top, right, bottom


def _is_finite(value: object) -> bool:
    return is_number(value) and math.isfinite(value)
