"""Models: what is loaded to encode and to refine, and what the window asks of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.geometry import Frame

if TYPE_CHECKING:
    from core.encoders.image_features import ImageFeatures
    from core.refiner.protocol import Refiner


class OpenedPicture(Protocol):
    """A picture of which several frames are wanted; see core.features.feature_source."""

    def of(self, frame: Frame | None = None) -> ImageFeatures: ...

    def once(self, crop: Frame) -> ImageFeatures: ...


class Source(Protocol):
    """Where features come from; see core.features.feature_source."""

    def of_path(self, path: Path) -> ImageFeatures: ...

    def peek(self, path: Path) -> ImageFeatures | None: ...

    def opened(self, path: Path, *, keep_crops: bool = True) -> OpenedPicture: ...

    def prepare(self, path: Path) -> None: ...


class Stats(Protocol):
    """What a cache holds; see core.features.cache.feature_cache."""

    @property
    def ram_bytes(self) -> int: ...

    @property
    def disk_bytes(self) -> int: ...


def _nothing() -> None:
    """There is nothing to close, and no trouble."""


def _whatever_category(refiner: Refiner, category: str | None) -> Refiner:
    """A refiner that answers for every category alike."""
    return refiner


@dataclass(frozen=True)
class Models:
    """The loaded encoder (behind its cache) and refiner, and how to call them in the status bar.

    `trouble` is a sentence where the cache cannot be used; refining goes on without it. `looks_twice`: boxes are
    refined again on the features of a crop. `device` says where and in which number format it computes, and why not on
    a GPU. `reach`: how many images around the open one may be prepared when there is nothing else to do.
    `refiner_folder` is the taught refiner's, None: the shipped one is loaded;
    `load_refiner` loads another (None: none can be); `for_category` gives the refiner for boxes of one category.
    """

    source: Source
    refiner: Refiner
    encoder_name: str
    encoder_identity: str
    refiner_name: str
    refiner_identity: str
    device: str
    looks_twice: bool = False
    close: Callable[[], None] = _nothing
    trouble: Callable[[], str | None] = _nothing
    reach: int = 0
    stats: Callable[[], Stats | None] = _nothing
    refiner_folder: Path | None = None
    load_refiner: Callable[[Path | None], Refiner] | None = None
    for_category: Callable[[Refiner, str | None], Refiner] = _whatever_category


def in_words(models: Models | None, note: str) -> str:
    """Encoder, refiner and device with its number format, for the log and reports; `note` says why there are none."""
    if models is None:
        return note or "none"
    refiner = f"{models.refiner_name} ({models.refiner_identity})"
    return f"encoder {models.encoder_name} ({models.encoder_identity}), refiner {refiner}, on {models.device}"
