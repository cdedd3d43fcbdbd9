"""Recording of the judge's episodes in many processes; each draw of a set has a file, so that a run can go on."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import torch

from core.encoders.catalogue import load_encoder
from core.errors import BadFileError, BadInputError
from core.formats.exporters.coco import read_coco
from core.formats.importers.coco_import import category_names
from core.geometry import Box
from core.pretraining.judge_config import JudgeConfig
from core.pretraining.judge_episodes import Labelled, Tools, record_set
from core.pretraining.judge_records import save_records
from core.progress import Job, Progress, run
from core.refiner.checkpoint import load_refiner
from core.suggest.shipped import load_shipped_network

PARTS = "finds"
"""The folder of the records, below that of the judge."""

Draw = tuple[str, int]
"""The name of a set and the number of a draw of its pictures."""


def draws_of(config: JudgeConfig, data: Path) -> list[Draw]:
    """All draws of the wanted sets. Raises BadFileError if there is no set, or not those wanted."""
    names = sorted(path.parent.name for path in data.glob("*/annotations.json"))
    missing = sorted(set(config.sets) - set(names))
    if not names or missing:
        lacks = f"the set {missing[0]}" if missing else "a labelled set"
        raise BadFileError(f"{data} does not hold {lacks}: it must have folders with annotations.json and images/.")
    return list(itertools.product(config.sets or names, range(config.seeds)))


def part_of(out: Path, draw: Draw) -> Path:
    """The file of the records of a draw."""
    return out / PARTS / f"{draw[0]}-{draw[1]}.npz"


def record_draws(
    draws: Sequence[Draw], config: JudgeConfig, data: Path, out: Path, *, device: str, processes: int
) -> Job[int]:
    """Record the draws that have no file yet, in so many processes; the job returns how many.

    Raises BadFileError if a set cannot be read, BadInputError if the system ends a process.
    """
    wanted = [draw for draw in sorted(draws, key=lambda draw: draw[1]) if not part_of(out, draw).is_file()]
    # Threads of their own would make the processes wait for each other.
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(device,)) as pool:
        running = {pool.submit(_record, draw, config, data, out): draw for draw in wanted}
        try:
            done = 0
            while running:
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    name, number = running.pop(future)
                    finds = _finds_of(future)
                    done += 1
                    yield Progress(done, len(wanted), f"{name} {number}", {"finds": float(finds)})
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return len(wanted)


def _finds_of(future: Future[int]) -> int:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise BadInputError(
            "The system ended a process, as it does without free memory: use fewer --processes. Recorded draws stay."
        ) from error


_TOOLS: list[Tools] = []


def _begin(device: str) -> None:
    """In a process: load the encoder, the network and the refiner once."""
    torch.set_num_threads(1)
    _TOOLS.append(load_tools(device))


def load_tools(device: str) -> Tools:
    """What ships: the light encoder, its suggestion network and its refiner."""
    encoder = load_encoder("light", device)
    return Tools(load_shipped_network(encoder), encoder, load_refiner(None, encoder))


def _record(draw: Draw, config: JudgeConfig, data: Path, out: Path) -> int:
    records = run(record_set(draw[0], read_pictures(data / draw[0]), config, draw[1], _TOOLS[0]))
    save_records(records, part_of(out, draw))
    return len(records.known)


def read_pictures(folder: Path) -> list[Labelled]:
    """The pictures of a set that have boxes with categories, by file name. Raises BadFileError."""
    coco = read_coco(folder / "annotations.json")
    names = category_names(coco)
    found: dict[str, list[tuple[Box, str]]] = {}
    for note in coco.annotations:
        name = names[note.index]
        if name:
            found.setdefault(coco.images[note.image_id].file_name, []).append((note.box, name))
    return [
        Labelled(folder / "images" / file, id, tuple(boxes)) for id, (file, boxes) in enumerate(sorted(found.items()))
    ]
