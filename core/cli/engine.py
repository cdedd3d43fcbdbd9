"""`--engine ray`: the options of verbs that can work on a cluster, and `encode` on it."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.cli.options import has_own_place, open_source, source_figures
from core.cli.terminal import Figure, complain, summarize, watch
from core.errors import BadInputError
from core.translation import tr

if TYPE_CHECKING:
    from core.engine.plan import WorkerPlan
    from core.engine.ray_engine import RayChoice, Stage
    from core.engine.rows import Rows
    from core.features.cache.shared_cache import SharedCache
    from core.features.feature_source import FeatureSource
    from core.object_store.remote_file import PictureFile
    from core.progress import Job

BLOCK = 64
"""Pictures that a worker takes at once."""


def add_engine_options(parser: argparse.ArgumentParser, *, batch: bool = True) -> None:
    """Add --engine, --address, --gpus-per-worker and, where the verb has none of its own, --batch."""
    engine = tr("work on a Ray cluster, or with workers that Ray starts on this machine")
    address = tr("address of the cluster: HOST:PORT, or auto; its machines need the same caches, or --shared-cache")
    gpus = tr("GPUs of each worker, such as 0.5 for two on each (default: 1 where the cluster has some)")
    parser.add_argument("--engine", choices=("ray",), help=engine)
    parser.add_argument("--address", metavar="ADDR", help=address)
    parser.add_argument("--gpus-per-worker", metavar="F", type=float, help=gpus)
    if batch:
        parser.add_argument("--batch", metavar="N", type=int, help=tr("pictures in a batch of the engine"))


def check_engine(options: argparse.Namespace) -> None:
    """Raise BadInputError for options that contradict each other, or without Ray; before any work."""
    if options.engine is None:
        if options.address is not None or options.gpus_per_worker is not None:
            raise BadInputError(tr("--address and --gpus-per-worker belong to an engine: add --engine ray."))
        return
    if options.gpus_per_worker is not None and options.gpus_per_worker < 0:
        raise BadInputError(tr("--gpus-per-worker must be 0 or more."))
    if options.batch is not None and options.batch < 1:
        raise BadInputError(tr("--batch must be 1 or more."))


def choice_of(options: argparse.Namespace) -> RayChoice:
    """How the options want Ray to be used."""
    from core.engine.ray_engine import RayChoice

    return RayChoice(address=options.address, gpus_per_worker=options.gpus_per_worker or 0.0, block=BLOCK)


def plan_of(options: argparse.Namespace, source: FeatureSource, *, cpus: int, on_gpu: bool) -> WorkerPlan:
    """The plan of workers that do what this process would."""
    from pathlib import Path

    from core.encoders.traits import traits_of
    from core.engine.plan import WorkerPlan, version

    cache = source.cache
    batch = options.batch or (traits_of(source.encoder.name).gpu_batch if on_gpu else 1)
    return WorkerPlan(
        encoder=options.encoder if options.encoder in _names() else str(Path(options.encoder).absolute()),
        identity=source.encoder.identity,
        device="cuda" if on_gpu else "cpu",
        cache=None if cache is None or cache.disk_budget == 0 else cache.folder.absolute(),
        shared=cache.shared.address if cache is not None and cache.shared is not None else None,
        codec=cache.codec if cache is not None else "fp16",
        disk_budget=cache.disk_budget if cache is not None else 0,
        batch=batch,
        readers=max(1, cpus // 2),
        threads=0 if on_gpu else cpus,
        precision=getattr(options, "precision", "fp32"),
        software=version(),
        lists=False,
    )


def _names() -> tuple[str, ...]:
    from core.encoders.traits import ENCODERS

    return ENCODERS


def encode_on_engine(pictures: Sequence[PictureFile], options: argparse.Namespace) -> int:
    """Encode pictures on the engine, print the summary; return 2 where one could not be read or stored."""
    from core.engine.ray_engine import open_ray, plan_workers, run_stages
    from core.engine.rows import CACHED, ENCODED, FAILED, rows_of

    start = time.perf_counter()
    _check_place(options)
    with open_source(options, in_memory=False, load=load_on_cpu) as source:
        missing = watch(find_missing(pictures, source), unit=tr("image"))
        taking = Taking(source.cache.shared if source.cache is not None else None)
        repeated, workers = 0, 0
        if missing:
            with open_ray(choice_of(options)) as ray:
                choice = with_gpus(ray, options)
                workers, cpus = plan_workers(ray, choice)
                plan = plan_of(options, source, cpus=cpus, on_gpu=choice.gpus_per_worker > 0)
                stages = stages_of(plan, choice, workers=workers, cpus=cpus)
                block = min(BLOCK, -(-len(missing) // workers))
                job = run_stages(ray, rows_of(missing), stages, block=block, take=taking.take)
                repeated = watch(job, unit=tr("image"))
        taking.report()
        counts = taking.counts
        cached = len(pictures) - len(missing) + counts[CACHED]
        figures: dict[str, Figure] = {
            "images": counts[ENCODED] + cached,
            "encoded": counts[ENCODED],
            "cached": cached,
            "failed": counts[FAILED],
            "engine": "ray",
            "workers": workers,
            "cache_hits": cached,
            "cache_misses": counts[ENCODED],
            "blocks_repeated": repeated,
        }
        summarize({**source_figures(source), **figures, "seconds": round(time.perf_counter() - start, 3)})
        kept = source.cache is not None and source.cache.trouble is None
    return 0 if kept and not counts[FAILED] else 2


class Taking:
    """What comes back from the workers: counts by state, sentences by number, rows for the manifest."""

    def __init__(self, shared: SharedCache | None) -> None:
        self.counts: Counter[str] = Counter()
        self._shared = shared
        self._notes: dict[int, str] = {}

    def take(self, rows: Rows) -> None:
        """Take a finished block."""
        from core.engine.ray_engine import notes_of

        self.counts.update(str(state) for state in rows["state"])
        self._notes |= notes_of(rows)
        for text in rows["listing"]:
            if text and self._shared is not None:
                listed: list[dict[str, Any]] = json.loads(text)
                self._shared.add_rows(listed)

    def report(self) -> None:
        """Write the sentences to stderr, in the order of the pictures; equal ones once."""
        for sentence in dict.fromkeys(self._notes[number] for number in sorted(self._notes)):
            complain(sentence)


def find_missing(pictures: Sequence[PictureFile], source: FeatureSource) -> Job[list[tuple[int, PictureFile]]]:
    """The pictures, with their numbers, that the caches do not hold as far as is known without decoding."""
    from core.progress import Progress

    missing = []
    for number, picture in enumerate(pictures):
        if number % 100 == 0:
            yield Progress(number, len(pictures), picture.name)
        known = source.recall(picture)
        if known is not None and source.holds(picture, known):
            source.share(picture, known)
        else:
            missing.append((number, picture))
    return missing


def with_gpus(ray: Any, options: argparse.Namespace) -> RayChoice:  # noqa: ANN401 - the module
    """The choice of the options; where they name no GPUs, one for each worker of a cluster that has some."""
    from dataclasses import replace

    choice = choice_of(options)
    if options.gpus_per_worker is None and options.device != "cpu" and ray.cluster_resources().get("GPU", 0) >= 1:
        return replace(choice, gpus_per_worker=1.0)
    return choice


def stages_of(plan: WorkerPlan, choice: RayChoice, *, workers: int, cpus: int) -> list[Stage]:
    """The stages of encoding: on CPUs one; beside GPUs, workers on CPUs decode for those that hold the network."""
    from core.engine.encoding import DecodePictures, EncodePictures, EncodePixels
    from core.engine.ray_engine import Stage

    if choice.gpus_per_worker == 0:
        return [Stage(EncodePictures, (plan,), cpus=cpus, workers=workers, takes_witness=True)]
    decoders = max(1, ((os.cpu_count() or 2) - workers) if choice.address is None else 8 * workers)
    return [
        Stage(DecodePictures, (plan,), cpus=1, workers=decoders, takes_witness=True),
        Stage(EncodePixels, (plan,), cpus=cpus, workers=workers, gpus=choice.gpus_per_worker),
    ]


def _check_place(options: argparse.Namespace) -> None:
    """Raise BadInputError where the machines of a cluster would each fill a cache of their own."""
    if has_own_place(options):
        return
    raise BadInputError(
        tr(
            "On a cluster, features need one place: give --shared-cache, or --cache with a folder that all its "
            "machines have."
        )
    )


def load_on_cpu(name: str, device: str) -> Any:  # noqa: ANN401 - an Encoder, whose module imports torch
    """Load the encoder that names the weights; the workers compute."""
    from core.encoders.catalogue import load_encoder

    return load_encoder(name, "cpu")
