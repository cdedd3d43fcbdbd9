"""Pictures of things that touch, made from labelled outlines: one thing is pasted against another one.

Each scene has two things whose visible boxes are known exactly: one that stands in a picture, and one that is cut out
of another picture and laid beside it, over it, behind it or inside it.
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
"""How the second thing is laid: just touching, over a part of the first one, behind it, wholly within its box."""

LEAST_SIDE = 24
LEAST_SEEN = 0.4
"""Share of a thing that must stay visible."""
TRIES = 12
FINER = 4

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """A picture with two things against each other, and the boxes (2, 4) of what is seen of them in image pixels."""

    kind: str
    picture: Picture
    true: Boxes


@dataclass(frozen=True)
class _Thing:
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
    """The refiner's answers to both things of `scenes` scenes from one set, by "kind, noise".

    Raises BadInputError where the set has no two outlined things, BadFileError where it cannot be read.
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
    return {name: Answers.together(found) for name, found in parts.items() if found}


def make_scenes(folder: Path, *, count: int, random: np.random.Generator) -> Iterator[Scene]:
    """`count` scenes of a set, fewer where its things do not fit; kinds take turns. Raises as `measure_touching`."""
    things = _outlined(read_coco(folder / "annotations.json"), folder / "images")
    if len({thing.picture for thing in things}) < 2:
        raise BadInputError(f"The set {folder} has no outlined things on two pictures: leave it out.")
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        for _ in range(TRIES):
            first, second = (things[int(row)] for row in random.choice(len(things), 2, replace=False))
            if first.picture != second.picture and (scene := _laid(first, second, kind, random)) is not None:
                yield scene
                break


def _outlined(coco: CocoFile, images: Path) -> list[_Thing]:
    """Things with polygons that are large enough to be judged."""
    things = []
    for note in coco.annotations:
        polygons = coco.document["annotations"][note.index].get("segmentation")
        box = np.array(note.box, np.float64)
        if isinstance(polygons, list) and polygons and min(box[2:] - box[:2]) >= LEAST_SIDE:
            things.append(_Thing(images / _file_name(coco, note), polygons, box))
    return things


def _file_name(coco: CocoFile, note: CocoAnnotation) -> str:
    return coco.images[note.image_id].file_name


def _laid(first: _Thing, second: _Thing, kind: str, random: np.random.Generator) -> Scene | None:
    """The second thing against the first one in the first one's picture; None where too little of one is seen."""
    canvas = read_picture(first.picture).copy()
    mask = _filled(first.polygons, canvas.shape[:2])
    pixels, alpha = _cut_out(second, first, kind, random)
    height, width = alpha.shape
    left, top = _place(first.box, width=width, height=height, kind=kind, random=random)
    layer, colours = np.zeros(canvas.shape[:2], bool), canvas.copy()
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(canvas.shape[1], left + width), min(canvas.shape[0], top + height)
    if x2 <= x1 or y2 <= y1 or not mask.any():
        return None
    part = alpha[y1 - top : y2 - top, x1 - left : x2 - left]
    layer[y1:y2, x1:x2] = part
    colours[y1:y2, x1:x2] = pixels[y1 - top : y2 - top, x1 - left : x2 - left]
    whole = layer.sum()
    if kind == "behind":
        layer &= ~mask
    seen = mask & ~layer
    if layer.sum() < LEAST_SEEN * alpha.sum() or seen.sum() < LEAST_SEEN * mask.sum() or not whole:
        return None
    canvas[layer] = colours[layer]
    true = np.stack([_seen_box(first.box, mask, seen), _tight(layer)])
    return Scene(kind, canvas, true) if (true[:, 2:] - true[:, :2]).min() >= LEAST_SIDE / 2 else None


def _cut_out(thing: _Thing, anchor: _Thing, kind: str, random: np.random.Generator) -> tuple[Picture, Mask]:
    """A thing's box of pixels and its mask, resized to a size that suits the anchor."""
    picture = read_picture(thing.picture)
    mask = _filled(thing.polygons, picture.shape[:2])
    x1, y1, x2, y2 = _tight(mask).astype(int) if mask.any() else thing.box.astype(int)
    side = np.sqrt(np.prod(anchor.box[2:] - anchor.box[:2]))
    times = random.uniform(0.3, 0.6) if kind == "inside" else random.uniform(0.5, 1.2)
    scale = times * side / max(1.0, np.sqrt((x2 - x1) * (y2 - y1)))
    size = max(LEAST_SIDE // 2, round((x2 - x1) * scale)), max(LEAST_SIDE // 2, round((y2 - y1) * scale))
    pixels = cv2.resize(picture[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    shown = cv2.resize(mask[y1:y2, x1:x2].astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(pixels, np.uint8), np.asarray(shown, bool)


def _place(
    box: NDArray[np.float64], *, width: int, height: int, kind: str, random: np.random.Generator
) -> tuple[int, int]:
    """Left and top, in pixels, of a thing of this size beside, over, behind or inside a box (4,)."""
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    own = np.array([width, height]) / 2
    angle = random.uniform(-np.pi, np.pi)
    reach = {"beside": 0.97, "over": 0.65, "behind": 0.65, "inside": 0.0}[kind]
    apart = (half + own) * reach * np.array([np.cos(angle), np.sin(angle)])
    if kind == "inside":
        apart = np.maximum(half - own, 0) * random.uniform(-1, 1, 2)
    left, top = (middle + apart - own).round().astype(int).tolist()
    return left, top


def _filled(polygons: list[Any], size: tuple[int, ...]) -> Mask:
    """The pixels whose larger part lies in polygons; OpenCV alone would fill the border's pixels, too."""
    fine = np.zeros((size[0] * FINER, size[1] * FINER), np.uint8)
    outlines = [np.asarray(polygon, np.float64).reshape(-1, 2) * FINER for polygon in polygons]
    cv2.fillPoly(fine, [outline.round().astype(np.int32) for outline in outlines], 255)
    return np.asarray(cv2.resize(fine, (size[1], size[0]), interpolation=cv2.INTER_AREA) > 127, bool)


def _seen_box(box: NDArray[np.float64], mask: Mask, seen: Mask) -> NDArray[np.float64]:
    """The labelled box, whose edges move only where something covers them."""
    moved = _tight(seen) - _tight(mask)
    inwards = np.array([max(moved[0], 0), max(moved[1], 0), min(moved[2], 0), min(moved[3], 0)])
    return np.asarray(box + inwards, np.float64)


def _tight(mask: Mask) -> NDArray[np.float64]:
    """The box (4,) of the pixels of a mask that has some."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
