"""The start of the suggestion network in closed form: the scale of features, and what all objects have in common."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.encoders.image_features import ImageFeatures
from core.encoders.light.encoder import INPUT_SIZE, MEAN, STD, LightNetwork
from core.geometry import Frame
from core.pretraining.pool import Pool
from core.progress import Job, Progress
from core.suggest.extracts import Extract, Labelled, evidence_of, make_extract, read_cells
from core.suggest.network import SuggestNetwork
from core.suggest.solver import solve

OBJECT = "object"
FIT_STIFFNESS = 4.0
"""Logarithm of how strongly the plane of all objects is held at zero."""

MOST_BOXES = 80


def start_network(network: SuggestNetwork, encoder: LightNetwork, pool: Pool, *, pictures: int, seed: int) -> Job[None]:
    """Fit the level, the prior's plane and the reaches to at most so many `pictures` of each set, on the CPU.

    The prior's stiffness stays as it is. Pictures that are held out are left out.
    """
    random = np.random.default_rng(seed)
    chosen = []
    for number in range(len(pool.sets)):
        own = torch.nonzero((pool.set_of == number) & ~pool.held_out).flatten().numpy()
        chosen += random.permutation(own)[:pictures].tolist()
    network.level.momentum, usual = None, network.level.momentum  # a plain mean over all pictures
    network.train()
    features: list[tuple[int, ImageFeatures]] = []
    with torch.no_grad():
        for done, row in enumerate(chosen):
            yield Progress(done, 2 * len(chosen), "levels")
            found = _features(encoder, pool, row)
            network(found.embedding[None].float(), found.detail[None].float())
            features.append((row, found))
    network.eval()
    network.level.momentum = usual
    extracts: list[Extract] = []
    for done, (row, found) in enumerate(features):
        yield Progress(len(chosen) + done, 2 * len(chosen), "objects")
        boxes = pool.boxes[pool.box_table[row][pool.box_table[row] >= 0]][:MOST_BOXES].double().numpy()
        labelled = Labelled(boxes, [OBJECT] * len(boxes), done=True)
        cells = read_cells(network, found, encoder=found.encoder)
        extracts.append(make_extract(network, cells, found.frame, labelled, seed=row))
    stiffness = network.prior.stiffness.detach().clone()
    with torch.no_grad():
        network.prior.stiffness.fill_(FIT_STIFFNESS)
        evidence, _ = evidence_of(extracts, OBJECT, network)
        learned = solve(evidence, network.prior)
        network.prior.stiffness.copy_(stiffness)
        network.prior.plane.copy_(learned.planes[0])
        width = network.reach.weight.shape[1]
        network.reach.weight.copy_(learned.reaches[0, :, :width, None, None])
        if network.reach.bias is not None:
            network.reach.bias.add_(learned.reaches[0, :, -1])


def _features(encoder: LightNetwork, pool: Pool, row: int) -> ImageFeatures:
    """The features of a whole picture of the pool, enlarged to the encoder's input."""
    width, height = (int(side) for side in pool.sizes[row])
    scale = INPUT_SIZE / max(width, height)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    pixels = F.interpolate(pool.pictures[row, :, :height, :width][None].float(), size=size, mode="bilinear")
    values = torch.zeros(1, 3, INPUT_SIZE, INPUT_SIZE)
    values[:, :, : size[0], : size[1]] = (pixels / 255 - MEAN) / STD
    embedding, detail = encoder(values.contiguous(memory_format=torch.channels_last))
    return ImageFeatures(_half(embedding), _half(detail), Frame.whole(width=width, height=height), "pool")


def _half(level: Tensor) -> Tensor:
    return level[0].to(torch.float16).contiguous()
