"""Suggestions of one project: boxes that a head has found, those that the user rejected, and the heads."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import BadInputError
from core.geometry import Box
from core.head_records import HeadRecord, Named, PictureContext, PictureLabels
from core.records import Changes, ImportedBox, Step, StepKind
from core.store.head_log import HeadLog
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.reviews import Reviews
from core.store.row_checks import BadRow, box_of, json_of
from core.store.rows import check_boxes
from core.store.suggested_boxes import ACCEPTED, SUGGESTED, put, remove_box, suggested_rows
from core.translation import tr


class Suggestions(Reviews):
    """Reads and writes of suggestions."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; see `ProjectStore.open`."""
        super().__init__(path)
        self._head_log = HeadLog(self._db, findings=self._findings)

    def labelled_images(self, *, most: int) -> list[int]:
        """Ids of the images that teach a head, at most so many: those with the latest changes first."""
        labelled = f"SELECT image_id AS id, max(changed) AS at FROM corrections WHERE {ACCEPTED} GROUP BY image_id"
        rejected = "SELECT image_id AS id, max(created) AS at FROM rejected_boxes GROUP BY image_id"
        marked = "SELECT id, '' AS at FROM marks WHERE done = 1"
        query = f"SELECT id FROM ({labelled} UNION ALL {rejected} UNION ALL {marked}) GROUP BY id"  # untranslated: SQL
        with convert_sqlite_errors(self.path):
            newest = f"{query} ORDER BY max(at) DESC, id DESC LIMIT ?"  # untranslated: SQL
            rows = self._db.execute(newest, [most]).fetchall()
            return [id for (id,) in rows if isinstance(id, int)]

    def labels_of(self, image_ids: Iterable[int]) -> dict[int, PictureLabels]:
        """Image id -> its labels, which are empty for an image without accepted and rejected boxes that is not done."""
        ids = sorted(image_ids)
        with convert_sqlite_errors(self.path):
            accepted = self._boxes("corrections", "accepted", ids, ACCEPTED)
            rejected = self._boxes("rejected_boxes", "box", ids)
        done = {id for id, mark in self.marks(ids).items() if mark.done}
        return {id: PictureLabels(id, accepted.get(id, ()), id in done, rejected.get(id, ())) for id in ids}

    def suggestion_context(self, image_id: int) -> PictureContext:
        """What suggestions for an image depend on; boxes that are drawn and not accepted are known, too."""
        with convert_sqlite_errors(self.path):
            stored = self._boxes("corrections", "accepted", [image_id], f"NOT ({SUGGESTED})")  # untranslated: SQL
            drawn = self._boxes("drawn_boxes", "accepted", [image_id])
        known = stored.get(image_id, ()) + drawn.get(image_id, ())
        return PictureContext(self.labels_of([image_id])[image_id], known)

    def suggest(
        self,
        image_id: int,
        found: Sequence[ImportedBox],
        *,
        only: Collection[str] | None = None,
        undoable: bool = False,
        name: str = "",
    ) -> Changes:
        """Replace the unreviewed suggestions of an image by those of a head, or only those of some categories.

        `found` are boxes with the names of their categories. Left out are those of categories that the project does not
        have, and those at the place of another box or of a rejected one. Suggestions that come by themselves are not
        `undoable`, so that undo and redo concern only the user's operations. `name` is that of the category, for the
        title of the step. Raises BadInputError if the image is unknown or a box is not finite or has no area.
        """
        for entry in found:
            check_boxes(entry.correction)
        step = Step(StepKind.SUGGEST, len(found), name)
        if undoable:
            with self._operation(step) as operation:
                self._row(operation, "images", image_id)
                put(operation, self._db, image_id, found, only=only)
                return operation.changes
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), self._undo_log.unlogged_operation(step) as operation:
            self._row(operation, "images", image_id)
            put(operation, self._db, image_id, found, only=only)
            return replace(operation.changes, step=None)

    def reject_suggestions(self, image_id: int) -> Changes:
        """Reject all unreviewed suggestions of an image, as one undo step; they do not come again."""
        with convert_sqlite_errors(self.path):
            rows = suggested_rows(self._db, image_id)
        with self._operation(Step(StepKind.REJECT, len(rows))) as operation:
            for row in rows:
                remove_box(operation, row)
            return operation.changes

    def remove_suggestions(self) -> Changes:
        """Remove all unreviewed suggestions of the project, without a word on whether they were right.

        This makes no undo step: a head makes them again.
        """
        self.refuse_read_only()
        step = Step(StepKind.REJECT)
        with convert_sqlite_errors(self.path), self._undo_log.unlogged_operation(step) as operation:
            for row in suggested_rows(self._db):
                operation.remove("corrections", row)
            return replace(operation.changes, step=None)

    def heads(self, encoder: str) -> list[HeadRecord]:
        """The heads for an encoder and a network, by identity (see `HeadRecord`), the oldest first."""
        with convert_sqlite_errors(self.path):
            return self._head_log.all(encoder)

    def head_weights(self, id: int) -> bytes:
        """What a head has learned, as `add_head` stored it; nothing if there is no such head."""
        with convert_sqlite_errors(self.path):
            return self._head_log.weights(id)

    def add_head(self, record: HeadRecord, weights: bytes) -> HeadRecord:
        """Store a learned head and return it with its id. This makes no undo step; see `pin_head`."""
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            return self._head_log.add(record, weights)

    def pin_head(self, id: int | None, *, encoder: str) -> None:
        """Keep an earlier head in use, whatever is learned later; None: use the newest promoted one again.

        Raises BadInputError if the id is not one of `encoder`'s.
        """
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            if id is not None and id not in {head.id for head in self._head_log.all(encoder)}:
                raise BadInputError(
                    tr("The project {path} has no head {id} for this encoder: choose another.", path=self.path, id=id)
                )
            self._head_log.pin(id, encoder=encoder)

    def _boxes(self, table: str, column: str, image_ids: Sequence[int], condition: str = "1") -> dict[int, Named]:
        """Image id -> its boxes with the names of their categories; damaged ones are left out."""
        names: dict[Any, str] = {category.id: category.name for category in self.categories()}
        query = f"SELECT id, image_id, category_id, {column} FROM {table} WHERE {condition}"  # untranslated: SQL
        query += " AND image_id IN (SELECT value FROM json_each(?)) ORDER BY id"  # untranslated: SQL
        found: dict[int, list[tuple[Box, str]]] = {}
        for id, image_id, category_id, text in self._db.execute(query, [json.dumps(image_ids)]).fetchall():
            try:
                # A drawn box may have a category that was deleted before its acceptance.
                if category_id not in names and table != "drawn_boxes":
                    raise BadRow(tr("its category {id} is damaged or missing", id=category_id))
                box = box_of(json_of(text, column), column)
            except BadRow as bad:
                self._findings[table, id] = str(bad)
            else:
                found.setdefault(image_id, []).append((box, names.get(category_id, "")))
        return {image_id: tuple(boxes) for image_id, boxes in found.items()}
