"""What is known about a find once it is refined, as numbers from which a judge predicts whether it is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from core.geometry import Boxes, Frame, as_boxes, iou
from core.records import Refinement
from core.suggest.gallery import Gallery, Shown, log_sides, look_at
from core.suggest.learn import Head
from core.suggest.network import Cells, SuggestNetwork
from core.suggest.peaks import Peaks
from core.suggest.solver import with_bias

Figures = NDArray[np.float64]

KNOWN = (
    "logit", "below_best", "rank", "rank_per_box", "likely_per_box", "second", "categories", "object",
    "inside", "contrast", "score", "edge_least", "edge_mean", "moved", "grown", "size", "size_off", "size_near",
    "shape_off", "like_most", "like_mean", "like_other", "at_border", "covered", "boxes", "pictures", "done",
    "mistakes", "rest", "best",
)  # fmt: skip
"""The names of the numbers, in their order; a judge states for which ones it was trained."""

_NONE = -6.0
_LIKELY = 0.0
_LEAST_SPREAD = 0.25


def describe(
    network: SuggestNetwork,
    head: Head,
    gallery: Gallery,
    cells: Cells,
    frame: Frame,
    peaks: Peaks,
    answers: Sequence[Refinement],
) -> Figures:
    """The numbers (N, len(KNOWN)) of N finds of one picture, in image pixels, with the refiner's answers to them."""
    refined = as_boxes([answer.box for answer in answers])
    columns: dict[str, Figures] = {}
    with torch.inference_mode():
        columns |= _standing(peaks, gallery)
        columns |= _scores(network, head, cells, frame, peaks, refined)
        columns |= _likeness(head, gallery, cells, frame, peaks, refined)
    columns |= _refining(peaks, refined, answers)
    columns |= _place(peaks, refined, frame)
    columns |= _labels(peaks, gallery)
    return np.stack([np.asarray(columns[name], np.float64) for name in KNOWN], axis=1).reshape(len(refined), len(KNOWN))


def _standing(peaks: Peaks, gallery: Gallery) -> dict[str, Figures]:
    """A find among those of its category in the picture."""
    count = len(peaks.logits)
    best, rank, likely = np.zeros(count), np.zeros(count), np.zeros(count)
    usual = np.array([shown.boxes / max(shown.pictures, 1) for shown in gallery.shown])[peaks.categories]
    for category in np.unique(peaks.categories):
        rows = np.flatnonzero(peaks.categories == category)
        order = rows[np.argsort(-peaks.logits[rows], kind="stable")]
        best[rows], rank[order] = peaks.logits[rows].max(), np.arange(len(rows))
        likely[rows] = (peaks.logits[rows] > _LIKELY).sum()
    return {
        "logit": peaks.logits,
        "below_best": best - peaks.logits,
        "best": best,
        "rank": np.log1p(rank),
        "rank_per_box": np.log((rank + 1) / (usual + 1)),
        "likely_per_box": np.log((likely + 1) / (usual + 1)),
    }


def _scores(
    network: SuggestNetwork, head: Head, cells: Cells, frame: Frame, peaks: Peaks, refined: Boxes
) -> dict[str, Figures]:
    """The logits of the other categories, of any object, and in and around the refined box."""
    rows = torch.arange(len(refined))
    own = torch.from_numpy(peaks.categories).long()
    planes = head.learned.planes
    at_peak = with_bias(cells.vectors[0].flatten(1)[:, torch.from_numpy(peaks.places).long()].T)
    logits = network.prior.logits((at_peak @ planes.T).T, head.examples).T
    others = logits.clone()
    others[rows, own] = _NONE
    inside, around = (
        (with_bias(vectors) * planes[own]).sum(dim=1)
        for vectors in look_at(cells, torch.from_numpy(frame.to_frame(refined)).float())
    )
    return {
        "second": _numbers(others.max(dim=1).values.clamp(min=_NONE) if len(rows) else others.sum(dim=1)),
        "object": _numbers(at_peak @ network.prior.plane),
        "inside": _numbers(inside),
        "contrast": _numbers(inside - around),
    }


def _likeness(
    head: Head, gallery: Gallery, cells: Cells, frame: Frame, peaks: Peaks, refined: Boxes
) -> dict[str, Figures]:
    """How much a find is like the labelled objects of its category, in look, size and shape."""
    boxes = torch.from_numpy(frame.to_frame(refined)).float()
    looks, sides = F.normalize(look_at(cells, boxes)[0], dim=1), log_sides(boxes)
    size, shape = sides.mean(dim=1), sides[:, 0] - sides[:, 1]
    names = ("size_off", "size_near", "shape_off", "like_most", "like_mean", "like_other")
    found = {name: np.zeros(len(refined)) for name in names}
    for category in np.unique(peaks.categories):
        rows = np.flatnonzero(peaks.categories == category)
        shown = gallery.shown[category]
        apart = size[rows][:, None] - shown.sides.mean(dim=1)[None]
        found["size_off"][rows] = _numbers(apart.mean(dim=1) / _spread(shown.sides.mean(dim=1)))
        found["size_near"][rows] = _numbers(apart.abs().min(dim=1).values)
        shapes = shown.sides[:, 0] - shown.sides[:, 1]
        found["shape_off"][rows] = _numbers((shape[rows] - shapes.mean()).abs() / _spread(shapes))
        like = looks[rows] @ shown.looks.T
        found["like_most"][rows], found["like_mean"][rows] = (
            _numbers(like.max(dim=1).values),
            _numbers(like.mean(dim=1)),
        )
        found["like_other"][rows] = _like_others(looks[rows], gallery.shown, int(category))
    return found | {"size": _numbers(size), "categories": np.full(len(refined), np.log(len(head.names)))}


def _like_others(looks: Tensor, shown: Sequence[Shown], own: int) -> Figures:
    others = [each.looks for at, each in enumerate(shown) if at != own]
    if not others:
        return np.zeros(len(looks))
    return _numbers((looks @ torch.cat(others).T).max(dim=1).values)


def _spread(values: Tensor) -> Tensor:
    return values.std(unbiased=False).clamp(min=_LEAST_SPREAD)


def _refining(peaks: Peaks, refined: Boxes, answers: Sequence[Refinement]) -> dict[str, Figures]:
    """What the refiner made of the find."""
    edges = np.array([tuple(answer.edge_confidence) for answer in answers], np.float64).reshape(-1, 4)
    score = np.array([answer.score for answer in answers], np.float64).clip(0.01, 0.99)
    return {
        "score": np.log(score / (1 - score)),
        "edge_least": edges.min(axis=1, initial=1.0),
        "edge_mean": edges.mean(axis=1) if len(edges) else np.zeros(0),
        "moved": iou(peaks.boxes, refined) if len(refined) else np.zeros(0),
        "grown": np.log(_area(refined) / _area(peaks.boxes)),
    }


def _place(peaks: Peaks, refined: Boxes, frame: Frame) -> dict[str, Figures]:
    """How many sides lie on the image's border, and how much likelier finds cover the refined box."""
    near = 0.004 * max(frame.image_width, frame.image_height)
    limits = np.array([0.0, 0.0, frame.image_width, frame.image_height])
    order = np.argsort(-peaks.logits, kind="stable")
    covered = np.zeros(len(refined))
    for place, row in enumerate(order):
        before = refined[order[:place]]
        if place:
            sides = np.minimum(refined[row, 2:], before[:, 2:]) - np.maximum(refined[row, :2], before[:, :2])
            covered[row] = (sides.clip(min=0).prod(axis=1) / _area(refined[row][None])).max()
    return {"at_border": (np.abs(refined - limits) <= near).sum(axis=1).astype(float), "covered": covered}


def _labels(peaks: Peaks, gallery: Gallery) -> dict[str, Figures]:
    """From how much the head has learned."""
    own = [gallery.shown[category] for category in peaks.categories]
    whole = np.ones(len(own))
    return {
        "boxes": np.log1p(np.array([shown.boxes for shown in own], np.float64)),
        "pictures": np.log1p(np.array([shown.pictures for shown in own], np.float64)),
        "done": whole * gallery.done,
        "mistakes": whole * np.log1p(gallery.mistakes),
        "rest": whole * gallery.rest,
    }


def _area(boxes: Boxes) -> Figures:
    areas: Figures = (boxes[:, 2:] - boxes[:, :2]).clip(min=0.5).prod(axis=1)
    return areas


def _numbers(values: Tensor) -> Figures:
    found: Figures = values.double().cpu().numpy()
    return found
