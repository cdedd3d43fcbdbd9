"""The verb `train`: teach a refiner by the corrections of a project, or by a labelled set."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.options import (
    add_cache_options,
    add_encoder_options,
    check_folder,
    check_output,
    open_source,
    source_figures,
)
from core.cli.steering import steer
from core.cli.terminal import Figure, complain, note_all, print_steps, summarize, watch
from core.cli.verb_help import VerbHelp
from core.errors import BadInputError, StorageError
from core.object_store.address import path_or_address
from core.resources import RESOURCES
from core.translation import tr

if TYPE_CHECKING:
    from core.encoders.image_features import Encoder
    from core.features.feature_source import FeatureSource
    from core.refiner.protocol import Refiner
    from core.store.project_store import ProjectStore
    from core.training.lessons import Lesson, Lessons
    from core.training.teach import Taught
    from core.training.teach_config import TeachConfig

HELP = VerbHelp(
    tr("Teach a refiner by corrections: a project's, or the boxes of a labelled set."),
    tr("""\
A copy of the refiner learns on cached features. Then pictures that were held out judge it: only where it is better by
more than chance, and forgets nothing on the sample project, is it promoted; a project then uses it. The verdict is
reported on stderr and in the JSON summary, and stored in the project. The exit code is 0 either way. Ctrl-C or a kill
harms nothing; --resume goes on from the last whole epoch.

Keys of --config and their defaults: resources/configs/box_refinement_config.yaml. Without --coarse, drawn boxes are
made up around the true ones. Several GPUs: torchrun --nproc-per-node N -m boxrefine_gui train ..."""),
    """
    boxrefine train --project harbour/boxrefine.sqlite
    boxrefine train --images harbour --boxes true.json --coarse coarse.json --out my-refiner
    boxrefine train --images harbour --boxes true.json --out my-refiner --fast
    """,  # untranslated: commands
)
DEFAULT_CONFIG = RESOURCES / "configs" / "box_refinement_config.yaml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the source of corrections, the output folder and the options of training, encoder and cache."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--project", metavar="FILE", type=Path, help=tr("project whose corrections teach"))
    what.add_argument("--images", metavar="DIR", type=Path, help=tr("folder that file_name of --boxes is below"))
    shards = tr("folder or address of shards that boxrefine shards wrote")
    what.add_argument("--shards", metavar="PLACE", type=path_or_address, help=shards)
    parser.add_argument("--boxes", metavar="GT.json", type=Path, help=tr("COCO file of true boxes"))
    parser.add_argument("--coarse", metavar="COARSE.json", type=Path, help=tr("COCO file of drawn boxes, same ids"))
    parser.add_argument("--out", metavar="DIR", type=Path, help=tr("folder of the new refiner; a project has its own"))
    start = tr("start from this one instead of the shipped one")
    parser.add_argument("--refiner", metavar="DIR", type=Path, help=start)
    config = tr("instead of the defaults")
    parser.add_argument("--config", metavar="YAML", type=Path, default=DEFAULT_CONFIG, help=config)
    parser.add_argument("--fast", action="store_true", help=tr("a tenth of the pictures (fast_sample_ratio)"))
    parser.add_argument("--debug", action="store_true", help=tr("at most 100 pictures (debug_images)"))
    parser.add_argument("--clear-cache", action="store_true", help=tr("encode all pictures again"))
    parser.add_argument("--resume", action="store_true", help=tr("go on where an earlier run into --out stopped"))
    steps = tr("a JSON line for each step and note on stdout")
    parser.add_argument("--json-progress", action="store_true", help=steps)
    add_encoder_options(parser)
    add_cache_options(parser, optional=False)


def run(options: argparse.Namespace) -> int:
    """Read, teach, judge, record; return 0 whether or not the new refiner is better."""
    from core.training.config_file import read_config
    from core.training.lessons import require_enough
    from core.training.teach_config import TeachConfig

    if options.images is not None and (options.boxes is None or options.out is None):
        raise BadInputError(
            tr("Training from --images needs --boxes, the true boxes, and --out, a folder for the result.")
        )
    if options.shards is not None and options.out is None:
        raise BadInputError(tr("Training from --shards needs --out, a folder for the result."))
    if options.images is not None:
        check_folder(options.images)
    config = read_config(options.config, TeachConfig)
    with open_project(options.project) as store:
        found = read_lessons(options, store, config)
        note_all(found.left_out, machine_readable=options.json_progress)
        require_enough(found, options.project or options.boxes or options.shards)
        return teach_and_record(options, found, config, store)


def read_lessons(options: argparse.Namespace, store: ProjectStore | None, config: TeachConfig) -> Lessons:
    """Read the training examples of the project or the labelled set; --fast and --debug take a part of them."""
    from core.training.lessons import from_coco, from_project, from_shards

    if options.shards is not None:
        found = watch(from_shards(options.shards), unit=tr("file"))
    elif store is None:
        found = from_coco(options.images, options.boxes, options.coarse)
    else:
        found = from_project(store.dataset())
    ratio = config.fast_sample_ratio if options.fast else config.sample_ratio
    most = config.debug_images if options.debug else None
    return found if ratio == 1.0 and most is None else found.sampled(ratio, most=most)


def teach_and_record(
    options: argparse.Namespace, found: Lessons, config: TeachConfig, store: ProjectStore | None
) -> int:
    """Teach; the first process reports and records the verdict."""
    from core.training.processes import joined, take_own_gpu
    from core.training.teach import Task, load_start, teach

    begun = time.perf_counter()
    take_own_gpu()
    with open_source(options) as source, joined(source.encoder.device) as processes:
        if options.clear_cache and processes.is_first:
            forget_features(source)
        out = options.out or new_folder(options.project)
        check_output(out / "refiner.json")
        in_use = refiner_in_use(options, store, source.encoder)
        start = load_start(options.refiner, source.encoder, config)
        old = () if start.fresh else old_lessons()
        with steer(listen=options.json_progress) as steering:
            task = Task(source, start, in_use, old, out, processes, options.resume, steering.wait_while_paused)
            job = teach(found, config, task)
            taught = print_steps(job) if options.json_progress else watch(job, unit=tr("step"))
        if taught is None:
            return 0
        note_all(taught.left_out[len(found.left_out) :], machine_readable=options.json_progress)
        id = record(store, taught, config, encoder=source.encoder.identity, parent=in_use.identity)
        complain(taught.verdict.sentence)
        about: dict[str, Figure] = {**source_figures(source), "refiner_id": id}
        summarize({**summary(taught), **about, "seconds": round(time.perf_counter() - begun, 3)})
    return 0


@contextmanager
def open_project(path: Path | None) -> Iterator[ProjectStore | None]:
    """Open the project at `path`, if any. Raises StorageError where it is read-only."""
    from core.store.project_store import ProjectStore

    if path is None:
        yield None
        return
    with closing(ProjectStore.open(path)) as store:
        if store.read_only:
            raise StorageError(
                tr("The project {path} is read-only: copy it to a folder of your own to teach by it.", path=path)
            )
        yield store


def refiner_in_use(options: argparse.Namespace, store: ProjectStore | None, encoder: Encoder) -> Refiner:
    """Load the refiner that a new one must beat: the project's, else --refiner, else the shipped one.

    Raises BadWeightsError, and BadInputError where there is none for this encoder.
    """
    from core.refiner.checkpoint import has_shipped_refiner, load_refiner

    chosen = store.chosen_refiner(encoder.identity) if store is not None else None
    if chosen is not None and chosen.folder.is_dir():
        return load_refiner(chosen.folder, encoder)
    if options.refiner is None and not has_shipped_refiner(encoder):
        raise BadInputError(
            tr("There is no refiner for {encoder} to compare with: name one with --refiner.", encoder=encoder.identity)
        )
    return load_refiner(options.refiner, encoder)


def old_lessons() -> tuple[Lesson, ...]:
    """Read the sample project's true boxes, on which a taught refiner must not become worse."""
    from core.sample_project import TRUE_BOXES, pictures_folder, sample_pictures
    from core.training.lessons import from_coco

    sample_pictures()  # raises if one is missing
    return from_coco(pictures_folder(), TRUE_BOXES, None).lessons


def new_folder(project: Path) -> Path:
    """Name the folder of a project's next refiner, and remove what aborted runs left beside it long ago."""
    from core.store.project_file import refiners_folder
    from core.training.teach import clear_abandoned

    folder = refiners_folder(project)
    clear_abandoned(folder)
    return folder / time.strftime("%Y-%m-%d-%H%M%S")


def forget_features(source: FeatureSource) -> None:
    """Remove this encoder's features from the cache."""
    from core.features.cache.cache_care import clear

    if source.cache is not None:
        watch(clear(source.cache, encoder=source.encoder.identity), unit=tr("file"))


def record(store: ProjectStore | None, taught: Taught, config: TeachConfig, *, encoder: str, parent: str) -> int | None:
    """Record the refiner in the project, which uses it from now on if it was promoted; return its id."""
    from core.records import RefinerRecord

    if store is None:
        return None
    figures = {**taught.verdict.numbers, **taught.figures}
    return store.add_refiner(
        RefinerRecord(
            taught.out.absolute(),
            taught.identity,
            encoder,
            parent,
            taught.verdict.promoted,
            taught.verdict.kind,
            data={"boxes": taught.figures["boxes"] + taught.verdict.held_boxes, "pictures": taught.figures["pictures"]},
            config=asdict(config),
            figures=figures,
        )
    ).id


def summary(taught: Taught) -> dict[str, Figure]:
    """The figures of a run for the JSON summary."""
    verdict = taught.verdict
    margins: dict[str, Figure] = {name: {**margin.figures} for name, margin in taught.margins.items()}
    return {
        "out": str(taught.out),
        "refiner": taught.identity,
        "promoted": verdict.promoted,
        "verdict": verdict.kind.value,
        "sentence": verdict.sentence,
        **{name: round(value, 4) for name, value in verdict.numbers.items()},
        **{name: round(value, 4) for name, value in taught.figures.items()},
        "margins": margins,
    }
