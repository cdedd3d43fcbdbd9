"""Detect the format of a file by its content, and that of a folder by its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from core.errors import BadFileError, KnownError
from core.formats.importers.annotation_files import AnnotationFiles, collect
from core.formats.importers.coco_reader import read_json_steps
from core.formats.importers.cvat_reader import CVAT
from core.formats.importers.kitti_reader import KITTI
from core.formats.importers.labelme_xml_reader import LABELME_XML
from core.formats.importers.loading import (
    Request,
    describe_left_out,
    load_cvat,
    load_jsons,
    load_labelme_xml,
    load_voc,
    load_yolo,
)
from core.formats.importers.parquet_reader import read_parquet, restored_row
from core.formats.importers.parsed import ParsedSet
from core.formats.importers.registry import (
    Parsed,
    head_of,
    json_format,
    read_document,
    read_kitti,
    read_table,
    table_format,
    text_format,
    xml_format,
)
from core.formats.importers.unknown import FORMATS, describe_unknown_xml
from core.formats.importers.voc_reader import VOC, VocFiles, parse_xml
from core.formats.importers.yolo_classes import YAML_SUFFIXES, is_class_list, read_classes
from core.formats.importers.yolo_reader import YOLO
from core.formats.parquet import is_parquet
from core.progress import Job, Progress, run
from core.translation import tr

TABLE_SUFFIXES = (".csv", ".tsv")

_STEP = 50
_SAMPLE = 20
_SAMPLED_BYTES = 4 * 1024**2
_OWN_TABLE = "pictures.csv"
_BYTE_MARK = "\ufeff"
_SUFFIXES = {".xml": "xml", ".json": "json", ".csv": "table", ".tsv": "table", ".txt": "text"}


@dataclass(frozen=True)
class _Candidate:
    """A format that a folder holds. `file` is imported to get only this one."""

    title: str
    file: Path
    load: Callable[[], Job[list[Parsed]]]


def of_file(request: Request) -> Job[list[Parsed]]:
    """Read a file in the format that its content shows. Raises BadFileError if it has none."""
    path = request.path
    if is_parquet(path):
        return [((yield from read_parquet(path)), restored_row)]
    if path.suffix.lower() in YAML_SUFFIXES or is_class_list(path.name):
        classes = read_classes(path)
        return (yield from load_yolo(collect(path.parent), request, root=path.parent, chosen=classes))
    kind = _kind_of(path)
    if kind == "xml":
        element = parse_xml(path)
        title = xml_format(element)
        if title == CVAT:
            return (yield from load_cvat({path: element}, request))
        if title == VOC:
            voc = VocFiles(request.root)
            voc.add(path, element)
            return (yield from load_voc(voc, request))
        if title == LABELME_XML:
            return (yield from load_labelme_xml({path: element}, request))
        raise BadFileError(describe_unknown_xml(path, str(element.tag)))
    if kind == "table":
        return [(yield from read_table(path, root=path.parent))]
    if kind == "text":
        if text_format(path) == KITTI:
            return [(yield from read_kitti([path], root=path.parent))]
        return (yield from load_yolo(AnnotationFiles(texts=[path]), request, root=path.parent))
    document = yield from read_json_steps(path)
    return [(yield from read_document(path, document, root=path.parent))]


def _kind_of(path: Path) -> str:
    """What a file is by its first character, or its first line; by its suffix if it cannot be read or shows nothing."""
    by_suffix = _SUFFIXES.get(path.suffix.lower(), "json")
    try:
        head = head_of(path).lstrip(_BYTE_MARK).lstrip()
    except OSError:
        return by_suffix
    if head[:1] in ("<", "{", "["):
        return "xml" if head[0] == "<" else "json"
    if by_suffix != "table" and table_format(path) is not None:
        return "table"
    return "text" if by_suffix == "json" and text_format(path) else by_suffix


def of_folder(request: Request) -> Job[list[Parsed]]:
    """Read one format of a folder; a note names the others, because their boxes may be the same ones.

    The order is: Pascal VOC, KITTI, YOLO, CVAT, JSON, tables. Raises BadFileError if the folder holds none.
    """
    files = collect(request.path)
    candidates, broken = yield from _candidates(files, request)
    error: KnownError | None = None
    for place, candidate in enumerate(candidates):
        try:
            loaded = yield from candidate.load()
        except BadFileError as refused:
            error = error or refused
            continue
        left = ParsedSet(candidate.title)
        for other in candidates[place + 1 :]:
            if title := _sure_title(other, files):
                left.notes.append(describe_left_out(request, candidate.title, title, other.file))
        return [*loaded, (left, None)]
    if error is None and broken:
        parse_xml(broken[0])
    raise error or BadFileError(
        tr(
            "The folder {folder} holds no annotations: give one with files of one of {formats}.",
            folder=request.path,
            formats=FORMATS,
        )
    )


def _candidates(files: AnnotationFiles, request: Request) -> Job[tuple[list[_Candidate], list[Path]]]:
    """The formats that the files may be of, the first to try first, and the XML files that cannot be read."""
    root = request.path
    elements: dict[str, dict[Path, ElementTree.Element]] = {CVAT: {}, LABELME_XML: {}}
    voc = VocFiles(root)  # there may be 100,000, whose elements would take a gigabyte, and parsing them again a while
    broken: list[Path] = []
    for done, file in enumerate(files.xmls):
        if done % _STEP == 0:
            yield Progress(done, len(files.xmls), tr("Reading {name}", name=request.title))
        try:
            element = parse_xml(file)
        except KnownError as error:
            broken.append(file)
            voc.add_unreadable(error)
        else:
            title = xml_format(element)
            if title == VOC:
                voc.add(file, element)
            else:
                elements.get(title, {})[file] = element
    found: list[_Candidate] = []
    if voc.first is not None:
        found.append(_Candidate(VOC, voc.first, lambda: load_voc(voc, request)))
    if labelme := elements[LABELME_XML]:
        found.append(_Candidate(LABELME_XML, next(iter(labelme)), lambda: load_labelme_xml(labelme, request)))
    kitti, yolo = _texts(files.texts)
    if kitti:
        found.append(_Candidate(KITTI, kitti[0], lambda: _alone(read_kitti(kitti, root=root))))
    if yolo:
        first = next((file for file in files.texts if is_class_list(file.name)), yolo[0])
        texts = AnnotationFiles(texts=yolo)
        found.append(_Candidate(YOLO, first, lambda: load_yolo(texts, request, root=root)))
    if cvat := elements[CVAT]:
        found.append(_Candidate(CVAT, next(iter(cvat)), lambda: load_cvat(cvat, request)))
    if files.jsons:
        found.append(_Candidate("JSON", files.jsons[0], lambda: load_jsons(files.jsons, request)))
    tables: dict[str, list[Path]] = {}
    for file in files.tables:
        if file.name != _OWN_TABLE and (format := table_format(file)) is not None:
            tables.setdefault(format.title, []).append(file)
    for title, held in tables.items():
        found.append(_Candidate(title, held[0], lambda title=title, held=held: _tables(title, held, root)))  # type: ignore[misc]
    return found, broken


def _texts(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The texts that are KITTI's, and those that may be YOLO's; empty ones are of the format that the others have."""
    texts = [file for file in files if not is_class_list(file.name)]
    if not any(text_format(file) == KITTI for file in texts[:_SAMPLE]):
        return [], texts
    titles = {file: text_format(file) for file in texts}
    kitti = [file for file, title in titles.items() if title == KITTI or (not title and not file.stat().st_size)]
    yolo = [file for file, title in titles.items() if title == YOLO]
    return kitti, yolo


def _alone(job: Job[Parsed]) -> Job[list[Parsed]]:
    return [(yield from job)]


def _tables(title: str, files: Sequence[Path], root: Path) -> Job[list[Parsed]]:
    """Read tables of one format; those with a header stay apart, so that each keeps its own."""
    whole, apart = ParsedSet(title), list[Parsed]()
    for file in files:
        try:
            parsed, restore = yield from read_table(file, root=root)
            if parsed.header:
                apart.append((parsed, restore))
            else:
                whole.add(parsed)
        except KnownError as error:
            if len(files) == 1:
                raise
            whole.defects.count("unreadable", str(error))  # untranslated: a key
    return [*apart, (whole, None)]


def _sure_title(candidate: _Candidate, files: AnnotationFiles) -> str:
    """The title of a format that was not read, if its files are surely of it: stray texts and JSON are of none."""
    if candidate.title == YOLO:
        texts = [file for file in files.texts if not is_class_list(file.name)]
        return YOLO if any(text_format(file) == YOLO for file in texts[:_SAMPLE]) else ""
    if candidate.title != "JSON":
        return candidate.title
    for file in files.jsons[:_SAMPLE]:
        try:
            document = run(read_json_steps(file)) if file.stat().st_size <= _SAMPLED_BYTES else None
        except (OSError, KnownError):
            continue
        format = json_format(document)
        if format is not None or (document is None and file.stat().st_size > _SAMPLED_BYTES):
            return format.title if format is not None else candidate.title
    return ""
