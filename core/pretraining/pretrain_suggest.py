"""Training of the suggestion network by episodes, on the features of a trained encoder that does not change."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.encoders.light.encoder import LightNetwork, backbone_of, channels_last
from core.encoders.weights.files import in_float32, load_state, load_strictly, sha256_of
from core.object_store.address import Address
from core.pretraining.cutouts import Cutouts, load_cutouts
from core.pretraining.episodes import EpisodeMaker, Episodes
from core.pretraining.pool import Pool, load_pool
from core.pretraining.suggest_config import SuggestConfig
from core.pretraining.suggest_start import start_network
from core.progress import Job, Progress
from core.refiner.losses import giou_loss
from core.suggest.network import CELL, CELLS, SuggestNetwork
from core.suggest.solver import Evidence, apply, solve, weights
from core.suggest.targets import Painted, paint
from core.suggest.weights import SuggestCard, save_suggester
from core.training.precision import Precision
from core.training.run_files import LOG_FILE, STATE_FILE, RunSummary, log_row, resume_parts, save_state

ENCODER_FILE = "encoder.safetensors"
NEAR_MIDDLE = 0.3
"""Cells whose target is at least this learn the reaches."""


def pretrain_suggest(
    config: SuggestConfig,
    data: Path | Address,
    out: Path,
    device: torch.device,
    *,
    encoder: Path,
    cutouts: Path | None = None,
    resume: bool = False,
) -> Job[RunSummary]:
    """Train on every set below `data`, with the encoder in the folder `encoder`; all files go to `out`.

    The cut-outs below `cutouts` are categories of their own. The state is saved with each save of the weights, and
    `resume` continues from it. Raises BadFileError, BadInputError, BadWeightsError.
    """
    pool = yield from load_pool(data, side=config.picture_side, held_out=config.held_out)
    things = (yield from load_cutouts(cutouts)) if cutouts else Cutouts.none()
    return (yield from train_suggester(config, pool, things, out, device, encoder=encoder, resume=resume))


def train_suggester(
    config: SuggestConfig,
    pool: Pool,
    cutouts: Cutouts,
    out: Path,
    device: torch.device,
    *,
    encoder: Path,
    resume: bool = False,
) -> Job[RunSummary]:
    """Run `pretrain_suggest` on a pool and cut-outs in memory."""
    start = time.monotonic()
    torch.manual_seed(config.seed)
    frozen = _load_encoder(encoder / ENCODER_FILE, device)
    network = SuggestNetwork(trunk=config.trunk)
    if not resume:
        with torch.no_grad():
            network.prior.stiffness.fill_(config.stiffness)
            network.prior.unknown.fill_(config.unknown)
        yield from start_network(network, frozen.cpu(), pool, pictures=config.start_pictures, seed=config.seed)
        frozen = frozen.to(device)
    network = channels_last(network.to(device))
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True)
    optimizer = torch.optim.AdamW(_groups(network, config), lr=config.learning_rate, betas=(0.9, 0.98))
    precision = Precision.best(device, use_amp=config.use_amp)
    first = (
        resume_parts(out / STATE_FILE, {"network": network, "average": average, "optimizer": optimizer})
        if resume
        else 0
    )
    rng = torch.Generator(device).manual_seed(config.seed + first)
    maker = EpisodeMaker(pool.to(device), cutouts.to(device), config)
    card = SuggestCard(
        encoder=f"light-{sha256_of(encoder / ENCODER_FILE)[:12]}",
        made_by={"config": asdict(config), "sets": list(pool.sets)},
    )
    figures: dict[str, float] = {}
    for step in range(first, config.steps):
        _set_rate(optimizer, config, step)
        network.train()
        parts = episode_losses(network, frozen, maker.make(rng), precision, config)
        norm = precision.step(parts["total"], optimizer, network.parameters(), max_norm=config.max_norm)
        average.update_parameters(network)
        if step % config.report_every == 0:
            figures = {name: float(value.detach()) for name, value in parts.items()}
            figures |= {"norm": float(norm), "seconds": time.monotonic() - start}
            log_row(out / LOG_FILE, {"step": float(step)} | figures)
            yield Progress(step, config.steps, "training", figures)
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            best = cast(SuggestNetwork, average.module)
            save_suggester(out, best.state_dict(), card)
            state = {"step": step + 1, "network": network.state_dict(), "average": average.state_dict()}
            save_state(state | {"optimizer": optimizer.state_dict()}, out / STATE_FILE)
    if config.steps == 0:
        save_suggester(out, network.state_dict(), card)
    return RunSummary(out, config.steps, time.monotonic() - start, figures)


def episode_losses(
    network: SuggestNetwork, encoder: LightNetwork, episodes: Episodes, precision: Precision, config: SuggestConfig
) -> dict[str, Tensor]:
    """Solve each episode from its examples, and compare with its pictures: scalars, of which `total` counts."""
    with torch.no_grad(), precision.forward():
        levels = encoder(episodes.pictures.contiguous(memory_format=torch.channels_last))
        if config.feature_drop:
            levels = tuple(F.dropout2d(level, config.feature_drop) for level in levels)
    with precision.forward():
        cells = network(*levels)
    frames = len(episodes.pictures)
    each = config.pictures
    shown, wanted = paint(episodes.boxes, episodes.shown), paint(episodes.boxes, episodes.wanted)
    others, vague = paint(episodes.boxes, episodes.others).inside, paint(episodes.boxes, episodes.vague).inside
    seen = seen_cells(episodes.content) * ~vague
    known = episodes.done[:, None, None] | others | shown.inside
    has_examples = episodes.shown.view(-1, each, episodes.shown.shape[1]).any(dim=2)
    of_support = (has_examples.view(frames) | episodes.done)[:, None, None]
    weight = weights(shown.target, shown.share, known, seen, network.prior) * of_support
    vectors = cells.vectors.view(-1, each, *cells.vectors.shape[1:])
    many = len(vectors)
    by_cell = vectors.permute(0, 1, 3, 4, 2).reshape(many, each * CELLS**2, -1)
    misses = (shown.reaches - cells.reaches).view(many, each, 4, -1).permute(0, 1, 3, 2).reshape(many, -1, 4)
    near = shown.target >= NEAR_MIDDLE
    evidence = Evidence(
        by_cell,
        shown.target.view(many, -1),
        weight.view(many, -1),
        misses,
        (shown.share * near).view(many, -1),
    )
    learned = solve(evidence, network.prior)
    scores, reaches = apply(learned, vectors, cells.reaches.view(many, each, *cells.reaches.shape[1:]))
    examples = episodes.shown.view(many, -1).sum(dim=1).float()
    logits = network.prior.logits(scores, examples).view(frames, CELLS, CELLS)
    # An episode whose pictures lost their examples to the zoom teaches nothing.
    usable = (examples > 0).float().repeat_interleave(each)[:, None, None] * seen
    to_find = usable * (1 - shown.inside.float()) * ~episodes.done[:, None, None]
    find = _finding_loss(logits, wanted, to_find)
    general = _reach_loss(cells.reaches, wanted, usable)
    adapted = _reach_loss(reaches.flatten(0, 1), wanted, to_find)
    total = find + config.reach_weight * (general + adapted)
    return {"total": total, "find": find, "reach": general, "adapted": adapted}


def seen_cells(content: Tensor) -> Tensor:
    """1.0 for cells whose middle shows the image, `content` (B, 4) in frame pixels: (B, 128, 128)."""
    line = (torch.arange(CELLS, device=content.device) + 0.5) * CELL
    x = (line >= content[:, :1]) & (line < content[:, 2:3])
    y = (line >= content[:, 1:2]) & (line < content[:, 3:])
    return (x[:, None, :] & y[:, :, None]).float()


def _finding_loss(logits: Tensor, wanted: Painted, weight: Tensor) -> Tensor:
    """Quality focal loss (Li et al., 2020) on cells (F, 128, 128), by the number of objects to find."""
    gap = (wanted.target - logits.sigmoid()).abs() ** 2
    entropy = F.binary_cross_entropy_with_logits(logits, wanted.target, reduction="none")
    # Objects count by their share, so that large ones are not all that counts.
    objects = (wanted.share * weight).sum()
    positive = (gap * entropy * wanted.share * weight).sum() * 4
    negative = (gap * entropy * (wanted.target < NEAR_MIDDLE) * weight).sum()
    return (positive + negative) / objects.clamp(min=1)


def _reach_loss(reaches: Tensor, wanted: Painted, weight: Tensor) -> Tensor:
    """GIoU loss of the boxes around cells near the middle of objects, each object counting the same."""
    share = wanted.share * (wanted.target >= NEAR_MIDDLE) * weight
    boxes, true = boxes_of(reaches), boxes_of(wanted.reaches)
    return (giou_loss(boxes, true) * share).sum() / share.sum().clamp(min=1)


def boxes_of(reaches: Tensor) -> Tensor:
    """Reaches (F, 4, 128, 128) -> boxes relative to the cell's middle (F, 128, 128, 4), in cells."""
    left, top, right, bottom = reaches.exp().unbind(dim=1)
    return torch.stack([-left, -top, right, bottom], dim=-1)


def _load_encoder(path: Path, device: torch.device) -> LightNetwork:
    state = load_state(path)
    network = LightNetwork(backbone_of(state))
    load_strictly(network, in_float32(state), path=path)
    return channels_last(network.eval().requires_grad_(False).to(device))


def _groups(network: SuggestNetwork, config: SuggestConfig) -> list[dict[str, object]]:
    """No weight decay for norms, biases and the prior."""
    flat = {id(p) for p in network.parameters() if p.dim() < 2} | {id(p) for p in network.prior.parameters()}
    decayed = [p for p in network.parameters() if id(p) not in flat]
    others = [p for p in network.parameters() if id(p) in flat]
    return [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]


def _set_rate(optimizer: torch.optim.Optimizer, config: SuggestConfig, step: int) -> None:
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    wave = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / config.steps))
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * warm * wave
