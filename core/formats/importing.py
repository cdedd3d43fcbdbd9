"""Import: detect the format of a file or folder, and read the boxes in it that are on a project's pictures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from core.bounded import read_bytes
from core.errors import BadFileError, KnownError, reason
from core.formats.importers import coco_import
from core.formats.importers.annotation_files import AnnotationFiles, collect
from core.formats.importers.coco_reader import read_json_steps
from core.formats.importers.found import FoundBoxes, Restore, find_in
from core.formats.importers.labelme_reader import LABELME, is_labelme, read_labelme
from core.formats.importers.parsed import ParsedSet
from core.formats.importers.results_reader import is_results, read_results
from core.formats.importers.voc_reader import parse_xml, read_voc
from core.formats.importers.yolo_classes import (
    YAML_SUFFIXES,
    YoloClasses,
    find_class_list,
    is_class_list,
    read_classes,
)
from core.formats.importers.yolo_reader import LARGEST_LABELS, place_of, read_yolo
from core.progress import Job, Progress, run
from core.records import ImageRecord
from core.translation import tr

_STEP = 50

Parsed = tuple[ParsedSet, Restore | None]
"""A parsed file, and what makes its corrections if that is more than a box to check."""


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


def find_boxes(
    path: Path, images: Sequence[ImageRecord], *, folder: Path, voc_origin: int | None = None
) -> Job[FoundBoxes]:
    """Read the boxes on `images` from a file or folder of COCO, YOLO, Pascal VOC, LabelMe or a detector's results.

    Names of pictures are relative to `folder`; see `PictureMatcher`. `voc_origin` is the number of the first pixel in
    Pascal VOC, None to decide by the files. Raises BadFileError if `path` has no such format.
    """
    request = Request(path, images, folder, voc_origin)
    return (yield from match((yield from parse(request)), request))


def parse(request: Request) -> Job[list[Parsed]]:
    """Read the file or folder without matching its pictures; `Request.images` may be empty."""
    return (yield from (_of_folder(request) if request.path.is_dir() else _of_file(request)))


def match(sets: Sequence[Parsed], request: Request) -> Job[FoundBoxes]:
    """The boxes of parsed files that are on the images of the request."""
    found = FoundBoxes()
    for parsed, restore in sets:
        job = find_in(parsed, request.images, folder=request.folder, title=request.title, restore=restore)
        found.add((yield from job))
    return found


def _of_file(request: Request) -> Job[list[Parsed]]:
    path = request.path
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return (yield from _of_voc([path], request, {path: parse_xml(path)}))
    if suffix in YAML_SUFFIXES or is_class_list(path.name):
        classes = read_classes(path)
        files = collect(path.parent)
        return (yield from _of_yolo(files, request, root=path.parent, chosen=classes))
    if suffix == ".txt":
        return (yield from _of_yolo(AnnotationFiles(texts=[path]), request, root=path.parent))
    document = yield from read_json_steps(path)
    return (yield from _of_documents([(path, document)], request, root=path.parent))


def _of_folder(request: Request) -> Job[list[Parsed]]:
    """Detect the format by the files: VOC's XML, else YOLO's labels, else JSON."""
    root, files = request.path, collect(request.path)
    elements: dict[Path, ElementTree.Element] = {}
    voc, broken = [], []
    for done, file in enumerate(files.xmls):
        if done % _STEP == 0:
            yield Progress(done, len(files.xmls), tr("Reading {name}", name=request.title))
        try:
            element = parse_xml(file)
        except KnownError:
            broken.append(file)
        else:
            if element.tag.rsplit("}", 1)[-1] == "annotation":
                voc.append(file)
                elements[file] = element
    if voc:
        return (yield from _of_voc(sorted(voc + broken), request, elements))
    if files.texts and not all(is_class_list(file.name) for file in files.texts):
        try:
            return (yield from _of_yolo(files, request, root=root))
        except BadFileError:
            if not files.jsons:
                raise
    if files.jsons:
        return (yield from _of_json_files(files.jsons, request))
    if broken:
        parse_xml(broken[0])
    raise BadFileError(
        tr(
            "The folder {folder} holds no annotations: give one with files of COCO, YOLO, Pascal VOC or LabelMe.",
            folder=root,
        )
    )


def _of_voc(files: Sequence[Path], request: Request, elements: dict[Path, ElementTree.Element]) -> Job[list[Parsed]]:
    root = request.path if request.path.is_dir() else request.path.parent
    job = read_voc(files, root=root, origin=request.voc_origin, roots=elements, title=request.title)
    return [((yield from job), None)]


def _of_yolo(
    files: AnnotationFiles, request: Request, *, root: Path, chosen: YoloClasses | None = None
) -> Job[list[Parsed]]:
    """Read the labels below `root`; those of each folder belong to the list of classes that is nearest to it."""
    pictures = _pictures(root)
    lists: dict[Path, Path | None] = {}
    groups: dict[Path | None, list[tuple[Path, str]]] = {}
    for file in files.texts:
        if is_class_list(file.name):
            continue
        if chosen is None and file.parent not in lists:
            lists[file.parent] = find_class_list(file.parent, root)
        plain = file.relative_to(root).with_suffix("").as_posix().removeprefix("labels/")
        place = pictures.get(plain, place_of(file, root))
        groups.setdefault(lists.get(file.parent), []).append((file, place))
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


def _of_json_files(files: Sequence[Path], request: Request) -> Job[list[Parsed]]:
    documents: list[tuple[Path, Any]] = []
    unreadable = ParsedSet("JSON")
    for done, file in enumerate(files):
        if done % _STEP == 0:
            yield Progress(done, len(files), tr("Reading {name}", name=request.title))
        try:
            if len(files) == 1:
                documents.append((file, (yield from read_json_steps(file))))
            else:
                documents.append((file, run(read_json_steps(file))))
        except KnownError as error:
            if len(files) == 1:
                raise
            unreadable.defects.count("unreadable", str(error))  # untranslated: a key
    return [*(yield from _of_documents(documents, request, root=request.path)), (unreadable, None)]


def _of_documents(documents: Sequence[tuple[Path, Any]], request: Request, *, root: Path) -> Job[list[Parsed]]:
    """Read JSON documents, each in its own format; one of no format is an error alone, and a defect among others."""
    labelme = ParsedSet(LABELME)
    sets: list[Parsed] = [(labelme, None)]
    for path, document in documents:
        try:
            if is_labelme(document):
                labelme.pictures.append(read_labelme(path, document, root=root))
            elif is_results(document):
                sets.append(((yield from read_results(path, document)), None))
            else:
                sets.append(((yield from coco_import.read_coco_set(path, document)), coco_import.restored))
        except KnownError as error:
            if len(documents) == 1:
                raise
            labelme.defects.count("unknown", str(error))  # untranslated: a key
    return sets


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
