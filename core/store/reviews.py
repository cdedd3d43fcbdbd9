"""Reviews of boxes: verdicts, comments, and the history of a box with a way back to each of its versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from core.errors import BadInputError
from core.geometry import Box
from core.records import Changes, Step, StepKind
from core.reviews import LONGEST_COMMENT, Review, ReviewItem, Verdict, Version
from core.store.box_history import versions_of
from core.store.correction_columns import box_text
from core.store.marks import Marks
from core.store.project_file import convert_sqlite_errors, transaction
from core.store.row_checks import BadRow, Row, is_unicode
from core.store.rows import check_box, is_whole, now, review_item_of, review_of
from core.store.suggested_boxes import remove_box
from core.store.undo_log import Operation
from core.text import is_name
from core.translation import tr

_ITEM = (
    "SELECT c.id, c.image_id, c.category_id, c.drawn, c.refined, c.accepted, c.edge_confidence, c.confirmed, "
    "c.doubtful, c.changed, c.writer, r.verdict, r.comment FROM corrections c LEFT JOIN reviews r ON r.id = c.id"
)
LONGEST_ANNOTATOR = 100


class Reviews(Marks):
    """Reads and writes of the reviews of one project."""

    @property
    def annotator(self) -> str:
        """The name that is stored with what this opening of the project writes; at first that of the system's user."""
        return self._undo_log.annotator

    def use_annotator(self, name: str) -> None:
        """Set the name for what this opening writes from now on; one that is empty or refused: of the system's user."""
        try:
            name = check_annotator(name)
        except BadInputError:  # of a settings file that was changed by hand
            name = ""
        self._undo_log.annotator = name or self._undo_log.login

    def name_annotator(self, name: str) -> None:
        """Set the name of the annotator, also for what this opening has written; empty: the name of the system's user.

        A read-only project stays as it is. Raises BadInputError if the name is too long or cannot be shown.
        """
        self.use_annotator(check_annotator(name))
        if not self.read_only:
            with convert_sqlite_errors(self.path), transaction(self._db, self._place):
                values = [self.annotator, self.token, self.annotator]
                self._db.execute("UPDATE openings SET annotator = ? WHERE token = ? AND annotator != ?", values)

    def annotators(self) -> dict[int, str]:
        """Opening id -> the name of its annotator, for openings that have one."""
        with convert_sqlite_errors(self.path):
            rows = self._db.execute("SELECT id, annotator FROM openings WHERE annotator != ''").fetchall()
        return {id: name for id, name in rows if isinstance(name, str) and is_unicode(name)}

    def reviews_on(self, image_ids: Iterable[int]) -> dict[int, dict[int, Review]]:
        """Image id -> box id -> its review, for those of these images; an image without reviews has an empty entry."""
        found: dict[int, dict[int, Review]] = {id: {} for id in image_ids}
        query = "SELECT r.*, o.annotator FROM reviews r LEFT JOIN openings o ON o.id = r.writer WHERE image_id = ?"
        with convert_sqlite_errors(self.path):
            for image_id, reviews in found.items():
                for row in self._db.query(f"{query} ORDER BY r.id", [image_id]):
                    try:
                        review = review_of(row)
                    except BadRow as bad:
                        self._findings["reviews", row["id"]] = str(bad)
                    else:
                        by = row["annotator"] if isinstance(row["annotator"], str) else ""
                        reviews[row["id"]] = Review(review.verdict, review.comment, by, review.changed)
                        self._findings.pop(("reviews", row["id"]), None)
        return found

    def to_fix(self) -> dict[int, int]:
        """Image id -> number of its boxes that are marked to fix, for images that have some."""
        query = "SELECT image_id, count(*) FROM reviews WHERE verdict = 'fix' GROUP BY image_id"
        with convert_sqlite_errors(self.path):
            return dict(self._db.execute(query).fetchall())

    def review_items(self, first: int, last: int) -> list[ReviewItem]:
        """The undamaged boxes with ids from `first` to `last`, so that a large project can be read in parts."""
        with convert_sqlite_errors(self.path):
            return list(_items(self._db.query(f"{_ITEM} WHERE c.id BETWEEN ? AND ? ORDER BY c.id", [first, last])))

    def review_items_on(self, image_ids: Iterable[int]) -> list[ReviewItem]:
        """The same of these images."""
        where = "WHERE c.image_id IN (SELECT value FROM json_each(?)) ORDER BY c.id"  # untranslated: SQL
        with convert_sqlite_errors(self.path):
            return list(_items(self._db.query(f"{_ITEM} {where}", [json.dumps(sorted(image_ids))])))

    def find_good(self, ids: Sequence[int]) -> Changes:
        """Find boxes good as one undo step: those to check are accepted, with their proposals, and doubt ends.

        Raises BadInputError if an id is unknown, and then changes none.
        """
        with self._operation(Step(StepKind.FIND_GOOD, len(ids))) as operation:
            for id in dict.fromkeys(ids):
                row = self._row(operation, "corrections", id)
                if not row["confirmed"]:
                    accepted = row["accepted"] if row["refined"] is None else row["refined"]
                    operation.update(
                        "corrections", row, accepted=accepted, confirmed=1, doubtful=0, changed=now()
                    )  # fmt: skip
                elif row["doubtful"]:
                    operation.update("corrections", row, doubtful=0, changed=now())
                self._put(operation, row, verdict=Verdict.GOOD)
            return operation.changes

    def find_to_fix(self, ids: Sequence[int]) -> Changes:
        """Mark boxes to fix, as one undo step; the boxes stay, and the mark ends when one is changed or accepted.

        Raises BadInputError if an id is unknown, and then marks none.
        """
        with self._operation(Step(StepKind.FIND_TO_FIX, len(ids))) as operation:
            for id in dict.fromkeys(ids):
                self._put(operation, self._row(operation, "corrections", id), verdict=Verdict.FIX)
            return operation.changes

    def comment(self, id: int, comment: str) -> Changes:
        """Comment on a box, in one line; an empty text removes the comment.

        Raises BadInputError if the id is unknown, or the comment is too long or cannot be shown.
        """
        text = check_comment(comment)
        with self._operation(Step(StepKind.COMMENT, name=text)) as operation:
            self._put(operation, self._row(operation, "corrections", id), comment=text)
            return operation.changes

    def history(self, id: int) -> list[Version]:
        """The versions of a box, the earliest first, the last one as it is now; an unknown or damaged box has none.

        They come from the row of the box, and from the steps of the undo log that can be undone.
        """
        with convert_sqlite_errors(self.path):
            row = next(self._db.query("SELECT * FROM corrections WHERE id = ?", [id]), None)
            if row is None or not is_whole("corrections", row):
                return []
            return versions_of(self._db, row, self.annotators())

    def go_back(self, id: int, box: Box, category_id: int) -> Changes:
        """Make a version of a box the accepted one, as an undo step.

        Raises BadInputError if the box or its category is unknown, or `box` has no area.
        """
        check_box(box)
        with self._operation(Step(StepKind.GO_BACK)) as operation:
            row = self._row(operation, "corrections", id)
            self._row(operation, "categories", category_id)
            columns = {"accepted": box_text(box), "category_id": category_id, "confirmed": 1, "doubtful": 0}
            if any(row[name] != value for name, value in columns.items()):
                operation.update("corrections", row, **columns, changed=now())
            return operation.changes

    def repair(
        self,
        moved: Mapping[int, tuple[Box, Box]],
        deleted: Mapping[int, Box],
        relabelled: Mapping[int, tuple[int, int]] | None = None,
    ) -> tuple[int, Changes]:
        """Move boxes (id -> before, after), delete others (id -> before), as one undo step.

        `relabelled` are boxes that get another category (id -> before, after). A box that is gone, or is not as it was
        before, stays as it is, as one does whose new category is gone. Return how many were repaired. Raises
        BadInputError if a box would have no area, and then repairs none.
        """
        for _, after in moved.values():
            check_box(after)
        named = relabelled or {}
        count = len(moved.keys() | deleted.keys() | named.keys())
        with self._operation(Step(StepKind.REPAIR, count)) as operation:
            repaired = set[int]()
            for id, before in {**{id: pair[0] for id, pair in moved.items()}, **deleted}.items():
                row = operation.row("corrections", id)
                if row is None or not is_whole("corrections", row) or row["accepted"] != box_text(before):
                    continue
                repaired.add(id)
                if id in deleted:
                    remove_box(operation, row)
                else:
                    accepted = box_text(moved[id][1])
                    operation.update("corrections", row, accepted=accepted, confirmed=1, doubtful=0, changed=now())
            for id, (category, other) in named.items():
                row = operation.row("corrections", id)
                if row is None or not is_whole("corrections", row) or row["category_id"] != category:
                    continue
                if operation.row("categories", other) is not None:
                    repaired.add(id)
                    operation.update("corrections", row, category_id=other, changed=now())
            return len(repaired), operation.changes

    def _put(self, operation: Operation, box: Row, **columns: str) -> None:
        """Change columns of a box's review; an empty one is deleted."""
        row = operation.row("reviews", box["id"])
        row = None if row is None else self._row(operation, "reviews", box["id"])
        before = {"verdict": "", "comment": ""} if row is None else {n: row[n] for n in ("verdict", "comment")}
        after = {**before, **{name: str(value) for name, value in columns.items()}}
        if after == before:
            return
        if row is None:
            operation.insert("reviews", {"id": box["id"], "image_id": box["image_id"], **after, "changed": now()})
        elif not any(after.values()):
            operation.remove("reviews", row)
        else:
            operation.update("reviews", row, **after, changed=now())


def _items(rows: Iterable[Row]) -> Iterator[ReviewItem]:
    for row in rows:
        with suppress(BadRow):  # a damaged box is reported where it is shown
            yield review_item_of(row)


def check_comment(comment: str) -> str:
    """Return a comment in one line. Raises BadInputError if it is too long or has characters that cannot be shown."""
    text = " ".join(comment.split())
    if len(text) > LONGEST_COMMENT:
        raise BadInputError(
            tr("The comment has {count} characters: at most {most} fit.", count=len(text), most=LONGEST_COMMENT)
        )
    if text and not is_name(text):
        raise BadInputError(tr("The comment has characters that cannot be shown: leave them out."))
    return text


def check_annotator(name: str) -> str:
    """Return a name without spaces around it. Raises BadInputError if it is too long or cannot be shown."""
    text = " ".join(name.split())
    if len(text) > LONGEST_ANNOTATOR or (text and not is_name(text)):
        most = LONGEST_ANNOTATOR
        raise BadInputError(
            tr("The name of the annotator has over {most} characters, or odd ones: change it.", most=most)
        )
    return text
