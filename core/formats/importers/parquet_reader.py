"""Boxes of a Parquet table: BoxRefine's own, or any that has the columns picture and accepted_x0 to accepted_y1."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.formats.defects import Defects
from core.formats.importers.coco_reader import EDGES
from core.formats.importers.found import clip_to_picture, describe_other_size
from core.formats.importers.matching import Miss, Named, PictureMatcher
from core.formats.importers.parsed import ParsedBox, ParsedPicture, ParsedSet, category_of, side_of
from core.formats.parquet import ACCEPTED, EMPTY, TableBox, read_rows, row_count
from core.geometry import Box
from core.progress import Job, Progress
from core.records import Correction, EdgeConfidence, ImageRecord, ImportedBox, Origin
from core.text import is_file_name, name_of
from core.translation import tr

TITLE = "Parquet"
_OF_PICTURES = ("picture", "width", "height", "accepted_x0", "category")


def read_parquet(path: Path) -> Job[ParsedSet]:
    """Read a whole table; see `TableParts` for one that does not fit into memory. Raises as `read_rows`."""
    parsed = ParsedSet(TITLE)
    pictures: dict[str, ParsedPicture] = {}
    total, done = row_count(path), 0
    for rows in read_rows(path):
        yield Progress(done, total, tr("Importing {name}", name=path.name))
        for number, row in enumerate(rows, start=done + 1):
            name = row.text("picture")
            picture = pictures.get(name)
            if picture is None:
                if not name or not is_file_name(name):
                    parsed.defects.add(_NAMELESS, file=path, where=_row(number))
                    continue
                width, height = side_of(row.values.get("width")), side_of(row.values.get("height"))
                picture = pictures[name] = ParsedPicture(path, (name,), width, height)
                parsed.pictures.append(picture)
            if row.text("status") == EMPTY:
                continue
            label, box = category_of(row.values.get("category")), _box(row, "accepted")
            if label is None or box is None:
                picture.add_defect(_UNUSABLE, _row(number))
            else:
                picture.boxes.append(ParsedBox(label, box, row.number("score"), row.values, TITLE))
        done += len(rows)
    return parsed


_NAMELESS = tr("In {file}, {where} has no name of a picture: add it or delete the entry.")
_UNUSABLE = tr("In {file}, {where} has no box with an area, or a name that cannot be used: correct or delete it.")


def restored_row(parsed: ParsedBox, source: Path, image: ImageRecord, box: Box) -> Correction:
    """The correction of a row; BoxRefine's own tables restore the drawn, refined and accepted boxes."""
    return _restored(TableBox(dict(parsed.entry or {})), source.name, image, box)


@dataclass
class TableParts:
    """A table that is imported group by group, so that it need not fit into memory.

    `total` is its number of rows, `missing` has the names of pictures that the project does not hold, `categories` the
    names that the table has. `defects` counts boxes that cannot be used, `usable` the others that were read.
    """

    path: Path
    images: Mapping[str, ImageRecord] = field(default_factory=dict)
    total: int = 0
    missing: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    defects: Defects = field(default_factory=Defects)
    usable: int = 0

    @classmethod
    def find(cls, path: Path, images: Sequence[ImageRecord], *, folder: Path) -> Job[TableParts]:
        """Match the pictures of a table with those of a project; `folder` is the one that names are relative to."""
        found = cls(path, total=row_count(path))
        sizes: dict[str, tuple[int, int]] = {}
        names: dict[str, None] = {}
        done = 0
        for rows in read_rows(path, only=_OF_PICTURES):
            yield Progress(done, found.total, tr("Reading {name}", name=path.name))
            done += len(rows)
            for row in rows:
                if (name := row.text("picture")) and name not in sizes:
                    sizes[name] = side_of(row.values.get("width")), side_of(row.values.get("height"))
                if row.values.get("accepted_x0") is not None:
                    names[category_of(row.values.get("category")) or ""] = None
        found.categories = [name for name in names if name]
        held = {}
        matcher = PictureMatcher(images, folder=folder)
        for (name, (width, height)), record in zip(
            sizes.items(), matcher.match([Named((name,)) for name in sizes]), strict=True
        ):
            if isinstance(record, Miss):
                found.missing.append(name)
            elif problem := describe_other_size(record, path, width=width, height=height):
                found.defects.count("size", problem)  # untranslated: a key
            else:
                held[name] = record
        found.images = held
        return found

    def parts(self) -> Iterator[list[ImportedBox]]:
        """The boxes on the project's pictures, in groups."""
        number = 0
        for rows in read_rows(self.path):
            some = []
            for row in rows:
                number += 1
                image = self.images.get(row.text("picture"))
                if image is None or row.text("status") == EMPTY:
                    continue
                label, box = category_of(row.values.get("category")), _box(row, "accepted")
                clipped = None if box is None else clip_to_picture(box, image)
                if label is None or clipped is None:
                    self.defects.add(_UNUSABLE, file=self.path, where=_row(number))
                else:
                    some.append(ImportedBox(label, _restored(row, self.path.name, image, clipped)))
            self.usable += len(some)
            yield some


def _restored(row: TableBox, file: str, image: ImageRecord, box: Box) -> Correction:
    drawn, refined = _box(row, "drawn"), _box(row, "refined")
    # Clipped as `box` is, so that an accepted refinement is exactly equal to the refined box.
    refined = None if refined is None else clip_to_picture(refined, image)
    score = min(max(_finite(row, "score") or 0.0, 0.0), 1.0)
    origin = Origin(file, box, name_of(row.text("head")) or "", score)
    answer: dict[str, Any] = {}
    if refined is not None:
        named = {name: name_of(row.text(name)) or "" for name in ("encoder", "refiner")}
        answer = {"refined": refined, "edge_confidence": _confidence(row), **named}
        answer["score"] = _finite(row, "expected_iou")
    confirmed = drawn is not None and row.text("status") == ACCEPTED
    doubtful = row.text("doubtful").split() if refined is not None else ()
    return Correction(
        image_id=image.id,
        category_id=0,
        drawn=drawn or box,
        accepted=box,
        seconds=_finite(row, "seconds") or 0.0 if drawn is not None else 0.0,
        origin=origin,
        confirmed=confirmed,
        doubtful=tuple(edge for edge, name in enumerate(EDGES) if name in doubtful),
        **answer,
    )


def _box(row: TableBox, name: str) -> Box | None:
    edges = row.edges(name)
    if edges is None or not math.isfinite(sum(edges)):
        return None
    box = Box(*edges)
    return box if box.x2 > box.x1 and box.y2 > box.y1 else None


def _confidence(row: TableBox) -> EdgeConfidence | None:
    found = row.confidence
    return found if found is not None and math.isfinite(sum(found)) else None


def _finite(row: TableBox, name: str) -> float | None:
    value = row.number(name)
    return value if value is not None and math.isfinite(value) else None


def _row(number: int) -> str:
    return tr("the row {number}", number=number)
