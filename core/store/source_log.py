"""The annotation files that were imported into a project, without their boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from sqlite_utils import Database

from core.progress import Job, Progress
from core.sources import Source, kept_text
from core.store.file_place import FilePlace
from core.store.project_file import transaction
from core.store.row_checks import BadRow, Row, id_in, mapping_in, text_in
from core.store.rows import now
from core.translation import tr

_STEP = 5000
"""Images of one row: a file of more takes several rows, so that no write waits for all of them."""


def contents_of(source: Source) -> Job[list[str]]:
    """The stored texts of a source, as a job, because a file may have many pictures."""
    parts: list[str] = []
    header = kept_text(source.header) or "{}"
    listed = iter(source.images.items())
    while (some := list(islice(listed, _STEP))) or not parts:
        yield Progress(0, 0, tr("Importing {name}", name=source.file))
        images = ", ".join(f"[{id}, {text}]" for id, entry in some if (text := kept_text(entry)))
        parts.append(f'{{"header": {"{}" if parts else header}, "images": [{images}]{MORE if parts else ""}}}')
    return parts


MORE = ', "more": true'
"""The end of a text that goes on with the one before."""


def add_contents(db: Database, place: FilePlace, source: Source, parts: Sequence[str]) -> Iterator[None]:
    """Store the texts of a source, each in a transaction, unless the same ones are stored.

    They are no part of undo steps: without boxes that refer to them, they have no effect.
    """
    same = "SELECT 1 FROM sources WHERE file = ? AND format = ? AND content = ?"
    if all(db.execute(same, [source.file, source.format, content]).fetchone() is not None for content in parts):
        return
    statement = "INSERT INTO sources (file, format, content, created) VALUES (?, ?, ?, ?)"
    for content in parts:
        with transaction(db, place):
            db.execute(statement, [source.file, source.format, content, now()])
        yield


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
    more = content.get("more") is True
    return Source(text_in(row, "file"), text_in(row, "format"), header, images, id_in(row), goes_on=more)


def joined(sources: Iterable[Source]) -> tuple[Source, ...]:
    """The sources whose texts are in several rows as one each."""
    found: list[Source] = []
    for source in sources:
        before = found[-1] if found else None
        if source.goes_on and before and (before.file, before.format) == (source.file, source.format):
            found[-1] = replace(before, images={**before.images, **source.images})
        else:
            found.append(replace(source, goes_on=False))
    return tuple(found)
