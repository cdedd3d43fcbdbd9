"""Speed and memory of imports and exports on made-up sets, whose pictures do not exist."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from core.evaluation.peak_memory import peak_megabytes
from core.progress import Job, run

T = TypeVar("T")

WIDTH, HEIGHT = 1920, 1080
CATEGORIES = tuple(f"category {number}" for number in range(20))
PROJECT = "boxrefine.sqlite"


@dataclass(frozen=True)
class SetSize:
    """How many pictures and boxes a made-up set has; each picture has as many boxes as the others, or one more."""

    pictures: int
    boxes: int
    seed: int = 0

    def rows(self) -> Iterator[tuple[str, list[tuple[int, float, float, float, float]]]]:
        """The name of each picture, and its boxes: number of the category, x, y, width and height in pixels."""
        random = Random(self.seed)
        for number in range(self.pictures):
            count = (number + 1) * self.boxes // self.pictures - number * self.boxes // self.pictures
            yield f"frame_{number:07}", [_box(random) for _ in range(count)]


def _box(random: Random) -> tuple[int, float, float, float, float]:
    width, height = 20 + round(random.random() * 200, 2), 20 + round(random.random() * 200, 2)
    x, y = round(random.random() * (WIDTH - width), 2), round(random.random() * (HEIGHT - height), 2)
    return int(random.random() * len(CATEGORIES)), x, y, width, height


def write_set(size: SetSize, format: str, folder: Path) -> Path:
    """Write the labels of a set in one of FORMATS; return the path to import."""
    return FORMATS[format](size, folder)


def _write_coco(size: SetSize, folder: Path) -> Path:
    path = folder / "annotations.json"
    categories = [{"id": number + 1, "name": name} for number, name in enumerate(CATEGORIES)]
    with path.open("w") as file:
        file.write(f'{{"categories":{json.dumps(categories)},"images":[')
        for number in range(size.pictures):
            entry = {"id": number + 1, "file_name": f"frame_{number:07}.jpg", "width": WIDTH, "height": HEIGHT}
            file.write(("," if number else "") + json.dumps(entry))
        file.write('],"annotations":[')
        count = 0
        for number, (_, boxes) in enumerate(size.rows()):
            for category, x, y, width, height in boxes:
                count += 1
                entry = {"id": count, "image_id": number + 1, "category_id": category + 1}
                place = {"bbox": [x, y, width, height], "area": width * height, "iscrowd": 0}
                file.write(("," if count > 1 else "") + json.dumps({**entry, **place}))
        file.write("]}")
    return path


def _write_yolo(size: SetSize, folder: Path) -> Path:
    labels = folder / "labels"
    labels.mkdir()
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CATEGORIES))
    (folder / "data.yaml").write_text(f"path: .\ntrain: images\nval: images\nnames:\n{names}")
    for name, boxes in size.rows():
        lines = [
            f"{category} {(x + width / 2) / WIDTH:.6f} {(y + height / 2) / HEIGHT:.6f} {width / WIDTH:.6f} "
            f"{height / HEIGHT:.6f}\n"
            for category, x, y, width, height in boxes
        ]
        (labels / f"{name}.txt").write_text("".join(lines))
    return folder


def _write_voc(size: SetSize, folder: Path) -> Path:
    files = folder / "Annotations"
    files.mkdir()
    for name, boxes in size.rows():
        objects = "".join(
            f"<object><name>{CATEGORIES[category]}</name><pose>Unspecified</pose><truncated>0</truncated>"
            f"<difficult>0</difficult><bndbox><xmin>{round(x) + 1}</xmin><ymin>{round(y) + 1}</ymin>"
            f"<xmax>{round(x + width)}</xmax><ymax>{round(y + height)}</ymax></bndbox></object>\n"
            for category, x, y, width, height in boxes
        )
        (files / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.jpg</filename><source><database>VOC2007</database></source>"
            f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>\n{objects}</annotation>"
        )
    return files


def _write_csv(size: SetSize, folder: Path) -> Path:
    path = folder / "boxes.csv"
    with path.open("w") as file:
        file.write("filename,width,height,class,xmin,ymin,xmax,ymax\n")
        for name, boxes in size.rows():
            for category, x, y, width, height in boxes:
                edges = f"{x:.2f},{y:.2f},{x + width:.2f},{y + height:.2f}"
                file.write(f"{name}.jpg,{WIDTH},{HEIGHT},{CATEGORIES[category]},{edges}\n")
    return path


FORMATS: dict[str, Callable[[SetSize, Path], Path]] = {
    "coco": _write_coco,
    "yolo": _write_yolo,
    "voc": _write_voc,
    "csv": _write_csv,
}
"""The formats of made-up sets, and what writes them."""


def in_fresh_process(measure: Callable[..., T], *values: object) -> T:
    """Run a function of a module in a process of its own, so that its peak of memory is that of the function."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure, *values).result()


def make_project(size: SetSize, folder: Path) -> None:
    """Write a project of the pictures of a set, without boxes."""
    from core.records import NewImage
    from core.store.project_store import ProjectStore

    with closing(ProjectStore.create(folder / PROJECT)) as store:
        names = (f"frame_{number:07}.jpg" for number in range(size.pictures))
        store.add_images([NewImage(folder / name, WIDTH, HEIGHT) for name in names])


def measure_import(project: Path, labels: Path) -> dict[str, float]:
    """Import labels into a project. `longest` is the longest time that another write would wait, in seconds."""
    from core.formats.importing import find_boxes
    from core.store.project_store import ProjectStore

    with closing(ProjectStore.open(project)) as store:
        start, worked = time.perf_counter(), time.process_time()
        found, _ = _timed(find_boxes(labels, store.images(), folder=project.parent))
        read = time.perf_counter()
        job = store.import_steps(found.boxes, file=labels.name, categories=found.categories, sources=found.sources)
        (new, _), longest = _timed(job)
        end = time.perf_counter()
    return {
        "boxes": new,
        "read": read - start,
        "store": end - read,
        "import": end - start,
        "cpu": time.process_time() - worked,
        "longest": longest,
        "import MB": peak_megabytes(),
    }


def measure_undo(project: Path) -> dict[str, float]:
    """Undo the last step of a project, and redo it."""
    from core.store.project_store import ProjectStore

    with closing(ProjectStore.open(project)) as store:
        start = time.perf_counter()
        store.undo()
        undone = time.perf_counter()
        store.redo()
        return {
            "undo": undone - start,
            "redo": time.perf_counter() - undone,
            "undo MB": peak_megabytes(),
        }


def measure_export(project: Path, format: str, out: Path) -> dict[str, float]:
    """Export all boxes of a project, also unchecked ones: in seconds, with the time to read them."""
    from core.formats import export
    from core.store.project_store import ProjectStore

    start, worked = time.perf_counter(), time.process_time()
    with closing(ProjectStore.open(project)) as store:
        dataset = store.dataset()
    dataset = dataset.labelled()
    read = time.perf_counter()
    written = run(export(dataset, format=format, out=out))
    end = time.perf_counter()
    return {
        "exported": written.boxes,
        "export": end - start,
        "export cpu": time.process_time() - worked,
        "of it reading": read - start,
        "export MB": peak_megabytes(),
    }


def _timed(job: Job[T]) -> tuple[T, float]:
    """Run a job; return its result and the longest time between two of its steps, in seconds."""
    longest, before = 0.0, time.perf_counter()
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value, max(longest, time.perf_counter() - before)
        now = time.perf_counter()
        longest, before = max(longest, now - before), now
