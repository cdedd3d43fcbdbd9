"""Projects of several annotators on pictures that are really there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.geometry import Box
from core.records import Correction, NewImage
from core.store.project_store import ProjectStore
from tests.core.projects import CORRECTION

Labels = Mapping[str, Sequence[tuple[str, Box]]]
SIDE = 200


def picture(path: Path, seed: int) -> Path:
    """A small picture whose pixels follow from the seed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), np.uint8)).save(path)
    return path


def pictures(folder: Path, *names: str) -> list[Path]:
    """Pictures of these names, each with pixels of its own that follow from its name."""
    return [picture(folder / name, sum(name.encode())) for name in names]


@contextmanager
def opened(path: Path) -> Iterator[ProjectStore]:
    """The project at `path`, made if there is none."""
    with closing(ProjectStore.open_or_create(path)) as store:
        yield store


def box_of(image_id: int, category_id: int, box: Box) -> Correction:
    """An accepted box that the refiner has made of a drawn one."""
    drawn = Box(box.x1 - 2, box.y1 - 2, box.x2 + 2, box.y2 + 2)
    return replace(CORRECTION, image_id=image_id, category_id=category_id, drawn=drawn, refined=box, accepted=box)


def labelled(folder: Path, by: str, labels: Labels, *, names: Sequence[str] = ()) -> Path:
    """A project in `folder` with the pictures of `labels` and boxes by category, drawn one by one."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "boxrefine.sqlite"
    with opened(path) as store:
        store.use_annotator(by)
        store.add_images([NewImage(each, SIDE, SIDE) for each in pictures(folder, *labels)])
        store.add_categories(list(dict.fromkeys([*names, *(name for each in labels.values() for name, _ in each)])))
        ids = {category.name: category.id for category in store.categories()}
        for image, entries in zip(store.images(), labels.values(), strict=True):
            for name, box in entries:
                store.accept(box_of(image.id, ids[name], box))
    return path


def copied(path: Path, folder: Path) -> Path:
    """A project's file and pictures, copied to another folder as a colleague would."""
    shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns(".*-open"))
    return folder / path.name


def contents(path: Path) -> dict[str, list[tuple[str, Box]]]:
    """Name of a picture -> its boxes by category, in order."""
    with opened(path) as store:
        names = {category.id: category.name for category in store.categories()}
        return {
            image.path.name: sorted((names[each.category_id], each.accepted) for each in store.corrections(image.id))
            for image in store.images()
        }
