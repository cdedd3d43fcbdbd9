"""The tables of a project file, as an append-only list of migrations."""

from __future__ import annotations

from contextlib import closing

from sqlite_utils import Database, Migrations

APPLICATION_ID = 0x42785266
"""SQLite's application_id of a project file (`BxRf`), which other databases do not have."""

MIGRATIONS = Migrations("boxrefine.project")
"""Append only. A step that renames or drops a column must also rewrite `undo_steps`, which holds whole rows."""

_FIRST_TABLES = (
    # AUTOINCREMENT, because an id must never be reused, not even after undo deleted its row.
    """CREATE TABLE images (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        path TEXT NOT NULL UNIQUE,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL
    )""",
    """CREATE TABLE categories (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE
    )""",
    # Boxes are JSON arrays [x1, y1, x2, y2]; edge_confidence is [left, top, right, bottom].
    """CREATE TABLE corrections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        image_id INTEGER NOT NULL REFERENCES images(id),
        category_id INTEGER NOT NULL REFERENCES categories(id),
        drawn TEXT NOT NULL,
        refined TEXT,
        accepted TEXT NOT NULL,
        edge_confidence TEXT,
        score REAL,
        encoder TEXT NOT NULL,
        refiner TEXT NOT NULL,
        seconds REAL NOT NULL,
        created TEXT NOT NULL,
        changed TEXT NOT NULL
    )""",
    "CREATE INDEX corrections_of_an_image ON corrections (image_id)",
    """CREATE TABLE undo_steps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0,
        row_changes TEXT NOT NULL
    )""",
)


@MIGRATIONS()
def m001_first_tables(db: Database) -> None:
    """Images, categories, corrections and the undo log."""
    for statement in _FIRST_TABLES:  # not executescript, which commits first
        db.execute(statement)


@MIGRATIONS()
def m002_outlines(db: Database) -> None:
    """The outline of a refinement's mask: JSON polygons [[x1, y1, x2, y2, ...], ...], NULL without a mask."""
    db.execute("ALTER TABLE corrections ADD COLUMN outline TEXT")


_REFINER_TABLES = (
    """CREATE TABLE refiners (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        folder TEXT NOT NULL,
        identity TEXT NOT NULL,
        encoder TEXT NOT NULL,
        parent TEXT NOT NULL,
        promoted INTEGER NOT NULL,
        sentence TEXT NOT NULL,
        data TEXT NOT NULL,
        config TEXT NOT NULL,
        figures TEXT NOT NULL,
        created TEXT NOT NULL
    )""",
    # The last row of an encoder is the refiner in use; a NULL refiner_id means the shipped one.
    """CREATE TABLE refiner_choices (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        encoder TEXT NOT NULL,
        refiner_id INTEGER REFERENCES refiners(id),
        created TEXT NOT NULL
    )""",
)


@MIGRATIONS()
def m003_refiners(db: Database) -> None:
    """Refiners that were taught by the project's corrections, and which of them is in use."""
    for statement in _REFINER_TABLES:
        db.execute(statement)


@MIGRATIONS()
def m004_origins(db: Database) -> None:
    """The origin of imported boxes (JSON {"file", "box"}, NULL if drawn), and whether the user confirmed them."""
    db.execute("ALTER TABLE corrections ADD COLUMN origin TEXT")
    db.execute("ALTER TABLE corrections ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 1")
    db.execute("CREATE INDEX corrections_to_check ON corrections (image_id) WHERE confirmed = 0")


@MIGRATIONS()
def m005_places(db: Database) -> None:
    """The place of a category in the user's order; NULL: its id is its place."""
    db.execute("ALTER TABLE categories ADD COLUMN place INTEGER")


_DRAWN_BOX_TABLES = (
    # The columns from `drawn` to `outline` are those of `corrections`. A category may be deleted before its box is
    # accepted, so category_id is no reference.
    """CREATE TABLE drawn_boxes (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        image_id INTEGER NOT NULL REFERENCES images(id),
        category_id INTEGER,
        plain INTEGER NOT NULL,
        drawn TEXT NOT NULL,
        refined TEXT,
        accepted TEXT NOT NULL,
        edge_confidence TEXT,
        score REAL,
        encoder TEXT NOT NULL,
        refiner TEXT NOT NULL,
        seconds REAL NOT NULL,
        outline TEXT,
        created TEXT NOT NULL
    )""",
    "CREATE INDEX drawn_boxes_of_an_image ON drawn_boxes (image_id)",
    # Consecutive steps with the same run are merged; an empty run is never merged.
    "ALTER TABLE undo_steps ADD COLUMN run TEXT NOT NULL DEFAULT ''",
)


@MIGRATIONS()
def m006_drawn_boxes(db: Database) -> None:
    """Boxes that are drawn and not accepted yet, and runs of undo steps that are merged into one."""
    for statement in _DRAWN_BOX_TABLES:
        db.execute(statement)


@MIGRATIONS()
def m007_openings(db: Database) -> None:
    """The opening of the project that made an undo step, and the one that last wrote a box; 0: not known."""
    columns = "id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL UNIQUE, created TEXT NOT NULL"
    db.execute(f"CREATE TABLE openings ({columns})")
    db.execute("ALTER TABLE undo_steps ADD COLUMN opening INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE corrections ADD COLUMN writer INTEGER NOT NULL DEFAULT 0")


@MIGRATIONS()
def m008_no_sentences(db: Database) -> None:
    """Kinds and numbers instead of sentences, for undo steps and verdicts. Existing sentences get the kind `text`.

    The columns are renamed and keep their positions, so that a repair finds them in a file of any version. A title that
    is no text is damage and stays as it is, so that `project check` reports it.
    """
    db.execute("ALTER TABLE undo_steps RENAME COLUMN title TO kind")
    db.execute("ALTER TABLE undo_steps ADD COLUMN parameters TEXT NOT NULL DEFAULT '{}'")
    db.execute(
        "UPDATE undo_steps SET parameters = json_object('name', kind), kind = 'text' WHERE typeof(kind) = 'text'"
    )
    db.execute("ALTER TABLE refiners RENAME COLUMN sentence TO verdict")
    db.execute("ALTER TABLE refiners ADD COLUMN remark TEXT NOT NULL DEFAULT ''")
    db.execute("UPDATE refiners SET remark = verdict, verdict = 'text' WHERE typeof(verdict) = 'text'")


@MIGRATIONS()
def m009_margins(db: Database) -> None:
    """The margin that a refinement was widened by: JSON [left, top, right, bottom] in image pixels, NULL without one.

    The index finds the last accepted boxes of a refiner.
    """
    db.execute("ALTER TABLE corrections ADD COLUMN margin TEXT")
    db.execute("ALTER TABLE drawn_boxes ADD COLUMN margin TEXT")
    db.execute("CREATE INDEX corrections_of_a_refiner ON corrections (refiner, category_id)")


@MIGRATIONS()
def m010_marks(db: Database) -> None:
    """The user's marks of images, with the image's id: `done`, and `flag`, a note; NULL without a flag.

    A table of its own, because undo steps hold whole rows, and a copied project gets other paths of its images. The
    index finds the images of a category.
    """
    columns = "id INTEGER PRIMARY KEY REFERENCES images(id), done INTEGER NOT NULL, flag TEXT"
    db.execute(f"CREATE TABLE marks ({columns})")
    db.execute("CREATE INDEX corrections_of_a_category ON corrections (category_id, image_id)")


@MIGRATIONS()
def m011_choices(db: Database) -> None:
    """The candidates of a box and the chosen one (JSON, NULL where there was one answer), and its doubtful edges.

    The edges are bits: 1 left, 2 top, 4 right, 8 bottom. Boxes of earlier versions are not marked: their users have
    gone on without a mark.
    """
    db.execute("ALTER TABLE corrections ADD COLUMN choice TEXT")
    db.execute("ALTER TABLE drawn_boxes ADD COLUMN choice TEXT")
    db.execute("ALTER TABLE corrections ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX corrections_in_doubt ON corrections (image_id) WHERE doubtful != 0")


_SUGGESTION_TABLES = (
    # Suggestions that the user did not want: they are not suggested again, and teach what is no object.
    """CREATE TABLE rejected_boxes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        image_id INTEGER NOT NULL REFERENCES images(id),
        category_id INTEGER NOT NULL REFERENCES categories(id),
        box TEXT NOT NULL,
        head TEXT NOT NULL,
        created TEXT NOT NULL
    )""",
    "CREATE INDEX rejected_boxes_of_an_image ON rejected_boxes (image_id)",
    # A head is small, so that it lies in the project file itself: `weights` is what core.suggest makes of it.
    """CREATE TABLE heads (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        identity TEXT NOT NULL,
        encoder TEXT NOT NULL,
        parent TEXT NOT NULL,
        promoted INTEGER NOT NULL,
        pinned INTEGER NOT NULL,
        data TEXT NOT NULL,
        figures TEXT NOT NULL,
        weights BLOB NOT NULL,
        created TEXT NOT NULL
    )""",
)


@MIGRATIONS()
def m012_suggestions(db: Database) -> None:
    """Rejected suggestions, and the heads that were learned from accepted boxes.

    The origin of a suggested box is JSON {"head", "probability", "box"}; one that came by a file has "file" first.
    """
    for statement in _SUGGESTION_TABLES:
        db.execute(statement)


@MIGRATIONS()
def m013_category_looks(db: Database) -> None:
    """The color of a category (`#RRGGBB`) and its key, a letter or digit; NULL: BoxRefine chooses."""
    db.execute("ALTER TABLE categories ADD COLUMN color TEXT")
    db.execute("ALTER TABLE categories ADD COLUMN key TEXT")


_REVIEW_TABLES = (
    # The id is that of the box. The image is a column, so that undo steps show which images they touch.
    """CREATE TABLE reviews (
        id INTEGER PRIMARY KEY REFERENCES corrections(id),
        image_id INTEGER NOT NULL REFERENCES images(id),
        verdict TEXT NOT NULL,
        comment TEXT NOT NULL,
        writer INTEGER NOT NULL,
        changed TEXT NOT NULL
    )""",
    "CREATE INDEX reviews_of_an_image ON reviews (image_id)",
    "CREATE INDEX reviews_to_fix ON reviews (image_id) WHERE verdict = 'fix'",
    "ALTER TABLE openings ADD COLUMN annotator TEXT NOT NULL DEFAULT ''",
)


@MIGRATIONS()
def m014_reviews(db: Database) -> None:
    """Verdicts and comments on boxes, and the name of the annotator who had the project open; empty: not known."""
    for statement in _REVIEW_TABLES:
        db.execute(statement)


@MIGRATIONS()
def m015_sources(db: Database) -> None:
    """Imported files without their boxes: JSON {"header": {}, "images": [[id, {}], ...]}.

    The origin of a box may have its "format" and "entry", the box as it was in its file.
    """
    db.execute(
        """CREATE TABLE sources (
            id INTEGER PRIMARY KEY,
            file TEXT NOT NULL,
            format TEXT NOT NULL,
            content TEXT NOT NULL,
            created TEXT NOT NULL
        )"""
    )


_PART_TABLES = (
    # A long operation is stored in parts, so that other writes need not wait for it. Its step has `undone` 2 until it
    # is complete.
    """CREATE TABLE undo_parts (
        id INTEGER PRIMARY KEY,
        step INTEGER NOT NULL REFERENCES undo_steps(id) ON DELETE CASCADE,
        row_changes TEXT NOT NULL
    )""",
    "CREATE INDEX undo_parts_of_a_step ON undo_parts (step)",
)


@MIGRATIONS()
def m016_undo_parts(db: Database) -> None:
    """The row changes of long steps, in parts that follow those of the step itself."""
    for statement in _PART_TABLES:
        db.execute(statement)


@MIGRATIONS()
def m017_drawn_by(db: Database) -> None:
    """How the user made a box: a value of `DrawnBy`, empty for boxes of earlier versions and of files."""
    db.execute("ALTER TABLE corrections ADD COLUMN drawn_by TEXT NOT NULL DEFAULT ''")
    db.execute("ALTER TABLE drawn_boxes ADD COLUMN drawn_by TEXT NOT NULL DEFAULT ''")


@MIGRATIONS()
def m018_ranges_of_boxes(db: Database) -> None:
    """Ids of the first and last box that a part of an import has added, NULL where its row changes are a text.

    Such boxes are rows of `corrections`, and become a text only if the part is `undone`.
    """
    db.execute("ALTER TABLE undo_parts ADD COLUMN first_box INTEGER")
    db.execute("ALTER TABLE undo_parts ADD COLUMN last_box INTEGER")
    db.execute("ALTER TABLE undo_parts ADD COLUMN undone INTEGER NOT NULL DEFAULT 0")


_TWIN_TABLE = (
    # No reference to the box: a box that is deleted may come back by undo, and a twin without its box has no effect.
    """CREATE TABLE twins (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        correction_id INTEGER NOT NULL,
        image_id INTEGER NOT NULL REFERENCES images(id),
        category TEXT NOT NULL,
        annotator TEXT NOT NULL,
        source TEXT NOT NULL,
        box TEXT NOT NULL
    )""",
    "CREATE INDEX twins_of_a_box ON twins (correction_id)",
)


@MIGRATIONS()
def m019_twins(db: Database) -> None:
    """Boxes that a merge of projects has made one with another box: the row that is gone, as JSON, and its annotator.

    `category` is the name of its category, `source` that of its project.
    """
    for statement in _TWIN_TABLE:
        db.execute(statement)


def unknown_steps(db: Database) -> set[str]:
    """Names of migrations in the file that this version does not have; if there are any, a newer version wrote it."""
    with closing(Database(memory=True, execute_plugins=False)) as empty:  # all migrations are pending there
        known = {step.name for step in MIGRATIONS.pending(empty)}
    return {step.name for step in MIGRATIONS.applied(db)} - known
