"""Exports: one file a format, and the table of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from core.errors import BadInputError
from core.formats import coco, voc, yolo
from core.formats.safe_write import ExportFile, write_folder
from core.progress import Job, Progress
from core.records import Dataset


@dataclass(frozen=True)
class Exporter:
    """A format, as the dialog, the command line and the help show it, and as it is written.

    `description` says for people which files it makes, `main_file` is the one to tell them about. Only a format that
    `holds_outlines` has its `outlined_files` asked for.
    """

    title: str
    description: str
    files: Callable[[Dataset], list[ExportFile]]
    main_file: str
    outlined_files: Callable[[Dataset], list[ExportFile]] | None = None

    @property
    def holds_outlines(self) -> bool:
        return self.outlined_files is not None


@dataclass(frozen=True)
class ExportSummary:
    """What was written where: `path` is the file, or for a file an image the folder, to look at.

    `boxed` of the `images` have boxes.
    """

    images: int
    boxed: int
    boxes: int
    path: Path


EXPORTERS: Mapping[str, Exporter] = MappingProxyType(
    {
        "coco": Exporter(
            "COCO",
            "one JSON file for all images",
            coco.files,
            coco.MAIN_FILE,
            outlined_files=partial(coco.files, outlines=True),
        ),
        "yolo": Exporter(
            "YOLO (Ultralytics)",
            "a text file for each image, and data.yaml; your pictures go into images/ beside",
            yolo.files,
            yolo.MAIN_FILE,
        ),
        "voc": Exporter("Pascal VOC", "an XML file for each image", voc.files, voc.MAIN_FILE),
    }
)


def export(dataset: Dataset, *, format: str, out: Path, outlines: bool = False) -> Job[ExportSummary]:
    """Write the accepted boxes of a dataset into the folder `out`; closing the job leaves `out` as it was.

    Boxes are cut at their image's border; every image of the dataset appears, also without boxes; pictures are not
    copied. With `outlines`, which some formats hold, the outlines of masks go with their boxes. Raises BadInputError
    for an unknown format or outlines in another one; StorageError where the disk is full or may not be written,
    with nothing half-written.
    """
    exporter = _exporter(format)
    make = exporter.outlined_files if outlines else exporter.files
    if make is None:
        others = " or ".join(entry.title for entry in EXPORTERS.values() if entry.holds_outlines)
        raise BadInputError(f"{exporter.title} holds no outlines of masks: export {others}, or boxes alone.")
    files = make(dataset)
    yield Progress(0, len(files), f"Writing {exporter.title}")
    for done in write_folder(out, files):
        yield Progress(done, len(files), f"Writing {exporter.title}")
    boxed = len({correction.image_id for correction in dataset.corrections})
    return ExportSummary(len(dataset.images), boxed, len(dataset.corrections), out / exporter.main_file)


def files_there(dataset: Dataset, *, format: str, out: Path) -> list[PurePosixPath]:
    """The names of files below `out` that an export of this dataset would replace, in the order of its files.

    Raises BadInputError for an unknown format.
    """
    exporter = _exporter(format)
    if not os.path.lexists(out):  # unlike Path, it says no where it may not look
        return []
    return [file.name for file in exporter.files(dataset) if os.path.lexists(out / file.name)]


def _exporter(format: str) -> Exporter:
    if format not in EXPORTERS:
        raise BadInputError(f"There is no export format {format}: choose one of {', '.join(EXPORTERS)}.")
    return EXPORTERS[format]
