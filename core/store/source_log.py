"""The annotation files that were imported into a project, without their boxes."""

from __future__ import annotations

from sqlite_utils import Database

from core.progress import Job, Progress
from core.sources import Source, kept_text
from core.store.row_checks import BadRow, Row, id_in, mapping_in, text_in
from core.store.rows import now
from core.translation import tr

_STEP = 5000


def content_steps(source: Source) -> Job[str]:
    """The stored text of a source, as a job, because a file may have many pictures."""
    images = []
    for done, (id, entry) in enumerate(source.images.items()):
        if done % _STEP == 0:
            yield Progress(0, 0, tr("Importing {name}", name=source.file))
        if text := kept_text(entry):
            images.append(f"[{id}, {text}]")
    header = kept_text(source.header) or "{}"
    return f'{{"header": {header}, "images": [{", ".join(images)}]}}'


def add_content(db: Database, source: Source, content: str) -> None:
    """Store a source with its text, unless the same one is stored; belongs inside a transaction.

    It is no part of undo steps: without boxes that refer to it, it has no effect.
    """
    same = "SELECT 1 FROM sources WHERE file = ? AND format = ? AND content = ?"
    if db.execute(same, [source.file, source.format, content]).fetchone() is None:
        statement = "INSERT INTO sources (file, format, content, created) VALUES (?, ?, ?, ?)"
        db.execute(statement, [source.file, source.format, content, now()])


def source_of(row: Row) -> Source:
    """Convert a row to a source. Raises BadRow if a value is invalid."""
    text_in(row, "created")
    content = mapping_in(row, "content")
    header, listed = content.get("header"), content.get("images")
    if not isinstance(header, dict) or not isinstance(listed, list):
        raise BadRow(tr("{column} is no JSON object", column="content"))
    images = {}
    for entry in listed:
        is_pair = isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is int and isinstance(entry[1], dict)
        if not is_pair:
            raise BadRow(tr("{column} is no JSON object", column="content"))
        images[entry[0]] = entry[1]
    return Source(text_in(row, "file"), text_in(row, "format"), header, images, id_in(row))
