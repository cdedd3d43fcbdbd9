"""Models: the loaded encoder and refiner, as the window uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from boxrefine_gui.state.doing import ModelsState
from boxrefine_gui.state.suggesting_state import SuggestKit
from core.geometry import Box, Frame
from core.records import Candidate, Drawing, Refinement

if TYPE_CHECKING:
    from core.encoders.image_features import Cut, Encoder, ImageFeatures
    from core.refiner.margins import Margin
    from core.refiner.protocol import Refiner
    from core.store.project_reads import ProjectReads


class OpenedPicture(Protocol):
    """A decoded picture that can be encoded by frames; see core.features.feature_source."""

    def of(self, frame: Frame | None = None) -> ImageFeatures: ...

    def once(self, crop: Frame, *, fill: float = 1.0) -> ImageFeatures: ...

    @property
    def encoder(self) -> Encoder: ...

    def cut(self, crop: Frame) -> Cut: ...


class Source(Protocol):
    """Where features come from; see core.features.feature_source."""

    def of_path(self, path: Path) -> ImageFeatures: ...

    def peek(self, path: Path) -> ImageFeatures | None: ...

    def opened(self, path: Path, *, keep_crops: bool = True) -> OpenedPicture: ...

    def prepare(self, path: Path) -> None: ...

    def at_hand(self, path: Path) -> ImageFeatures | None: ...


class Stats(Protocol):
    """Sizes of the feature cache; see core.features.cache.feature_cache."""

    @property
    def ram_bytes(self) -> int: ...

    @property
    def disk_bytes(self) -> int: ...


class Finder(Protocol):
    """Finds several answers to one drawn box; see core.refiner.candidate_finder."""

    def judged_candidates(
        self, features: ImageFeatures, drawn: Box, answer: Refinement, *, refiner: Refiner, margin: Margin | None = None
    ) -> tuple[Candidate, ...]: ...


class Learner(Protocol):
    """Learns margins from a project's accepted boxes; see core.refiner.margin_learner."""

    def learn(self, project: ProjectReads, changed: Iterable[int] | None = None) -> dict[str, Margin]: ...


def _nothing() -> None:
    """Default callback of Models: nothing to close, no cache error, no statistics."""


def _whatever_category(refiner: Refiner, category: str | None) -> Refiner:
    """Return the same refiner for every category."""
    return refiner


def _however_drawn(refiner: Refiner, drawing: Drawing) -> Refiner:
    """Return the same refiner for every drawing."""
    return refiner


def _whatever_margins(refiner: Refiner, margins: Mapping[str, Margin]) -> Refiner:
    """Return the same refiner for all margins."""
    return refiner


@dataclass(frozen=True)
class Device:
    """Device of the models, in fp32: torch's name of its `kind`, and a short text on why no GPU is used."""

    kind: str
    why_no_gpu: str = ""
    gpu_failed: bool = False

    @property
    def is_gpu(self) -> bool:
        """Whether a failure can leave the work to the CPU."""
        return self.kind != "cpu"


@dataclass(frozen=True)
class Models:
    """The loaded encoder (behind its cache) and refiner, with their names for the status bar.

    `trouble` returns a sentence if the cache cannot be used; refining continues without it. `looks_twice`: boxes are
    refined again on the features of a crop. `reach` is how many images around the open one may be prepared when idle.
    `refiner_folder` is the folder of the taught refiner, None for the shipped one. `load_refiner` loads another one; it
    is None if no other can be loaded. `for_category` returns the refiner for boxes of one category. `learner` makes a
    learner of margins for an encoder and a refiner, by identity; None if margins cannot be learned. `with_margins`
    returns a refiner with margins by name of category. `finder` is None where boxes have one answer. `for_drawing`
    returns the refiner for boxes that were drawn in one way. `suggest` finds objects on the encoder's features; None if
    no network for that ships.
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
    learner: Callable[[str, str], Learner] | None = None
    with_margins: Callable[[Refiner, Mapping[str, Margin]], Refiner] = _whatever_margins
    finder: Finder | None = None
    suggest: SuggestKit | None = None
    for_drawing: Callable[[Refiner, Drawing], Refiner] = _however_drawn

    @property
    def refines_by_masks(self) -> bool:
        """Whether the refiner takes its boxes from the encoder's masks; the window then shows no refiner name."""
        return bool(getattr(self.refiner, "refines_by_masks", False))


def in_words(models: Models | None, state: ModelsState) -> str:
    """Describe encoder, refiner and device in English, for the log and bug reports."""
    if models is None:
        return f"none ({state.name.lower()})"
    refiner = f"{models.refiner_name} ({models.refiner_identity})"
    device = models.device
    why = "the GPU failed" if device.gpu_failed else device.why_no_gpu  # untranslated: for the log and bug reports
    where = f"{device.kind.upper()}, fp32" + (f" ({why})" if why else "")
    return f"encoder {models.encoder_name} ({models.encoder_identity}), refiner {refiner}, on {where}"
