"""Import: detect the format of a file or folder, and read the boxes in it that are on a project's pictures."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from core.bounded import read_bytes, read_text
from core.errors import BadFileError, KnownError, reason
from core.formats.importers import coco_import
from core.formats.importers.coco_reader import read_json_steps
from core.formats.importers.found import FoundBoxes, ImageMatcher, clip_to_picture
from core.formats.importers.label_files import (
    LARGEST_LABELS,
    MOST_CLASSES,
    ParsedLabels,
    is_labelme,
    read_labelme,
    read_voc,
    read_yolo,
)
from core.geometry import Box
from core.plain_yaml import read_yaml
from core.progress import Job, Progress
from core.records import Correction, ImageRecord, ImportedBox, Origin
from core.text import name_of
from core.translation import tr

CLASS_LISTS = ("classes.txt", "obj.names")

Reader = Callable[[], ParsedLabels]


def find_boxes(path: Path, images: Sequence[ImageRecord], *, folder: Path) -> Job[FoundBoxes]:
    """Read the boxes on `images` from a COCO file, or from a file or folder of YOLO, Pascal VOC or LabelMe.

    Names of pictures are relative to `folder`; see `ImageMatcher`. Raises BadFileError if `path` has no such format.
    """
    if path.is_dir():
        return (yield from _of_folder(path, images, folder=folder))
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return (yield from _of_files([partial(read_voc, path)], path, images, folder=folder))
    if suffix in (".yaml", ".yml") or path.name in CLASS_LISTS:
        return (yield from _of_yolo(path.parent, images, folder=folder))
    if suffix == ".txt":
        classes, problems = _classes(path.parent)
        reader = partial(read_yolo, path, classes, name=path.stem)
        return (yield from _of_files([reader], path, images, folder=folder, by_suffix=False, problems=problems))
    document = yield from read_json_steps(path)
    if is_labelme(document):
        return (yield from _of_files([partial(read_labelme, path, document)], path, images, folder=folder))
    return (yield from coco_import.find_boxes(path, document, images, folder=folder))


def _of_folder(path: Path, images: Sequence[ImageRecord], *, folder: Path) -> Job[FoundBoxes]:
    """Detect the format by the files: XML, else YOLO labels with a list of classes or in `labels`, else JSON."""
    files = _files_in(path)
    if xml := files[".xml"]:
        return (yield from _of_files([partial(read_voc, file) for file in xml], path, images, folder=folder))
    if _class_file(path) is not None or (path / "labels").is_dir() or (files[".txt"] and not files[".json"]):
        return (yield from _of_yolo(path, images, folder=folder))
    if len(files[".json"]) == 1:
        return (yield from find_boxes(files[".json"][0], images, folder=folder))
    if files[".json"]:
        readers = [partial(read_labelme, file) for file in files[".json"]]
        return (yield from _of_files(readers, path, images, folder=folder))
    raise BadFileError(
        tr(
            "The folder {folder} holds no annotations: give one with files of COCO, YOLO, Pascal VOC or LabelMe.",
            folder=path,
        )
    )


def _of_yolo(path: Path, images: Sequence[ImageRecord], *, folder: Path) -> Job[FoundBoxes]:
    root = path / "labels" if (path / "labels").is_dir() else path
    (classes, problems), pictures = _classes(path), _pictures(path)
    files = [file for file in _files_in(root)[".txt"] if file.name not in CLASS_LISTS]
    if not files:
        raise BadFileError(
            tr("The folder {folder} holds no YOLO labels: give the one with labels and data.yaml in it.", folder=root)
        )
    readers = []
    for file in files:
        name = file.relative_to(root).with_suffix("").as_posix()
        readers.append(partial(read_yolo, file, classes, name=pictures.get(name, name)))
    return (yield from _of_files(readers, path, images, folder=folder, by_suffix=False, problems=problems))


def _of_files(
    readers: Sequence[Reader],
    path: Path,
    images: Sequence[ImageRecord],
    *,
    folder: Path,
    by_suffix: bool = True,
    problems: Sequence[str] = (),
) -> Job[FoundBoxes]:
    found, parsed = FoundBoxes(problems=list(problems)), []
    for done, read in enumerate(readers):
        if done % 50 == 0:
            yield Progress(done, len(readers), tr("Importing {name}", name=path.name))
        try:
            parsed.append(read())
        except KnownError as error:
            if len(readers) == 1:
                raise
            found.problems.append(str(error))
    matcher = ImageMatcher(images, folder=folder, names=(entry.name for entry in parsed), by_suffix=by_suffix)
    for entry in parsed:
        found.problems += entry.problems
        record = matcher.match(entry.name, found, source=entry.file, width=entry.width, height=entry.height)
        if record is not None:
            _add_boxes(entry, record, found)
    return found


def _add_boxes(labels: ParsedLabels, record: ImageRecord, found: FoundBoxes) -> None:
    across, down = (record.width, record.height) if labels.is_relative else (1, 1)
    for category, (x1, y1, x2, y2) in labels.boxes:
        box = clip_to_picture(Box(x1 * across, y1 * down, x2 * across, y2 * down), record)
        if box is None:
            found.problems.append(
                tr(
                    "In {file}, a box lies wholly outside {picture}: correct or delete it.",
                    file=labels.file,
                    picture=record.path.name,
                )
            )
            continue
        origin = Origin(labels.file.name, box)
        correction = Correction(record.id, 0, drawn=box, accepted=box, origin=origin, confirmed=False)
        found.boxes.append(ImportedBox(category, correction))


def _files_in(path: Path) -> dict[str, list[Path]]:
    """The annotation files below a folder by suffix, sorted by name."""
    found: dict[str, list[Path]] = {".xml": [], ".txt": [], ".json": []}
    for folder, _, names in os.walk(path):
        for name in names:
            suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - of 100,000 names, quickly
            if suffix in found and not name.startswith("."):
                found[suffix].append(Path(folder, name))
    return {suffix: sorted(files) for suffix, files in found.items()}


def _class_file(path: Path) -> Path | None:
    """Find the file with the names of YOLO's classes: in the folder, or in its parent if the folder is `labels`."""
    for folder in (path, path.parent) if path.name == "labels" else (path,):
        others = [*sorted(folder.glob("*.yaml")), *sorted(folder.glob("*.yml")), *map(folder.joinpath, CLASS_LISTS)]
        listed = [folder / "data.yaml", *others]
        if found := next((file for file in listed if file.is_file()), None):
            return found
    return None


def _classes(path: Path) -> tuple[Mapping[int, str], list[str]]:
    """Read the list of classes: number -> name, empty without a list, and a sentence for each unusable name.

    Raises BadFileError if the list cannot be read.
    """
    file = _class_file(path)
    if file is None:
        return {}, []
    try:
        is_yaml = file.suffix in (".yaml", ".yml")
        names = read_yaml(file) if is_yaml else read_text(file, limit=LARGEST_LABELS, encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise BadFileError(
            tr("The classes in {file} cannot be read ({why}): correct the file.", file=file, why=reason(error))
        ) from error
    names = names.get("names") if isinstance(names, dict) else names
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        raise BadFileError(tr("{file} has no list of names: give YOLO's data.yaml with names in it.", file=file))
    numbered = {number: name_of(name) for key, name in names.items() if (number := _number(key)) is not None}
    return {number: name for number, name in numbered.items() if name is not None}, [
        tr(
            "In {file}, the class {number} has a name that cannot be used: its boxes are labelled class {number}.",
            file=file,
            number=number,
        )
        for number, name in numbered.items()
        if name is None and names.get(number)
    ]


def _number(key: object) -> int | None:
    """The number of a class, which may be text in YAML; None if it is none."""
    if isinstance(key, int) and not isinstance(key, bool):
        return key if 0 <= key < MOST_CLASSES else None
    return int(key) if isinstance(key, str) and key.isdecimal() and len(key) < len(str(MOST_CLASSES)) else None


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
