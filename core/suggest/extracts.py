"""Extracts: the cells of one labelled picture that matter for learning, which stand for all of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.encoders.image_features import ImageFeatures, check_encoder, check_finite
from core.geometry import Boxes, Frame, as_boxes
from core.suggest.gallery import MOST_LOOKS, Seen, see
from core.suggest.network import CELL, CELLS, Cells, Prior, SuggestNetwork
from core.suggest.solver import EXAMPLE_CELLS, Evidence, with_bias
from core.suggest.targets import Painted, paint

HARDEST, RANDOM, IN_OBJECTS = 500, 400, 800
"""Cells of an extract: empty ones that look most like an object, empty ones drawn at random, and ones in objects.

Those that were drawn stand for those that were not, so that time and memory do not grow with the size of objects.
"""

MOST_CELLS = 12_000
"""Cells that a category is learned from, if those of pictures that show it are not more."""

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
    """The objects of one category in an extract, over its M cells; `near` is the share near a middle. See `Painted`."""

    target: Tensor
    share: Tensor
    near: Tensor
    misses: Tensor
    rejected: Tensor
    count: int
    seen: Seen | None = None


@dataclass(frozen=True)
class Extract:
    """M cells of one picture.

    vectors: (M, D); stands_for: (M,) how many cells each stands for; labelled: (M,) bool, whether it lies in a box
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


def make_extract(network: SuggestNetwork, cells: Cells, frame: Frame, labelled: Labelled, *, seed: int = 0) -> Extract:
    """Choose the cells of one picture that matter: all of objects, and some of the rest."""
    names = list(dict.fromkeys([*labelled.categories, *labelled.rejected_categories]))
    boxes = frame.to_frame(as_boxes(labelled.boxes))
    rejected = frame.to_frame(as_boxes(labelled.rejected if labelled.rejected is not None else np.zeros((0, 4))))
    painted: dict[str, tuple[Painted, Painted, Boxes]] = {}
    seen = seen_cells(frame)
    in_object, any_box = torch.zeros(CELLS, CELLS), torch.zeros(CELLS, CELLS, dtype=torch.bool)
    for name in names:
        own = boxes[[at for at, each in enumerate(labelled.categories) if each == name]]
        refused = rejected[[at for at, each in enumerate(labelled.rejected_categories) if each == name]]
        mine, theirs = _paint(own), _paint(refused)
        painted[name] = (mine, theirs, own)
        in_object = torch.maximum(in_object, torch.maximum(mine.target[0], theirs.target[0]))
        any_box |= mine.inside[0] | theirs.inside[0]
    chosen, stands_for = _choose(network, cells, in_object, seen, seed=seed)
    vectors = cells.vectors[0].flatten(1)[:, chosen].T.contiguous()
    reaches = cells.reaches[0].flatten(1)[:, chosen].T
    kinds = {}
    for name, (mine, theirs, own) in painted.items():
        target, share = mine.target.flatten()[chosen], mine.share.flatten()[chosen] * stands_for
        near = share * (target >= NEAR_MIDDLE)
        misses = mine.reaches[0].flatten(1)[:, chosen].T - reaches
        refused_share = theirs.share.flatten()[chosen] * stands_for
        seen_objects = see(cells, torch.from_numpy(own[:MOST_LOOKS]).float())
        kinds[name] = _Kind(target, share, near, misses, refused_share, len(own), seen_objects)
    return Extract(vectors, stands_for, any_box.flatten()[chosen], labelled.done, kinds)


def extract_of_mistakes(cells: Cells, mistakes: Sequence[tuple[int, str]]) -> Extract:
    """Make an extract of places (rows of the flat grid) where there is no object of the category with this name.

    A mistake counts as much as a rejected box, spread over the cells around its place.
    """
    around = torch.tensor([y * CELLS + x for y in (-1, 0, 1) for x in (-1, 0, 1)])
    rows = (torch.tensor([place for place, _ in mistakes])[:, None] + around).clamp(0, CELLS**2 - 1).flatten()
    names = [name for _, name in mistakes for _ in around]
    nothing = torch.zeros(len(rows))
    kinds = {}
    for name in dict.fromkeys(names):
        refused = torch.tensor([each == name for each in names]).float() / len(around)
        kinds[name] = _Kind(nothing, nothing, nothing, torch.zeros(len(rows), 4), refused, 0)
    vectors = cells.vectors[0].flatten(1)[:, rows].T.contiguous()
    return Extract(vectors, torch.ones(len(rows)), torch.zeros(len(rows), dtype=torch.bool), False, kinds)


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
    random = torch.Generator().manual_seed(seed)
    middles = (in_object.flatten() >= 1) & flat_seen
    parts = [
        (middles.nonzero()[:, 0], CELLS**2),
        ((objects & ~middles).nonzero()[:, 0], IN_OBJECTS),
        (order[:HARDEST], HARDEST),
        (order[HARDEST:], RANDOM),
    ]
    rows, stand_for = [], []
    for part, most in parts:
        picked = part[torch.randperm(len(part), generator=random)[:most]] if len(part) > most else part
        rows.append(picked)
        stand_for.append(torch.full((len(picked),), len(part) / max(len(picked), 1)))
    return torch.cat(rows), torch.cat(stand_for)


def evidence_of(extracts: Sequence[Extract], name: str, network: SuggestNetwork) -> tuple[Evidence, int]:
    """The evidence of extracts on one category, and the number of its objects in them.

    Of pictures without the category, only every n-th cell is taken where all would be more than MOST_CELLS.
    """
    own = [extract for extract in extracts if name in extract.kinds]
    others = [extract for extract in extracts if name not in extract.kinds]
    room = max(MOST_CELLS - sum(len(extract.vectors) for extract in own), MOST_CELLS // 4)
    every = max(1, math.ceil(sum(len(extract.vectors) for extract in others) / room))
    parts = [_evidence_with(extract, extract.kinds[name], network.prior) for extract in own]
    parts += [_evidence_without(extract, every, network.prior) for extract in others]
    found = Evidence(*(torch.cat(part)[None] for part in zip(*parts, strict=True)))
    return found, sum(extract.kinds[name].count for extract in own)


_Part = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Vectors, targets, weights, misses and shares of some cells, as in `Evidence`."""


def _evidence_with(extract: Extract, kind: _Kind, prior: Prior) -> _Part:
    empty = _empty_weight(extract, prior)
    weight = EXAMPLE_CELLS * (kind.share + kind.rejected) + (1 - kind.target) * empty
    return extract.vectors, kind.target, weight, kind.misses, kind.near


def _evidence_without(extract: Extract, every: int, prior: Prior) -> _Part:
    vectors = extract.vectors[::every]
    nothing = torch.zeros(len(vectors))
    return vectors, nothing, _empty_weight(extract, prior)[::every] * every, torch.zeros(len(vectors), 4), nothing


def _empty_weight(extract: Extract, prior: Prior) -> Tensor:
    """How much each cell counts if it shows no object of the category."""
    known = torch.ones_like(extract.labelled) if extract.done else extract.labelled
    return torch.where(known, prior.background, prior.unknown).exp() * extract.stands_for
