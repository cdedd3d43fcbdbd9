"""What a training run leaves besides weights: a summary, a CSV log, and the state that --resume continues from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from core.encoders.weights.files import read_torch
from core.errors import BadInputError, BadWeightsError, StorageError, reason
from core.files import written_whole
from core.translation import tr


class Resumable(Protocol):
    """A network, an average or an optimizer."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object: ...


STATE_FILE = "state.pt"
LOG_FILE = "log.csv"


@dataclass(frozen=True)
class RunSummary:
    """The folder of the weights, the steps and seconds of the run, and its figures by name."""

    out: Path
    steps: int
    seconds: float
    figures: dict[str, float]


def log_row(path: Path, figures: Mapping[str, float]) -> None:
    """Append a row to a CSV file; a new file gets a header with the names. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(figures)
            writer.writerow([f"{value:.6g}" for value in figures.values()])
    except OSError as error:
        raise StorageError(
            tr("The log {path} cannot be written ({why}): check the folder.", path=path, why=reason(error))
        ) from error


def save_state(state: Mapping[str, object], path: Path) -> None:
    """Write the state atomically: a kill leaves the previous state. Raises StorageError."""
    try:
        with written_whole(path) as beside:
            torch.save(dict(state), beside)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise StorageError(
            tr(
                "The state could not be saved to {path} ({why}): make room there; the refiner in use stays.",
                path=path,
                why=reason(error),
            )
        ) from error


def resume_parts(path: Path, parts: Mapping[str, Resumable]) -> int:
    """Load a state that `save_state` wrote into its parts, by name; return its `step`. Raises BadWeightsError."""
    try:
        state = read_torch(path)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        return int(state["step"])
    except FileNotFoundError as error:
        raise BadWeightsError(
            tr("There is nothing to resume: {path} is missing; leave out --resume.", path=path)
        ) from error
    except Exception as error:  # any damage to the file has the same remedy
        raise BadWeightsError(tr("{path} cannot be resumed from: start again without --resume.", path=path)) from error


def load_state_of(path: Path, *, fingerprint: str) -> dict[str, Any]:
    """Load the state to resume from.

    Raises BadWeightsError if the file is missing or damaged, BadInputError if its fingerprint is not `fingerprint`:
    then it is from other corrections or another configuration.
    """
    try:
        state: dict[str, Any] = read_torch(path)
        known = state["fingerprint"]
    except FileNotFoundError as error:
        raise BadWeightsError(
            tr("There is nothing to resume: {path} is missing; leave out --resume.", path=path)
        ) from error
    except Exception as error:  # damage to the file can raise any of them
        raise BadWeightsError(tr("{path} cannot be resumed from: start again without --resume.", path=path)) from error
    if known != fingerprint:
        raise BadInputError(
            tr("{path} is of other corrections or another configuration: start again without --resume.", path=path)
        )
    return state
