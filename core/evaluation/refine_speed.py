"""How fast a batch of pictures is refined whose features are cached on the disk, with one look and with two."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import ImageFeatures
from core.errors import BadFileError
from core.evaluation.crop_speed import CropSpeed, measure_crops
from core.features.cache.feature_cache import FeatureCache
from core.features.feature_source import FeatureSource
from core.formats.exporters.coco import CocoFile, read_coco
from core.geometry import as_boxes
from core.images import read_picture
from core.inference.refine_pictures import (
    DrawnPicture,
    Outcome,
    Work,
    pictures_together,
    reading_ahead,
    refine_pictures,
)
from core.progress import Job, Progress, run
from core.refiner.checkpoint import load_refiner
from core.refiner.protocol import Refiner
from core.sample_project import make_pictures

IN_MEMORY, EXACT = "one look, features in memory", "the same, as the window computes"
ONE, TWO = "one look", "two looks"
WAYS = (IN_MEMORY, EXACT, ONE, TWO)
WIDTH, HEIGHT = 1920, 1080
MOST_CROPPED = 16


@dataclass(frozen=True)
class RefineSpeed:
    """Boxes a second of wall clock and of processor time; how many boxes had a second look."""

    looks: str
    per_s: float
    per_cpu_s: float
    second_looks: int


@dataclass(frozen=True)
class Speeds:
    """The speeds of refining, and of encoding crops."""

    refining: list[RefineSpeed]
    crops: list[CropSpeed]


def measure_refining(folder: Path, *, pictures: int, boxes: int, rounds: int, device: str) -> Job[Speeds]:
    """Make `pictures` of `boxes` each in an empty folder, encode them, and refine all by turns in each way.

    Then encode the crops of at most MOST_CROPPED of them.

    Raises StorageError where the folder cannot be written.
    """
    make_pictures(folder, pictures)
    coco = _boxes_for(folder, pictures, boxes)
    encoder = load_encoder("light", device)
    rounding, exact = load_refiner(None, encoder, rounds=True), load_refiner(None, encoder)
    total = pictures + rounds * len(WAYS)
    spent: dict[str, list[tuple[float, float, int]]] = {way: [] for way in WAYS}
    with FeatureCache(folder / "cache", ram_budget=0) as cache:
        source = FeatureSource(encoder, cache)
        for done, image in enumerate(coco.images.values()):
            yield Progress(done, total, "encode")
            source.prepare(folder / image.file_name)
        if cache.trouble:
            raise BadFileError(cache.trouble)
        held = source.of_path(folder / next(iter(coco.images.values())).file_name)
        for number in range(rounds * len(WAYS)):
            way = WAYS[number % len(WAYS)]
            yield Progress(pictures + number, total, way)
            start, processor = time.perf_counter(), time.process_time()
            looks = _refine_all(coco, folder, source, exact if way == EXACT else rounding, way=way, held=held)
            spent[way].append((time.perf_counter() - start, time.process_time() - processor, looks))
    count = pictures * boxes
    refining = [
        RefineSpeed(way, count / min(wall for wall, _, _ in runs), count / min(cpu for _, cpu, _ in runs), runs[0][2])
        for way, runs in spent.items()
    ]
    drawn = (
        (read_picture(folder / coco.images[id].file_name), as_boxes([note.box for note in notes]))
        for id, notes in islice(coco.by_image().items(), MOST_CROPPED)
    )
    return Speeds(refining, (yield from measure_crops(drawn, encoder, rounds=rounds)))


def _refine_all(
    coco: CocoFile, folder: Path, source: FeatureSource, refiner: Refiner, *, way: str, held: ImageFeatures
) -> int:
    """Refine all boxes as the verb does, or on features that are `held`; return how many had a second look.

    Raises what a picture cannot be used for.
    """
    groups, looks, in_memory = coco.by_image(), 0, way in (IN_MEMORY, EXACT)
    paths = {id: folder / coco.images[id].file_name for id in groups}

    def take(_: int | str, outcome: Outcome) -> None:
        nonlocal looks
        if outcome.error is not None:
            raise outcome.error
        looks += outcome.second_looks

    with reading_ahead(source, [] if in_memory else paths.values()) as ahead:

        def opened(id: int | str) -> DrawnPicture:
            picture = source.opened(paths[id], keep_crops=False)
            features = held if in_memory else (ahead and ahead.next()) or picture.of()
            return DrawnPicture(picture, features, [note.box for note in groups[id]], ["object"] * len(groups[id]))

        work: Work[int | str] = Work(
            opened, refiner, second_look=way == TWO, at_once=pictures_together(source.encoder.device)
        )
        run(refine_pictures(list(groups), work, name=str, take=take))
    return looks


def _boxes_for(folder: Path, pictures: int, boxes: int) -> CocoFile:
    random = np.random.default_rng(0)
    document: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "object"}]}
    for id in range(pictures):
        document["images"].append({"id": id, "file_name": f"{id:04}.jpg", "width": WIDTH, "height": HEIGHT})
        sides = random.uniform(40, 400, (boxes, 2))
        places = random.uniform(0, 1, (boxes, 2)) * (np.array([WIDTH, HEIGHT]) - sides)
        for bbox in np.concatenate([places, sides], axis=1).round(1).tolist():
            note = {"id": len(document["annotations"]) + 1, "image_id": id, "category_id": 1, "bbox": bbox}
            document["annotations"].append(note)
    path = folder / "boxes.json"
    path.write_text(json.dumps(document), "utf-8")
    return read_coco(path)
