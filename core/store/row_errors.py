"""Errors for rows that a write needs and that are missing or damaged."""

from __future__ import annotations

from pathlib import Path

from core.errors import BadFileError, BadInputError
from core.translation import tr

_MISSING = {
    "images": tr("The project {path} has no image with the id {id}: open the project again."),
    "categories": tr("The project {path} has no category with the id {id}: open the project again."),
    "corrections": tr("The project {path} has no box with the id {id}: open the project again."),
}
_DAMAGED = {
    "images": tr(
        "The image {id} of the project {path} is damaged: run boxrefine project repair on it, which keeps a copy."
    ),
    "categories": tr(
        "The category {id} of the project {path} is damaged: run boxrefine project repair on it, which keeps a copy."
    ),
    "corrections": tr(
        "The box {id} of the project {path} is damaged: run boxrefine project repair on it, which keeps a copy."
    ),
    "marks": tr(
        "The mark of the image {id} of the project {path} is damaged: run boxrefine project repair on it, which keeps "
        "a copy."
    ),
}


def missing_row(table: str, id: int, *, path: Path) -> BadInputError:
    """The error for a row that the project at `path` does not have."""
    return BadInputError(_MISSING[table].format(path=path, id=id))


def damaged_row(table: str, id: int, *, path: Path) -> BadFileError:
    """The error for a row of the project at `path` that cannot be read; damaged rows are never written."""
    return BadFileError(_DAMAGED[table].format(path=path, id=id))


def missing_refiner(id: int, *, encoder: str, path: Path) -> BadInputError:
    """The error for a refiner that the project at `path` does not have for an encoder's identity."""
    return BadInputError(
        tr(
            "The project {path} has no refiner {id} for {encoder}: open the project again.",
            path=path,
            id=id,
            encoder=encoder,
        )
    )
