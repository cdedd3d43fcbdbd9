"""`refine`, `suggest` and `export` with `--engine ray`: what workers answer is taken as if it came from here."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.engine import choice_of, plan_of, with_gpus
from core.cli.options import has_own_place
from core.cli.terminal import Figure
from core.errors import BadFileError, BadInputError, KnownError
from core.progress import Job, Progress
from core.translation import tr

if TYPE_CHECKING:
    from core.cli.refine_boxes import Pictures, RefinedBoxes
    from core.engine.journal import Journal
    from core.engine.rows import Rows
    from core.engine.tasks import RefineTask, Task
    from core.features.feature_source import FeatureSource
    from core.object_store.remote_file import PictureFile
    from core.records import Dataset
    from core.refiner.protocol import Refiner
    from core.suggest.suggester import Suggester, Suggestion

BLOCK = 16
"""Pictures that a worker takes at once, which are done again if it dies; small, as their answers may take seconds."""

Take = Callable[[int, Any, int, int], None]
"""Takes the number of a picture, the answer of the task, and the picture's width and height in pixels."""


@dataclass
class Worked:
    """How a run on the engine went: workers, blocks that were done again, pictures that an earlier run had done."""

    workers: int = 0
    blocks_repeated: int = 0
    done_before: int = 0

    @property
    def figures(self) -> dict[str, Figure]:
        """For the JSON summary."""
        return {"engine": "ray", **vars(self)}


@contextmanager
def open_journal(options: argparse.Namespace, source: FeatureSource, task: Task) -> Iterator[Journal]:
    """Open the journal of a run into --out; it stays until `Journal.remove`."""
    from core.engine.journal import Journal
    from core.engine.plan import version

    journal = Journal(options.out, "\0".join([version(), source.encoder.identity, task.text]))
    try:
        yield journal
    finally:
        journal.close()


def work(
    items: Sequence[tuple[PictureFile, Any]],
    task: Task,
    options: argparse.Namespace,
    *,
    source: FeatureSource,
    journal: Journal,
    take: Take,
    fail: Callable[[int, str], None],
) -> Job[Worked]:
    """Do a task on pictures, each with what is asked of it, on the engine; in no order.

    `fail` gets the number of a picture that cannot be used, and a sentence. Raises as `open_ray` and `run_stages`.
    """
    from core.engine.ray_engine import Stage, open_ray, plan_workers, run_stages
    from core.engine.rows import rows_of
    from core.engine.tasks import WorkOnPictures

    worked, keys = Worked(), {}
    rows: list[dict[str, Any]] = []
    for number, (picture, about) in enumerate(items):
        asked = json.dumps(about)
        keys[number] = journal.key(picture, asked)
        before = journal.get(keys[number])
        if before is not None:
            take(number, *before)
            worked.done_before += 1
        else:
            rows += [row | {"about": asked} for row in rows_of([(number, picture)])]

    def take_rows(found: Rows) -> None:
        for number, answered, note in answers_of(found):
            if note:
                fail(number, note)
            else:
                journal.add(keys[number], answered)
                take(number, *answered)

    if rows:
        with open_ray(choice_of(options)) as ray:
            choice = with_gpus(ray, options)
            worked.workers, cpus = plan_workers(ray, choice)
            plan = plan_of(options, source, cpus=cpus, on_gpu=choice.gpus_per_worker > 0)
            plan = replace(plan, batch=1, lists=True, cache=plan.cache if has_own_place(options) else None)
            stage = Stage(
                WorkOnPictures, (plan, task), cpus=cpus, workers=worked.workers, gpus=choice.gpus_per_worker,
                takes_witness=True,
            )  # fmt: skip
            block = min(options.batch or BLOCK, -(-len(rows) // worked.workers))
            worked.blocks_repeated = yield from run_stages(ray, rows, [stage], block=block, take=take_rows)
    return worked


def answers_of(rows: Rows) -> Iterator[tuple[int, tuple[Any, int, int], str]]:
    """Number, answer with width and height, and note of each row of `WorkOnPictures`."""
    names = ("number", "state", "note", "answer", "width", "height")
    for number, state, note, answer, width, height in zip(*(rows[name] for name in names), strict=True):
        done = state == "done"
        yield int(number), (json.loads(answer) if done else None, int(width), int(height)), "" if done else str(note)


def refine_on_engine(
    pictures: Pictures,
    task: RefineTask,
    options: argparse.Namespace,
    *,
    source: FeatureSource,
    journal: Journal,
    complain: Callable[[str], None],
) -> Job[tuple[RefinedBoxes, Worked]]:
    """Refine the boxes of a COCO file's pictures on the engine; as `refine_boxes` does here."""
    from core.cli.refine_boxes import RefinedBoxes
    from core.engine.answers import about_boxes, refinement_of

    ids = list(pictures.groups)
    refined, notes = RefinedBoxes(task.how), {}

    def take(number: int, answer: Any, width: int, height: int) -> None:  # noqa: ANN401 - JSON
        try:
            pictures.check_size(ids[number], (width, height))
        except KnownError as error:
            notes[number] = str(error)
            return
        drawn = pictures.groups[ids[number]]
        refined.refinements |= {
            note.index: refinement_of(row) for note, row in zip(drawn, answer["answers"], strict=True)
        }
        refined.images += 1
        refined.second_looks += answer["second_looks"]

    items: list[tuple[PictureFile, Any]] = [(pictures.path_of(id), about_boxes(*pictures.drawn_on(id))) for id in ids]
    job = work(items, task, options, source=source, journal=journal, take=take, fail=notes.__setitem__)
    worked = yield from job
    for number in sorted(notes):
        complain(notes[number])
    in_order = {note.index: refined.refinements.get(note.index) for id in ids for note in pictures.groups[id]}
    refined.refinements = {index: answer for index, answer in in_order.items() if answer is not None}
    return refined, worked


def suggest_on_engine(
    suggester: Suggester,
    targets: Sequence[tuple[PictureFile, Any]],
    options: argparse.Namespace,
    *,
    source: FeatureSource,
    refiner: Refiner,
    threshold: float,
    complain: Callable[[str], None],
) -> Job[tuple[dict[int, tuple[list[Suggestion], int, int]], Worked, Callable[[], None]]]:
    """Suggest boxes for pictures, each with its known and rejected boxes, on the engine.

    Returns suggestions, width and height by the number of the picture, and what to call once they are written.
    """
    from core.engine.answers import suggestion_of
    from core.engine.tasks import SuggestTask
    from core.suggest.kit import SuggestKit

    kit = SuggestKit(suggester.network, encoder=source.encoder.identity)
    task = SuggestTask(
        kit.pack(suggester), suggester.identity, threshold, options.categories, refiner.identity, own_folder(options)
    )
    found: dict[int, tuple[list[Suggestion], int, int]] = {}
    notes: dict[int, str] = {}

    def take(number: int, answer: Any, width: int, height: int) -> None:  # noqa: ANN401 - JSON
        found[number] = [suggestion_of(row) for row in answer], width, height

    with open_journal(options, source, task) as journal:
        job = work(targets, task, options, source=source, journal=journal, take=take, fail=notes.__setitem__)
        worked = yield from job
    for number in sorted(notes):
        complain(notes[number])
    return found, worked, (lambda: None) if notes else journal.remove


def own_folder(options: argparse.Namespace) -> Path | None:
    """The folder of --refiner as workers find it."""
    return None if options.refiner is None else options.refiner.absolute()


@contextmanager
def copied_pictures(dataset: Dataset, options: argparse.Namespace) -> Iterator[tuple[Path, Job[Worked]]]:
    """The folder to which workers copy the pictures of an export, beside --out, and the job that does it.

    The copies of a run that failed stay for the next one. Raises BadInputError without --pictures copy.
    """
    from core.formats.choices import COPY

    if options.pictures != COPY:
        raise BadInputError(tr("The engine of an export copies pictures: add --pictures copy, or leave --engine out."))
    out = options.out.absolute()
    folder = out.with_name(f".{out.name}.engine")
    yield folder, _copy(dataset, folder, options)
    for path in folder.glob("*"):
        path.unlink(missing_ok=True)
    if folder.is_dir():
        folder.rmdir()


def _copy(dataset: Dataset, folder: Path, options: argparse.Namespace) -> Job[Worked]:
    from core.engine.copying import CopyPictures
    from core.engine.ray_engine import Stage, notes_of, open_ray, plan_workers, run_stages
    from core.formats.pictures import copy_name

    worked, rows, notes = Worked(), [], dict[int, str]()
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(dataset.images):
        try:
            target = folder / copy_name(image.path)
        except OSError:
            continue  # the export names it
        if target.is_file():
            worked.done_before += 1
        else:
            rows.append({"number": number, "picture": str(image.path.absolute()), "target": str(target)})
    yield Progress(0, len(rows))
    if rows:
        with open_ray(choice_of(options)) as ray:
            workers, cpus = plan_workers(ray, replace(choice_of(options), gpus_per_worker=0.0, cpus_per_worker=1))
            worked.workers = min(workers, len(rows))
            stage = Stage(CopyPictures, (), cpus=cpus, workers=worked.workers)
            block = min(options.batch or BLOCK, -(-len(rows) // workers))
            job = run_stages(ray, rows, [stage], block=block, take=lambda found: notes.update(notes_of(found)))
            worked.blocks_repeated = yield from job
    if notes:
        raise BadFileError(notes[min(notes)])
    return worked


def engine_figures(worked: Worked | None) -> Mapping[str, Figure]:
    """The figures of a run on the engine for the summary; none of a run without it."""
    return {} if worked is None else worked.figures
