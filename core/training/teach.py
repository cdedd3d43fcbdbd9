"""Teaching, from lessons to a verdict: encode what is missing, fit margins, train a copy, and let the gate judge it."""

from __future__ import annotations

import copy
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core.encoders.image_features import Encoder
from core.encoders.traits import traits_of
from core.encoders.weights.files import in_float32, load_state, load_strictly
from core.errors import BadFileError, BadInputError
from core.features.encoding.encode_missing import Extraction, encode_missing
from core.features.feature_source import FeatureSource
from core.progress import Job, Progress, titled
from core.refiner.box_refiner import BoxRefiner, Calibration
from core.refiner.checkpoint import CARD_FILE, SHIPPED, WEIGHTS_FILE, RefinerCard, load_refiner, read_card, save_refiner
from core.refiner.margins import Margin
from core.refiner.network import RefinerNetwork
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import ALL_CATEGORIES, TaughtRefiner
from core.training.blend import Blend, least_blend
from core.training.fine_tune import Tuned, Tuning, fine_tune, start_afresh
from core.training.gate import Held, Verdict, judge, measure
from core.training.lesson_loader import EpochBatches, make_loader
from core.training.lessons import Lesson, Lessons, fit_to, split
from core.training.margin_fit import fit_margins
from core.training.processes import Processes
from core.training.replay import Replay
from core.training.run_files import STATE_FILE
from core.training.teach_config import TeachConfig
from core.training.views import also_viewed, views

OLD_DRAWS = 1
"""Names of the encoders with which a CPU prepares further views in seconds; with the others it would take minutes."""

TAUGHT_FORMAT = 2


@dataclass(frozen=True)
class Start:
    """What training starts from: a network with its card and name; fresh: nothing has been learned yet."""

    network: RefinerNetwork
    card: RefinerCard
    name: str
    fresh: bool = False


@dataclass(frozen=True)
class Task:
    """All that teaching needs, besides lessons and configuration.

    in_use: the refiner to be beaten; old: lessons of the sample project, which are not to be forgotten
    """

    source: FeatureSource
    start: Start
    in_use: Refiner
    old: Sequence[Lesson]
    out: Path
    processes: Processes = Processes()
    resume: bool = False
    between_steps: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Taught:
    """What came of it: the folder of the taught refiner, the verdict on it, and figures of its making."""

    out: Path
    identity: str
    verdict: Verdict
    margins: dict[str, Margin]
    figures: dict[str, float]
    left_out: tuple[str, ...]


def load_start(folder: Path | None, encoder: Encoder, config: TeachConfig) -> Start:
    """The refiner in `folder` to start from; None: the shipped one, or a fresh one where none ships for the encoder.

    Raises BadWeightsError where the folder is damaged, BadInputError where it is of another encoder or kind.
    """
    chosen = folder or SHIPPED
    card = read_card(chosen)
    if folder is None and card.encoder != encoder.identity:
        torch.manual_seed(config.seed)
        network = RefinerNetwork()
        start_afresh(network, config.initialisation)
        return Start(network.eval(), RefinerCard(encoder.identity), "none", fresh=True)
    if card.encoder != encoder.identity:
        raise BadInputError(
            f"The refiner in {chosen} reads features of {card.encoder}, not of {encoder.identity}: choose that encoder."
        )
    if card.kind != "box":
        raise BadInputError(f"The refiner in {chosen} is of the kind {card.kind}, which cannot be taught: use another.")
    network = RefinerNetwork()
    path = chosen / WEIGHTS_FILE
    load_strictly(network, in_float32(load_state(path)), path=path)
    return Start(network.eval(), card, "shipped" if folder is None else chosen.name)


def teach(found: Lessons, config: TeachConfig, task: Task) -> Job[Taught | None]:
    """Teach a copy of the start by what was found; nothing that is in use is touched.

    None in all processes but the first. Raises BadInputError where the loss is no number, StorageError on a full disk.
    """
    with tempfile.TemporaryDirectory() as folder:
        return (yield from _teach(found, config, task, Path(folder)))


def _teach(found: Lessons, config: TeachConfig, task: Task, folder: Path) -> Job[Taught | None]:
    """`folder` is for pictures that are wanted until it ends."""
    replayed, checked = _old_views(task, folder)
    lessons, extraction = yield from _prepared(found, (*replayed, *checked), config, task)
    learn, held = split(lessons, config.held_out)
    margins = _margins(learn, config, task)
    viewed = config.viewed_images if _encodes_quickly(task.source.encoder) else 0
    shown, edges = also_viewed(learn, margins, folder, each=config.views, most=viewed, seed=config.seed)
    yield from _encoded(shown[len(learn) :], config, task)
    tuned = yield from fine_tune(task.start.network, _tuning(shown, replayed, edges, config, task))
    if not task.processes.is_first:
        return None
    yield Progress(0, 0, "checking what was forgotten")
    old_before = _on_old(task.start.network, checked, config, task)
    blend = _blended(tuned, held, checked, margins, old_before, config, task)
    card = replace(
        task.start.card,
        encoder=task.source.encoder.identity,
        format=TAUGHT_FORMAT,
        margins=margins,
        made_by={"parent": task.start.name, "config": asdict(config), "boxes": sum(map(len, learn))},
    )
    save_refiner(task.out, blend.network.state_dict(), card)
    taught = load_refiner(task.out, task.source.encoder)
    yield Progress(0, 0, "checking on held-out pictures")
    before, after = (_on_held(refiner, held, config, task.source) for refiner in (task.in_use, taught))
    verdict = judge(
        before,
        after,
        old_before=old_before,
        old_after=blend.old,
        confidence=config.gate_confidence,
        tolerance=config.old_tolerance,
        seed=config.seed,
    )
    (task.out / STATE_FILE).unlink(missing_ok=True)  # it is done, and the state is three times as large as the refiner
    figures = _figures(tuned, learn, blend.share) | {
        "cached": float(extraction.hits),
        "encoded": float(extraction.encoded),
    }
    return Taught(task.out, taught.identity, verdict, margins, figures, lessons.left_out)


def clear_abandoned(folder: Path) -> None:
    """Take away what killed runs left below `folder`, once nobody has written there for an hour."""
    for path in folder.glob("*/"):
        finished = (path / CARD_FILE).exists()
        if not finished and time.time() - max(entry.stat().st_mtime for entry in (path, *path.iterdir())) > 3600:
            shutil.rmtree(path, ignore_errors=True)


def _old_views(task: Task, folder: Path) -> tuple[tuple[Lesson, ...], tuple[Lesson, ...]]:
    """Views of every other old picture to replay, and of the others to check by: none where nothing was known yet."""
    if task.start.fresh:
        return (), ()
    (folder / "replayed").mkdir()
    (folder / "checked").mkdir()
    return views(task.old[::2], folder / "replayed"), views(task.old[1::2], folder / "checked")


def _prepared(
    found: Lessons, old: Sequence[Lesson], config: TeachConfig, task: Task
) -> Job[tuple[Lessons, Extraction]]:
    """All features in the cache, boxes inside their pictures, pictures that cannot be read left out."""
    extraction = yield from _encoded((*found.lessons, *old), config, task)
    fitted = []
    for lesson in found.lessons:
        try:
            frame = task.source.of_path(lesson.path).frame
        except BadFileError:
            continue  # it was told already
        fitted.append(fit_to(lesson, width=frame.image_width, height=frame.image_height))
    if len(fitted) < 2:
        raise BadInputError(f"Fewer than two pictures can be read: {extraction.bad[0]}")
    return Lessons(tuple(fitted), found.left_out + extraction.bad), extraction


def _encoded(lessons: Sequence[Lesson], config: TeachConfig, task: Task) -> Job[Extraction]:
    if not task.processes.is_first:
        task.processes.wait()  # what the first one encodes, the others find in the cache
    paths = dict.fromkeys(lesson.path for lesson in lessons)
    job = encode_missing(list(paths), task.source, batch=config.encode_batch)
    extraction = yield from titled(job, "preparing pictures")
    if task.processes.is_first:
        task.processes.wait()
    return extraction


def _encodes_quickly(encoder: Encoder) -> bool:
    return encoder.device.type != "cpu" or traits_of(encoder.name).quick_on_cpu


def _margins(learn: Sequence[Lesson], config: TeachConfig, task: Task) -> dict[str, Margin]:
    """From the start's own answers to the drawn boxes, and to the accepted ones where nobody knows what was drawn."""
    categories = [name for lesson in learn for name in lesson.categories]
    if task.start.fresh:  # it learns the accepted edges themselves
        return {name: Margin() for name in (ALL_CATEGORIES, *categories)}
    refiner = as_refiner(task.start.network, task.start.card.calibration, task.source.encoder)
    answers = []
    for lesson in learn:
        drawn = np.where(np.isfinite(lesson.drawn), lesson.drawn, lesson.accepted)
        answers += [answer.box for answer in refiner.refine(task.source.of_path(lesson.path), drawn)]
    accepted = np.concatenate([lesson.accepted for lesson in learn])
    return fit_margins(answers, accepted, categories, shrink=config.margin_shrink)


def _tuning(
    learn: Sequence[Lesson],
    replayed: Sequence[Lesson],
    margins: dict[str, Margin],
    config: TeachConfig,
    task: Task,
) -> Tuning:
    device, processes = task.source.encoder.device, task.processes
    batches = EpochBatches([len(lesson) for lesson in learn], config, rank=processes.rank, ranks=processes.count)
    return Tuning(
        config,
        device,
        task.source,
        make_loader(learn, margins, batches, source=task.source, config=config, device=device),
        batches,
        learn,
        Replay(copy.deepcopy(task.start.network), replayed, task.source.of_path, config, device),
        task.out,
        processes,
        task.start.fresh,
        task.resume,
        task.between_steps,
    )


def _blended(
    tuned: Tuned,
    held: Sequence[Lesson],
    checked: Sequence[Lesson],
    margins: dict[str, Margin],
    old_before: float,
    config: TeachConfig,
    task: Task,
) -> Blend:
    start = task.start
    if start.fresh:
        return Blend(1.0, tuned.network, 0.0)
    calibration, encoder = start.card.calibration, task.source.encoder
    otherwise = as_refiner(start.network, calibration, encoder)

    def on_held(network: RefinerNetwork) -> float:
        taught = TaughtRefiner(
            as_refiner(network, calibration, encoder), margins, otherwise=otherwise, name="", identity=""
        )
        # Drawn otherwise than for the gate, which is to judge what was chosen here.
        return measure(taught, held, task.source, draws=config.gate_draws, seed=config.seed + 1, by_category=True).mean

    return least_blend(
        start.network,
        tuned.network,
        held=on_held,
        old=lambda network: _on_old(network, checked, config, task),
        least_old=old_before - config.old_tolerance,
    )


def as_refiner(network: RefinerNetwork, calibration: Calibration, encoder: Encoder) -> BoxRefiner:
    """A network as a refiner without margins; the network itself stays as it is."""
    own = copy.deepcopy(network)
    return BoxRefiner(
        own, name="", identity="", encoder=encoder.identity, device=encoder.device, calibration=calibration
    )


def _on_old(network: RefinerNetwork, checked: Iterable[Lesson], config: TeachConfig, task: Task) -> float:
    refiner = as_refiner(network, task.start.card.calibration, task.source.encoder)
    return measure(refiner, tuple(checked), task.source, draws=OLD_DRAWS, seed=config.seed, by_category=False).mean


def _on_held(refiner: Refiner, held: Sequence[Lesson], config: TeachConfig, source: FeatureSource) -> Held:
    return measure(refiner, held, source, draws=config.gate_draws, seed=config.seed, by_category=True)


def _figures(tuned: Tuned, learn: Sequence[Lesson], blend: float) -> dict[str, float]:
    return {
        "boxes": float(sum(map(len, learn))),
        "pictures": float(len(learn)),
        "epochs": float(tuned.epochs),
        "steps": float(tuned.steps),
        "seconds": tuned.seconds,
        "images_per_second": tuned.images_per_second,
        "hit_rate": tuned.hit_rate,
        "loss_first": tuned.loss_first,
        "loss_last": tuned.loss_last,
        "blend": blend,
    }
