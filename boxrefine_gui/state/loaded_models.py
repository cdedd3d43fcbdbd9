"""Models: what is loaded to encode and to refine, and what the window asks of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from boxrefine_gui.state.doing import ModelsState
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
class Device:
    """Where the models compute, in fp32: `kind` as torch has it, and a few words on why not on a GPU."""

    kind: str
    why_no_gpu: str = ""
    gpu_failed: bool = False

    @property
    def is_gpu(self) -> bool:
        """Whether a failure can leave the work to the CPU."""
        return self.kind != "cpu"


@dataclass(frozen=True)
class Models:
    """The loaded encoder (behind its cache) and refiner, and how to call them in the status bar.

    `trouble` is a sentence where the cache cannot be used; refining goes on without it. `looks_twice`: boxes are
    refined again on the features of a crop. `reach`: how many images around the open one may be prepared when there is
    nothing else to do. `refiner_folder` is the taught refiner's, None: the shipped one is loaded; `load_refiner` loads
    another (None: none can be); `for_category` gives the refiner for boxes of one category.
    """

    source: Source
    refiner: Refiner
    encoder_name: str
    encoder_identity: str
    refiner_name: str
    refiner_identity: str
    device: Device
    looks_twice: bool = False
    close: Callable[[], None] = _nothing
    trouble: Callable[[], str | None] = _nothing
    reach: int = 0
    stats: Callable[[], Stats | None] = _nothing
    refiner_folder: Path | None = None
    load_refiner: Callable[[Path | None], Refiner] | None = None
    for_category: Callable[[Refiner, str | None], Refiner] = _whatever_category

    @property
    def refines_by_masks(self) -> bool:
        """Whether the boxes are those of the encoder's own masks, so that the refiner has no name of its own."""
        return bool(getattr(self.refiner, "refines_by_masks", False))


def in_words(models: Models | None, state: ModelsState) -> str:
    """Encoder, refiner and device with its number format, for the log and reports."""
    if models is None:
        return f"none ({state.name.lower()})"
    refiner = f"{models.refiner_name} ({models.refiner_identity})"
    device = models.device
    why = "the GPU failed" if device.gpu_failed else device.why_no_gpu
    where = f"{device.kind.upper()}, fp32" + (f" ({why})" if why else "")
    return f"encoder {models.encoder_name} ({models.encoder_identity}), refiner {refiner}, on {where}"
