"""COCO import: the boxes of a file that are on a project's pictures, and a sentence for each unusable entry."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.formats.importers.coco_reader import EDGES, CocoAnnotation, CocoFile, CocoId, check_steps, is_number
from core.formats.importers.found import NO_CATEGORY, FoundBoxes, ImageMatcher, clip_to_picture
from core.formats.importers.json_steps import STEP
from core.geometry import Box
from core.progress import Job, Progress
from core.records import Candidate, Choice, Correction, ImageRecord, ImportedBox, Origin
from core.text import name_of
from core.translation import tr


def find_boxes(path: Path, document: dict[str, Any], images: Sequence[ImageRecord], *, folder: Path) -> Job[FoundBoxes]:
    """Find the boxes on `images` in a COCO document, which was read from `path`; see `ImageMatcher`.

    BoxRefine's own exports restore the drawn, refined and accepted boxes. Raises BadFileError as `read_coco`.
    """
    coco = yield from check_steps(path, document)
    found = FoundBoxes(problems=list(coco.problems))
    places = dict(_places(coco, images, folder, found))
    names = category_names(coco)
    found.problems += _unusable_categories(coco)
    for done, note in enumerate(coco.annotations):
        if done % STEP == 0:
            yield Progress(done, len(coco.annotations), tr("Importing {name}", name=path.name))
        image = places.get(note.image_id)
        box = clip_to_picture(note.box, image) if image is not None else None
        if image is not None and box is not None:
            found.boxes.append(ImportedBox(names[note.index] or NO_CATEGORY, _correction(coco, note, image, box)))
        elif image is not None:
            found.problems.append(
                tr(
                    "In {file}, the annotation {id} has a bbox wholly outside {picture}: correct its x and y.",
                    file=path,
                    id=note.id,
                    picture=image.path.name,
                )
            )
    return found


def category_names(coco: CocoFile) -> dict[int, str | None]:
    """Names of the boxes' categories by `CocoAnnotation.index`, None if the file has none."""
    known = {entry["id"]: name_of(entry.get("name")) for entry in _categories(coco)}
    notes = coco.document["annotations"]
    chosen = {note.index: notes[note.index].get("category_id") for note in coco.annotations}
    return {index: known.get(id) if isinstance(id, int | str) else None for index, id in chosen.items()}


def _categories(coco: CocoFile) -> list[dict[str, Any]]:
    entries = coco.document.get("categories")
    entries = entries if isinstance(entries, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), int | str)]


def _unusable_categories(coco: CocoFile) -> list[str]:
    """A sentence for each category whose name is unusable; its boxes are imported without a category."""
    named = [entry for entry in _categories(coco) if entry.get("name") and not _is_blank(entry)]
    wrong = [entry for entry in named if name_of(entry["name"]) is None]
    return [_describe_unusable(coco.path, id=f"{entry['id']!r:.100}", name=entry["name"]) for entry in wrong]


def _is_blank(entry: dict[str, Any]) -> bool:
    return isinstance(entry["name"], str) and not entry["name"].strip()


def _describe_unusable(file: Path, *, id: str, name: object) -> str:
    if isinstance(name, str):
        return tr(
            "In {file}, the category {id} has a name that cannot be used (“{name}”): its boxes are labelled {label}.",
            file=file,
            id=id,
            name=f"{name!r:.100}",
            label=NO_CATEGORY,
        )
    return tr(
        "In {file}, the category {id} has a name that cannot be used (of type {type}): its boxes are labelled {label}.",
        file=file,
        id=id,
        type=type(name).__name__,
        label=NO_CATEGORY,
    )


def _places(
    coco: CocoFile, images: Sequence[ImageRecord], folder: Path, found: FoundBoxes
) -> Iterator[tuple[CocoId, ImageRecord]]:
    """The file's id of each picture with the project's record of it; pictures without one are added to `found`."""
    matcher = ImageMatcher(images, folder=folder, names=(entry.file_name for entry in coco.images.values()))
    for id, entry in coco.images.items():
        record = matcher.match(entry.file_name, found, source=coco.path, width=entry.width, height=entry.height)
        if record is not None:
            yield id, record


def _correction(coco: CocoFile, note: CocoAnnotation, image: ImageRecord, box: Box) -> Correction:
    entry = coco.document["annotations"][note.index]
    drawn, refined = _box_in(entry.get("drawn_bbox")), _box_in(entry.get("refined_bbox"))
    is_ours = drawn is not None
    # Clipped as `box` is, so that an accepted refinement is exactly equal to the refined box.
    refined = clip_to_picture(refined, image) if refined is not None else None
    if refined is None and _is_finite(entry.get("refine_score")) and not is_ours:
        refined = box  # written by earlier versions of `boxrefine refine`, without `drawn_bbox`
    return Correction(
        image_id=image.id,
        category_id=0,
        drawn=drawn or box,
        accepted=box,
        refined=refined,
        edge_confidence=_four(entry.get("edge_confidence")) if refined else None,
        margin=_four(entry.get("margin")) if refined else None,
        score=float(entry["refine_score"]) if refined and _is_finite(entry.get("refine_score")) else None,
        encoder=name_of(entry.get("encoder")) or "" if refined else "",
        refiner=name_of(entry.get("refiner")) or "" if refined else "",
        seconds=float(entry["seconds"]) if is_ours and _is_finite(entry.get("seconds")) else 0.0,
        origin=Origin(coco.path.name, box, *_suggested(entry.get("suggested"))),
        confirmed=is_ours and entry.get("confirmed") is not False,
        choice=_choice(entry.get("choice")) if refined else None,
        doubtful=_edges(entry.get("doubtful")) if refined else (),
    )


def _suggested(entry: object) -> tuple[str, float]:
    """The head that suggested a box, and its score; empty where the file has none of our form."""
    if not isinstance(entry, dict) or not _is_finite(entry.get("score")):
        return "", 0.0
    head = name_of(entry.get("head")) or ""
    return head, min(max(float(entry["score"]), 0.0), 1.0) if head else 0.0


def _box_in(bbox: object) -> Box | None:
    """The box in x, y, width, height; None if that is no box with an area."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_is_finite, bbox)):
        return None
    x, y, width, height = map(float, bbox)
    is_box = width > 0 and height > 0 and math.isfinite(x + width) and math.isfinite(y + height)
    return Box(x, y, x + width, y + height) if is_box else None


def _four(values: object) -> tuple[float, float, float, float] | None:
    if not isinstance(values, list) or len(values) != 4 or not all(map(_is_finite, values)):
        return None
    left, top, right, bottom = map(float, values)
    return left, top, right, bottom


def _choice(entry: object) -> Choice | None:
    """The choice, None if a value of it is invalid."""
    listed = entry.get("candidates") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(listed, list) or len(listed) < 2:
        return None
    candidates, chosen = [_candidate(each) for each in listed], entry.get("chosen")
    whole = tuple(candidate for candidate in candidates if candidate is not None)
    is_whole = len(whole) == len(listed) and type(chosen) is int and 0 <= chosen < len(listed)
    return Choice(whole, chosen) if is_whole and isinstance(chosen, int) else None


def _candidate(entry: object) -> Candidate | None:
    box = _box_in(entry.get("bbox")) if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or box is None or not _is_finite(entry.get("probability")):
        return None
    return Candidate(
        box,
        float(entry["probability"]),
        edge_confidence=_four(entry.get("edge_confidence")),
        score=float(entry["score"]) if _is_finite(entry.get("score")) else None,
        margin=_four(entry.get("margin")),
    )


def _edges(names: object) -> tuple[int, ...]:
    return tuple(edge for edge, name in enumerate(EDGES) if isinstance(names, list) and name in names)


def _is_finite(value: object) -> bool:
    return is_number(value) and math.isfinite(value)
