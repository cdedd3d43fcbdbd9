"""Splits of an export: those that the folders of the pictures are already, or new ones.

New splits keep near-equal pictures together: the frames of a video, and the copies that a program has made of a
picture. They share the categories by the wanted fractions.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from core.errors import BadInputError
from core.formats.exporters.layout import picture_names
from core.records import Dataset
from core.splits import SPLITS, split_of
from core.translation import tr

_COPY = re.compile(r"[._](?:jpe?g|png|bmp|webp|tiff?)\.rf\.[0-9a-z]{8,}\Z", re.IGNORECASE)
"""What Roboflow adds to the name of each changed copy of a picture."""
_NUMBER = re.compile(r"\d+")
_RUNS = 4
"""A group of frames that is larger than the smallest split is cut into runs of a quarter of that split."""


def parse_fractions(text: str) -> dict[str, float]:
    """The fractions of train, val and test in a text such as `0.8/0.1/0.1`, `80/20` or `1`; they sum to 1.

    Raises BadInputError for anything else.
    """
    try:
        numbers = [float(part) for part in text.split("/")]
    except ValueError:
        numbers = []
    total = sum(numbers)
    if not 1 <= len(numbers) <= len(SPLITS) or not all(0 <= number < 1e6 for number in numbers) or total <= 0:
        raise BadInputError(
            tr(
                "{text} is no division into train, val and test: give numbers such as 0.8/0.1/0.1.",
                text=f"“{text}”",
            )
        )
    return {split: number / total for split, number in zip(SPLITS, numbers, strict=False) if number > 0}


def splits_of_folders(dataset: Dataset) -> dict[int, str]:
    """The split of each image by the folders of its picture; empty if no folder is called as a split.

    An image in no such folder belongs to train.
    """
    found = {id: split_of(PurePosixPath(name).parent) for id, name in picture_names(dataset).items()}
    if not any(found.values()):
        return {}
    return {id: split or SPLITS[0] for id, split in found.items()}


def divide(dataset: Dataset, fractions: Mapping[str, float], *, seed: int = 0) -> dict[int, str]:
    """Divide the images by `fractions` of train, val and test, which sum to 1; the same seed gives the same splits.

    Images that belong together (`groups`) go into one split. Groups with rare categories are placed first, each where
    its categories are lacking most. Every split gets an image if there are as many groups.
    """
    chooser = random.Random(seed)  # noqa: S311 - no secret
    names = picture_names(dataset)
    members = groups(names, least=min(fractions.values()))
    chooser.shuffle(members)
    boxes: dict[int, Counter[int]] = defaultdict(Counter)
    for item in dataset.corrections:
        boxes[item.image_id][item.category_id] += 1
    weights = [_weights(group, boxes) for group in members]
    totals: Counter[int] = Counter()
    for weight in weights:
        totals.update(weight)
    rarest = [min((totals[key] for key in weight if key != _IMAGES), default=totals[_IMAGES]) for weight in weights]
    order = sorted(range(len(members)), key=lambda row: (rarest[row], -weights[row][_IMAGES]))
    lacking = {split: {key: total * part for key, total in totals.items()} for split, part in fractions.items()}
    splits, unused = dict[int, str](), [split for split in SPLITS if split in fractions]
    for placed, row in enumerate(order):
        must = unused if len(order) - placed <= len(unused) else list(fractions)
        split = max(must, key=lambda each: _need(lacking[each], weights[row], totals, fractions[each]))
        for key, number in weights[row].items():
            lacking[split][key] -= number
        splits |= dict.fromkeys(members[row], split)
        if split in unused:
            unused.remove(split)
    return splits


_IMAGES = -1
"""The key under which a group's number of images stands among its numbers of boxes by category."""


def groups(names: Mapping[int, str], *, least: float) -> list[list[int]]:
    """The images that belong together, by their names: those of one folder that differ in the last number only.

    A group that is larger than the fraction `least` of all images, as in a folder of numbered photos, is cut into runs
    of following numbers. The copies of one picture stay together.
    """
    copies: dict[str, list[int]] = {}
    for id, name in names.items():
        path = PurePosixPath(name)
        copies.setdefault((path.parent / _COPY.sub("", path.stem)).as_posix(), []).append(id)
    series: dict[str, list[tuple[int, str]]] = {}
    for name in copies:
        folder, _, stem = name.rpartition("/")
        numbers = list(_NUMBER.finditer(stem))
        prefix, number = (stem[: numbers[-1].start()], int(numbers[-1][0][:18])) if numbers else (stem, 0)
        series.setdefault(f"{folder}/{prefix}", []).append((number, name))
    most = max(1, int(least * len(copies)))
    found: list[list[int]] = []
    for frames in series.values():
        step = len(frames) if len(frames) <= most else max(1, most // _RUNS)
        frames.sort()
        for start in range(0, len(frames), step):
            found.append([id for _, name in frames[start : start + step] for id in copies[name]])
    return found


def _weights(group: Sequence[int], boxes: Mapping[int, Counter[int]]) -> Counter[int]:
    weight: Counter[int] = Counter({_IMAGES: len(group)})
    for id in group:
        weight.update(boxes.get(id, {}))
    return weight


def _need(lacking: Mapping[int, float], weight: Counter[int], totals: Counter[int], part: float) -> float:
    """How much a split lacks of what a group has, where 1 is all that it is to get; a rare category counts as much."""
    return sum(lacking[key] / (totals[key] * part) for key in weight) / len(weight)
