"""The formats that the content of a file shows: JSON, XML, tables and texts.

A new format of one file is a module with an `EntryFormat`, and a row in one of these tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from core.bounded import open_regular
from core.errors import BadFileError, reason
from core.formats.importers import (
    coco_import,
    createml_reader,
    csv_columns,
    csv_reader,
    cvat_reader,
    datumaro_reader,
    label_studio_reader,
    supervisely_reader,
    via3_reader,
    via_reader,
)
from core.formats.importers.book import Book, EntryFormat
from core.formats.importers.csv_reader import first_row, rows_in, rows_of
from core.formats.importers.found import Restore
from core.formats.importers.kitti_reader import KITTI, add_kitti, is_kitti
from core.formats.importers.labelme_reader import LABELME, is_labelme, read_labelme
from core.formats.importers.labelme_xml_reader import LABELME_XML, is_labelme_xml
from core.formats.importers.parsed import ParsedSet
from core.formats.importers.results_reader import RESULTS, is_results, read_results
from core.formats.importers.text_files import decode, read_any_text
from core.formats.importers.unknown import describe_unknown_json, describe_unknown_table
from core.formats.importers.voc_reader import VOC
from core.formats.importers.yolo_reader import LARGEST_LABELS, YOLO, is_yolo
from core.progress import Job, Progress
from core.translation import tr

Parsed = tuple[ParsedSet, Restore | None]
"""A parsed file, and what makes its corrections if that is more than a box to check."""

_STEP = 50
_LONGEST_HEAD = 64 * 1024


@dataclass(frozen=True)
class JsonFormat:
    """A format of JSON documents that is more than a list of entries. `read` gets the file, its document and the root.

    `restore` makes the corrections of its boxes if they are more than boxes to check.
    """

    title: str
    sniff: Callable[[Any], bool]
    reader: Callable[[Path, Any, Path], Job[ParsedSet]]
    restore: Restore | None = None

    def read(self, path: Path, document: Any, *, root: Path) -> Job[ParsedSet]:  # noqa: ANN401 - raw content
        """Read a document that was parsed from `path`."""
        return self.reader(path, document, root)


def _labelme(path: Path, document: Any, root: Path) -> Job[ParsedSet]:  # noqa: ANN401 - raw content
    yield from ()
    return ParsedSet(LABELME, [read_labelme(path, document, root=root)])


def _is_coco(document: object) -> bool:
    return isinstance(document, dict) and ("images" in document or "annotations" in document)


JSON: Sequence[JsonFormat | EntryFormat] = (
    JsonFormat(
        "COCO", _is_coco, lambda path, document, _: coco_import.read_coco_set(path, document), coco_import.restored
    ),
    JsonFormat("LabelMe", is_labelme, _labelme),
    label_studio_reader.FORMAT,
    label_studio_reader.MIN_FORMAT,
    via_reader.FORMAT,
    via3_reader.FORMAT,
    createml_reader.FORMAT,
    datumaro_reader.FORMAT,
    supervisely_reader.FORMAT,
    JsonFormat(RESULTS, is_results, lambda path, document, _: read_results(path, document)),
)
"""Formats of JSON, by their documents; where a folder has several, the first one is read."""

XML: Mapping[str, str] = {"annotation": VOC, "annotations": cvat_reader.CVAT}
"""Outermost tag -> title of the format."""

TABLES: Sequence[EntryFormat] = (via_reader.CSV_FORMAT, *csv_reader.FORMATS, *csv_columns.FORMATS)
"""Formats of tables, by their first row."""

TEXTS: Mapping[str, Callable[[str], bool]] = {KITTI: is_kitti, YOLO: is_yolo}
"""Title of the format -> whether the first line of a text is of it."""


def json_format(document: object) -> JsonFormat | EntryFormat | None:
    """The format of a JSON document, None if it has none."""
    return next((format for format in JSON if format.sniff(document)), None)


def read_document(path: Path, document: object, *, root: Path) -> Job[Parsed]:
    """Read a JSON document in its own format. Raises BadFileError if it has none."""
    format = json_format(document)
    if format is None:
        raise BadFileError(describe_unknown_json(path, document))
    parsed = yield from format.read(path, document, root=root)
    return parsed, format.restore if isinstance(format, JsonFormat) else None


def xml_format(root: ElementTree.Element) -> str:
    """The title of the format of an XML document, empty if it has none."""
    title = XML.get(str(root.tag).rsplit("}", 1)[-1], "")
    if title == VOC and is_labelme_xml(root):
        return LABELME_XML
    return title if title != cvat_reader.CVAT or cvat_reader.FORMAT.sniff(root) else ""


def table_format(path: Path) -> EntryFormat | None:
    """The format of a table by its first row; None if it has none, or is no table."""
    try:
        row = next(rows_in(head_of(path)), [])
    except (OSError, ValueError):
        return None
    return next((format for format in TABLES if row and format.sniff(row)), None)


def read_table(path: Path, *, root: Path) -> Job[Parsed]:
    """Read a table in its own format. Raises BadFileError if it has none, or cannot be read."""
    try:
        row, rows = first_row(rows_of(path))
        format = next((format for format in TABLES if row and format.sniff(row)), None)
        if format is None:
            raise BadFileError(describe_unknown_table(path, row))
        return (yield from format.read(path, rows, root=root)), None
    except (OSError, ValueError) as error:
        raise BadFileError(
            tr("{file} cannot be read as a table ({why}): export it again.", file=path, why=reason(error))
        ) from error


def text_format(path: Path) -> str:
    """The title of the format of a text by its first line that is not empty; empty if it has none."""
    try:
        head = head_of(path)
    except OSError:
        return ""
    line = next((line for line in head.splitlines() if line.strip()), "")
    return next((title for title, sniff in TEXTS.items() if sniff(line)), "")


def head_of(path: Path) -> str:
    """The beginning of a file as text. Raises OSError."""
    with open_regular(path) as file:
        content = file.read(_LONGEST_HEAD)
    try:
        return decode(content)[0]
    except ValueError:  # cut within a character
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1", "replace")


def read_kitti(files: Sequence[Path], *, root: Path) -> Job[Parsed]:
    """Read files of KITTI. Raises BadFileError if a single one cannot be read."""
    whole = ParsedSet(KITTI)
    for done, file in enumerate(files):
        if done % _STEP == 0:
            yield Progress(done, len(files), tr("Importing {name}", name=root.name))
        book = Book(file, root, KITTI)
        try:
            add_kitti(book, read_any_text(file, limit=LARGEST_LABELS))
        except (OSError, ValueError) as error:
            sentence = tr("{file} cannot be read as KITTI ({why}): export it again.", file=file, why=reason(error))
            if len(files) == 1:
                raise BadFileError(sentence) from error
            whole.defects.count("unreadable", sentence)  # untranslated: a key
        whole.add(book.parsed)
    return whole, None
