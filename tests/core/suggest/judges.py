"""Judges that say the same of every find, or what one number of it says; and a refiner that keeps boxes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike

from core.encoders.image_features import ImageFeatures
from core.geometry import Box, as_boxes
from core.records import EdgeConfidence, Refinement
from core.suggest.judge import Judge, Standards, shapes
from core.suggest.judging import KNOWN
from core.suggest.trust import Standard

STANDARDS = Standards(Standard(0.5, tuple(np.linspace(0.4, 1.0, 21).tolist())), Standard(0.4, ()))


def make_judge(number: str = "logit", *, weight: float = 0.0, bias: float = 0.0) -> Judge:
    """A judge whose logit is `weight` times one number, which is cut off at 4, plus a bias."""
    state = {name: torch.zeros(shape) for name, shape in shapes(2).items()}
    state["spread"] += 1.0
    state["plane"][KNOWN.index(number)] = weight
    state["bias"] += bias
    return Judge(state, STANDARDS)


class KeepingRefiner:
    """Its answer is the box that was drawn."""

    name = identity = "keeping"

    def refine(self, features: ImageFeatures, drawn: ArrayLike) -> list[Refinement]:
        return [
            Refinement(Box(*row), EdgeConfidence((0.9, 0.8, 0.7, 0.6)), 0.9)
            for row in as_boxes(np.asarray(drawn)).tolist()
        ]
