"""Pool: labelled sets in memory as tensors, so that a training step reads no file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.bounded import read_text
from core.errors import BadFileError, BadInputError, reason
from core.formats.importers.coco_reader import LARGEST_JSON
from core.images import Picture, read_picture
from core.object_store.address import Address
from core.object_store.folder import ObjectFolder
from core.object_store.remote_file import PictureFile
from core.progress import Progress, run
from core.shards.files import SUFFIXES, read_shards
from core.shards.sample import Sample

MASK_SIDE = 64


@dataclass(frozen=True)
class Pool:
    """Pictures and boxes of all sets, on one device.

    pictures: (N, 3, side, side) uint8, top left aligned; sizes: (N, 2) width and height in pixels
    set_of: (N,) index into `sets`; held_out: (N,) True for pictures that are only measured on
    boxes: (M, 4) in pixels of the stored picture; box_table: (N, most) rows of `boxes`, padded with -1
    masks: (Q, 64, 64) uint8, each stretched over its box; mask_of: (M,) index into masks or -1
    masked: rows of `boxes` with a mask, in pictures that are not held out
    image_of: (M,) index into the pictures; class_of: (M,) number of the category, of which each set has its own
    """

    sets: tuple[str, ...]
    pictures: Tensor
    sizes: Tensor
    set_of: Tensor
    held_out: Tensor
    boxes: Tensor
    box_table: Tensor
    masks: Tensor
    mask_of: Tensor
    image_of: Tensor
    class_of: Tensor
    masked: Tensor

    def to(self, device: torch.device) -> Pool:
        """Copy the pool to another device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Pool(sets=self.sets, **moved)


@dataclass(frozen=True)
class _Labelled:
    """One picture with its boxes and masks, as read."""

    set_index: int
    name: str
    picture: Picture
    boxes: NDArray[np.float32]
    masks: list[NDArray[np.uint8] | None]
    categories: list[object]


def load_pool(
    folder: Path | Address, *, side: int, held_out: float, left_out: Sequence[str] = ()
) -> Generator[Progress, None, Pool]:
    """Read every set below `folder` (images/ and annotations.json, COCO detection, or shards) into a Pool on the CPU.

    At an address, sets are folders of shards.

    Pictures longer than `side` are shrunk to it. Of each set the share `held_out` is held out, and all of the sets
    `left_out`. Raises BadFileError if there is no set or a set is damaged, BadInputError if a set left out is missing.
    """
    sets = _sets_at(folder) if isinstance(folder, Address) else _sets_in(folder)
    if not sets:
        raise BadFileError(
            f"{folder} holds no labelled set: it must have folders of shards, or of annotations.json and images/."
        )
    missing = set(left_out) - {path.name for path in sets}
    if missing:
        raise BadInputError(f"{folder} has no set {min(missing)}, which the configuration leaves out: check the name.")
    wanted = [entry for index, path in enumerate(sets) for entry in _entries(index, path)]
    read: list[_Labelled] = []
    with ThreadPoolExecutor() as threads:
        for done, labelled in enumerate(threads.map(lambda entry: _read(*entry, side=side), wanted), start=1):
            read.append(labelled)
            if done % 200 == 0 or done == len(wanted):
                yield Progress(done, len(wanted), f"reading {sets[labelled.set_index].name}")
    return _stack(tuple(path.name for path in sets), read, side=side, held_out=held_out, left_out=left_out)


def _sets_in(folder: Path) -> Sequence[Path | Address]:
    patterns = ("*/annotations.json", *(f"*/*{suffix}" for suffix in SUFFIXES))
    return sorted({path.parent for pattern in patterns for path in folder.glob(pattern)})


def _sets_at(address: Address) -> Sequence[Path | Address]:
    shards = (entry.name for entry in ObjectFolder(address).entries() if entry.name.endswith(SUFFIXES))
    return [address / name for name in sorted({name.partition("/")[0] for name in shards if name.count("/") == 1})]


def _entries(index: int, folder: Path | Address) -> Iterable[tuple[int, PictureFile, str, list[dict[str, Any]]]]:
    if isinstance(folder, Address) or not (folder / "annotations.json").exists():
        return [_packed(index, sample) for sample in run(read_shards(folder))]
    try:
        document = json.loads(read_text(folder / "annotations.json", limit=LARGEST_JSON))
        notes: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in document["images"]}
        for note in document["annotations"]:
            if not note.get("iscrowd") and min(note["bbox"][2:]) >= 2:
                notes[note["image_id"]].append(note)
        return [
            (index, path := folder / "images" / image["file_name"], path.name, notes[image["id"]])
            for image in document["images"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadFileError(f"{folder / 'annotations.json'} is no COCO file ({reason(error)}): replace it.") from error


def _packed(index: int, sample: Sample) -> tuple[int, PictureFile, str, list[dict[str, Any]]]:
    notes = [
        {"bbox": [box.x1, box.y1, box.width, box.height], "category_id": category}
        for box, category in zip(sample.boxes, sample.categories, strict=True)
        if min(box.width, box.height) >= 2
    ]
    return index, sample.picture, sample.name.rpartition("/")[2], notes


def _read(set_index: int, path: PictureFile, name: str, notes: list[dict[str, Any]], *, side: int) -> _Labelled:
    picture = read_picture(path)
    scale = min(1.0, side / max(picture.shape[:2]))
    if scale < 1.0:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    boxes = np.array([note["bbox"] for note in notes], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    masks = [_mask(note.get("segmentation"), box) for note, box in zip(notes, boxes, strict=True)]
    categories = [note.get("category_id") for note in notes]
    return _Labelled(set_index, name, picture, boxes * np.float32(scale), masks, categories)


def _mask(polygons: object, box: NDArray[np.float32]) -> NDArray[np.uint8] | None:
    """Rasterize polygons stretched over their box, antialiased: (64, 64); None without polygons."""
    if not isinstance(polygons, list) or not polygons:
        return None
    fine = 4 * MASK_SIDE
    canvas = np.zeros((fine, fine), np.uint8)
    outlines = []
    for polygon in polygons:
        points = np.asarray(polygon, np.float64).reshape(-1, 2)
        outlines.append(((points - box[:2]) / (box[2:] - box[:2]) * fine).round().astype(np.int32))
    cv2.fillPoly(canvas, outlines, 255)
    return np.asarray(cv2.resize(canvas, (MASK_SIDE, MASK_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _stack(
    sets: tuple[str, ...], read: list[_Labelled], *, side: int, held_out: float, left_out: Sequence[str]
) -> Pool:
    pictures = torch.zeros(len(read), 3, side, side, dtype=torch.uint8)
    most = max(1, max(len(entry.boxes) for entry in read))
    table = torch.full((len(read), most), -1, dtype=torch.long)
    boxes: list[NDArray[np.float32]] = []
    masks: list[NDArray[np.uint8]] = []
    mask_of: list[int] = []
    image_of: list[int] = []
    classes: dict[tuple[int, str], int] = {}
    class_of: list[int] = []
    for index, entry in enumerate(read):
        height, width = entry.picture.shape[:2]
        pictures[index, :, :height, :width] = torch.from_numpy(entry.picture).permute(2, 0, 1)
        table[index, : len(entry.boxes)] = torch.arange(len(image_of), len(image_of) + len(entry.boxes))
        boxes.append(entry.boxes)
        image_of += [index] * len(entry.boxes)
        keys = [(entry.set_index, str(category)) for category in entry.categories]
        class_of += [classes.setdefault(key, len(classes)) for key in keys]
        for mask in entry.masks:
            mask_of.append(-1 if mask is None else len(masks))
            if mask is not None:
                masks.append(mask)

    def is_aside(entry: _Labelled) -> bool:
        name = sets[entry.set_index]
        return name in left_out or zlib.crc32(f"{name}/{entry.name}".encode()) % 10000 < held_out * 10000

    aside = [is_aside(entry) for entry in read]
    return Pool(
        sets=sets,
        pictures=pictures,
        sizes=torch.tensor([[e.picture.shape[1], e.picture.shape[0]] for e in read], dtype=torch.float32),
        set_of=torch.tensor([e.set_index for e in read]),
        held_out=torch.tensor(aside),
        boxes=torch.from_numpy(np.concatenate(boxes)),
        box_table=table,
        masks=torch.from_numpy(np.stack(masks)) if masks else torch.zeros(0, MASK_SIDE, MASK_SIDE, dtype=torch.uint8),
        mask_of=torch.tensor(mask_of, dtype=torch.long),
        image_of=torch.tensor(image_of, dtype=torch.long),
        class_of=torch.tensor(class_of, dtype=torch.long),
        masked=torch.tensor(
            [row for row, index in enumerate(mask_of) if index >= 0 and not aside[image_of[row]]], dtype=torch.long
        ),
    )
