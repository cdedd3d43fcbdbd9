"""COCO import: the boxes of a file that are on a project's pictures, and a sentence for each unusable entry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.formats.defects import Defects
from core.formats.importers.coco_columns import COCO, OUR_KEYS, read_columns
from core.formats.importers.coco_reader import EDGES, CocoFile, CocoId, check_images, id_of, image_entries
from core.formats.importers.found import clip_to_picture
from core.formats.importers.json_steps import STEP
from core.formats.importers.parsed import NO_CATEGORY, ParsedBox, ParsedPicture, ParsedSet, is_finite
from core.geometry import Box
from core.progress import Job, Progress
from core.records import Candidate, Choice, Correction, DrawnBy, ImageRecord, Origin
from core.sources import kept_text
from core.text import name_of
from core.translation import tr


def read_coco_set(path: Path, document: dict[str, Any]) -> Job[ParsedSet]:
    """The boxes of a COCO document that was read from `path`. Raises BadFileError as `read_coco`."""
    images, defects = check_images(path, document)
    names = listed_categories(document)
    boxes = yield from read_columns(path, document["annotations"], images, names, defects)
    header = {key: value for key, value in document.items() if key not in ("images", "annotations")}
    parsed = ParsedSet(COCO, header=header, file=path.name, defects=defects, categories=list(names.values()))
    _count_unusable_categories(path, document, defects)
    entries = image_entries(document["images"], images)
    for place, (id, image) in enumerate(images.items()):
        if place % STEP == 0:
            yield Progress(place, len(images), tr("Importing {name}", name=path.name))
        picture = ParsedPicture(path, (image.file_name,), image.width, image.height, entry=entries.get(id))
        picture.more = boxes.on_image(place)
        parsed.pictures.append(picture)
    return parsed


def category_names(coco: CocoFile) -> dict[int, str | None]:
    """Names of the boxes' categories by `CocoAnnotation.index`, None if the file has none."""
    known, notes = listed_categories(coco.document), coco.document["annotations"]
    ids = {note.index: id_of(notes[note.index].get("category_id")) for note in coco.annotations}
    return {index: None if id is None else known.get(id) for index, id in ids.items()}


def listed_categories(document: Mapping[str, Any]) -> dict[CocoId, str]:
    """Id -> name of the usable categories of a COCO document, in its order."""
    named = ((id_of(entry["id"]), name_of(entry.get("name"))) for entry in _categories(document))
    return {id: name for id, name in named if id is not None and name is not None}


def _categories(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    entries = document.get("categories")
    entries = entries if isinstance(entries, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and id_of(entry.get("id")) is not None]


def _count_unusable_categories(path: Path, document: Mapping[str, Any], defects: Defects) -> None:
    """Count the categories whose name is unusable; their boxes are imported without a category."""
    for entry in _categories(document):
        name = entry.get("name")
        if name and not _is_blank(entry) and name_of(name) is None:
            defects.count("category", _describe_unusable(path, id=f"{entry['id']!r:.100}", name=name))  # untranslated


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


def restored(parsed: ParsedBox, source: Path, image: ImageRecord, box: Box) -> Correction:
    """The correction of a COCO annotation; BoxRefine's own exports restore the drawn, refined and accepted boxes."""
    entry = parsed.entry or {}
    drawn, refined = _box_in(entry.get("drawn_bbox")), _box_in(entry.get("refined_bbox"))
    is_ours = drawn is not None
    # Clipped as `box` is, so that an accepted refinement is exactly equal to the refined box.
    refined = clip_to_picture(refined, image) if refined is not None else None
    if refined is None and is_finite(entry.get("refine_score")) and not is_ours:
        refined = box  # written by earlier versions of `boxrefine refine`, without `drawn_bbox`
    return Correction(
        image_id=image.id,
        category_id=0,
        drawn=drawn or box,
        accepted=box,
        refined=refined,
        edge_confidence=_four(entry.get("edge_confidence")) if refined else None,
        margin=_four(entry.get("margin")) if refined else None,
        score=float(entry["refine_score"]) if refined and is_finite(entry.get("refine_score")) else None,
        encoder=name_of(entry.get("encoder")) or "" if refined else "",
        refiner=name_of(entry.get("refiner")) or "" if refined else "",
        seconds=float(entry["seconds"]) if is_ours and is_finite(entry.get("seconds")) else 0.0,
        origin=_origin(parsed, source, box),
        confirmed=is_ours and entry.get("confirmed") is not False,
        choice=_choice(entry.get("choice")) if refined else None,
        doubtful=_edges(entry.get("doubtful")) if refined else (),
        drawn_by=_drawn_by(entry.get("drawn_by")) if is_ours else DrawnBy.UNKNOWN,
    )


def _origin(parsed: ParsedBox, source: Path, box: Box) -> Origin:
    entry = parsed.entry or {}
    head, score = _suggested(entry.get("suggested"))
    probability = score if head else parsed.score or 0.0
    text = kept_text({key: value for key, value in entry.items() if key not in OUR_KEYS})
    crowd = entry.get("iscrowd") in (1, True)
    return Origin(source.name, box, head, probability, is_crowd=crowd, format=COCO if text else "", entry=text)


def _drawn_by(value: object) -> DrawnBy:
    """How the user made the box; the origin shows that one came in a file or was suggested."""
    known = {*DrawnBy} - {DrawnBy.IMPORTED, DrawnBy.SUGGESTED}
    return DrawnBy(value) if isinstance(value, str) and value in known else DrawnBy.UNKNOWN


def _suggested(entry: object) -> tuple[str, float]:
    """The head that suggested a box, and its score; empty where the file has none of our form."""
    if not isinstance(entry, dict) or not is_finite(entry.get("score")):
        return "", 0.0
    head = name_of(entry.get("head")) or ""
    return head, min(max(float(entry["score"]), 0.0), 1.0) if head else 0.0


def _box_in(bbox: object) -> Box | None:
    """The box in x, y, width, height; None if that is no box with an area."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(is_finite, bbox)):
        return None
    x, y, width, height = map(float, bbox)
    is_box = width > 0 and height > 0 and math.isfinite(x + width) and math.isfinite(y + height)
    return Box(x, y, x + width, y + height) if is_box else None


def _four(values: object) -> tuple[float, float, float, float] | None:
    if not isinstance(values, list) or len(values) != 4 or not all(map(is_finite, values)):
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
    if not isinstance(entry, dict) or box is None or not is_finite(entry.get("probability")):
        return None
    return Candidate(
        box,
        float(entry["probability"]),
        edge_confidence=_four(entry.get("edge_confidence")),
        score=float(entry["score"]) if is_finite(entry.get("score")) else None,
        margin=_four(entry.get("margin")),
    )


def _edges(names: object) -> tuple[int, ...]:
    return tuple(edge for edge, name in enumerate(EDGES) if isinstance(names, list) and name in names)
