"""Annotation files as a dataset without a project: for conversions, and to refine files of any format."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from core.correction_table import as_sequence
from core.errors import BadFileError, KnownError
from core.formats.importers.archives import is_zip, unpack
from core.formats.importers.coco_columns import COCO
from core.formats.importers.createml_reader import CREATEML
from core.formats.importers.csv_reader import AUTOML, CSV, OPEN_IMAGES, RETINANET
from core.formats.importers.cvat_reader import CVAT
from core.formats.importers.found import FoundBoxes
from core.formats.importers.kitti_reader import KITTI
from core.formats.importers.label_studio_reader import LABEL_STUDIO, LABEL_STUDIO_MIN
from core.formats.importers.labelme_reader import LABELME
from core.formats.importers.loading import Request
from core.formats.importers.parquet_reader import TITLE
from core.formats.importers.parsed import ParsedPicture
from core.formats.importers.registry import Parsed
from core.formats.importers.via_reader import VIA, VIA_CSV
from core.formats.importers.voc_reader import VOC
from core.formats.importers.yolo_reader import YOLO
from core.formats.importing import match, parse
from core.formats.parquet import PARQUET
from core.picture_folders import find_pictures, measure
from core.progress import Job
from core.records import Category, Dataset, ImageRecord
from core.translation import tr

_EXPORTS = {
    COCO: "coco", YOLO: "yolo", VOC: "voc", LABELME: "labelme", CSV: "csv", CREATEML: "createml", CVAT: "cvat",
    KITTI: "kitti", LABEL_STUDIO: "label_studio", LABEL_STUDIO_MIN: "label_studio", OPEN_IMAGES: "open_images",
    VIA: "via", VIA_CSV: "via_csv", RETINANET: "retinanet", AUTOML: "automl", TITLE: PARQUET,
}  # fmt: skip


@dataclass(frozen=True)
class ReadFiles:
    """The contents of annotation files: images that the files have, categories in their order, boxes as they came.

    `problems` has a sentence for each kind of unusable entry, `missing` the names of pictures that are not there,
    `notes` what was assumed. `format` is the row of EXPORTERS for what was read, or PARQUET, empty if there is none.
    `held` keeps the temporary folder of an archive as long as its pictures are needed.
    """

    dataset: Dataset
    problems: tuple[str, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    format: str
    held: object = field(default=None, repr=False, compare=False)


class _Held:
    """A temporary folder, which is deleted when nothing refers to this any more."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="boxrefine-"))
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)


class _NoPicturesError(BadFileError):
    """Files without sizes whose pictures are not there."""


def read_files(path: Path, *, images: Path | None = None, with_pictures: bool = False) -> Job[ReadFiles]:
    """Read annotation files. `images` is the folder of the pictures, which are matched by name.

    Without it, sizes are those in the files. Files without sizes need their pictures: those below their own folder, or
    in the archive. `with_pictures`: those of an archive are needed whether it has sizes or not. Raises BadFileError if
    `path` has no known format, or if sizes and pictures are both missing.
    """
    if is_zip(path):
        return (yield from _read_archive(path, images, with_pictures=with_pictures and images is None))
    return (yield from _read(path, images))


def _read_archive(path: Path, images: Path | None, *, with_pictures: bool) -> Job[ReadFiles]:
    """Read an archive; its pictures are unpacked only if they are needed."""
    held = _Held()
    inside = held.folder / (path.stem or "archive")  # untranslated: a folder
    inside.mkdir()
    left_out = yield from unpack(path, inside, pictures=with_pictures)
    try:
        read = yield from _read(inside, images)
    except _NoPicturesError:
        if images is not None or with_pictures:
            raise
        return (yield from _read_archive(path, None, with_pictures=True))
    except KnownError as error:
        raise BadFileError(str(error).replace(str(inside), str(path))) from error
    sentences = (
        tuple(text.replace(str(inside), str(path)) for text in texts)
        for texts in ((*left_out.sentences(), *read.problems), read.notes)
    )
    problems, notes = sentences
    return replace(read, problems=problems, notes=notes, held=held)


def _read(path: Path, images: Path | None) -> Job[ReadFiles]:
    folder = (images or (path if path.is_dir() else path.parent)).absolute()
    if not path.exists():
        raise BadFileError(tr("{path} does not exist: check the path.", path=path))
    sets: list[Parsed] | None = None
    records: list[ImageRecord] = []
    if images is None:
        sets = yield from parse(Request(path, [], folder))
        records = _stated([entry for parsed, _ in sets for entry in parsed.pictures], folder)
    problems: list[str] = []
    if not records:
        records = yield from _pictures_below(folder, problems)
        sets = None  # by the names of the pictures, YOLO's files differ from other texts
    if not records:
        raise _NoPicturesError(
            tr(
                "{path} has no sizes of pictures, and {folder} holds no pictures: give their folder by --images.",
                path=path,
                folder=folder,
            )
        )
    request = Request(path, records, folder)
    sets = (yield from parse(request)) if sets is None else sets
    found = yield from match(sets, request)
    kind = next((parsed.format for parsed, _ in sets if parsed.pictures), "")
    notes = tuple(found.notes)
    return ReadFiles(
        _dataset(found, records, folder),
        (*problems, *found.problems),
        tuple(found.missing),
        notes,
        _EXPORTS.get(kind, ""),
    )


def _dataset(found: FoundBoxes, records: Sequence[ImageRecord], folder: Path) -> Dataset:
    listed = tuple(record for record in records if record.id in found.listed)
    names = list(dict.fromkeys([*found.categories, *found.boxes.names]))
    categories = tuple(Category(id, name) for id, name in enumerate(names, start=1))
    table = found.boxes.with_categories({category.name: category.id for category in categories})
    done = frozenset(found.listed)
    empty = done - set(table.image_ids)
    return Dataset(listed, categories, as_sequence(table), folder, empty, tuple(found.sources), done)


def _stated(pictures: Sequence[ParsedPicture], folder: Path) -> list[ImageRecord]:
    """The images that the files state with sizes; empty if one has no size, because then its picture is needed."""
    sizes: dict[str, tuple[int, int]] = {}
    for entry in pictures:
        if not entry.width or not entry.height:
            return []
        sizes.setdefault(_name(entry), (entry.width, entry.height))
    return [ImageRecord(id, folder / name, *size) for id, (name, size) in enumerate(sizes.items(), start=1)]


def _name(entry: ParsedPicture) -> str:
    """The name of a picture: the place of a file of its own with the suffix of the name that stands in it."""
    first, *others = (name.replace("\\", "/") for name in entry.names)
    suffix = PurePosixPath(others[0]).suffix if entry.is_own_file and others else ""
    return f"{first}{suffix}".lstrip("/")


def _pictures_below(folder: Path, problems: list[str]) -> Job[list[ImageRecord]]:
    """All pictures below a folder with their sizes; unreadable pictures are reported."""
    found = yield from find_pictures(folder)
    new, unreadable = yield from measure(found.paths)
    problems += [*found.notes, *(sentence for _, sentence in unreadable)]
    return [ImageRecord(id, image.path, image.width, image.height) for id, image in enumerate(new, start=1)]
