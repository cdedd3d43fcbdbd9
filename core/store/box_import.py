"""Import of many boxes: one undo step, stored in parts between which other writes have their turn."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlite_utils import Database

from core.errors import KnownError
from core.progress import Job, Progress
from core.records import Changes, ImportedBox, Step, StepKind
from core.sources import Source
from core.store.checking import category_ids
from core.store.file_place import FilePlace
from core.store.known_boxes import KnownBoxes
from core.store.long_steps import LongStep
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.row_errors import missing_row
from core.store.rows import check_boxes, correction_row
from core.store.source_log import add_content, content_steps
from core.store.undo_log import Operation, UndoLog
from core.translation import tr

logger = logging.getLogger(__name__)

PART_S = 0.03
"""Time for the boxes of one part, in seconds; its commit comes on top."""

_AT_ONCE = 50
_CHECKED_AT_ONCE = 10_000


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
        for done, entry in enumerate(boxes):
            if done % _CHECKED_AT_ONCE == 0:
                yield Progress(0, len(boxes), title)
            check_boxes(entry.correction)
        contents = []
        for source in sources:
            contents.append((source, (yield from content_steps(source))))
        return (yield from self._in_parts([boxes], len(boxes), file, categories, contents))

    def steps_of_parts(
        self, parts: Iterable[Sequence[ImportedBox]], *, total: int, file: str, categories: Sequence[str]
    ) -> Job[tuple[int, Changes]]:
        """The same for a file of `total` entries that does not fit into memory: its boxes come in parts."""
        return (yield from self._in_parts(_checked(parts), total, file, categories, []))

    def _in_parts(
        self,
        parts: Iterable[Sequence[ImportedBox]],
        total: int,
        file: str,
        categories: Sequence[str],
        contents: Sequence[tuple[Source, str]],
    ) -> Job[tuple[int, Changes]]:
        title, before = tr("Importing {name}", name=file), 0
        step = Step(StepKind.IMPORT, total, file)
        stored = LongStep(self._db, self._place, step, self._log.new_operation(step))
        is_complete, wanted = False, list(categories)
        try:
            for boxes in parts:
                self._left = Counter(entry.correction.image_id for entry in boxes)
                done = 0
                while done < len(boxes) or wanted:
                    with stored.part() as operation:
                        done = self._store_part(operation, boxes, done, wanted)
                    wanted = []
                    yield Progress(before + done, total, title)
                before += len(boxes)
            with transaction(self._db, self._place):
                for source, content in contents:
                    add_content(self._db, source, content)
                if stored.id:
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

    def _store_part(
        self, operation: Operation, boxes: Sequence[ImportedBox], first: int, categories: Sequence[str]
    ) -> int:
        """Store boxes from the place `first` on for PART_S; return the place of the next one."""
        end = time.monotonic() + PART_S
        names = category_ids(operation, self._db, categories)
        rows = []
        place = first
        while place < len(boxes) and (place == first or time.monotonic() < end):
            some = boxes[place : place + _AT_ONCE]
            self._check_images(some)
            self._known.read({entry.correction.image_id for entry in some})
            names = names if all(entry.category in names for entry in some) else category_ids(
                operation, self._db, [entry.category for entry in some]
            )  # fmt: skip
            for entry in some:
                correction, category_id = entry.correction, names[entry.category]
                if self._known.take(correction, category_id):
                    rows.append({**correction_row(correction), "category_id": category_id})
                self._left[correction.image_id] -= 1
                if not self._left[correction.image_id]:
                    self._known.forget(correction.image_id)
            place += len(some)
        operation.insert_many("corrections", rows)
        self._new += len(rows)
        return place

    def _check_images(self, boxes: Sequence[ImportedBox]) -> None:
        """Raise BadInputError if the project does not have the image of a box."""
        wanted = {entry.correction.image_id for entry in boxes} - self._images
        if not wanted:
            return
        query = "SELECT id FROM images WHERE id IN (SELECT value FROM json_each(?))"
        there = {int(id) for (id,) in self._db.execute(query, [json.dumps(sorted(wanted))]).fetchall()}
        for id in sorted(wanted - there):
            raise missing_row("images", id, path=self._path)
        self._images |= there


def _checked(parts: Iterable[Sequence[ImportedBox]]) -> Iterator[Sequence[ImportedBox]]:
    for boxes in parts:
        for entry in boxes:
            check_boxes(entry.correction)
        yield boxes
