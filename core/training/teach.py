"""Teaching, from training examples to a verdict: encode missing features, fit margins, train a copy, and judge it."""

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
from core.encoders.shipped import SHIPPED_NAME
from core.encoders.traits import traits_of
from core.encoders.weights.files import in_float32, load_state, load_strictly
from core.errors import BadFileError, BadInputError
from core.features.encoding.encode_missing import Extraction, encode_missing
from core.features.feature_source import FeatureSource
from core.progress import Job, Progress, titled
from core.refiner.box_refiner import BoxRefiner, Calibration
from core.refiner.checkpoint import (
    CARD_FILE,
    WEIGHTS_FILE,
    RefinerCard,
    load_refiner,
    read_card,
    save_refiner,
    shipped_folder,
)
from core.refiner.margins import Margin
from core.refiner.network import RefinerNetwork
from core.refiner.protocol import Refiner
from core.refiner.taught_refiner import ALL_CATEGORIES, TaughtRefiner
from core.training.blend import Blend, least_blend
from core.training.fine_tune import Tuned, Tuning, fine_tune, initialize
from core.training.gate import Held, Verdict, judge, measure
from core.training.lesson_loader import EpochBatches, make_loader
from core.training.lessons import Lesson, Lessons, fit_to, split
from core.training.margin_fit import fit_margins
from core.training.processes import Processes
from core.training.replay import Replay
from core.training.run_files import STATE_FILE
from core.training.teach_config import TeachConfig
from core.training.views import add_views, views
from core.translation import tr

OLD_DRAWS = 1
"""How often each box of the sample project is drawn at random to measure what was forgotten."""

TAUGHT_FORMAT = 2


@dataclass(frozen=True)
class Start:
    """What training starts from: a network with its card and name; fresh: its weights are newly initialized."""

    network: RefinerNetwork
    card: RefinerCard
    name: str
    fresh: bool = False


@dataclass(frozen=True)
class Task:
    """What teaching needs besides training examples and configuration.

    in_use: the refiner that the taught one must beat; old: training examples of the sample project, which must not be
        forgotten; out: the folder of the taught refiner; between_steps: called before each training step
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
    """The result: the folder of the taught refiner, the verdict on it, figures of the run, and sentences on what was
    left out."""

    out: Path
    identity: str
    verdict: Verdict
    margins: dict[str, Margin]
    figures: dict[str, float]
    left_out: tuple[str, ...]


def load_start(folder: Path | None, encoder: Encoder, config: TeachConfig) -> Start:
    """Load the refiner in `folder`; None: the shipped one, or a fresh one if none ships for the encoder.

    Raises BadWeightsError if the folder is damaged, BadInputError if the refiner is of another encoder or kind.
    """
    chosen = folder or shipped_folder(encoder)
    card = read_card(chosen)
    if folder is None and card.encoder != encoder.identity:
        torch.manual_seed(config.seed)
        network = RefinerNetwork()
        initialize(network, config.initialisation)
        return Start(network.eval(), RefinerCard(encoder.identity), "none", fresh=True)
    if card.encoder != encoder.identity:
        raise BadInputError(
            tr(
                "The refiner in {folder} reads features of {its}, not of {yours}: choose that encoder.",
                folder=chosen,
                its=card.encoder,
                yours=encoder.identity,
            )
        )
    if card.kind != "box":
        raise BadInputError(
            tr(
                "The refiner in {folder} is of the kind {kind}, which cannot be taught: use another.",
                folder=chosen,
                kind=card.kind,
            )
        )
    network = RefinerNetwork()
    path = chosen / WEIGHTS_FILE
    load_strictly(network, in_float32(load_state(path)), path=path)
    return Start(network.eval(), card, SHIPPED_NAME if folder is None else chosen.name)


def teach(found: Lessons, config: TeachConfig, task: Task) -> Job[Taught | None]:
    """Teach a copy of the start by the training examples; the refiner in use is not changed.

    The result is None in all processes but the first. Raises BadInputError if too few images can be read or the loss
    becomes NaN or infinite, StorageError on a full disk.
    """
    with tempfile.TemporaryDirectory() as folder:
        return (yield from _teach(found, config, task, Path(folder)))


def _teach(found: Lessons, config: TeachConfig, task: Task, folder: Path) -> Job[Taught | None]:
    """`folder` holds temporary images."""
    replayed, checked = _make_old_views(task, folder)
    lessons, extraction = yield from _prepare(found, (*replayed, *checked), config, task)
    learn, held = split(lessons, config.held_out)
    margins = _margins(learn, config, task)
    viewed = config.viewed_images if _encodes_quickly(task.source.encoder) else 0
    shown, edges = add_views(learn, margins, folder, each=config.views, most=viewed, seed=config.seed)
    yield from _encode(shown[len(learn) :], config, task)
    tuned = yield from fine_tune(task.start.network, _tuning(shown, replayed, edges, config, task))
    if not task.processes.is_first:
        return None
    yield Progress(0, 0, tr("checking what was forgotten"))
    old_before = _measure_old(task.start.network, checked, config, task)
    blend = _blend(tuned, held, checked, margins, old_before, config, task)
    card = replace(
        task.start.card,
        encoder=task.source.encoder.identity,
        format=max(TAUGHT_FORMAT, task.start.card.format),
        margins=margins,
        made_by={"parent": task.start.name, "config": asdict(config), "boxes": sum(map(len, learn))},
    )
    save_refiner(task.out, blend.network.state_dict(), card)
    taught = load_refiner(task.out, task.source.encoder)
    yield Progress(0, 0, tr("checking on held-out pictures"))
    before, after = (_measure_held(refiner, held, config, task.source) for refiner in (task.in_use, taught))
    verdict = judge(
        before,
        after,
        old_before=old_before,
        old_after=blend.old,
        confidence=config.gate_confidence,
        tolerance=config.old_tolerance,
        seed=config.seed,
    )
    (task.out / STATE_FILE).unlink(missing_ok=True)  # three times as large as the refiner, and no longer needed
    figures = _figures(tuned, learn, blend.share) | {
        "cached": float(extraction.hits),
        "encoded": float(extraction.encoded),
    }
    return Taught(task.out, taught.identity, verdict, margins, figures, lessons.left_out)


def clear_abandoned(folder: Path) -> None:
    """Delete unfinished runs below `folder` whose files have not changed for an hour."""
    for path in folder.glob("*/"):
        finished = (path / CARD_FILE).exists()
        if not finished and time.time() - max(entry.stat().st_mtime for entry in (path, *path.iterdir())) > 3600:
            shutil.rmtree(path, ignore_errors=True)


def _make_old_views(task: Task, folder: Path) -> tuple[tuple[Lesson, ...], tuple[Lesson, ...]]:
    """Make views of every other old image to replay, and of the others to check on; none for a fresh start."""
    if task.start.fresh:
        return (), ()
    (folder / "replayed").mkdir()
    (folder / "checked").mkdir()
    return views(task.old[::2], folder / "replayed"), views(task.old[1::2], folder / "checked")


def _prepare(found: Lessons, old: Sequence[Lesson], config: TeachConfig, task: Task) -> Job[tuple[Lessons, Extraction]]:
    """Encode missing features, clip boxes to their images, and leave out images that cannot be read."""
    extraction = yield from _encode((*found.lessons, *old), config, task)
    fitted = []
    for lesson in found.lessons:
        try:
            frame = task.source.of_path(lesson.path).frame
        except BadFileError:
            continue  # encoding has reported it
        fitted.append(fit_to(lesson, width=frame.image_width, height=frame.image_height))
    if len(fitted) < 2:
        raise BadInputError(tr("Fewer than two pictures can be read: {why}", why=extraction.bad[0]))
    return Lessons(tuple(fitted), found.left_out + extraction.bad), extraction


def _encode(lessons: Sequence[Lesson], config: TeachConfig, task: Task) -> Job[Extraction]:
    if not task.processes.is_first:
        task.processes.wait()  # the first process encodes, the others read its features from the cache
    paths = dict.fromkeys(lesson.path for lesson in lessons)
    job = encode_missing(list(paths), task.source, batch=config.encode_batch)
    extraction = yield from titled(job, tr("preparing pictures"))
    if task.processes.is_first:
        task.processes.wait()
    return extraction


def _encodes_quickly(encoder: Encoder) -> bool:
    return encoder.device.type != "cpu" or traits_of(encoder.name).quick_on_cpu


def _margins(learn: Sequence[Lesson], config: TeachConfig, task: Task) -> dict[str, Margin]:
    """Fit margins to the start's answers to the drawn boxes, or to the accepted boxes where no drawn box is known."""
    categories = [name for lesson in learn for name in lesson.categories]
    if task.start.fresh:  # a fresh network learns the accepted edges, without margins
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


def _blend(
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
        # Another seed than the gate's, because the gate judges what is chosen here.
        return measure(taught, held, task.source, draws=config.gate_draws, seed=config.seed + 1, by_category=True).mean

    return least_blend(
        start.network,
        tuned.network,
        held=on_held,
        old=lambda network: _measure_old(network, checked, config, task),
        least_old=old_before - config.old_tolerance,
    )


def as_refiner(network: RefinerNetwork, calibration: Calibration, encoder: Encoder) -> BoxRefiner:
    """Wrap a copy of a network as a refiner without margins."""
    own = copy.deepcopy(network)
    return BoxRefiner(
        own, name="", identity="", encoder=encoder.identity, device=encoder.device, calibration=calibration
    )


def _measure_old(network: RefinerNetwork, checked: Iterable[Lesson], config: TeachConfig, task: Task) -> float:
    refiner = as_refiner(network, task.start.card.calibration, task.source.encoder)
    return measure(refiner, tuple(checked), task.source, draws=OLD_DRAWS, seed=config.seed, by_category=False).mean


def _measure_held(refiner: Refiner, held: Sequence[Lesson], config: TeachConfig, source: FeatureSource) -> Held:
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
