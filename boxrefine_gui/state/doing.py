"""What goes on behind the picture, as kinds and numbers; `panels/status_words.py` has the words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class ActivityKind(Enum):
    """What the encode lane can be busy with."""

    LOADING_MODELS = auto()
    LOADING_ENCODER = auto()
    """Another one than before; the detail is its name."""
    LOADING_AGAIN = auto()
    """On the CPU, because the GPU failed."""
    LOADING_REFINER = auto()
    PREPARING = auto()
    """Here and below, the detail is the picture's file name."""
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
    """What the encode lane does now, and with what."""

    kind: ActivityKind
    detail: str = ""

    @property
    def is_loading(self) -> bool:
        """Whether weights are being loaded, which makes very many objects."""
        return self.kind in _LOADING


class ScanKind(Enum):
    """What can change the list of images or boxes as a whole."""

    LOOKING_FOR_LAST = auto()
    OPENING = auto()
    """Here the name is that of the folder or project, below that of the annotation file."""
    OPENING_SAMPLE = auto()
    READING = auto()
    IMPORTING = auto()


@dataclass(frozen=True)
class Scan:
    """What is being opened, read or imported; while there is one, no import and no look at the folder begins."""

    kind: ScanKind
    name: str = ""
    done: int = 0
    total: int = 0


class ModelsState(Enum):
    """Whether there are models, and if not, whether some will come."""

    NONE_YET = auto()
    LOADING = auto()
    LOADING_AGAIN = auto()
    """On the CPU, because the GPU failed."""
    FAILED = auto()
    READY = auto()

    @property
    def is_loading(self) -> bool:
        """Whether models will come."""
        return self in (ModelsState.LOADING, ModelsState.LOADING_AGAIN)
