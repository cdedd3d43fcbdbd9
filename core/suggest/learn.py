"""From extracts to a head: the planes of all categories of a project, and where their objects are in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.suggest.extracts import Extract, evidence_of
from core.suggest.gallery import Gallery, gather
from core.suggest.network import Cells, SuggestNetwork
from core.suggest.peaks import Peaks, find_peaks
from core.suggest.solver import Learned, raw_scores, solve


@dataclass(frozen=True)
class Head:
    """C categories that were learned: their names, planes and reaches, and the numbers of their examples (C,)."""

    names: tuple[str, ...]
    learned: Learned
    examples: Tensor
    gallery: Gallery | None = None


def learn_head(
    extracts: Sequence[Extract],
    names: Sequence[str],
    network: SuggestNetwork,
    *,
    mistakes: Sequence[Extract] = (),
    rest: bool = False,
) -> Head:
    """Learn the categories `names` from labelled pictures and from mistakes; those without an object are left out.

    `rest`: the head is to find the rest of the objects in the only picture that it learns from.
    """
    whole = [*extracts, *mistakes]
    kept, planes, reaches, counts = [], [], [], []
    with torch.inference_mode():
        for name in names if extracts else ():
            evidence, count = evidence_of(whole, name, network)
            if count:
                found = solve(evidence, network.prior)
                kept.append(name)
                planes.append(found.planes)
                reaches.append(found.reaches)
                counts.append(float(count))
    if not kept:
        width = network.prior.plane.shape[0]
        return Head((), Learned(torch.zeros(0, width), torch.zeros(0, 4, width)), torch.zeros(0))
    gallery = _gallery(extracts, kept, mistakes=len(mistakes), rest=rest)
    return Head(tuple(kept), Learned(torch.cat(planes), torch.cat(reaches)), torch.tensor(counts), gallery)


def _gallery(extracts: Sequence[Extract], names: Sequence[str], *, mistakes: int, rest: bool) -> Gallery:
    shown = []
    for name in names:
        own = [extract.kinds[name] for extract in extracts if name in extract.kinds and extract.kinds[name].count]
        shown.append(gather([kind.seen for kind in own if kind.seen is not None], sum(kind.count for kind in own)))
    done = sum(extract.done for extract in extracts) / max(len(extracts), 1)
    return Gallery(tuple(shown), len(extracts), done, mistakes, rest)


def find_objects(head: Head, network: SuggestNetwork, cells: Cells, seen: Tensor, *, least: float) -> Peaks:
    """Find the objects of all categories of a head in one frame, likeliest first; `least` is the lowest logit."""
    with torch.inference_mode():
        scores = raw_scores(head.learned.planes, cells.vectors[0])
        return find_peaks(cells, head.learned, network.prior.logits(scores, head.examples), seen, least=least)
