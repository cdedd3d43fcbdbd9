"""BoxRefine for Python programs: refine coarse boxes, read and write annotation files, and read projects.

The names in `__all__` are stable; everything else in this package may change. They are imported at first use, so
`import core` imports neither torch nor Qt.

>>> import core
>>> core.match_boxes([(0, 0, 10, 10)], [(50, 50, 60, 60), (1, 0, 10, 10)])
[(0, 1, 0.9)]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.api import (
        Annotations,
        Models,
        load_models,
        match_boxes,
        open_project,
        read_annotations,
        write_annotations,
    )
    from core.errors import BadFileError, BadInputError, BadWeightsError, GpuError, KnownError, StorageError
    from core.geometry import Box
    from core.records import Candidate, Category, Correction, Dataset, ImageRecord, Refinement

__all__ = [
    "Annotations",
    "BadFileError",
    "BadInputError",
    "BadWeightsError",
    "Box",
    "Candidate",
    "Category",
    "Correction",
    "Dataset",
    "GpuError",
    "ImageRecord",
    "KnownError",
    "Models",
    "Refinement",
    "StorageError",
    "load_models",
    "match_boxes",
    "open_project",
    "read_annotations",
    "write_annotations",
]

_HOMES = {
    "core.errors": ("BadFileError", "BadInputError", "BadWeightsError", "GpuError", "KnownError", "StorageError"),
    "core.geometry": ("Box",),
    "core.records": ("Candidate", "Category", "Correction", "Dataset", "ImageRecord", "Refinement"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")  # untranslated: Python's own words
    home = next((module for module, names in _HOMES.items() if name in names), "core.api")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
