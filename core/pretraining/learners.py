"""The kinds of refiners that pretraining can train, each with its network, losses and calibration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.encoders.light.encoder import BACKBONES
from core.errors import BadInputError
from core.pretraining.baseline_losses import baseline_loss
from core.pretraining.config import PretrainConfig
from core.pretraining.frames import Frames
from core.pretraining.measure import Answers, calibrated, constant
from core.refiner.baseline_network import BaselineAnswer, BaselineNetwork
from core.refiner.box_refiner import Calibration
from core.refiner.candidates import CandidateAnswer, CandidateNetwork
from core.refiner.losses import candidate_loss, mask_loss, stage_loss
from core.refiner.network import RefinerNetwork, StageAnswer

INITIALISATIONS = ("xavier", "default")


@dataclass(frozen=True)
class Learner:
    """One kind of refiner (see refiner.checkpoint).

    network: makes a fresh network
    losses: all iterations' answers of the network -> scalars by name; training minimizes `total`
    calibrated: answers on held-out pictures -> the calibration of confidences and scores
    """

    kind: str
    network: Callable[[PretrainConfig], RefinerNetwork | BaselineNetwork | CandidateNetwork]
    losses: Callable[[list[Any], Frames, PretrainConfig], dict[str, Tensor]]
    calibrated: Callable[[list[Answers], PretrainConfig], Calibration]


def learner_of(config: PretrainConfig) -> Learner:
    """Find the learner that a configuration names. Raises BadInputError if there is none of that name."""
    for key, value, known in (
        ("refiner", config.refiner, tuple(LEARNERS)),
        ("initialisation", config.initialisation, INITIALISATIONS),
        ("backbone", config.backbone, tuple(BACKBONES)),
    ):
        if value not in known:
            raise BadInputError(f"The configuration names {value!r} as {key}: use one of {', '.join(known)}.")
    return LEARNERS[config.refiner]


def box_losses(stages: list[StageAnswer], frames: Frames, config: PretrainConfig) -> dict[str, Tensor]:
    """The parts of the last stage's loss, and the total over all stages."""
    total = torch.zeros((), device=frames.drawn.device)
    parts: dict[str, Tensor] = {}
    weights = {
        "distribution": config.distribution_weight,
        "l1": config.l1_weight,
        "giou": config.iou_weight,
        "confidence": config.confidence_weight,
        "score": config.score_weight,
    }
    for answer in stages:
        parts = stage_loss(answer, frames.true, drawn=frames.drawn, weight=frames.weight, pixel=frames.pixel)
        masks, known = frames.masks(answer.region, answer.mask_logits.shape[-1])
        parts["mask"] = mask_loss(answer.mask_logits, masks, weight=known)
        total = total + sum(parts[name] * share for name, share in weights.items()) + config.mask_weight * parts["mask"]
    return parts | {"total": total}


def baseline_losses(answers: list[BaselineAnswer], frames: Frames, config: PretrainConfig) -> dict[str, Tensor]:
    """The baseline's loss in its own units: frame pixels and 1 - IoU."""
    return baseline_loss(
        answers,
        frames.true,
        drawn=frames.drawn,
        weight=frames.weight,
        l1_weight=config.l1_weight,
        iou_weight=config.iou_weight,
    )


def candidate_losses(answers: list[CandidateAnswer], frames: Frames, config: PretrainConfig) -> dict[str, Tensor]:
    """The parts of the candidate network's loss, and their total."""
    parts = candidate_loss(answers[-1], frames.true, weight=frames.weight)
    weights = {
        "distribution": config.distribution_weight,
        "l1": config.l1_weight,
        "giou": config.iou_weight,
        "choice": config.score_weight,
    }
    total = torch.stack([parts[name] * share for name, share in weights.items()]).sum()
    return parts | {"total": total}


LEARNERS: Mapping[str, Learner] = {
    learner.kind: learner
    for learner in (
        Learner(
            "box",
            network=lambda _: RefinerNetwork(),
            losses=box_losses,
            calibrated=lambda found, config: calibrated(
                found,
                Calibration(
                    keep_margin=config.keep_margin,
                    caution=config.caution,
                    sure_side=config.sure_side,
                    least_move=config.least_move,
                ),
            ),
        ),
        Learner(
            "baseline",
            network=lambda config: BaselineNetwork(xavier=config.initialisation == "xavier"),
            losses=baseline_losses,
            calibrated=lambda found, _: constant(found),
        ),
        Learner(
            "candidates",
            network=lambda _: CandidateNetwork(),
            losses=candidate_losses,
            calibrated=lambda found, _: constant(found),
        ),
    )
}
