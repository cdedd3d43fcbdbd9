"""Lessons and short configurations for the tests of teaching: generated discs, the shipped models, few steps."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from core.features.cache.feature_cache import FeatureCache
from core.features.feature_source import FeatureSource
from core.geometry import Box, as_boxes
from core.records import Correction, NewImage
from core.store.project_store import ProjectStore
from core.training.lessons import Lesson, Lessons, from_coco
from core.training.teach_config import TeachConfig

SIZE = 160
SHORT = TeachConfig(
    epochs=2,
    least_steps=2,
    batch_images=2,
    boxes_per_image=2,
    views=0,
    replay_weight=0.0,
    gate_draws=1,
    ema_decay=0.5,
)


def disc(number: int) -> tuple[int, int, int]:
    """Centre and radius of the disc on picture `number`."""
    random = np.random.default_rng(number)
    x, y = random.integers(60, 100, 2).tolist()
    return x, y, int(random.integers(20, 40))


def true_box(number: int) -> Box:
    x, y, radius = disc(number)
    return Box(x - radius, y - radius, x + radius, y + radius)


def save_pictures(folder: Path, count: int) -> list[Path]:
    """Pictures of one disc each."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    paths = []
    for number in range(count):
        x, y, radius = disc(number)
        inside = (columns - x) ** 2 + (rows - y) ** 2 < radius**2
        pixels = np.where(inside[..., None], [200, 60, 30], [40, 40 + number, 40]).astype(np.uint8)
        paths.append(folder / f"disc {number}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


def save_coco(folder: Path, count: int) -> tuple[Path, Path]:
    """Pictures and a COCO file of their discs: the folder of the pictures, the file."""
    paths = save_pictures(folder / "images", count)
    document: dict[str, list[dict[str, object]]] = {
        "images": [{"id": n, "file_name": path.name, "width": SIZE, "height": SIZE} for n, path in enumerate(paths)],
        "annotations": [],
        "categories": [{"id": 1, "name": "disc"}],
    }
    for number in range(count):
        box = true_box(number)
        bbox = [box.x1, box.y1, box.width, box.height]
        document["annotations"].append({"id": number, "image_id": number, "category_id": 1, "bbox": bbox})
    (folder / "annotations.json").write_text(json.dumps(document), "utf-8")
    return folder / "images", folder / "annotations.json"


def save_project(folder: Path, count: int, *, wider: float = 0.0) -> Path:
    """A project whose discs were all accepted, each box `wider` pixels outside the disc's edges."""
    paths = save_pictures(folder, count)
    store = ProjectStore.create(folder / "boxrefine.sqlite")
    store.add_images([NewImage(path, SIZE, SIZE) for path in paths])
    category = store.add_category("disc")
    for number in range(count):
        box = true_box(number)
        drawn = Box(box.x1 - 9, box.y1 + 5, box.x2 - 4, box.y2 + 8)
        accepted = Box(box.x1 - wider, box.y1 - wider, box.x2 + wider, box.y2 + wider)
        store.accept(Correction(number + 1, category.id, drawn=drawn, accepted=accepted))
    store.close()
    return folder / "boxrefine.sqlite"


def save_config(path: Path, config: TeachConfig = SHORT, **changes: object) -> Path:
    """A configuration file."""
    values = vars(config) | changes
    path.write_text(yaml.safe_dump(values), "utf-8")
    return path


def discs(folder: Path, count: int) -> Lessons:
    """Lessons on generated pictures, drawn as nobody knows."""
    return from_coco(*save_coco(folder, count), None)


def lesson(
    path: Path, *, accepted: list[list[float]], drawn: list[list[float]], categories: tuple[str, ...] = ()
) -> Lesson:
    """A lesson in numbers."""
    return Lesson(path, path.name, as_boxes(accepted), as_boxes(drawn), categories or ("disc",) * len(accepted))


def source_of(folder: Path, encoder: object) -> FeatureSource:
    """Features through a cache in `folder`."""
    return FeatureSource(encoder, FeatureCache(folder / "cache"))  # type: ignore[arg-type]


def short(**changes: object) -> TeachConfig:
    return replace(SHORT, **changes)  # type: ignore[arg-type]
