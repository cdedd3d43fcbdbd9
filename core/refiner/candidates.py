"""The candidate network: several answers to one drawn box, where it may mean an object, a part of it, or a group.

It is one stage of the refiner with three hypotheses instead of one. Training moves the hypothesis that is nearest to
the true box and hardly the others, so that each comes to answer for one reading of a drawn box (multiple choice
learning: Guzman-Rivera et al., 2012; relaxed: Rupprecht et al., 2017).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.refiner.network import BINS, EdgeLine, Stage, gather_lines, moments, sharpness, stay_prior, to_boxes

SCALES = (1.0, 1.35, 0.7)
"""Of each hypothesis's prior, times the drawn sides: an object, what it belongs to, a part of it. They begin apart, so
that each has boxes to win from the first step on."""
HYPOTHESES = len(SCALES)
_COARSE, _FINE = 96, 64


@dataclass(frozen=True)
class CandidateAnswer:
    """The output of the candidate network for B images x K boxes, with H hypotheses each.

    hypotheses: (B, K, H, 4) boxes, frame pixels
    edge_logits: (B, K, H, 4, 64) over positions of the region, left, top, right, bottom
    region: (B, K, 4) the region, frame pixels
    choice_logits: (B, K, H); their softmax is how probably a hypothesis is the best one
    """

    hypotheses: Tensor
    edge_logits: Tensor
    region: Tensor
    choice_logits: Tensor

    @property
    def boxes(self) -> Tensor:
        """(B, K, 4) the most probable hypotheses."""
        best = self.choice_logits.argmax(dim=-1)[..., None, None].expand(*self.hypotheses.shape[:2], 1, 4)
        return self.hypotheses.gather(2, best)[:, :, 0]

    @property
    def confidence_logits(self) -> Tensor:
        """(B, K, 4) zeros: edges have no confidence of their own here."""
        return torch.zeros_like(self.region)

    @property
    def score_logits(self) -> Tensor:
        """(B, K, 2) zeros: nor have boxes an expected IoU."""
        return torch.zeros_like(self.region[..., :2])


class CandidateNetwork(nn.Module):
    """Three hypotheses for each drawn box, from the features that the refiner reads."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = CandidateStage()

    def start_from_refiner(self, state: Mapping[str, Tensor]) -> None:
        """Copy what the last stage of a refiner has learned, `state` being that of a RefinerNetwork."""
        own = self.stage.state_dict()
        for name, source in state.items():
            stage, _, part = name.partition("stages.1.")
            # The judge speaks of other things; masks are not made here.
            if stage or part not in own or part.startswith("judge."):
                continue
            # The last layer of an edge head has the same channels once for each hypothesis.
            own[part].copy_(source if own[part].shape == source.shape else torch.cat([source] * HYPOTHESES))

    def forward(self, embedding: Tensor, detail: Tensor, drawn: Tensor, content: Tensor) -> list[CandidateAnswer]:
        """The one stage's answer; shapes as in `Stage.forward`."""
        return [self.stage.answer(embedding, detail, drawn, content)]


class CandidateStage(Stage):
    """A stage whose edge heads and judge speak for several hypotheses."""

    priors: Tensor

    def __init__(self, *, margin: float = 0.7) -> None:
        super().__init__(margin=margin, coarse=_COARSE, fine=_FINE)
        del self.mask, self.drawing
        priors = torch.stack([stay_prior(margin, scale=scale) for scale in SCALES])
        self.register_buffer("priors", priors, persistent=False)
        self.edges = nn.ModuleList(EdgeLine(2 * _FINE, hypotheses=HYPOTHESES) for _ in range(2))
        self.judge = nn.Sequential(
            nn.Linear(_COARSE + 4 * 5 * HYPOTHESES, 64), nn.ReLU(inplace=True), nn.Linear(64, HYPOTHESES)
        )

    def answer(self, embedding: Tensor, detail: Tensor, drawn: Tensor, content: Tensor) -> CandidateAnswer:
        """See `Stage.forward`; it starts from the drawn boxes (B, K, 4)."""
        count, many = drawn.shape[:2]
        region, coarse, fine = self.look(embedding, detail, drawn, drawn, content)
        logits = self._hypothesis_logits(fine) + self.priors
        middle, spread = moments(logits)
        sharp = sharpness(logits.flatten(0, 1)).view(len(logits), -1)
        judged = self.judge(torch.cat([coarse.mean(dim=(2, 3)), middle.flatten(1), spread.flatten(1), sharp], dim=1))
        each = region[:, :, None].expand(-1, -1, HYPOTHESES, -1).flatten(1, 2)
        boxes = to_boxes(middle.view(count, many * HYPOTHESES, 4), each)
        return CandidateAnswer(
            hypotheses=boxes.view(count, many, HYPOTHESES, 4),
            edge_logits=logits.view(count, many, HYPOTHESES, 4, BINS),
            region=region,
            choice_logits=judged.view(count, many, HYPOTHESES),
        )

    def _hypothesis_logits(self, fine: Tensor) -> Tensor:
        """(N, fine, 32, 32) -> (N, H, 4, 64); see `Stage._edge_logits`."""
        gathered = enumerate(gather_lines(fine, self.where(fine)))
        # Left and right (top and bottom) come from one head, a pair for each hypothesis.
        return torch.stack([self.edges[edge % 2](line)[:, edge // 2 :: 2] for edge, line in gathered], dim=2)
