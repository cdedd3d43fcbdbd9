"""Background activity as kinds and numbers; `panels/status_words.py` turns them into text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path


class ActivityKind(Enum):
    """Kinds of work on the encode lane."""

    LOADING_MODELS = auto()
    LOADING_ENCODER = auto()
    """The user has chosen another encoder; the detail is its name."""
    LOADING_AGAIN = auto()
    """On the CPU, because the GPU failed."""
    LOADING_REFINER = auto()
    PREPARING = auto()
    """For this kind and the next ones, the detail is the picture's file name."""
    PREPARING_FOLDER = auto()
    LOOKING_CLOSER = auto()
    REFINING = auto()


_LOADING = frozenset(
    {
        ActivityKind.LOADING_MODELS,
        ActivityKind.LOADING_ENCODER,
        ActivityKind.LOADING_AGAIN,
        ActivityKind.LOADING_REFINER,
    }
)


@dataclass(frozen=True)
class Activity:
    """Present work of the encode lane, with a detail such as a file name."""

    kind: ActivityKind
    detail: str = ""

    @property
    def is_loading(self) -> bool:
        """Whether weights are being loaded, which creates very many Python objects."""
        return self.kind in _LOADING


class ScanKind(Enum):
    """Kinds of work that change the whole list of images or boxes."""

    LOOKING_FOR_LAST = auto()
    OPENING = auto()
    """The name is that of the folder or project; for IMPORTING, that of the annotation file."""
    OPENING_SAMPLE = auto()
    READING = auto()
    IMPORTING = auto()


@dataclass(frozen=True)
class Scan:
    """What is being opened, read or imported; meanwhile no import and no scan of the folder starts."""

    kind: ScanKind
    name: str = ""
    done: int = 0
    total: int = 0
    stop: Callable[[], None] | None = field(default=None, compare=False)
    """Ends it for the user; None where it cannot be ended."""


@dataclass(frozen=True)
class SecondProject:
    """A question: `folder` has no project, but folders above it or below have `others`, the nearest first."""

    folder: Path
    others: tuple[Path, ...]
    is_above: bool
    open_other: Callable[[], None]
    make_new: Callable[[], None]


class ModelsState(Enum):
    """Whether models are loaded, and if not, whether they are being loaded."""

    NONE_YET = auto()
    LOADING = auto()
    LOADING_AGAIN = auto()
    """On the CPU, because the GPU failed."""
    FAILED = auto()
    READY = auto()

    @property
    def is_loading(self) -> bool:
        """Whether models are being loaded."""
        return self in (ModelsState.LOADING, ModelsState.LOADING_AGAIN)
