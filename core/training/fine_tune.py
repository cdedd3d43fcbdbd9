"""The fine-tuning loop: a copy of a refiner learns from training examples, on cached features."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from core.errors import BadInputError
from core.features.feature_source import FeatureSource
from core.progress import Job, Progress
from core.refiner.losses import stage_loss
from core.refiner.network import RefinerNetwork
from core.training.augment import Rng
from core.training.clock import Clock
from core.training.drawing_noise import draw_carelessly, fit
from core.training.gradients import Compute, Troubles, gradients_of
from core.training.lesson_loader import BATCH_TENSORS, Batch, EpochBatches
from core.training.lessons import Lesson
from core.training.precision import Precision
from core.training.processes import Processes
from core.training.replay import Replay
from core.training.run_files import LOG_FILE, STATE_FILE, load_state_of, log_row, save_state
from core.training.teach_config import TeachConfig
from core.translation import tr

PARTS = {"all": ("",), "edges": (".where.", ".edges.", ".judge.", ".join.")}
"""Values of train_parts, and substrings of the names of the parameters that learn."""

LEAST_SIDE = 4.0
"""Shortest side of a simulated drawn box, in image pixels."""

States = dict[str, nn.Module | torch.optim.Optimizer]


@dataclass(frozen=True)
class Tuned:
    """The averaged network on the CPU, and figures of the run; losses are means of its first and last tenth."""

    network: RefinerNetwork
    steps: int
    epochs: int
    loss_first: float
    loss_last: float
    seconds: float
    images_per_second: float
    hit_rate: float


@dataclass
class Tuning:
    """The inputs of one run of the loop; out: the folder of its log and state."""

    config: TeachConfig
    device: torch.device
    source: FeatureSource
    loader: DataLoader[Batch]
    batches: EpochBatches
    lessons: Sequence[Lesson]
    replay: Replay
    out: Path
    processes: Processes = Processes()
    fresh: bool = False
    resume: bool = False
    between_steps: Callable[[], None] = lambda: None


def fine_tune(start: RefinerNetwork, run: Tuning) -> Job[Tuned]:
    """Train a copy of `start`; the log and the state to resume from go into `run.out`.

    Raises BadInputError if the loss is NaN or infinite, StorageError if the disk is full, and what `load_state_of`
    raises.
    """
    config, device = run.config, run.device
    torch.manual_seed(config.seed)
    network = copy.deepcopy(start).to(device)
    learns = choose_parts(network, config.train_parts)
    origin = [parameter.detach().clone() for parameter in learns]
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay), use_buffers=True)
    rate = config.fresh_learning_rate if run.fresh else config.learning_rate
    optimizer = torch.optim.AdamW(learns, lr=rate, weight_decay=config.weight_decay)
    precision = Precision.best(device, use_amp=config.use_amp)
    parts: States = {"network": network, "average": average, "optimizer": optimizer}
    first = _resume(run, parts) if run.resume else 0
    epochs = epochs_of(config, len(run.batches), boxes=run.batches.boxes)
    total = epochs * len(run.batches)
    clock, step = Clock(run.source), first * len(run.batches)
    losses: list[float] = []
    rng = torch.Generator(device)
    gradients = gradients_of(_loss_of(network, run), learns, precision, device)
    troubles = Troubles(gradients)
    for epoch in range(first, epochs):
        run.batches.epoch = epoch
        clock.start_epoch()
        rng.manual_seed((config.seed * 100_003 + epoch) * 1009 + run.processes.rank)
        network.train(run.fresh)  # else batch statistics are frozen: a few images do not give reliable ones
        for batch in _move_to(device, run.loader):
            run.between_steps()
            _set_rate(optimizer, rate, config, step, total)
            replayed = run.replay.batch(step) if run.replay.is_on else None
            given = [*batch.tensors, draw(batch, rng, config)]
            given += [*replayed.tensors, run.replay.draw(replayed, rng)] if replayed else []
            loss = gradients.of(given)
            losses.append(_check_finite(loss, run, batch, epoch, step))
            run.processes.average_gradients(learns)
            precision.unscale(optimizer)
            pull_back(learns, origin, by=config.l2_sp)
            norm = precision.apply(optimizer, learns, max_norm=config.max_norm)
            average.update_parameters(network)
            step += 1
            clock.tick(config.batch_images * run.processes.count)
            figures = clock.figures(losses, epoch, step, total)
            yield Progress(
                step,
                total,
                tr("epoch {epoch} of {epochs}", epoch=epoch + 1, epochs=epochs),
                figures,
                note=troubles.news(),
            )
        if run.processes.is_first:
            log_row(run.out / LOG_FILE, {**figures, "norm": float(norm)})
            _save(run, parts, epoch + 1)
    best = cast(RefinerNetwork, average.module).eval().cpu()
    return _summarize(best, clock, steps=step, epochs=epochs, losses=losses)


def _loss_of(network: RefinerNetwork, run: Tuning) -> Compute:
    """The loss of a step: that of a batch with its drawn boxes, plus that of the replayed batch with its own."""
    config = run.config

    def loss_of(given: Sequence[Tensor]) -> Tensor:
        (*tensors, drawn), old = given[: BATCH_TENSORS + 1], given[BATCH_TENSORS + 1 :]
        loss = batch_loss(network, Batch.of(tensors), drawn, config)
        if old:
            loss = loss + config.replay_weight * run.replay.loss(network, Batch.of(old[:-1]), old[-1])
        return loss

    return loss_of


def draw(batch: Batch, rng: Rng, config: TeachConfig) -> Tensor:
    """Drawn boxes (B, K, 4) in frame pixels: the user's own with probability real_share, else simulated ones."""
    simulated = fit(
        draw_carelessly(batch.accepted, rng, pixel=batch.pixel), batch.content, least=LEAST_SIDE * batch.pixel
    )
    dice = torch.rand(*batch.true.shape[:2], 1, generator=rng, device=rng.device)
    is_real = (dice < config.real_share) & batch.drawn.isfinite().all(dim=-1, keepdim=True)
    return torch.where(is_real, batch.drawn.nan_to_num(), simulated)


def batch_loss(network: RefinerNetwork, batch: Batch, drawn: Tensor, config: TeachConfig) -> Tensor:
    """The loss (a scalar) of all stages on a batch with drawn boxes (B, K, 4) in frame pixels; NaN if any box is."""
    weight = torch.ones(batch.true.shape[:2], device=batch.true.device)
    # The score head compares with the drawn box without the margin, which is added to answers later.
    judged = drawn - (batch.accepted - batch.true)
    total = torch.zeros((), device=batch.true.device)
    answers = network(batch.embedding.float(), batch.detail.float(), drawn, batch.content)
    for answer in answers:
        part = stage_loss(answer, batch.true, drawn=judged, weight=weight, pixel=batch.pixel)
        total = total + config.distribution_weight * part["distribution"] + config.l1_weight * part["l1"]
        total = total + config.iou_weight * part["giou"]
        total = total + config.confidence_weight * part["confidence"] + config.score_weight * part["score"]
    # The distribution loss clamps NaN, so NaN boxes are propagated here, without a synchronization with the host, which
    # a CUDA graph cannot record.
    is_finite = torch.stack([boxes.isfinite().all() for boxes in (batch.true, *(answer.boxes for answer in answers))])
    return torch.where(is_finite.all(), total, torch.nan)


def epochs_of(config: TeachConfig, steps: int, *, boxes: int) -> int:
    """The number of epochs, of `steps` steps each, by the configuration.

    Images with many boxes get as many steps as if each of their `boxes` had its own image: with few images, more
    simulated drawings of each box must make up for them.
    """
    by_boxes = config.epochs * boxes // config.batch_images
    wanted = max(config.epochs, -(-max(config.least_steps, by_boxes) // steps))
    return max(1, min(wanted, config.most_steps // steps))


def choose_parts(network: nn.Module, name: str) -> list[Parameter]:
    """Freeze all parameters but those of the named parts, and return these.

    The mask head has no loss, and how boxes were drawn is unknown here: what depends on them is frozen.

    Raises BadInputError for a name that is not in PARTS.
    """
    if name not in PARTS:
        raise BadInputError(
            tr(
                "The configuration names {name!r} as train_parts: use one of {parts}.",
                name=name,
                parts=", ".join(PARTS),
            )
        )
    learns = []
    for path, parameter in network.named_parameters():
        learns_here = ".mask." not in path and ".drawing." not in path
        chosen = learns_here and any(part in path for part in PARTS[name])
        parameter.requires_grad_(chosen)
        learns += [parameter] if chosen else []
    return learns


def initialize(network: nn.Module, initialisation: str) -> None:
    """Initialize the weights: `xavier`, with small last layers, so that boxes hardly move at first, or `default`.

    `default` keeps PyTorch's own initialization. Raises BadInputError for another name.
    """
    if initialisation not in ("xavier", "default"):
        raise BadInputError(
            tr("The configuration names {name!r} as initialisation: use xavier or default.", name=initialisation)
        )
    if initialisation == "default":
        return
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            is_last = path.endswith((".body.6", ".judge.2", ".mask"))
            nn.init.xavier_uniform_(module.weight, gain=0.01 if is_last else 1.0)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def fingerprint_of(config: TeachConfig, lessons: Sequence[Lesson]) -> str:
    """A hash of configuration and training examples; a state with another fingerprint cannot be resumed."""
    digest = hashlib.sha256(repr(asdict(config)).encode())
    for lesson in lessons:
        digest.update(lesson.key.encode("utf-8", "surrogateescape") + lesson.accepted.tobytes())
    return digest.hexdigest()


def _move_to(device: torch.device, loader: DataLoader[Batch]) -> Iterator[Batch]:
    for batch in loader:
        yield batch.to(device)


def pull_back(learns: Sequence[Parameter], origin: Sequence[Tensor], *, by: float) -> None:
    """Add the gradient of `by` times the squared distance from the initial parameters (L2-SP, Li et al., 2018).

    It is computed for all parameters at once, because as a part of the loss it would launch a thousand small kernels a
    step.
    """
    moved = [(parameter.grad, parameter.detach(), was) for parameter, was in zip(learns, origin, strict=True)]
    grads, values, initial = zip(*[entry for entry in moved if entry[0] is not None], strict=True)
    torch._foreach_add_(grads, torch._foreach_sub(values, initial), alpha=2 * by)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float, config: TeachConfig, step: int, total: int) -> None:
    """Linear warm-up, then half a cosine down to a twentieth, or a constant rate."""
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    wave = 1.0
    if config.schedule == "cosine":
        wave = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / total))
    for group in optimizer.param_groups:
        group["lr"] = rate * warm * wave


def _check_finite(loss: Tensor, run: Tuning, batch: Batch, epoch: int, step: int) -> float:
    value = float(loss.detach())
    if not math.isfinite(value):
        names = ", ".join(sorted({run.lessons[number].path.name for number, _ in batch.items}))
        raise BadInputError(
            tr(
                "The loss is no number in epoch {epoch}, step {step} (on {names}), so teaching has stopped and "
                "the refiner in use stays: lower learning_rate, or look at the boxes there.",
                epoch=epoch + 1,
                step=step + 1,
                names=names,
            )
        )
    return value


def _resume(run: Tuning, parts: States) -> int:
    state = load_state_of(run.out / STATE_FILE, fingerprint=fingerprint_of(run.config, run.lessons))
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["epoch"])


def _save(run: Tuning, parts: States, epoch: int) -> None:
    state: dict[str, object] = {name: part.state_dict() for name, part in parts.items()}
    state |= {"epoch": epoch, "fingerprint": fingerprint_of(run.config, run.lessons)}
    save_state(state, run.out / STATE_FILE)


def _summarize(network: RefinerNetwork, clock: Clock, *, steps: int, epochs: int, losses: Sequence[float]) -> Tuned:
    tenth = max(1, len(losses) // 10)
    ends = [sum(part) / len(part) if part else 0.0 for part in (losses[:tenth], losses[-tenth:])]
    return Tuned(
        network,
        steps,
        epochs,
        loss_first=ends[0],
        loss_last=ends[1],
        seconds=clock.seconds,
        images_per_second=clock.images_per_second,
        hit_rate=clock.hit_rate,
    )
