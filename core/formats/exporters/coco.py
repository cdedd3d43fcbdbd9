"""COCO export, and atomic writing of any COCO document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from core.correction_table import on_images
from core.formats.choices import NO_SPLITS, Splits
from core.formats.coco_kept import KeptCoco
from core.formats.exporters.layout import below, clip_to_image, in_splits, picture_names
from core.formats.importers.coco_reader import EDGES, CocoAnnotation, CocoFile, CocoId, CocoImage, read_coco
from core.formats.importers.parsed import is_finite
from core.formats.safe_write import ExportFile, write_file
from core.geometry import Box
from core.records import Candidate, Choice, Correction, Dataset, ImageRecord, Origin, Outline, Refinement

__all__ = ["CocoAnnotation", "CocoFile", "CocoId", "CocoImage", "read_coco", "refined_document", "write_json"]

MAIN_FILE = "annotations.json"
MAIN_FILE_OF_SPLITS = "annotations"
_DECIMALS = 3
_SAME = 1e-6
"""Pixels by which the edges of a box may differ from those in its file."""
_ENTRIES_IN_A_PART = 1000


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS, outlines: bool = False) -> list[ExportFile]:
    """One JSON file, or one for each split, as `annotations/instances_train.json`.

    Ids are the project's, or those of the COCO files that boxes came from, see `KeptCoco`.

    Categories are in the order of the project; their ids do not depend on it. Annotations have extra keys for the
    origin of their boxes, but for boxes that are as they came in a COCO file.

    `bbox` is x, y, width, height of the accepted box, clipped to the image and rounded to a thousandth of a pixel.
    `drawn_bbox` and `refined_bbox` (null without one) are not clipped. `edge_confidence` is left, top, right, bottom.
    So is `margin`, in pixels, which is absent if the refinement has none.
    `confirmed` is false if the user has not reviewed the box, and absent otherwise. `source` is the file that the box
    was imported from, absent for drawn boxes. `suggested` has the `head` that suggested the box and the `score` that it
    gave it, in [0, 1]; it is absent if none did. `choice` has the candidates that the user chose among, `doubtful` the
    edges that were accepted although the refiner was not sure of them; both are absent where there are none. With
    `outlines`, `segmentation` has the polygons of masks, see `segmentation_of`.
    """
    kept = cache(lambda: KeptCoco(dataset))  # one for all splits, so that ids are unique in all files together
    names = cache(lambda: picture_names(dataset))
    return [
        ExportFile(
            PurePosixPath(f"{MAIN_FILE_OF_SPLITS}/instances_{split}.json" if split else MAIN_FILE),
            partial(_document, dataset, images, kept, names, outlines=outlines),
        )
        for split, images in in_splits(dataset, splits)
    ]


def _document(
    dataset: Dataset,
    images: Sequence[ImageRecord],
    kept: Callable[[], KeptCoco],
    names: Callable[[], Mapping[int, str]],
    *,
    outlines: bool,
) -> Iterator[bytes]:
    return _parts(_lists(dataset, images, kept(), names(), outlines=outlines), kept().header)


def picture_places(dataset: Dataset, splits: Splits = NO_SPLITS) -> dict[int, PurePosixPath]:
    """Image id -> where its picture goes: below images/, as `file_name` has it, whatever its split is."""
    del splits
    return {id: below(PurePosixPath("images"), PurePath(name)) for id, name in picture_names(dataset).items()}


def document_of(dataset: Dataset, *, outlines: bool = False) -> dict[str, Any]:
    """The whole project as one COCO document."""
    kept = KeptCoco(dataset)
    lists = _lists(dataset, dataset.images, kept, picture_names(dataset), outlines=outlines)
    return {**kept.header, **{key: list(entries) for key, entries in lists.items()}}


def _lists(
    dataset: Dataset, images: Sequence[ImageRecord], kept: KeptCoco, names: Mapping[int, str], *, outlines: bool
) -> dict[str, Iterator[dict[str, Any]]]:
    """The entries of some images, of all categories and of the boxes on these images, one after the other."""
    by_id = {image.id: image for image in images}
    return {
        "images": (kept.image(image, name=names[image.id]) for image in images),
        "categories": (kept.category(category) for category in dataset.categories),
        "annotations": (
            _annotation(item, by_id[item.image_id], kept, outlines=outlines)
            for item in on_images(dataset.corrections, by_id)
        ),
    }


def _parts(lists: Mapping[str, Iterator[dict[str, Any]]], header: Mapping[str, Any]) -> Iterator[bytes]:
    """The bytes of a document, in parts, because one of a million boxes takes a gigabyte as a whole."""
    opening = b"{"
    for key, value in {**header, **lists}.items():
        yield opening + json.dumps(key).encode() + b":"
        opening = b","
        if key not in lists:
            yield json.dumps(value, separators=(",", ":")).encode()
            continue
        yield b"["
        comma = b""
        while part := list(islice(lists[key], _ENTRIES_IN_A_PART)):
            yield comma + json.dumps(part, separators=(",", ":")).encode()[1:-1]
            comma = b","
        yield b"]"
    yield b"}\n"


def refined_document(
    coco: CocoFile, refinements: Mapping[int, Refinement], *, encoder: str, refiner: str, outlines: bool = False
) -> dict[str, Any]:
    """A copy of the document with refined boxes; ids, order and everything else stay the same.

    `refinements` are by `CocoAnnotation.index`; `encoder` and `refiner` are the identities of the models. Each refined
    annotation gets a new `bbox` and the extra keys of `files`: `drawn_bbox` is its previous box, and `confirmed` is
    false. Its `area` is renewed, unless it is that of a segmentation. A refinement with candidates gets `candidates`, a
    list of `bbox` and `probability`. With `outlines`,
    `segmentation` and `area` are those of its mask's polygons.
    """
    annotations = list(coco.document["annotations"])
    drawn = {note.index: note.box for note in coco.annotations}
    for index, refinement in refinements.items():
        box = refinement.box
        polygons = segmentation_of(refinement.outline, refined=box, accepted=box) if outlines else []
        annotations[index] = {
            **annotations[index],
            "bbox": _bbox(box),
            "drawn_bbox": annotations[index].get("bbox") or _bbox(drawn[index]),
            "refined_bbox": _bbox(box),
            "refine_score": round(float(refinement.score), 6),
            "edge_confidence": [round(float(edge), 6) for edge in refinement.edge_confidence],
            "encoder": encoder,
            "refiner": refiner,
            **({} if refinement.margin is None else {"margin": list(refinement.margin)}),
            "confirmed": False,
            **(
                {"candidates": [_candidate_entry(each) for each in refinement.candidates]}
                if refinement.candidates
                else {}
            ),
            **_area_of_refined(annotations[index], box, polygons),
        }
    return {**coco.document, "annotations": annotations}


def _area_of_refined(entry: Mapping[str, Any], box: Box, polygons: list[list[float]]) -> dict[str, Any]:
    """The area that belongs to a refined box; that of a segmentation which stays is left as it is."""
    if polygons:
        return {"segmentation": polygons, "area": round(area_of(polygons), _DECIMALS)}
    return (
        {"area": round(box.width * box.height, _DECIMALS)} if "area" in entry and not entry.get("segmentation") else {}
    )


def _candidate_entry(candidate: Candidate) -> dict[str, Any]:
    return {"bbox": _bbox(candidate.box), "probability": round(float(candidate.probability), 6)}


def _choice_entry(choice: Choice) -> dict[str, Any]:
    return {"chosen": choice.chosen, "candidates": [_chosen_entry(each) for each in choice.candidates]}


def _chosen_entry(candidate: Candidate) -> dict[str, Any]:
    told = {"edge_confidence": candidate.edge_confidence, "score": candidate.score, "margin": candidate.margin}
    return {
        **_candidate_entry(candidate),
        **{
            name: list(value) if isinstance(value, tuple) else value
            for name, value in told.items()
            if value is not None
        },
    }


def write_json(document: Mapping[str, Any] | Sequence[Any], path: Path) -> None:
    """Write a document atomically. Raises StorageError if the disk is full or may not be written."""
    write_file(path, _dump(document))


def segmentation_of(outline: Outline, *, refined: Box | None, accepted: Box) -> list[list[float]]:
    """A mask's polygons, clipped to the accepted box; empty if that was moved too far from the refined box.

    Each edge may have moved by 5 % of the side, or by 2 pixels.
    """
    if not outline or refined is None:
        return []
    slack_x, slack_y = max(0.05 * refined.width, 2.0), max(0.05 * refined.height, 2.0)
    moved = [abs(now - was) for now, was in zip(accepted, refined, strict=True)]
    if max(moved[0], moved[2]) > slack_x or max(moved[1], moved[3]) > slack_y:
        return []
    low, high = (accepted.x1, accepted.y1), (accepted.x2, accepted.y2)
    return [
        [round(min(max(value, low[n % 2]), high[n % 2]), _DECIMALS) for n, value in enumerate(polygon)]
        for polygon in outline
    ]


def area_of(segmentation: list[list[float]]) -> float:
    """Area in square pixels of polygons that do not overlap."""
    total = 0.0
    for polygon in segmentation:
        corners = list(zip(polygon[::2], polygon[1::2], strict=True))
        pairs = zip(corners, corners[1:] + corners[:1], strict=True)
        total += abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2
    return total


def _annotation(correction: Correction, image: ImageRecord, kept: KeptCoco, *, outlines: bool) -> dict[str, Any]:
    """One box: as it came where it is as it came, with the fields of `files`."""
    came = kept.box(correction)
    ids = {
        "id": kept.box_ids[correction.id],
        "image_id": kept.image_ids[correction.image_id],
        "category_id": kept.category_ids[correction.category_id],
    }
    is_same = correction.origin is not None and correction.accepted == correction.origin.box
    same = _unchanged(came, correction.accepted) if came and is_same else {}
    if same and not correction.confirmed and correction.refined is None:
        return {**came, **ids, **same}
    accepted = clip_to_image(correction.accepted, image)
    polygons = []
    if outlines and correction.confirmed:  # the outline of a proposal does not belong to the accepted box
        polygons = segmentation_of(correction.outline, refined=correction.refined, accepted=accepted)
    bbox = _bbox(accepted)
    confidence = correction.edge_confidence
    return {
        **came,
        **ids,
        "bbox": bbox,
        "area": round(area_of(polygons) or bbox[2] * bbox[3], _DECIMALS),
        "iscrowd": came.get("iscrowd", 0),
        "segmentation": polygons or came.get("segmentation", []),  # some readers fail where the key is missing
        **same,
        "drawn_bbox": _bbox(correction.drawn),
        "refined_bbox": None if correction.refined is None else _bbox(correction.refined),
        "edge_confidence": None if confidence is None else list(confidence),
        "refine_score": correction.score,
        "encoder": correction.encoder,
        "refiner": correction.refiner,
        "seconds": correction.seconds,
        **({} if correction.margin is None else {"margin": list(correction.margin)}),
        **({} if correction.confirmed else {"confirmed": False}),
        **({} if correction.choice is None else {"choice": _choice_entry(correction.choice)}),
        **({"doubtful": [EDGES[edge] for edge in correction.doubtful]} if correction.doubtful else {}),
        **({"drawn_by": str(correction.made_by)} if correction.made_by else {}),
        **_origin_entries(correction.origin),
    }


def _unchanged(came: Mapping[str, Any], box: Box) -> dict[str, Any]:
    """The place of a box as it came, if it is still there and was not clipped; else empty."""
    bbox = came.get("bbox")
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(is_finite, bbox)):
        return {}
    x, y, width, height = map(float, bbox)
    x1, y1, x2, y2 = box
    if max(abs(x1 - x), abs(y1 - y), abs(x2 - (x + width)), abs(y2 - (y + height))) > _SAME:
        return {}
    area = came.get("area")
    return {
        "bbox": bbox,
        "area": area if is_finite(area) else round(width * height, _DECIMALS),
        "iscrowd": came.get("iscrowd", 0),
        "segmentation": came.get("segmentation", []),
    }


def _origin_entries(origin: Origin | None) -> dict[str, Any]:
    if origin is None:
        return {}
    suggested = {"head": origin.head, "score": round(float(origin.probability), 6)}
    return {**({"source": origin.file} if origin.file else {}), **({"suggested": suggested} if origin.head else {})}


def _bbox(box: Box) -> list[float]:
    """x, y, width, height from rounded edges, so that rounding never moves the right edge beyond the border."""
    x1, y1, x2, y2 = (round(float(edge), _DECIMALS) for edge in box)
    return [x1, y1, round(x2 - x1, _DECIMALS), round(y2 - y1, _DECIMALS)]


def _dump(document: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"
