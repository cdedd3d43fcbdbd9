"""Import of many boxes: one undo step, stored in parts between which other writes have their turn."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from sqlite_utils import Database

from core.correction_table import BoxTable
from core.errors import KnownError
from core.geometry import Box
from core.progress import Job, Progress
from core.records import Changes, ImportedBox, Step, StepKind
from core.sources import Source
from core.store.checking import category_ids
from core.store.file_place import FilePlace
from core.store.import_rows import NAMES, ImportRows
from core.store.known_boxes import KnownBoxes
from core.store.long_steps import LongStep
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.row_errors import missing_row
from core.store.rows import check_box, check_boxes, now
from core.store.source_log import add_contents, contents_of
from core.store.undo_log import Operation, UndoLog
from core.translation import tr

logger = logging.getLogger(__name__)

PART_S = 0.03
"""Wanted time of a part, in seconds."""

MOST_IN_A_PART = 700
"""Boxes of a part at most: redoing it takes three times as long as storing it, and no write may wait 0.1 s."""

_AT_ONCE = 50
_CHECKED_AT_ONCE = 50_000


class BoxImport:
    """The import of the boxes of one file into an open project."""

    def __init__(self, db: Database, place: FilePlace, log: UndoLog, path: Path) -> None:
        self._db, self._place, self._log, self._path = db, place, log, path
        self._known = KnownBoxes(db)
        self._left: Counter[int] = Counter()
        self._images: set[int] = set()
        self._new = 0

    def steps(
        self, boxes: Sequence[ImportedBox], *, file: str, categories: Sequence[str], sources: Sequence[Source]
    ) -> Job[tuple[int, Changes]]:
        """Store boxes as `ProjectStore.import_boxes` does, as a job. Closing it undoes what is stored."""
        title = tr("Importing {name}", name=file)
        table = boxes if isinstance(boxes, BoxTable) else BoxTable(boxes)
        for done in self._check(table):
            yield Progress(done, len(boxes), title)
        contents = []
        for source in sources:
            contents.append((source, (yield from contents_of(source))))
        return (yield from self._in_parts([table], len(boxes), file, categories, contents))

    def steps_of_parts(
        self, parts: Iterable[Sequence[ImportedBox]], *, total: int, file: str, categories: Sequence[str]
    ) -> Job[tuple[int, Changes]]:
        """The same for a file of `total` entries that does not fit into memory: its boxes come in parts."""
        return (yield from self._in_parts(self._tables(parts), total, file, categories, []))

    def _tables(self, parts: Iterable[Sequence[ImportedBox]]) -> Iterator[BoxTable]:
        for boxes in parts:
            table = BoxTable(boxes)
            for _ in self._check(table):
                pass
            yield table

    def _in_parts(
        self,
        tables: Iterable[BoxTable],
        total: int,
        file: str,
        categories: Sequence[str],
        contents: Sequence[tuple[Source, Sequence[str]]],
    ) -> Job[tuple[int, Changes]]:
        title, before, count = tr("Importing {name}", name=file), 0, _AT_ONCE
        step = Step(StepKind.IMPORT, total, file)
        stored = LongStep(self._db, self._place, step, self._log.new_operation(step))
        is_complete, wanted = False, list(categories)
        try:
            for table in tables:
                rows, done = ImportRows(table), 0
                while done < len(table) or wanted:
                    begun, places = time.monotonic(), range(done, min(done + count, len(table)))
                    with stored.part() as operation:
                        done = self._store_part(operation, table, rows, places, wanted)
                    taken = max(time.monotonic() - begun, 1e-4)
                    count = min(max(int(count * min(PART_S / taken, 2)), _AT_ONCE), MOST_IN_A_PART)
                    wanted = []
                    yield Progress(before + done, total, title)
                before += len(table)
            for source, parts in contents:
                for _ in add_contents(self._db, self._place, source, parts):
                    yield Progress(before, total, title)
            if stored.id:
                with transaction(self._db, self._place):
                    self._log.forget_undone()
                    stored.complete()
                    self._log.trim()
            is_complete = True
        finally:
            if not is_complete and stored.id:
                # What cannot be undone now, as on a full disk, is undone when the project is opened again.
                with contextlib.suppress(KnownError), convert_sqlite_errors(self._path):
                    self._log.abandon(stored.id)
                logger.info("the import of %s is not complete: its boxes are removed", file)
        return self._new, stored.changes

    def _check(self, table: BoxTable) -> Iterator[int]:
        """Raise BadInputError for a box without an area; yield how many boxes are checked."""
        corrections = table.corrections
        for whole in corrections.whole.values():
            check_boxes(whole)
        self._left = Counter()
        for first in range(0, len(table), _CHECKED_AT_ONCE):
            yield 0
            edges = np.array(corrections.edges[4 * first : 4 * (first + _CHECKED_AT_ONCE)]).reshape(-1, 4)
            is_good = np.isfinite(edges).all(axis=1) & (edges[:, 2] > edges[:, 0]) & (edges[:, 3] > edges[:, 1])
            for row in np.flatnonzero(~is_good).tolist():
                check_box(Box(*edges[row].tolist()))
            self._left.update(corrections.image_ids[first : first + _CHECKED_AT_ONCE])

    def _store_part(
        self, operation: Operation, boxes: BoxTable, rows: ImportRows, places: range, categories: Sequence[str]
    ) -> int:
        """Store the boxes at some places; return the place of the next one."""
        table, known = boxes.corrections, self._known
        used = {boxes.names[place] for place in set(table.category_ids[places.start : places.stop])}
        names = category_ids(operation, self._db, [*categories, *(name for name in boxes.names if name in used)])
        ids = [names.get(name, 0) for name in boxes.names]
        moment, writer = now(), operation.opening if places else 0
        images = set(table.image_ids[places.start : places.stop])
        self._check_images(images)
        known.read(images)
        new = []
        for place in places:
            image_id, category_id = table.image_ids[place], ids[table.category_ids[place]]
            if place in table.whole:
                is_new = known.take(table.whole[place], category_id)
            else:
                x1, y1, x2, y2 = table.edges[4 * place : 4 * place + 4]
                is_new = known.take_boxes(image_id, category_id, (Box(x1, y1, x2, y2),))
            if is_new:
                new.append(rows.row(place, category_id, moment=moment, writer=writer))
            self._left[image_id] -= 1
            if not self._left[image_id]:
                known.forget(image_id)
        operation.insert_boxes(NAMES, new)
        self._new += len(new)
        return places.stop

    def _check_images(self, ids: set[int]) -> None:
        """Raise BadInputError if the project does not have one of the images."""
        wanted = ids - self._images
        if not wanted:
            return
        query = "SELECT id FROM images WHERE id IN (SELECT value FROM json_each(?))"
        there = {int(id) for (id,) in self._db.execute(query, [json.dumps(sorted(wanted))]).fetchall()}
        for id in sorted(wanted - there):
            raise missing_row("images", id, path=self._path)
        self._images |= there
