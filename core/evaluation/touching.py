"""Synthetic scenes of two objects that touch, made from labelled outlines.

One object stays in its picture. The other one is cut out of another picture and pasted beside it, over it, behind it or
inside it, so the box of the visible part of each is known exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.box_noise import coarsen
from core.encoders.image_features import Encoder
from core.errors import BadInputError
from core.evaluation.labelled_set import TRUE, Answers
from core.evaluation.large_pictures import PictureInMemory
from core.formats.exporters.coco import CocoAnnotation, CocoFile, read_coco
from core.geometry import Boxes
from core.images import Picture, read_picture
from core.inference.look_again import look_again
from core.progress import Job, Progress, run
from core.refiner.protocol import Refiner

KINDS = ("beside", "over", "behind", "inside")
"""Where the second object is pasted: just touching the first one, over a part of it, behind it, within its box."""

LEAST_SIDE = 24
LEAST_SEEN = 0.4
"""Least visible share of each object."""
TRIES = 12
FINER = 4

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """A picture with two objects that touch, and the boxes (2, 4) of their visible parts in image pixels."""

    kind: str
    picture: Picture
    true: Boxes


@dataclass(frozen=True)
class _Object:
    picture: Path
    polygons: list[Any]
    box: NDArray[np.float64]


def measure_touching(
    folder: Path,
    *,
    encoder: Encoder,
    refiner: Refiner,
    noises: Sequence[str],
    scenes: int,
    second_look: bool,
    seed: int = 0,
) -> Job[dict[str, Answers]]:
    """Refine the boxes of both objects in `scenes` scenes of one set; return the answers by "kind, noise".

    Raises BadInputError if the set has no outlined objects on two pictures, and BadFileError if it cannot be read.
    """
    random = np.random.default_rng(seed)
    parts: dict[str, list[Answers]] = {f"{kind}, {noise}": [] for kind in KINDS for noise in noises}
    for done, scene in enumerate(make_scenes(folder, count=scenes, random=random)):
        yield Progress(done, scenes, f"{folder.name}, {scene.kind}")
        picture = PictureInMemory(scene.picture, encoder)
        height, width = scene.picture.shape[:2]
        for noise in noises:
            drawn = scene.true if noise == TRUE else coarsen(scene.true, noise, random, width=width, height=height)
            answers = refiner.refine(picture.of(), drawn)
            if second_look:
                run(look_again(answers, drawn, picture.whole, picture=picture, refiner=refiner))
            parts[f"{scene.kind}, {noise}"].append(Answers.of(answers, true=scene.true, drawn=drawn))
    yield Progress(scenes, scenes, folder.name)
    return {name: Answers.concatenate(found) for name, found in parts.items() if found}


def make_scenes(folder: Path, *, count: int, random: np.random.Generator) -> Iterator[Scene]:
    """Make `count` scenes of a set, kinds in turn, fewer if its objects do not fit. Raises as `measure_touching`."""
    objects = _find_outlined(read_coco(folder / "annotations.json"), folder / "images")
    if len({one.picture for one in objects}) < 2:
        raise BadInputError(f"The set {folder} has no outlined objects on two pictures: leave it out.")
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        for _ in range(TRIES):
            first, second = (objects[int(row)] for row in random.choice(len(objects), 2, replace=False))
            if first.picture != second.picture and (scene := _paste(first, second, kind, random)) is not None:
                yield scene
                break


def _find_outlined(coco: CocoFile, images: Path) -> list[_Object]:
    """Find the objects that have polygons and are large enough to measure."""
    objects = []
    for note in coco.annotations:
        polygons = coco.document["annotations"][note.index].get("segmentation")
        box = np.array(note.box, np.float64)
        if isinstance(polygons, list) and polygons and min(box[2:] - box[:2]) >= LEAST_SIDE:
            objects.append(_Object(images / _file_name(coco, note), polygons, box))
    return objects


def _file_name(coco: CocoFile, note: CocoAnnotation) -> str:
    return coco.images[note.image_id].file_name


def _paste(first: _Object, second: _Object, kind: str, random: np.random.Generator) -> Scene | None:
    """Paste the second object into the first one's picture; None if too little of one of them stays visible."""
    canvas = read_picture(first.picture).copy()
    mask = _fill(first.polygons, canvas.shape[:2])
    pixels, alpha = _cut_out(second, first, kind, random)
    height, width = alpha.shape
    left, top = _choose_place(first.box, width=width, height=height, kind=kind, random=random)
    layer, colors = np.zeros(canvas.shape[:2], bool), canvas.copy()
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(canvas.shape[1], left + width), min(canvas.shape[0], top + height)
    if x2 <= x1 or y2 <= y1 or not mask.any():
        return None
    part = alpha[y1 - top : y2 - top, x1 - left : x2 - left]
    layer[y1:y2, x1:x2] = part
    colors[y1:y2, x1:x2] = pixels[y1 - top : y2 - top, x1 - left : x2 - left]
    whole = layer.sum()
    if kind == "behind":
        layer &= ~mask
    seen = mask & ~layer
    if layer.sum() < LEAST_SEEN * alpha.sum() or seen.sum() < LEAST_SEEN * mask.sum() or not whole:
        return None
    canvas[layer] = colors[layer]
    true = np.stack([_seen_box(first.box, mask, seen), _tight_box(layer)])
    return Scene(kind, canvas, true) if (true[:, 2:] - true[:, :2]).min() >= LEAST_SIDE / 2 else None


def _cut_out(one: _Object, anchor: _Object, kind: str, random: np.random.Generator) -> tuple[Picture, Mask]:
    """Cut out an object: its pixels and its mask, resized relative to the anchor."""
    picture = read_picture(one.picture)
    mask = _fill(one.polygons, picture.shape[:2])
    x1, y1, x2, y2 = _tight_box(mask).astype(int) if mask.any() else one.box.astype(int)
    side = np.sqrt(np.prod(anchor.box[2:] - anchor.box[:2]))
    times = random.uniform(0.3, 0.6) if kind == "inside" else random.uniform(0.5, 1.2)
    scale = times * side / max(1.0, np.sqrt((x2 - x1) * (y2 - y1)))
    size = max(LEAST_SIDE // 2, round((x2 - x1) * scale)), max(LEAST_SIDE // 2, round((y2 - y1) * scale))
    pixels = cv2.resize(picture[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    shown = cv2.resize(mask[y1:y2, x1:x2].astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(pixels, np.uint8), np.asarray(shown, bool)


def _choose_place(
    box: NDArray[np.float64], *, width: int, height: int, kind: str, random: np.random.Generator
) -> tuple[int, int]:
    """Choose left and top, in pixels, of an object of this size beside, over, behind or inside a box (4,)."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    own = np.array([width, height]) / 2
    angle = random.uniform(-np.pi, np.pi)
    reach = {"beside": 0.97, "over": 0.65, "behind": 0.65, "inside": 0.0}[kind]
    apart = (half + own) * reach * np.array([np.cos(angle), np.sin(angle)])
    if kind == "inside":
        apart = np.maximum(half - own, 0) * random.uniform(-1, 1, 2)
    left, top = (middle + apart - own).round().astype(int).tolist()
    return left, top


def _fill(polygons: list[Any], size: tuple[int, ...]) -> Mask:
    """Fill polygons: the pixels that lie in them by more than half. OpenCV alone would also fill all border pixels."""
    fine = np.zeros((size[0] * FINER, size[1] * FINER), np.uint8)
    outlines = [np.asarray(polygon, np.float64).reshape(-1, 2) * FINER for polygon in polygons]
    cv2.fillPoly(fine, [outline.round().astype(np.int32) for outline in outlines], 255)
    return np.asarray(cv2.resize(fine, (size[1], size[0]), interpolation=cv2.INTER_AREA) > 127, bool)


def _seen_box(box: NDArray[np.float64], mask: Mask, seen: Mask) -> NDArray[np.float64]:
    """The box of the visible part: the labelled box, with only its covered edges moved inwards."""
    moved = _tight_box(seen) - _tight_box(mask)
    inwards = np.array([max(moved[0], 0), max(moved[1], 0), min(moved[2], 0), min(moved[3], 0)])
    return np.asarray(box + inwards, np.float64)


def _tight_box(mask: Mask) -> NDArray[np.float64]:
    """The tight box (4,) of a mask that is not empty."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
