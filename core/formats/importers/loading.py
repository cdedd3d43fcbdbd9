"""Load annotations of each format for an import, once the format of a file or folder is known."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from core.bounded import read_bytes
from core.errors import BadFileError, KnownError, reason
from core.formats.importers import cvat_reader
from core.formats.importers.annotation_files import AnnotationFiles
from core.formats.importers.coco_reader import read_json_steps
from core.formats.importers.labelme_xml_reader import read_labelme_xml
from core.formats.importers.matching import without_role_folders
from core.formats.importers.parsed import ParsedSet
from core.formats.importers.registry import JSON, Parsed, json_format, read_document
from core.formats.importers.supervisely_reader import META_FILE, SUPERVISELY
from core.formats.importers.unknown import describe_unknown_json
from core.formats.importers.via_reader import VIA, without_copies
from core.formats.importers.voc_reader import VocFiles
from core.formats.importers.yolo_classes import YoloClasses, find_class_list, is_class_list, read_classes
from core.formats.importers.yolo_reader import LARGEST_LABELS, plain_place, read_yolo
from core.progress import Job, Progress, run
from core.records import ImageRecord
from core.translation import tr

_STEP = 50


@dataclass(frozen=True)
class Request:
    """What is imported, onto which pictures.

    `folder` is the one that names of pictures are relative to, see `PictureMatcher`. `voc_origin` is the number of the
    first pixel in Pascal VOC, None to decide by the files.
    """

    path: Path
    images: Sequence[ImageRecord]
    folder: Path
    voc_origin: int | None = None

    @property
    def title(self) -> str:
        return self.path.name

    @property
    def stems(self) -> frozenset[str]:
        """The names of the pictures without suffixes, in lower case."""
        return frozenset(image.path.stem.casefold() for image in self.images)

    @property
    def root(self) -> Path:
        """The folder that places of files are relative to."""
        return self.path if self.path.is_dir() else self.path.parent


def load_voc(files: VocFiles, request: Request) -> Job[list[Parsed]]:
    """Make the boxes of files of Pascal VOC that are read already."""
    job = files.parsed(root=request.root, origin=request.voc_origin, title=request.title)
    return [((yield from job), None)]


def load_yolo(
    files: AnnotationFiles, request: Request, *, root: Path, chosen: YoloClasses | None = None
) -> Job[list[Parsed]]:
    """Read the labels below `root`; those of each folder belong to the list of classes that is nearest to it."""
    pictures = _pictures(root)
    lists: dict[Path, Path | None] = {}
    groups: dict[Path | None, list[tuple[Path, str]]] = {}
    for file in files.texts:
        if is_class_list(file.name):
            continue
        folder = file.parent
        if chosen is None and folder not in lists:
            lists[folder] = find_class_list(folder, root)
        plain = plain_place(file, root)
        place = pictures.get(plain.removeprefix("labels/")) or without_role_folders(plain)
        groups.setdefault(lists.get(folder), []).append((file, place))
    if not groups:
        raise BadFileError(
            tr("The folder {folder} holds no YOLO labels: give the one with labels and data.yaml in it.", folder=root)
        )
    sets: list[Parsed] = []
    for listed, members in groups.items():
        classes = chosen or (YoloClasses() if listed is None else read_classes(listed))
        job = read_yolo(members, classes, known=request.stems, title=request.title)
        sets.append(((yield from job), None))
    return sets


def load_labelme_xml(elements: Mapping[Path, ElementTree.Element], request: Request) -> Job[list[Parsed]]:
    """Read files of the first LabelMe that are parsed already."""
    return [((yield from read_labelme_xml(elements, root=request.root, title=request.title)), None)]


def load_cvat(elements: Mapping[Path, ElementTree.Element], request: Request) -> Job[list[Parsed]]:
    """Read files of CVAT that are parsed already."""
    whole = ParsedSet(cvat_reader.CVAT)
    for path, element in elements.items():
        whole.add((yield from cvat_reader.FORMAT.read(path, element, root=request.root)))
    return [(whole, None)]


def load_jsons(files: Sequence[Path], request: Request) -> Job[list[Parsed]]:
    """Read the JSON files of a folder that are of one format, the first one of `JSON` that there is.

    Files of no format are counted as defects, because they may be annotations too; those of another format are named in
    a note. Raises BadFileError if none can be read.
    """
    documents: list[tuple[Path, Any]] = []
    unreadable = ParsedSet("JSON")
    errors: list[KnownError] = []
    for done, file in enumerate(files):
        if done % _STEP == 0:
            yield Progress(done, len(files), tr("Reading {name}", name=request.title))
        try:
            if len(files) == 1:
                documents.append((file, (yield from read_json_steps(file))))
            else:
                documents.append((file, run(read_json_steps(file))))
        except KnownError as error:
            errors.append(error)
            unreadable.defects.count("unreadable", str(error))  # untranslated: a key
    groups: dict[str, list[tuple[Path, Any]]] = {}
    for path, document in documents:
        format = json_format(document)
        groups.setdefault(format.title if format else "", []).append((path, document))
    title = next((format.title for format in JSON if format.title in groups), None)
    if title is None:
        raise errors[0] if errors else BadFileError(describe_unknown_json(*documents[0]))
    for file, document in groups.get("", []):
        if not (title == SUPERVISELY and file.name == META_FILE):
            unreadable.defects.count("unknown", describe_unknown_json(file, document))  # untranslated: a key
    unreadable.notes += [
        describe_left_out(request, title, other, held[0][0])
        for other, held in groups.items()
        if other not in ("", title)
    ]
    chosen = without_copies(groups[title]) if title == VIA else groups[title]
    return [*(yield from _of_documents(chosen, request)), (unreadable, None)]


def _of_documents(documents: Sequence[tuple[Path, Any]], request: Request) -> Job[list[Parsed]]:
    """Read JSON documents of one format; one that is broken is an error alone, and a defect among others.

    Those with a header, such as licences, stay apart, so that each keeps its own.
    """
    whole, restore = ParsedSet("JSON"), None
    apart: list[Parsed] = []
    for path, document in documents:
        try:
            parsed, restore = yield from read_document(path, document, root=request.root)
        except KnownError as error:
            if len(documents) == 1:
                raise
            whole.defects.count("unknown", str(error))  # untranslated: a key
        else:
            whole.format = parsed.format
            if parsed.header:
                apart.append((parsed, restore))
            else:
                whole.add(parsed)
    return [*apart, (whole, restore)]


def describe_left_out(request: Request, read: str, other: str, file: Path) -> str:
    """A sentence on boxes of a second format, which may be those of the first again."""
    return tr(
        "{folder} holds boxes of {read} and of {other}: those of {read} were read. Import {file} for the others.",
        folder=request.path,
        read=read,
        other=other,
        file=file,
    )


def _pictures(path: Path) -> Mapping[str, str]:
    """Label file without suffix -> picture, from the `pictures.csv` of BoxRefine's own export, if there is one."""
    file = path / "pictures.csv"
    if not file.is_file():
        return {}
    try:
        text = read_bytes(file, limit=LARGEST_LABELS).decode("utf-8", "surrogateescape")
        rows = list(csv.DictReader(text.splitlines()))
    except (OSError, csv.Error) as error:
        raise BadFileError(
            tr("{file} cannot be read ({why}): export it again.", file=file, why=reason(error))
        ) from error
    places = {PurePosixPath(row.get("place") or "images"): row.get("picture") or "" for row in rows}
    return {
        place.relative_to("images").with_suffix("").as_posix(): picture
        for place, picture in places.items()
        if place.parts[:1] == ("images",) and len(place.parts) > 1 and place.name != ".." and picture
    }
