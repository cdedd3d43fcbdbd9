"""Replay: while it learns, the refiner is held to what it answered before on pictures that it is not taught by.

The pictures are those of the sample project. No labels are needed: the refiner as it was is the teacher (Li & Hoiem,
Learning without Forgetting, 2016), and both look at the same boxes, half of them around things, half anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.refiner.network import RefinerNetwork, StageAnswer
from core.training.augment import Rng
from core.training.drawing_noise import draw_carelessly, fit
from core.training.lesson_loader import Batch, LessonSet, Reader, near
from core.training.lessons import Lesson
from core.training.teach_config import TeachConfig

ANYWHERE = 0.3
"""Share of the boxes that lie anywhere instead of around a thing."""

_SHORTEST, _LONGEST = 24.0, 300.0
"""Frame pixels of a side of a box that lies anywhere."""

_EDGES_WEIGHT = 5.0
_DOUBT_WEIGHT = 0.25


class Replay:
    """A few pictures, the refiner as it was, and the loss of answering them otherwise."""

    def __init__(
        self, teacher: RefinerNetwork, old: Sequence[Lesson], read: Reader, config: TeachConfig, device: torch.device
    ) -> None:
        self._teacher = teacher.eval().requires_grad_(False).to(device)
        self._old = old
        self._set = LessonSet(old, {}, near(read, len(old), device) or read)
        self._config = config
        self._device = device

    @property
    def is_on(self) -> bool:
        return bool(self._old) and self._config.replay_weight > 0 and self._config.replay_images > 0

    def batch(self, step: int) -> Batch:
        """The pictures whose turn it is, with boxes of each at random."""
        count, many = self._config.replay_images, self._config.boxes_per_image
        random = np.random.default_rng([self._config.seed, step])
        items = []
        for offset in range(count):
            number = (step * count + offset) % len(self._old)
            items.append((number, tuple(random.integers(len(self._old[number]), size=many).tolist())))
        return self._set[items].to(self._device)

    def loss(self, student: RefinerNetwork, batch: Batch, drawn: Tensor) -> Tensor:
        """How far the student's answers are from the teacher's on a batch of `self.batch`, drawn by `self.draw`."""
        seen = batch.embedding.float(), batch.detail.float()
        with torch.no_grad():
            wanted: list[StageAnswer] = self._teacher(*seen, drawn, batch.content)
        total = torch.zeros((), device=self._device)
        boxes = drawn
        for stage, answer in zip(student.stages, wanted, strict=True):
            # Each stage starts where the teacher's did, so that the distributions are over the same places.
            total = total + apart(stage(*seen, boxes, drawn, batch.content), answer)
            boxes = answer.boxes
        return total

    def draw(self, batch: Batch, rng: Rng) -> Tensor:
        """Boxes (B, K, 4) around things and anywhere on a batch."""
        shape, device = batch.true.shape[:2], self._device

        def uniform() -> Tensor:
            return torch.rand(*shape, 2, generator=rng, device=device)

        centre = batch.content[:, None, 2:] * uniform()
        half = _SHORTEST / 2 * (_LONGEST / _SHORTEST) ** uniform()
        anywhere = uniform()[..., :1] < ANYWHERE
        around = torch.where(anywhere, torch.cat([centre - half, centre + half], dim=-1), batch.true)
        around = fit(around, batch.content, least=4 * batch.pixel)
        return fit(draw_carelessly(around, rng, pixel=batch.pixel), batch.content, least=4 * batch.pixel)


def apart(answer: StageAnswer, wanted: StageAnswer) -> Tensor:
    """How far a stage's answer is from another one to the same question: a scalar, 0 where they agree (nearly)."""
    share = wanted.edge_logits.float().softmax(dim=-1)
    edges = F.kl_div(answer.edge_logits.float().log_softmax(dim=-1), share, reduction="none").sum(dim=-1).mean()
    side = (wanted.boxes[..., 2:] - wanted.boxes[..., :2]).repeat(1, 1, 2).clamp(min=4.0)
    moved = ((answer.boxes - wanted.boxes).abs() / side).mean()
    doubt = F.mse_loss(answer.score_logits.float().sigmoid(), wanted.score_logits.float().sigmoid())
    doubt = doubt + F.mse_loss(answer.confidence_logits.float().sigmoid(), wanted.confidence_logits.float().sigmoid())
    return edges + _EDGES_WEIGHT * moved + _DOUBT_WEIGHT * doubt
