"""What a training run leaves in its folder besides weights: a CSV log, and the state that --resume goes on from."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from core.encoders.weights.files import read_torch
from core.errors import BadInputError, BadWeightsError, StorageError, reason
from core.files import written_whole

STATE_FILE = "state.pt"
LOG_FILE = "log.csv"


def log_row(path: Path, figures: Mapping[str, float]) -> None:
    """Append a row to a CSV file, which begins with the names. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if fresh:
                writer.writerow(figures)
            writer.writerow([f"{value:.6g}" for value in figures.values()])
    except OSError as error:
        raise StorageError(f"The log {path} cannot be written ({reason(error)}): check the folder.") from error


def save_state(state: Mapping[str, object], path: Path) -> None:
    """Write the state so that a kill leaves the last one whole. Raises StorageError."""
    try:
        with written_whole(path) as beside:
            torch.save(dict(state), beside)
    except (OSError, RuntimeError) as error:  # torch tells a full disk as a RuntimeError
        raise StorageError(
            f"The state could not be saved to {path} ({reason(error)}): make room there; the refiner in use stays."
        ) from error


def load_state_of(path: Path, *, fingerprint: str) -> dict[str, Any]:
    """The state to go on from. Raises BadWeightsError where there is none or it is damaged, BadInputError where it is
    of other corrections or another configuration than `fingerprint`."""
    try:
        state: dict[str, Any] = read_torch(path)
        known = state["fingerprint"]
    except FileNotFoundError as error:
        raise BadWeightsError(f"There is nothing to resume: {path} is missing; leave out --resume.") from error
    except Exception as error:  # any damage to the file means the same
        raise BadWeightsError(f"{path} cannot be resumed from: start again without --resume.") from error
    if known != fingerprint:
        raise BadInputError(f"{path} is of other corrections or another configuration: start again without --resume.")
    return state
