"""Lessons: what one labelled picture says about the categories, as a few cells that stand for all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.encoders.image_features import ImageFeatures, check_encoder, check_finite
from core.geometry import Boxes, Frame, as_boxes
from core.suggest.network import CELL, CELLS, Cells, SuggestNetwork
from core.suggest.solver import EXAMPLE_CELLS, Evidence, with_bias
from core.suggest.targets import Painted, paint

HARDEST, RANDOM = 700, 500
"""Empty cells of a lesson: those that look most like an object, and others drawn at random that stand for the rest."""

LEAST_TARGET = 0.02
NEAR_MIDDLE = 0.3


@dataclass(frozen=True)
class Labelled:
    """The labels of one picture: boxes (N, 4) in image pixels with their categories, and boxes that were rejected.

    `done`: everything in the picture is labelled, so that the rest of it shows none of the categories.
    """

    boxes: Boxes
    categories: Sequence[str]
    done: bool
    rejected: Boxes | None = None
    rejected_categories: Sequence[str] = ()


@dataclass(frozen=True)
class _Kind:
    """The objects of one category in a lesson, over its M cells; `near` is the share near a middle. See `Painted`."""

    target: Tensor
    share: Tensor
    near: Tensor
    misses: Tensor
    rejected: Tensor
    count: int


@dataclass(frozen=True)
class Lesson:
    """M cells of one picture.

    vectors: (M, 96); stands_for: (M,) how many cells each stands for; labelled: (M,) bool, whether it lies in a box
    kinds: by category, for those with a box or a rejected box here
    """

    vectors: Tensor
    stands_for: Tensor
    labelled: Tensor
    done: bool
    kinds: Mapping[str, _Kind]


def read_cells(network: SuggestNetwork, features: ImageFeatures, *, encoder: str) -> Cells:
    """Compute the cells of one picture's features. Raises BadInputError for features of another encoder or with NaN."""
    check_encoder(features, encoder)
    with torch.inference_mode():
        embedding, detail = (level.to(torch.float32)[None] for level in (features.embedding, features.detail))
        check_finite(embedding, detail)
        cells: Cells = network(embedding, detail)
        return cells


def seen_cells(frame: Frame) -> Tensor:
    """1.0 for cells whose middle shows the image: (128, 128)."""
    x1, y1, x2, y2 = frame.to_frame([[0.0, 0.0, frame.image_width, frame.image_height]])[0]
    line = (torch.arange(CELLS) + 0.5) * CELL
    across, down = (line >= x1) & (line < x2), (line >= y1) & (line < y2)
    return torch.as_tensor(across[None, :] & down[:, None]).float()


def make_lesson(network: SuggestNetwork, cells: Cells, frame: Frame, labelled: Labelled, *, seed: int = 0) -> Lesson:
    """Choose the cells of one picture that say something: all of objects, and some of the rest."""
    names = list(dict.fromkeys([*labelled.categories, *labelled.rejected_categories]))
    boxes = frame.to_frame(as_boxes(labelled.boxes))
    rejected = frame.to_frame(as_boxes(labelled.rejected if labelled.rejected is not None else np.zeros((0, 4))))
    painted: dict[str, tuple[Painted, Painted, int]] = {}
    seen = seen_cells(frame)
    in_object, any_box = torch.zeros(CELLS, CELLS), torch.zeros(CELLS, CELLS, dtype=torch.bool)
    for name in names:
        own = boxes[[at for at, each in enumerate(labelled.categories) if each == name]]
        refused = rejected[[at for at, each in enumerate(labelled.rejected_categories) if each == name]]
        mine, theirs = _paint(own), _paint(refused)
        painted[name] = (mine, theirs, len(own))
        in_object = torch.maximum(in_object, torch.maximum(mine.target[0], theirs.target[0]))
        any_box |= mine.inside[0] | theirs.inside[0]
    chosen, stands_for = _choose(network, cells, in_object, seen, seed=seed)
    vectors = cells.vectors[0].flatten(1)[:, chosen].T.contiguous()
    reaches = cells.reaches[0].flatten(1)[:, chosen].T
    kinds = {}
    for name, (mine, theirs, count) in painted.items():
        target, share = mine.target.flatten()[chosen], mine.share.flatten()[chosen]
        near = share * (target >= NEAR_MIDDLE)
        misses = mine.reaches[0].flatten(1)[:, chosen].T - reaches
        kinds[name] = _Kind(target, share, near, misses, theirs.share.flatten()[chosen], count)
    return Lesson(vectors, stands_for, any_box.flatten()[chosen], labelled.done, kinds)


def _paint(boxes: Boxes) -> Painted:
    if not len(boxes):
        return paint(torch.zeros(1, 1, 4), torch.zeros(1, 1, dtype=torch.bool))
    return paint(torch.from_numpy(boxes).float()[None], torch.ones(1, len(boxes), dtype=torch.bool))


def _choose(
    network: SuggestNetwork, cells: Cells, in_object: Tensor, seen: Tensor, *, seed: int
) -> tuple[Tensor, Tensor]:
    """Rows (M,) of the flat grid, and how many cells each stands for (M,)."""
    with torch.inference_mode():
        likely = with_bias(cells.vectors[0].permute(1, 2, 0)) @ network.prior.plane
    flat_seen = seen.flatten() > 0
    objects = (in_object.flatten() >= LEAST_TARGET) & flat_seen
    rest = flat_seen & ~objects
    order = torch.where(rest, likely.flatten(), -torch.inf).argsort(descending=True)[: int(rest.sum())]
    hardest, others = order[:HARDEST], order[HARDEST:]
    picked = others[torch.randperm(len(others), generator=torch.Generator().manual_seed(seed))[:RANDOM]]
    rows = torch.cat([objects.nonzero()[:, 0], hardest, picked])
    stands_for = torch.ones(len(rows))
    if len(picked):
        stands_for[-len(picked) :] = len(others) / len(picked)
    return rows, stands_for


def evidence_of(lessons: Sequence[Lesson], name: str, network: SuggestNetwork) -> tuple[Evidence, int]:
    """What lessons say about one category, and the number of its objects in them."""
    prior = network.prior
    targets, weights, misses, shares, vectors, count = [], [], [], [], [], 0
    for lesson in lessons:
        kind = lesson.kinds.get(name)
        zero = torch.zeros(len(lesson.vectors))
        target = zero if kind is None else kind.target
        known = lesson.labelled if not lesson.done else torch.ones_like(lesson.labelled)
        empty = torch.where(known, prior.background, prior.unknown).exp() * lesson.stands_for
        share = zero if kind is None else kind.share
        refused = zero if kind is None else kind.rejected
        targets.append(target)
        weights.append(EXAMPLE_CELLS * (share + refused) + (1 - target) * empty)
        misses.append(torch.zeros(len(zero), 4) if kind is None else kind.misses)
        shares.append(zero if kind is None else kind.near)
        vectors.append(lesson.vectors)
        count += 0 if kind is None else kind.count
    found = Evidence(*(torch.cat(part)[None] for part in (vectors, targets, weights, misses, shares)))
    return found, count
