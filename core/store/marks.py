"""Marks of images: done, and flagged with a note.

An image without a mark has no row. `core.records.picture_state` makes the state of an image of its mark and its boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.errors import BadInputError
from core.marks import Mark
from core.records import Changes, Step, StepKind
from core.store.rows import mark_of
from core.store.undo_log import Operation
from core.store.undoable import Undoable
from core.text import is_name
from core.translation import tr

LONGEST_NOTE = 1000
"""Characters of a note; a longer one is refused, so that a list of notes stays quick."""


class Marks(Undoable):
    """Writes of the marks of one project; the reads are in `ProjectReads`."""

    def mark(self, image_ids: Sequence[int], *, done: bool) -> Changes:
        """Mark images as done, or as not done, as one undo step; those that are so already stay.

        Raises BadInputError if an id is unknown, and then marks none.
        """
        wanted = dict.fromkeys(image_ids)
        with self._operation(Step(StepKind.DONE if done else StepKind.NOT_DONE, len(wanted))) as operation:
            for image_id in wanted:
                self._change(operation, image_id, done=done)
            return operation.changes

    def flag(self, image_id: int, note: str | None) -> Changes:
        """Flag an image with a note, which may be empty; None removes its flag.

        Raises BadInputError if the id is unknown or the note is too long.
        """
        note = None if note is None else check_note(note)
        kind = StepKind.UNFLAG if note is None else StepKind.FLAG
        with self._operation(Step(kind, name=note or "")) as operation:
            self._change(operation, image_id, flag=note)
            return operation.changes

    def _change(self, operation: Operation, image_id: int, **columns: bool | str | None) -> None:
        self._row(operation, "images", image_id)
        row = operation.row("marks", image_id)
        before = Mark() if row is None else mark_of(self._row(operation, "marks", image_id))
        after = replace(before, **columns)  # type: ignore[arg-type]
        if after == before:
            return
        if row is None:
            operation.insert("marks", {"id": image_id, "done": int(after.done), "flag": after.flag})
        elif after == Mark():
            operation.remove("marks", row)
        else:
            operation.update("marks", row, done=int(after.done), flag=after.flag)


def check_note(note: str) -> str:
    """Return a note in one line. Raises BadInputError if it is too long or has characters that cannot be shown."""
    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE:
        raise BadInputError(
            tr("The note has {count} characters: at most {most} fit.", count=len(note), most=LONGEST_NOTE)
        )
    if note and not is_name(note):
        raise BadInputError(tr("The note has characters that cannot be shown: leave them out."))
    return note
