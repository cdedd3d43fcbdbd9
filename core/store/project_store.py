"""ProjectStore: one project in one SQLite file; every change is a transaction and an undo step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from core.errors import BadInputError, NoLongerDrawnError, StorageError
from core.files import PROJECT_FILE_NAME
from core.geometry import Box
from core.progress import Job, run
from core.records import Changes, Correction, ImportedBox, NewImage, RefinerRecord, Step, StepKind
from core.sources import Source
from core.store.box_import import BoxImport
from core.store.category_writes import CategoryWrites
from core.store.checking import (
    PROPOSED,
    confirm_rows,
    insert_new,
    is_sure,
    withdraw_rows,
    write_answers,
    write_later_answer,
    write_proposals,
)
from core.store.correction_columns import box_text
from core.store.drawn_boxes import forget_drawn
from core.store.openings import Opening
from core.store.project_file import (
    convert_sqlite_errors,
    create_file,
    project_path_for,
    transaction,
)
from core.store.refiner_log import RefinerLog
from core.store.row_checks import Row
from core.store.row_errors import missing_refiner
from core.store.rows import (
    check_box,
    check_boxes,
    correction_row,
    doubt_columns,
    is_whole,
    now,
    refinement_columns,
    stored_path,
)
from core.store.suggested_boxes import remove_box
from core.translation import tr

__all__ = ["PROJECT_FILE_NAME", "NewImage", "ProjectStore", "project_path_for"]


class ProjectStore(CategoryWrites):
    """All reads and writes of one project; only the thread that opened it may use it.

    A write is on the disk when its method returns. Every method raises StorageError if the disk is full or failing, or
    if another program has locked the file, and BadFileError if the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; see `open`."""
        super().__init__(path)
        self._refiner_log = RefinerLog(self._db, folder=self._folder, findings=self._findings)

    @classmethod
    def create(cls, path: Path) -> ProjectStore:
        """Create a project. Raises StorageError if `path` exists or cannot be created."""
        making = Opening(path, visible=path.parent.is_dir())
        try:
            create_file(path, making)
        finally:
            making.close()
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> ProjectStore:
        """Open the project in `path`, read-only if the file or its folder may not be written.

        Raises BadFileError if it is missing, damaged or no project, and StorageError if a newer version wrote it.
        """
        return cls(path)

    @classmethod
    def open_or_create(cls, path: Path) -> ProjectStore:
        """Open the project in `path`, or create it if the file does not exist or is empty."""
        if not path.exists():
            try:
                return cls.create(path)
            except StorageError:
                if not path.exists():  # else another process has created it
                    raise
        return cls.open(path)

    def succeed(self, before: ProjectStore) -> None:
        """Take over from another opening of the same project by the same window, which then closes that one."""
        self._undo_log.inherit(before.token)
        self.opened_elsewhere = tuple(self._opening.others(but=before.token))

    def add_images(self, images: Sequence[NewImage]) -> Changes:
        """Add those images that the project does not have yet; not undoable.

        Raises BadInputError for a size below 1.
        """
        self.refuse_read_only()
        for image in images:
            if image.width < 1 or image.height < 1:
                raise BadInputError(
                    tr("The picture {path} has no size: replace it with an intact copy.", path=image.path)
                )
        rows = [(stored_path(image.path, folder=self._folder), image.width, image.height) for image in images]
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            before = self._count("images")
            statement = "INSERT INTO images (path, width, height) VALUES (?, ?, ?) ON CONFLICT (path) DO NOTHING"
            self._db.conn.executemany(statement, rows)
            return Changes(Step(StepKind.ADD_IMAGES), images=self._count("images") > before)

    def correct_size(self, image_id: int, width: int, height: int) -> Changes:
        """Store another width and height in pixels of an image, whose boxes keep their pixels; not undoable.

        Earlier versions stored wrong sizes of some turned pictures, and a picture may be replaced by one of another
        size. Raises BadInputError for a size below 1.
        """
        self.refuse_read_only()
        if width < 1 or height < 1:
            raise BadInputError(
                tr("A picture has at least one pixel, not {width} x {height}.", width=width, height=height)
            )
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            self._db.conn.execute("UPDATE images SET width = ?, height = ? WHERE id = ?", (width, height, image_id))
        return Changes()

    def accept(self, correction: Correction, drawn: str = "", was_kept: bool = False) -> tuple[Correction, Changes]:
        """Store a new correction and return it with its id; `drawn` is the key of the drawn box that it replaces.

        Raises BadInputError if its image or category is unknown or a box is not finite or has no area. Raises
        NoLongerDrawnError if the drawn box `was_kept` in the file and is missing now, because another window has
        accepted or discarded it.
        """
        (stored,), changes = self.accept_all([correction], drawn=drawn, was_kept=was_kept)
        return stored, changes

    def accept_all(
        self, corrections: Sequence[Correction], *, drawn: str = "", was_kept: bool = False
    ) -> tuple[list[Correction], Changes]:
        """Store new corrections as one undo step, all or none. Raises as `accept` does."""
        for correction in corrections:
            check_boxes(correction)
        with self._operation(Step(StepKind.ACCEPT, len(corrections))) as operation:
            for image_id in {correction.image_id for correction in corrections}:
                self._row(operation, "images", image_id)
            for category_id in {correction.category_id for correction in corrections}:
                self._row(operation, "categories", category_id)
            ids = [operation.insert("corrections", correction_row(correction)) for correction in corrections]
            if drawn and not forget_drawn(self._db, drawn) and was_kept:
                raise NoLongerDrawnError(
                    tr("This drawn box was accepted or discarded in another window: draw it again.")
                )
            changes = operation.changes
        return [replace(correction, id=id) for correction, id in zip(corrections, ids, strict=True)], changes

    def move(self, correction_id: int, accepted: Box, run: str = "") -> Changes:
        """Change the accepted box of one correction; see `move_all`."""
        return self.move_all({correction_id: accepted}, run)

    def move_all(self, moved: Mapping[int, Box], run: str = "") -> Changes:
        """Change accepted boxes (id -> box); the drawn and refined ones stay.

        Consecutive moves of one `run` are one undo step. Raises BadInputError as `accept` does, and then moves none.
        """
        for accepted in moved.values():
            check_box(accepted)
        with self._operation(Step(StepKind.MOVE, len(moved)), run=run) as operation:
            for id, accepted in moved.items():
                row = self._row(operation, "corrections", id)
                if row["accepted"] != box_text(accepted):
                    operation.update(
                        "corrections", row, accepted=box_text(accepted), confirmed=1, doubtful=0, changed=now()
                    )
            return operation.changes

    def refine_all(self, answers: Sequence[tuple[Correction, Correction]]) -> Changes:
        """Store refinements of boxes as they are now, as one undo step.

        Each pair is a stored correction, and the same with its box as drawn and the answer. Reviewed boxes become the
        answer; for those to check it is a proposal. A box that has changed since is skipped. Raises BadInputError as
        `accept` does.
        """
        for _, answer in answers:
            check_boxes(answer)
        with self._operation(Step(StepKind.REFINE, len(answers))) as operation:
            write_answers(operation, self._db, answers)
            return operation.changes

    def paste(self, boxes: Sequence[ImportedBox], *, only_new: bool = False) -> tuple[list[int], Changes]:
        """Store copied boxes as one undo step, and return their ids; `only_new` skips boxes that the image has already.

        Missing categories are added. Raises BadInputError as `accept` does, and then stores none.
        """
        for entry in boxes:
            check_boxes(entry.correction)
        with self._operation(Step(StepKind.PASTE, len(boxes))) as operation:
            for image_id in {entry.correction.image_id for entry in boxes}:
                self._row(operation, "images", image_id)
            ids = insert_new(operation, self._db, boxes, even_known=not only_new)
            return ids, operation.changes

    def refine(self, correction_id: int, again: Correction) -> Changes:
        """Replace the drawn, refined and accepted boxes of a stored correction; its image and category stay.

        The seconds add up. Raises BadInputError as `accept` does.
        """
        check_boxes(again)
        with self._operation(Step(StepKind.REFINE, 1)) as operation:
            row = self._row(operation, "corrections", correction_id)
            seconds = row["seconds"] + again.seconds
            columns = refinement_columns(replace(again, seconds=seconds))
            operation.update("corrections", row, **columns, **doubt_columns(again), confirmed=1, changed=now())
            return operation.changes

    def import_boxes(
        self,
        boxes: Sequence[ImportedBox],
        *,
        file: str,
        categories: Sequence[str] = (),
        sources: Sequence[Source] = (),
    ) -> tuple[int, Changes]:
        """Store boxes of an annotation file as one undo step; return the number of new ones.

        A box that the image has already, now or as it was imported, is skipped, so that nothing is doubled or
        overwritten. Missing categories are added: the listed `categories` in their order, also those without a box,
        then the others. `sources` are kept for exports. Raises BadInputError as `accept` does, and then stores none.
        """
        return run(self.import_steps(boxes, file=file, categories=categories, sources=sources))

    def import_steps(
        self,
        boxes: Sequence[ImportedBox],
        *,
        file: str,
        categories: Sequence[str] = (),
        sources: Sequence[Source] = (),
    ) -> Job[tuple[int, Changes]]:
        """`import_boxes` as a job: between its steps, this opening may do other writes, and wait for none of 0.1 s.

        It is still one undo step, which can be undone once it is complete. Closing the job undoes what is stored.
        """
        self.refuse_read_only()
        job = BoxImport(self._db, self._place, self._undo_log, self.path)
        with convert_sqlite_errors(self.path):
            return (yield from job.steps(boxes, file=file, categories=categories, sources=sources))

    def import_parts(
        self, parts: Iterable[Sequence[ImportedBox]], *, total: int, file: str, categories: Sequence[str] = ()
    ) -> Job[tuple[int, Changes]]:
        """`import_steps` of a file of `total` entries that does not fit into memory: its boxes come in parts."""
        self.refuse_read_only()
        job = BoxImport(self._db, self._place, self._undo_log, self.path)
        with convert_sqlite_errors(self.path):
            return (yield from job.steps_of_parts(parts, total=total, file=file, categories=categories))

    def propose(self, answers: Sequence[Correction], *, undoable: bool) -> Changes:
        """Store refinements of boxes that were never refined, as proposals; the boxes stay until they are confirmed.

        `answers` are stored corrections, each with its refinement; a box that has changed since is skipped. Background
        work is not `undoable`, so that undo and redo concern only the user's operations; `withdraw_proposals` reverts
        it. Raises BadInputError if a box is not finite or has no area.
        """
        for answer in answers:
            check_boxes(answer)
        step = Step(StepKind.PROPOSE, len(answers))
        if undoable:
            with self._operation(step) as operation:
                write_proposals(operation, self._db, answers)
                return operation.changes
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), self._undo_log.unlogged_operation(step) as operation:
            write_proposals(operation, self._db, answers)
            return operation.changes

    def propose_later_answer(self, seen: Correction, answer: Correction) -> Changes:
        """Store a refinement that arrived after its box was accepted, as a proposal; the box stays.

        `seen` is the correction as it was stored, `answer` the same with the later refinement. A box that has changed
        since is skipped. This makes no undo step. Raises BadInputError if a box is not finite or has no area.
        """
        check_boxes(answer)
        self.refuse_read_only()
        with (
            convert_sqlite_errors(self.path),
            self._undo_log.unlogged_operation(Step(StepKind.PROPOSE, 1)) as operation,
        ):
            write_later_answer(operation, self._db, seen, answer)
            return operation.changes

    def confirm(self, ids: Sequence[int], *, take: bool) -> Changes:
        """Confirm boxes, with their proposals (`take`) or as they are; confirmed boxes only lose their doubt.

        Raises BadInputError if an id is unknown.
        """
        with self._operation(Step(StepKind.ACCEPT if take else StepKind.KEEP, len(ids))) as operation:
            rows = [self._row(operation, "corrections", id) for id in dict.fromkeys(ids)]
            confirm_rows(operation, rows, take=take)
            return operation.changes

    def confirm_proposals(self, *, least_score: float = 0.0, least_edge: float = 0.0) -> tuple[int, Changes]:
        """Accept all proposals with at least this score and these edge confidences; return the number of the others."""
        with convert_sqlite_errors(self.path):
            rows = self._proposed()
        sure = [row for row in rows if is_sure(row, least_score=least_score, least_edge=least_edge)]
        with self._operation(Step(StepKind.ACCEPT, len(sure))) as operation:
            confirm_rows(operation, sure, take=True)
            return len(rows) - len(sure), operation.changes

    def withdraw_proposals(self) -> Changes:
        """Remove all proposals that the user has not accepted or rejected; their boxes stay as they are."""
        with self._operation(Step(StepKind.WITHDRAW)) as operation:
            withdraw_rows(operation, self._proposed())
            return operation.changes

    def relabel(self, ids: Sequence[int], category_id: int) -> Changes:
        """Give corrections another category. Raises BadInputError if an id is unknown, and then changes none."""
        with self._operation(Step(StepKind.RELABEL, len(ids))) as operation:
            self._row(operation, "categories", category_id)
            for id in dict.fromkeys(ids):
                row = self._row(operation, "corrections", id)
                if row["category_id"] != category_id:
                    operation.update("corrections", row, category_id=category_id, changed=now())
            return operation.changes

    def delete(self, ids: Sequence[int]) -> Changes:
        """Delete corrections; suggestions among them count as rejected.

        Raises BadInputError if an id is unknown, and then deletes none.
        """
        with self._operation(Step(StepKind.DELETE, len(ids))) as operation:
            for id in dict.fromkeys(ids):
                remove_box(operation, self._row(operation, "corrections", id))
            return operation.changes

    def refiners(self) -> list[RefinerRecord]:
        """All refiners taught by this project's corrections, the oldest first; their folders may be missing."""
        with convert_sqlite_errors(self.path):
            return self._refiner_log.all()

    def chosen_refiner(self, encoder: str) -> RefinerRecord | None:
        """The refiner in use for an encoder's identity, None for the shipped one."""
        with convert_sqlite_errors(self.path):
            return self._refiner_log.chosen(encoder)

    def add_refiner(self, record: RefinerRecord) -> RefinerRecord:
        """Store a taught refiner, and use it if it was promoted. This makes no undo step; see `choose_refiner`."""
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            return self._refiner_log.add(record)

    def choose_refiner(self, id: int | None, *, encoder: str) -> None:
        """Use a refiner from now on; None: the shipped one.

        Raises BadInputError if the id is not one of `encoder`'s.
        """
        self.refuse_read_only()
        with convert_sqlite_errors(self.path), transaction(self._db, self._place):
            if id is not None and id not in {record.id for record in self.refiners() if record.encoder == encoder}:
                raise missing_refiner(id, encoder=encoder, path=self.path)
            self._refiner_log.choose(id, encoder=encoder)

    def _proposed(self) -> list[Row]:
        rows = self._db.query(f"SELECT * FROM corrections WHERE {PROPOSED} ORDER BY id")
        return [row for row in rows if is_whole("corrections", row)]
