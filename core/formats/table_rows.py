"""The rows of the table of boxes for a dataset, and which rows of a project an export has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from core.errors import BadInputError
from core.formats import ExportSummary
from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import group_by_image, picture_names
from core.formats.importers.coco_reader import EDGES
from core.formats.parquet import ACCEPTED, EMPTY, MAIN_FILE, NAMES, NO_EDGES, SUGGESTED, TO_CHECK, write_table
from core.formats.selection import Selection
from core.progress import Job
from core.records import Correction, Dataset
from core.splits import split_of
from core.translation import tr

_AT = {name: place for place, name in enumerate(NAMES)}
_EDGES = slice(_AT["drawn_x0"], _AT["accepted_y1"] + 1)


def rows_of(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> Iterator[tuple[Any, ...]]:
    """The rows of a dataset, such as that of annotation files; without what only a project has."""
    names, boxes = picture_names(dataset), group_by_image(dataset)
    categories = {category.id: category.name for category in dataset.categories}
    for image in dataset.images:
        split = splits.get(image.id) or split_of(PurePosixPath(names[image.id]).parent) or None
        head = (names[image.id], None, image.width, image.height, split)
        done = image.id in dataset.done
        for item in boxes[image.id]:
            yield (*head, categories[item.category_id], *_of_box(item, done=done))
        if not boxes[image.id] and image.id in dataset.empty:
            yield empty_row(head)


def empty_row(head: Sequence[Any], flag: str | None = None) -> tuple[Any, ...]:
    """The row of a picture that is done and has no object; `head` has the columns before `category`."""
    row: list[Any] = [*head, *[None] * (len(NAMES) - len(head))]
    row[_AT["status"]], row[_AT["done"]], row[_AT["flag"]] = EMPTY, True, flag
    return tuple(row)


def _of_box(item: Correction, *, done: bool) -> tuple[Any, ...]:
    origin = item.origin
    return (
        *item.drawn,
        *(item.refined or NO_EDGES),
        *item.accepted,
        *(item.edge_confidence or NO_EDGES),
        item.score,
        None if origin is None else origin.probability or None,
        ACCEPTED if item.was_accepted else TO_CHECK if item.is_label else SUGGESTED,
        " ".join(EDGES[edge] for edge in item.doubtful) or None,
        None,
        None,
        done,
        None,
        item.refiner or None,
        item.encoder or None,
        (None if origin is None else origin.head) or None,
        (None if origin is None else origin.file) or None,
        None,
        item.seconds,
        None,
        None,
    )


def selected(
    rows: Iterable[tuple[Any, ...]], selection: Selection, *, known: Sequence[str], left: dict[str, int]
) -> Iterator[tuple[Any, ...]]:
    """The rows that an export has; `known` are the project's categories, `left` counts suggestions left out.

    Raises BadInputError for a category that the project does not have.
    """
    _refuse_unknown([*selection.renamed, *selection.dropped], known)
    names = {name: selection.renamed.get(name, name) for name in known if name not in selection.dropped}
    if selection.categories:
        _refuse_unknown(selection.categories, list(names.values()))
        names = {old: new for old, new in names.items() if new in selection.categories}
    category, status, done = _AT["category"], _AT["status"], _AT["done"]
    for row in rows:
        if selection.done and not row[done]:
            continue
        if row[status] == EMPTY:
            yield row
        elif (row[status] != ACCEPTED and selection.accepted) or (row[status] == SUGGESTED and not selection.unchecked):
            left["suggestions"] = left.get("suggestions", 0) + 1
        elif row[category] in names:
            new = names[row[category]]
            yield row if new == row[category] else (*row[:category], new, *row[category + 1 :])


def _refuse_unknown(names: Iterable[str], known: Sequence[str]) -> None:
    held: Mapping[str, None] = dict.fromkeys(known)
    for name in names:
        if name not in held:
            raise BadInputError(
                tr(
                    "There is no category {name} to export: name one of {others}.",
                    name=f"“{name}”",
                    others=", ".join(known) or tr("none"),
                )
            )


def export_table(dataset: Dataset, out: Path, *, splits: Splits = NO_SPLITS) -> Job[ExportSummary]:
    """Write the table of a dataset into the folder `out`, as `core.formats.export` does for its formats."""
    path = out / MAIN_FILE
    job = write_table(
        path,
        rows_of(dataset, splits=splits),
        message=tr("Writing {format}", format="Parquet"),
        total=len(dataset.corrections),
    )
    yield from job
    boxed = len({item.image_id for item in dataset.corrections})
    counts = Counter(splits[image.id] for image in dataset.images) if splits else {}
    return ExportSummary(len(dataset.images), boxed, len(dataset.corrections), path, splits=counts)
