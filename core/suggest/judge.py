"""Judge: what all projects share about when a find is right: numbers of a find -> the logit that it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.bounded import read_text
from core.encoders.weights.files import in_float32, load_state
from core.errors import BadWeightsError, reason
from core.refiner.checkpoint import save_text, save_weights
from core.suggest.judging import KNOWN
from core.suggest.trust import WANTED_PRECISION, Standard
from core.translation import tr

JUDGE_WEIGHTS, JUDGE_CARD = "judge.safetensors", "judge.json"
FORMAT = 1
_LARGEST_CARD = 1_000_000
_MOST_SPREADS = 4.0
_MOST_UNITS = 1024

_UNKNOWN = Standard(WANTED_PRECISION, ())

Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Standards:
    """What a judge shows by default, of a head of several pictures, and in the rest of a picture."""

    following: Standard
    rest: Standard


@dataclass(frozen=True)
class JudgeCard:
    """For which network (the identity of a kit) a judge was trained, on which numbers, with what result, and how."""

    network: str
    standards: Standards
    known: tuple[str, ...] = KNOWN
    made_by: Mapping[str, object] = field(default_factory=dict)
    format: int = FORMAT


class Judge:
    """A perceptron with one hidden layer beside a plane; threads may share it."""

    def __init__(self, state: Mapping[str, Tensor], standards: Standards | None = None) -> None:
        """`state` has the tensors of `shapes`; `standards` are known once the judge was compared with other rules."""
        self.standards = standards or Standards(_UNKNOWN, _UNKNOWN)
        self.state = {name: value.detach().float() for name, value in state.items()}
        self._parts = {name: value.double().numpy() for name, value in self.state.items()}
        digest = hashlib.sha256()
        for name in sorted(self.state):
            digest.update(name.encode() + self.state[name].numpy().tobytes())
        self.identity = f"judge-{digest.hexdigest()[:12]}"

    def logits(self, known: Figures) -> Figures:
        """The logits (N,) that finds with these numbers (N, len(KNOWN)) are right."""
        parts = self._parts
        level = ((known - parts["mean"]) / parts["spread"]).clip(-_MOST_SPREADS, _MOST_SPREADS)
        hidden = np.maximum(level @ parts["enter"] + parts["enter_bias"], 0.0)
        found: Figures = hidden @ parts["leave"] + level @ parts["plane"] + parts["bias"][0]
        return found


def shapes(units: int) -> dict[str, tuple[int, ...]]:
    """The names and shapes of a judge's tensors with so many hidden units."""
    width = len(KNOWN)
    return {
        "mean": (width,),
        "spread": (width,),
        "enter": (width, units),
        "enter_bias": (units,),
        "leave": (units,),
        "plane": (width,),
        "bias": (1,),
    }


def save_judge(folder: Path, judge: Judge, card: JudgeCard) -> None:
    """Write weights (as fp16) and card into `folder`, each atomically. Raises StorageError."""
    save_weights(judge.state, folder / JUDGE_WEIGHTS)
    save_text(json.dumps(asdict(card), indent=2) + "\n", folder / JUDGE_CARD)


def load_judge(folder: Path, *, network: str) -> Judge | None:
    """Load the judge in a folder; None if there is none, or if it is for another network than this identity.

    Raises BadWeightsError if it is damaged or of a newer version.
    """
    if not (folder / JUDGE_CARD).is_file():
        return None
    card = read_judge_card(folder)
    if card.network != network or card.known != KNOWN:
        return None
    path = folder / JUDGE_WEIGHTS
    state = in_float32(load_state(path))
    units = len(state.get("leave", torch.zeros(0)))
    fits = 0 < units <= _MOST_UNITS and {name: tuple(value.shape) for name, value in state.items()} == shapes(units)
    if not fits or not all(bool(torch.isfinite(value).all()) for value in state.values()) or state["spread"].min() <= 0:
        raise BadWeightsError(tr("{path} is damaged ({why}): install BoxRefine again.", path=path, why=tr("no judge")))
    return Judge(state, card.standards)


def _standard(values: Mapping[str, Any]) -> Standard:
    """Read a standard. Raises ValueError, KeyError or TypeError."""
    standard = Standard(float(values["threshold"]), tuple(float(value) for value in values["usual"]))
    if not all(0 <= value <= 1 for value in (standard.threshold, *standard.usual)):
        raise ValueError(tr("no judge"))
    return standard


def read_judge_card(folder: Path) -> JudgeCard:
    """Read the card in a folder. Raises BadWeightsError if it is missing, damaged or of a newer version."""
    path = folder / JUDGE_CARD
    try:
        values = json.loads(read_text(path, limit=_LARGEST_CARD))
        if type(values["format"]) is int and values["format"] > FORMAT:
            raise BadWeightsError(tr("{path} was made by a newer BoxRefine: update BoxRefine.", path=path))
        kinds = {name: _standard(values["standards"][name]) for name in ("following", "rest")}
        known = tuple(values["known"])
        card = JudgeCard(values["network"], Standards(**kinds), known, values["made_by"], values["format"])
        if type(card.network) is not str or type(card.format) is not int or type(card.made_by) is not dict:
            raise ValueError(tr("no judge"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadWeightsError(
            tr("{path} is damaged ({why}): install BoxRefine again.", path=path, why=reason(error))
        ) from error
    return card
