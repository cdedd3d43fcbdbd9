"""Replay: a distillation loss that keeps the refiner's answers on other images than those it is taught by.

The images are those of the sample project. No labels are needed: the refiner before training is the teacher (Li &
Hoiem, Learning without Forgetting, 2016). Both answer the same boxes, some around objects, some anywhere.
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
from core.training.lesson_loader import Batch, LessonSet, Reader, gpu_reader
from core.training.lessons import Lesson
from core.training.teach_config import TeachConfig

ANYWHERE = 0.3
"""Share of the boxes that lie anywhere instead of around an object."""

_SHORTEST, _LONGEST = 24.0, 300.0
"""Shortest and longest side of a box that lies anywhere, in frame pixels."""

_EDGES_WEIGHT = 5.0
_DOUBT_WEIGHT = 0.25


class Replay:
    """The old images, the teacher, and the loss of a student that answers differently."""

    def __init__(
        self, teacher: RefinerNetwork, old: Sequence[Lesson], read: Reader, config: TeachConfig, device: torch.device
    ) -> None:
        self._teacher = teacher.eval().requires_grad_(False).to(device)
        self._old = old
        self._set = LessonSet(old, {}, gpu_reader(read, len(old), device) or read)
        self._config = config
        self._device = device

    @property
    def is_on(self) -> bool:
        return bool(self._old) and self._config.replay_weight > 0 and self._config.replay_images > 0

    def batch(self, step: int) -> Batch:
        """The batch of a step: the images take turns, and their boxes are random."""
        count, many = self._config.replay_images, self._config.boxes_per_image
        random = np.random.default_rng([self._config.seed, step])
        items = []
        for offset in range(count):
            number = (step * count + offset) % len(self._old)
            items.append((number, tuple(random.integers(len(self._old[number]), size=many).tolist())))
        return self._set[items].to(self._device)

    def loss(self, student: RefinerNetwork, batch: Batch, drawn: Tensor) -> Tensor:
        """Distance of the student's answers from the teacher's on a batch of `batch` and boxes of `draw`: a scalar."""
        seen = batch.embedding.float(), batch.detail.float()
        with torch.no_grad():
            wanted: list[StageAnswer] = self._teacher(*seen, drawn, batch.content)
        total = torch.zeros((), device=self._device)
        boxes = drawn
        for stage, answer in zip(student.stages, wanted, strict=True):
            # Each stage gets the teacher's boxes, so that both distributions are over the same positions.
            total = total + distance(stage(*seen, boxes, drawn, batch.content), answer)
            boxes = answer.boxes
        return total

    def draw(self, batch: Batch, rng: Rng) -> Tensor:
        """Simulated drawn boxes (B, K, 4) around objects and anywhere, in frame pixels."""
        shape, device = batch.true.shape[:2], self._device

        def uniform() -> Tensor:
            return torch.rand(*shape, 2, generator=rng, device=device)

        center = batch.content[:, None, 2:] * uniform()
        half = _SHORTEST / 2 * (_LONGEST / _SHORTEST) ** uniform()
        anywhere = uniform()[..., :1] < ANYWHERE
        around = torch.where(anywhere, torch.cat([center - half, center + half], dim=-1), batch.true)
        around = fit(around, batch.content, least=4 * batch.pixel)
        return fit(draw_carelessly(around, rng, pixel=batch.pixel), batch.content, least=4 * batch.pixel)


def distance(answer: StageAnswer, wanted: StageAnswer) -> Tensor:
    """Distance between two answers of a stage to the same boxes: a scalar, (nearly) 0 if they agree."""
    share = wanted.edge_logits.float().softmax(dim=-1)
    edges = F.kl_div(answer.edge_logits.float().log_softmax(dim=-1), share, reduction="none").sum(dim=-1).mean()
    side = (wanted.boxes[..., 2:] - wanted.boxes[..., :2]).repeat(1, 1, 2).clamp(min=4.0)
    moved = ((answer.boxes - wanted.boxes).abs() / side).mean()
    doubt = F.mse_loss(answer.score_logits.float().sigmoid(), wanted.score_logits.float().sigmoid())
    doubt = doubt + F.mse_loss(answer.confidence_logits.float().sigmoid(), wanted.confidence_logits.float().sigmoid())
    return edges + _EDGES_WEIGHT * moved + _DOUBT_WEIGHT * doubt
