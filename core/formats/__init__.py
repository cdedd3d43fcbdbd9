"""Export: the table of formats, and writing one of them.

`boxrefine --help` reads the table, so heavy modules are imported only when an export is written.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from core.errors import BadInputError, StorageError, reason
from core.files import EXPORT_MARK
from core.formats.choices import NO_SPLITS, NONE, Splits
from core.progress import Job, Progress
from core.splits import SPLITS
from core.translation import tr

if TYPE_CHECKING:
    from core.formats.pictures import Placing
    from core.formats.safe_write import ExportFile
    from core.records import Dataset


@dataclass(frozen=True)
class Exporter:
    """An export format: its texts in the dialog, the command line and the help, and the module that writes it.

    `description` names, for the user, the files that the exporter writes. `module` defines `files(dataset, splits=)`,
    which takes `outlines=True` if the format `holds_outlines`; `picture_places(dataset, splits)`, where pictures go;
    and `MAIN_FILE`, the name to show to the user, with `MAIN_FILE_OF_SPLITS` if it is another one with splits. It may
    define `note(splits)`, a sentence that the user should know.
    """

    title: str
    description: str
    module: str
    holds_outlines: bool = False

    @property
    def main_file(self) -> str:
        return str(_load(self.module).MAIN_FILE)

    def main_file_of(self, splits: Splits) -> str:
        """The name to show to the user of an export with these splits."""
        module = _load(self.module)
        return str(getattr(module, "MAIN_FILE_OF_SPLITS", module.MAIN_FILE) if splits else module.MAIN_FILE)

    def files(self, dataset: Dataset, *, splits: Splits = NO_SPLITS, outlines: bool = False) -> list[ExportFile]:
        """The files of an export without pictures; a file that refers to others comes last."""
        more = {"outlines": True} if outlines else {}
        made: list[ExportFile] = _load(self.module).files(dataset, splits=splits, **more)
        return made

    def pictures(self, dataset: Dataset, placing: Placing, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
        """The pictures of an export, which come before its other files; none if they stay where they are."""
        if placing.how == NONE:
            return []
        places = _load(self.module).picture_places(dataset, splits)
        return [placing.file(image, places[image.id]) for image in dataset.images]

    def note(self, splits: Splits) -> str:
        """A sentence that the user should know on an export with these splits; else empty."""
        tell = getattr(_load(self.module), "note", None)
        return str(tell(splits)) if tell else ""


@dataclass(frozen=True)
class ExportSummary:
    """The result of an export: `path` is the main file, or the folder if the format has one file per image.

    `boxed` of the `images` have boxes; the others are negatives, or were exported untouched. `splits` is the number of
    images of each split, empty without splits. `notes` are sentences that the user should know.
    """

    images: int
    boxed: int
    boxes: int
    path: Path
    splits: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "coco": Exporter(
            "COCO", tr("one JSON file for all images"), "core.formats.exporters.coco", holds_outlines=True
        ),
        "yolo": Exporter(
            "YOLO (Ultralytics)",
            tr("a text file for each image, and data.yaml; pictures go into images/ beside"),
            "core.formats.exporters.yolo",
        ),
        "voc": Exporter(
            "Pascal VOC", tr("an XML file for each image, and lists of images"), "core.formats.exporters.voc"
        ),
        "labelme": Exporter(
            "LabelMe", tr("a JSON file for each image, to lie beside it"), "core.formats.exporters.labelme"
        ),
        "csv": Exporter(
            "CSV (TensorFlow, Roboflow)",
            tr("one table with a row for each box; images without boxes are not in it"),
            "core.formats.exporters.table",
        ),
        "createml": Exporter("CreateML", tr("one JSON list of all images"), "core.formats.exporters.createml"),
        "cvat": Exporter(
            "CVAT (for images 1.1)",  # untranslated: a name
            tr("one XML file for all images"),
            "core.formats.exporters.cvat",
        ),
        "kitti": Exporter(
            "KITTI", tr("a text file for each image, with corners in pixels"), "core.formats.exporters.kitti"
        ),
        "label_studio": Exporter(
            "Label Studio", tr("one JSON list of tasks, and the configuration"), "core.formats.exporters.label_studio"
        ),
        "open_images": Exporter(
            "Open Images", tr("tables of boxes, of classes and of images"), "core.formats.exporters.open_images"
        ),
        "via": Exporter("VIA 2", tr("a project, and one JSON file of all regions"), "core.formats.exporters.via"),
        "via_csv": Exporter("VIA CSV", tr("one table with a row for each region"), "core.formats.exporters.via_csv"),
        "retinanet": Exporter(
            "RetinaNet",
            tr("a table with whole pixels, without names of columns, and one of classes"),
            "core.formats.exporters.retinanet",
        ),
        "automl": Exporter(
            "AutoML", tr("one table in fractions, whose first column is the split"), "core.formats.exporters.automl"
        ),
    }
)


def export(
    dataset: Dataset,
    *,
    format: str,
    out: Path,
    outlines: bool = False,
    splits: Splits = NO_SPLITS,
    pictures: str = NONE,
    copies: Path | None = None,
) -> Job[ExportSummary]:
    """Write the boxes of a dataset into the folder `out`; closing the job early leaves `out` as it was.

    Boxes are clipped to their image. Every image of the dataset appears, also one without boxes, which other programs
    read as empty: see `Dataset.labelled`. `splits` is the split of each image, see `core.formats.splitting`. `pictures`
    is what is done with the pictures, one of `PICTURES`; `copies` is a folder of copies of them, see `Placing`. With
    `outlines`, the outlines of masks are written with their boxes. Raises BadInputError for an unknown format, or for
    outlines in a format that does not hold them, BadFileError if a picture is missing, and StorageError if the disk is
    full or may not be written; then nothing is written.
    """
    write_folder = _load("core.formats.safe_write").write_folder
    exporter = _exporter(format)
    if outlines and not exporter.holds_outlines:
        others = ", ".join(entry.title for entry in EXPORTERS.values() if entry.holds_outlines)
        raise BadInputError(
            tr(
                "{format} holds no outlines of masks: export {others}, or boxes alone.",
                format=exporter.title,
                others=others,
            )
        )
    placing = _load("core.formats.pictures").Placing(pictures, copies)
    files = [
        *exporter.pictures(dataset, placing, splits=splits),
        *_mark(dataset, out, pictures),
        *exporter.files(dataset, splits=splits, outlines=outlines),
    ]
    message = tr("Writing {format}", format=exporter.title)
    yield Progress(0, len(files), message)
    for done in write_folder(out, files):
        yield Progress(done, len(files), message)
    counts = Counter(splits[image.id] for image in dataset.images) if splits else {}
    return ExportSummary(
        len(dataset.images),
        len(dataset.boxed),
        len(dataset.corrections),
        out / exporter.main_file_of(splits),
        splits={split: counts[split] for split in SPLITS if counts.get(split)},
        notes=tuple(note for note in (exporter.note(splits), placing.sentence) if note),
    )


def _mark(dataset: Dataset, out: Path, pictures: str) -> list[ExportFile]:
    """The mark of an export with pictures; none where it would hide the originals."""
    top = Path(os.path.realpath(out))
    if pictures == NONE or any(Path(os.path.realpath(image.path)).is_relative_to(top) for image in dataset.images):
        return []
    made: ExportFile = _load("core.formats.safe_write").ExportFile(PurePosixPath(EXPORT_MARK))
    return [made]


def files_there(
    dataset: Dataset, *, format: str, out: Path, splits: Splits = NO_SPLITS, pictures: str = NONE
) -> list[PurePosixPath]:
    """The names of existing files below `out` that an export of this dataset would replace, in the order of its files.

    Raises BadInputError for an unknown format.
    """
    exporter = _exporter(format)
    if not os.path.lexists(out):  # unlike Path.exists, it raises nothing for a folder that may not be read
        return []
    files = [
        *exporter.pictures(dataset, _load("core.formats.pictures").Placing(pictures), splits=splits),
        *exporter.files(dataset, splits=splits),
    ]
    return [file.name for file in files if os.path.lexists(out / file.name)]


def _load(module: str) -> ModuleType:
    """Import a module that only exports need. Raises StorageError if the system cannot open more files."""
    try:
        return import_module(module)
    except OSError as error:
        raise StorageError(
            tr("BoxRefine cannot read its own files ({why}): close other programs and try again.", why=reason(error))
        ) from error


def _exporter(format: str) -> Exporter:
    if format not in EXPORTERS:
        raise BadInputError(
            tr(
                "There is no export format {format}: choose one of {others}.",
                format=format,
                others=", ".join(EXPORTERS),
            )
        )
    return EXPORTERS[format]
