"""Batches of training examples: cached features and boxes in frame pixels, read by worker processes if that pays."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from core.encoders.image_features import ImageFeatures
from core.errors import BadFileError
from core.features.cache.feature_cache import FeatureCache, FeatureKey
from core.features.cache.shared_cache import SharedCache
from core.features.feature_source import FeatureSource
from core.geometry import clip
from core.object_store.address import Address
from core.object_store.remote_file import PictureFile
from core.refiner.margins import Margin
from core.training.lessons import Lesson
from core.training.teach_config import TeachConfig
from core.translation import tr

Reader = Callable[[PictureFile], ImageFeatures]
BYTES_EACH = 6 << 20  # embedding and detail in fp16
GPU_SHARE = 0.25
"""Largest share of a GPU's free memory for features, because the window uses the GPU at the same time."""

Item = tuple[int, tuple[int, ...]]
"""The number of a training example, and rows of its corrections, `boxes_per_image` of them."""


@dataclass(frozen=True)
class Batch:
    """B images and K boxes of each, in frame pixels.

    embedding: (B, 256, 64, 64) and detail: (B, 32, 256, 256), fp16
    accepted: (B, K, 4); true: (B, K, 4), the accepted boxes without the margins that are added to answers later
    drawn: (B, K, 4), NaN where unknown
    content: (B, 4), where the image lies in the frame; pixel: (B, 1, 1), frame pixels an image pixel
    items: the images and boxes of the batch
    """

    embedding: Tensor
    detail: Tensor
    accepted: Tensor
    true: Tensor
    drawn: Tensor
    content: Tensor
    pixel: Tensor
    items: tuple[Item, ...] = ()

    @classmethod
    def of(cls, tensors: Sequence[Tensor], items: tuple[Item, ...] = ()) -> Batch:
        """Create a batch from tensors in the order of `Batch.tensors`."""
        return cls(**dict(zip(_TENSORS, tensors, strict=True)), items=items)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All fields but the items, in their order."""
        return tuple(getattr(self, name) for name in _TENSORS)

    def to(self, device: torch.device) -> Batch:
        """Copy the batch to a device."""
        return Batch.of([values.to(device, non_blocking=True) for values in self.tensors], self.items)

    def pin_memory(self) -> Batch:
        """Copy tensors that are not on a GPU to pinned memory; DataLoader calls it."""
        return Batch.of([v if v.is_cuda else v.pin_memory() for v in self.tensors], self.items)


_TENSORS = ("embedding", "detail", "accepted", "true", "drawn", "content", "pixel")
BATCH_TENSORS = len(_TENSORS)


class StoredFeatures:
    """Reads features from the cache by known keys; each process opens the cache itself."""

    def __init__(self, folder: Path, keys: Mapping[PictureFile, FeatureKey], *, shared: Address | None = None) -> None:
        """`shared` is the address of the cache that a team shares: another machine may have encoded the pictures."""
        self._folder, self._keys, self._shared = folder, dict(keys), shared
        self._cache: FeatureCache | None = None

    def __getstate__(self) -> dict[str, object]:
        return {"_folder": self._folder, "_keys": self._keys, "_shared": self._shared, "_cache": None}

    def __call__(self, path: PictureFile) -> ImageFeatures:
        """Raises BadFileError if the features are no longer in the cache."""
        if self._cache is None:
            shared = None if self._shared is None else SharedCache(self._shared, writes=False, lists=False)
            self._cache = FeatureCache(self._folder, ram_budget=0, shared=shared)
        features = self._cache.get(self._keys[path])
        if features is None:
            raise BadFileError(
                tr(
                    "The features of {path} have gone from the cache {folder}: start again.",
                    path=path,
                    folder=self._folder,
                )
            )
        return features


class FeaturesOnGpu:
    """Reads features to a GPU, and keeps them there."""

    def __init__(self, read: Reader, device: torch.device) -> None:
        self._read = read
        self._device = device
        self._held: dict[PictureFile, ImageFeatures] = {}

    def __call__(self, path: PictureFile) -> ImageFeatures:
        """Raises what the reader raises."""
        if path not in self._held:
            features = self._read(path)
            embedding, detail = (part.to(self._device) for part in (features.embedding, features.detail))
            self._held[path] = replace(features, embedding=embedding, detail=detail)
        return self._held[path]


def gpu_reader(read: Reader, pictures: int, device: torch.device) -> Reader | None:
    """A reader that keeps features on the GPU; None if those of `pictures` images do not fit, or on a CPU."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    return FeaturesOnGpu(read, device) if pictures * BYTES_EACH < GPU_SHARE * free else None


class LessonSet(Dataset[Batch]):
    """A dataset whose index is a list of items, and whose element is a batch."""

    def __init__(self, lessons: Sequence[Lesson], margins: Mapping[str, Margin], read: Reader) -> None:
        self._lessons = lessons
        self._margins = margins
        self._read = read

    def __getitem__(self, items: Sequence[Item]) -> Batch:
        parts = [self._part(lesson, rows) for lesson, rows in items]
        return Batch(**{name: torch.stack([part[name] for part in parts]) for name in _TENSORS}, items=tuple(items))

    def _part(self, number: int, rows: tuple[int, ...]) -> dict[str, Tensor]:
        lesson = self._lessons[number]
        features = self._read(lesson.path)
        frame = features.frame
        at = list(rows)
        accepted = clip(lesson.accepted[at], width=frame.image_width, height=frame.image_height)
        margins = [self._margins.get(lesson.categories[row], Margin()) for row in at]
        true = np.concatenate([margin.narrow(box[None]) for margin, box in zip(margins, accepted, strict=True)])
        whole = [[0.0, 0.0, float(frame.image_width), float(frame.image_height)]]
        return {
            "embedding": features.embedding,
            "detail": features.detail,
            "accepted": torch.from_numpy(frame.to_frame(accepted)).float(),
            "true": torch.from_numpy(frame.to_frame(true)).float(),
            "drawn": torch.from_numpy(frame.to_frame(lesson.drawn[at])).float(),
            "content": torch.from_numpy(frame.to_frame(whole)[0]).float(),
            "pixel": torch.full((1, 1), frame.scale),
        }


class EpochBatches(Sampler[list[Item]]):
    """The batches of an epoch in a random order: each correction at least once, each batch full.

    `rank` of `ranks` processes gets every so many-th batch.
    """

    def __init__(self, sizes: Sequence[int], config: TeachConfig, *, rank: int = 0, ranks: int = 1) -> None:
        self._sizes, self._config = sizes, config
        self._rank, self._ranks = rank, ranks
        self.epoch = 0

    def __len__(self) -> int:
        many = self._config.boxes_per_image
        items = sum(-(-size // many) for size in self._sizes)
        per_step = self._config.batch_images * self._ranks
        return max(1, -(-items // per_step))

    @property
    def boxes(self) -> int:
        """The number of corrections of this process."""
        return -(-sum(self._sizes) // self._ranks)

    def __iter__(self) -> Iterator[list[Item]]:
        rng = np.random.default_rng([self._config.seed, self.epoch])
        items = [item for number, size in enumerate(self._sizes) for item in self._items(number, size, rng)]
        order = [items[at] for at in rng.permutation(len(items))]
        per_step = self._config.batch_images * self._ranks
        order = [order[at % len(order)] for at in range(len(self) * per_step)]
        for start in range(0, len(order), per_step):
            yield order[start + self._rank : start + per_step : self._ranks]

    def _items(self, number: int, size: int, rng: np.random.Generator) -> Iterator[Item]:
        many = self._config.boxes_per_image
        rows = rng.permutation(size).tolist()
        for start in range(0, size, many):
            yield number, tuple(rows[(start + step) % size] for step in range(many))


@dataclass(frozen=True)
class Reading:
    """A reader of features, and the number of worker processes that read (0: this process reads)."""

    read: Reader
    processes: int = 0


def reading_of(paths: Sequence[PictureFile], source: FeatureSource, *, most: int, device: torch.device) -> Reading:
    """Read features once and keep them on the GPU if they fit there; else as `reading_from_cache`."""
    held = gpu_reader(source.of_path, len(paths), device)
    return reading_from_cache(paths, source, most=most, device=device) if held is None else Reading(held)


def reading_from_cache(
    paths: Sequence[PictureFile], source: FeatureSource, *, most: int, device: torch.device
) -> Reading:
    """Read features again for each batch; in worker processes if a GPU computes, all keys are known, and not all
    features are in memory.

    Features that are in memory need no workers, whose start would take longer.
    """
    here = Reading(source.of_path)
    if device.type != "cuda" or source.cache is None or all(source.peek(path) is not None for path in paths):
        return here
    keys: dict[PictureFile, FeatureKey] = {}
    for path in paths:
        known = source.recall(path)
        key = source.key_of(path, known) if known else None
        if key is None:
            return here
        keys[path] = key
    processes = min(most, _cores())
    if not processes:
        return here
    shared = None if source.cache.shared is None else source.cache.shared.address
    return Reading(StoredFeatures(source.cache.folder, keys, shared=shared), processes)


def make_loader(
    lessons: Sequence[Lesson],
    margins: Mapping[str, Margin],
    batches: EpochBatches,
    *,
    source: FeatureSource,
    config: TeachConfig,
    device: torch.device,
) -> DataLoader[Batch]:
    """Create the loader of batches, with a reader that suits the device."""
    reading = reading_of([lesson.path for lesson in lessons], source, most=config.num_workers, device=device)
    lesson_set = LessonSet(lessons, margins, reading.read)
    return loader_of(lesson_set, batches, workers=reading.processes, config=config, device=device)


def _cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def loader_of(
    lesson_set: LessonSet, batches: EpochBatches, *, workers: int, config: TeachConfig, device: torch.device
) -> DataLoader[Batch]:
    """A DataLoader with options for the platform: memory is pinned only for a GPU."""
    return DataLoader(
        lesson_set,
        sampler=batches,
        batch_size=None,
        num_workers=workers,
        pin_memory=config.pin_memory and device.type == "cuda",
        persistent_workers=config.persistent_workers and workers > 0,
        multiprocessing_context="spawn" if workers else None,
    )
