"""The fine-tuning loop: what it learns, what it leaves alone, where it stops, and that it does the same twice."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.encoders.catalogue import load_encoder
from core.encoders.image_features import Encoder
from core.errors import BadInputError, BadWeightsError, StorageError
from core.features.cache.feature_cache import FeatureCache
from core.features.feature_source import FeatureSource
from core.progress import Progress, run
from core.refiner.network import RefinerNetwork
from core.training.blend import interpolate_weights
from core.training.fine_tune import (
    LOG_FILE,
    STATE_FILE,
    Tuned,
    Tuning,
    batch_loss,
    choose_parts,
    draw,
    epochs_of,
    fine_tune,
    initialize,
    pull_back,
)
from core.training.lesson_loader import (
    EpochBatches,
    LessonSet,
    StoredFeatures,
    loader_of,
    make_loader,
    reading_from_cache,
)
from core.training.lessons import Lesson
from core.training.replay import Replay
from core.training.teach import load_start
from core.training.teach_config import TeachConfig
from tests.core.lessons_by_hand import discs, short, source_of

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("light", "cpu")


@pytest.fixture(scope="module")
def start(encoder: Encoder) -> RefinerNetwork:
    return load_start(None, encoder, TeachConfig()).network


@pytest.fixture
def source(tmp_path: Path, encoder: Encoder) -> Iterator[FeatureSource]:
    source = source_of(tmp_path, encoder)
    yield source
    assert source.cache is not None
    source.cache.close()


@pytest.fixture
def lessons(tmp_path: Path) -> tuple[Lesson, ...]:
    return discs(tmp_path / "discs", 4).lessons


def tuning(
    source: FeatureSource, lessons: tuple[Lesson, ...], out: Path, config: TeachConfig, *, resume: bool = False
) -> Tuning:
    batches = EpochBatches([len(lesson) for lesson in lessons], config)
    loader = make_loader(lessons, {}, batches, source=source, config=config, device=CPU)
    replay = Replay(RefinerNetwork(), (), source.of_path, config, CPU)
    return Tuning(config, CPU, source, loader, batches, lessons, replay, out, resume=resume)


def weights(network: RefinerNetwork) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_copy_learns_and_the_original_stays(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    before = weights(start)
    tuned = run(fine_tune(start, tuning(source, lessons, tmp_path / "out", short())))
    assert same(before, start.state_dict())
    assert not same(before, tuned.network.state_dict())
    assert tuned.steps == 4 and tuned.epochs == 2


def test_the_statistics_of_normalisation_stay(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    tuned = run(fine_tune(start, tuning(source, lessons, tmp_path / "out", short())))
    after = tuned.network.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in start.state_dict().items() if "running_" in name)


def test_the_same_seed_gives_the_same_weights_on_a_cpu_and_another_one_others(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    found = [
        run(fine_tune(start, tuning(source, lessons, tmp_path / str(n), short(seed=seed)))).network.state_dict()
        for n, seed in enumerate((0, 0, 1))
    ]
    assert same(found[0], found[1]) and not same(found[0], found[2])


def test_from_the_second_epoch_on_everything_comes_from_the_cache(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    told: list[Progress] = list(fine_tune(start, tuning(source, lessons, tmp_path / "out", short())))
    assert [entry.figures["hit_rate"] for entry in told[2:]] == [1.0, 1.0]
    assert [(entry.done, entry.total) for entry in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with (tmp_path / "out" / LOG_FILE).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert set(rows[0]) >= {"loss", "norm", "hit_rate", "images_per_second", "seconds"}


def test_what_was_broken_off_goes_on_from_the_last_whole_epoch_to_the_same_weights(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    whole = run(fine_tune(start, tuning(source, lessons, tmp_path / "whole", short())))
    with closing(fine_tune(start, tuning(source, lessons, tmp_path / "part", short()))) as job:
        for _ in range(3):  # into the second epoch, which is lost
            next(job)
    rest = run(fine_tune(start, tuning(source, lessons, tmp_path / "part", short(), resume=True)))
    assert same(whole.network.state_dict(), rest.network.state_dict())


def test_resuming_needs_the_same_corrections_a_state_and_a_whole_one(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(BadWeightsError, match="nothing to resume"):
        run(fine_tune(start, tuning(source, lessons, out, short(), resume=True)))
    run(fine_tune(start, tuning(source, lessons, out, short())))
    with pytest.raises(BadInputError, match="other corrections or another configuration"):
        run(fine_tune(start, tuning(source, lessons[:3], out, short(), resume=True)))
    (out / STATE_FILE).write_bytes(b"cut")
    with pytest.raises(BadWeightsError, match="cannot be resumed from"):
        run(fine_tune(start, tuning(source, lessons, out, short(), resume=True)))


def test_a_loss_that_is_no_number_stops_it_and_says_where(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    bad = replace(lessons[0], accepted=np.full((1, 4), np.nan))
    with pytest.raises(BadInputError, match=r"no number in epoch 1, step \d.*disc 0.png.*refiner in use stays"):
        run(fine_tune(start, tuning(source, (bad, *lessons[1:]), tmp_path / "out", short())))


def test_a_full_disk_at_the_checkpoint_is_told_and_leaves_no_half_state(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / STATE_FILE).mkdir(parents=True)  # as good as full: no file can take its place
    with pytest.raises(StorageError, match="could not be saved"):
        run(fine_tune(start, tuning(source, lessons, out, short())))
    assert [path for path in out.iterdir() if path.suffix == ".partial"] == []


def test_between_steps_the_caller_may_hold_it_up(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    calls: list[int] = []
    held = replace(tuning(source, lessons, tmp_path / "out", short()), between_steps=lambda: calls.append(1))
    assert run(fine_tune(start, held)).steps == len(calls)


# Each key of the configuration


def one(source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, out: Path, **keys: object) -> Tuned:
    return run(fine_tune(start, tuning(source, lessons, out, short(**keys))))


def moved(tuned: Tuned, start: RefinerNetwork) -> float:
    after = dict(tuned.network.named_parameters())
    return sum(float((after[name] - was).detach().norm() ** 2) for name, was in start.named_parameters()) ** 0.5


@pytest.mark.long
def test_rates_pull_decay_clipping_and_averaging_do_what_they_say(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    def moved_by(name: str, **keys: object) -> float:
        return moved(one(source, lessons, start, tmp_path / name, **{"warmup_steps": 0, **keys}), start)

    usual = moved_by("a")
    assert moved_by("b", learning_rate=2e-5) < 0.5 * usual
    assert moved_by("c", ema_decay=0.9) < usual
    assert moved_by("d", schedule="constant") > usual
    assert moved_by("w", warmup_steps=10) < usual
    assert moved_by("e", max_norm=1e-9) < 0.5 * usual
    assert moved_by("f", weight_decay=50.0) > 1.2 * usual
    assert moved_by("g", l2_sp=1e4) < 0.8 * usual


def test_the_pull_is_the_gradient_of_the_squared_distance_from_the_start() -> None:
    learns = [torch.nn.Parameter(torch.tensor(values)) for values in ([1.0, -2.0], [3.0], [5.0])]
    origin = [torch.tensor(values) for values in ([0.5, 0.0], [3.5], [1.0])]
    loss = learns[0].sum() + 2 * learns[1].sum()  # the third one has no part in it
    loss.backward()
    pull_back(learns, origin, by=0.25)
    found = [parameter.grad for parameter in learns]
    learns[0].grad = learns[1].grad = None
    apart = sum(((now - was) ** 2).sum() for now, was in zip(learns[:2], origin[:2], strict=True))
    (learns[0].sum() + 2 * learns[1].sum() + 0.25 * apart).backward()
    assert found[2] is None
    for parameter, gradient in zip(learns[:2], found[:2], strict=True):
        assert parameter.grad is not None and gradient is not None
        assert torch.allclose(parameter.grad, gradient)


def test_the_weights_of_the_losses_count(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork, tmp_path: Path
) -> None:
    config = short(
        distribution_weight=0.0, l1_weight=0.0, iou_weight=0.0, confidence_weight=0.0, score_weight=0.0, real_share=0.0
    )
    batch = next(iter(tuning(source, lessons, tmp_path, config).loader))

    def loss(**keys: float) -> float:
        rng = torch.Generator().manual_seed(0)
        return float(batch_loss(start, batch, draw(batch, rng, config), replace(config, **keys)).detach())  # type: ignore[arg-type]

    assert loss() == 0.0
    names = ("distribution_weight", "l1_weight", "iou_weight", "confidence_weight", "score_weight")
    assert all(loss(**{name: 1.0}) > 0 for name in names)
    assert all(loss(**{name: 2.0}) == pytest.approx(2 * loss(**{name: 1.0})) for name in names)


def test_only_the_named_parts_learn_and_never_the_mask(start: RefinerNetwork) -> None:
    network = RefinerNetwork()
    few, all_parts = choose_parts(network, "edges"), choose_parts(network, "all")
    assert 0 < len(few) < len(all_parts)
    assert not any(parameter.requires_grad for name, parameter in network.named_parameters() if ".mask." in name)
    with pytest.raises(BadInputError, match="'last' as train_parts: use one of all, edges"):
        choose_parts(network, "last")


def test_xavier_has_small_last_layers_and_another_name_is_refused() -> None:
    torch.manual_seed(0)
    network = RefinerNetwork()
    initialize(network, "xavier")
    last = dict(network.named_parameters())["stages.0.edges.0.body.6.weight"]
    inner = dict(network.named_parameters())["stages.0.edges.0.body.3.weight"]
    assert last.abs().mean() < 0.1 * inner.abs().mean()
    with pytest.raises(BadInputError, match="'kaiming' as initialisation"):
        initialize(network, "kaiming")


def test_passes_follow_the_number_of_steps() -> None:
    config = TeachConfig(epochs=8, least_steps=120, most_steps=300)
    assert epochs_of(config, 10, boxes=40) == 12
    assert epochs_of(config, 20, boxes=80) == 8
    assert epochs_of(config, 100, boxes=400) == 3
    assert epochs_of(config, 1000, boxes=4000) == 1


def test_pictures_full_of_boxes_get_the_steps_of_as_many_pictures() -> None:
    config = TeachConfig(epochs=8, batch_images=4, least_steps=120, most_steps=3000)
    assert epochs_of(config, 12, boxes=150) == 25
    assert 12 * 25 == 8 * 150 // 4


# Batches


def test_every_correction_is_in_an_epoch_and_every_batch_is_full() -> None:
    batches = EpochBatches([1, 5, 13], short(boxes_per_image=4, batch_images=3))
    listed = list(batches)
    assert [len(items) for items in listed] == [3] * len(batches)
    seen = {(number, row) for items in listed for number, rows in items for row in rows}
    assert seen == {(n, row) for n, size in enumerate([1, 5, 13]) for row in range(size)}
    assert all(len(rows) == 4 for items in listed for _, rows in items)


def test_epochs_differ_in_order_and_processes_share_one_epoch() -> None:
    config = short(boxes_per_image=1, batch_images=2)
    alone = EpochBatches([1] * 12, config)
    first = list(alone)
    alone.epoch = 1
    assert list(alone) != first
    ranks = [EpochBatches([1] * 12, config, rank=rank, ranks=2) for rank in range(2)]
    numbers = [[number for items in entry for number, _ in items] for entry in ranks]
    assert set(numbers[0]) | set(numbers[1]) == set(range(12)) and not set(numbers[0]) & set(numbers[1])


def test_other_processes_read_the_same_features_from_the_cache(
    source: FeatureSource, lessons: tuple[Lesson, ...], tmp_path: Path
) -> None:
    config = short(num_workers=1)
    batches = EpochBatches([1] * len(lessons), config)
    direct = list(make_loader(lessons, {}, batches, source=source, config=config, device=CPU))
    assert source.cache is not None
    from core.features.cache.feature_key import FeatureKey

    frames = {lesson.path: source.of_path(lesson.path).frame for lesson in lessons}
    contents = {lesson.path: source.read(lesson.path)[1].content for lesson in lessons}
    keys = {path: FeatureKey(contents[path], source.encoder.identity, frame) for path, frame in frames.items()}
    stored = StoredFeatures(source.cache.folder, keys)
    loader = loader_of(LessonSet(lessons, {}, stored), batches, workers=1, config=config, device=CPU)
    assert loader.persistent_workers and not loader.pin_memory
    for here, there in zip(direct, loader, strict=True):
        assert torch.equal(here.embedding, there.embedding) and torch.equal(here.true, there.true)
    del loader


def test_processes_read_only_what_is_not_in_memory(
    source: FeatureSource, lessons: tuple[Lesson, ...], tmp_path: Path
) -> None:
    gpu = torch.device("cuda")  # only named: no batch is made
    paths = [lesson.path for lesson in lessons]
    for path in paths:
        source.of_path(path)
    assert reading_from_cache(paths, source, most=3, device=gpu).processes == 0
    assert source.cache is not None
    with FeatureCache(source.cache.folder, ram_budget=0) as on_disk:
        later = FeatureSource(source.encoder, on_disk, now_ns=lambda: time.time_ns() + 10**11)
        assert reading_from_cache(paths, later, most=3, device=gpu).processes == 0  # their keys are not known yet
        for path in paths:
            later.read(path)
        reading = reading_from_cache(paths, later, most=3, device=gpu)
        assert 1 <= reading.processes <= min(3, os.cpu_count() or 1)
        assert torch.equal(reading.read(paths[0]).embedding, source.of_path(paths[0]).embedding)
        assert reading_from_cache(paths, later, most=0, device=gpu).processes == 0
        assert reading_from_cache(paths, later, most=3, device=CPU).processes == 0
    assert reading_from_cache(paths, FeatureSource(source.encoder, None), most=3, device=gpu).processes == 0


# Replay


def test_replay_is_nothing_for_the_same_refiner_and_something_for_another(
    source: FeatureSource, lessons: tuple[Lesson, ...], start: RefinerNetwork
) -> None:
    config = short(replay_weight=1.0)
    replay = Replay(load_start(None, source.encoder, config).network, lessons, source.of_path, config, CPU)
    assert replay.is_on
    rng = torch.Generator().manual_seed(0)
    assert float(replay.loss(start.eval(), replay.batch(0), replay.draw(replay.batch(0), rng)).detach()) < 1e-4
    changed = load_start(None, source.encoder, config).network.eval()
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.mul_(1.05)
    assert float(replay.loss(changed, replay.batch(0), replay.draw(replay.batch(0), rng)).detach()) > 0.01


def test_weights_between_two_networks(start: RefinerNetwork) -> None:
    end = {name: value + 1 if value.is_floating_point() else value for name, value in start.state_dict().items()}
    half = interpolate_weights(start.state_dict(), end, 0.5)
    name = next(name for name, value in end.items() if value.is_floating_point())
    assert torch.allclose(half[name], start.state_dict()[name] + 0.5)
