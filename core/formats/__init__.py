"""Exports: the table of formats, and writing one.

The table is read by `boxrefine --help`, so nothing heavy is imported until something is written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from core.errors import BadInputError, StorageError, reason
from core.progress import Job, Progress

if TYPE_CHECKING:
    from core.formats.safe_write import ExportFile
    from core.records import Dataset


@dataclass(frozen=True)
class Exporter:
    """A format, as the dialog, the command line and the help show it, and as it is written.

    `description` says for people which files it makes. `module` has `files(dataset)`, with `outlines=True` where the
    format `holds_outlines`, and `MAIN_FILE`, the one to tell people about.
    """

    title: str
    description: str
    module: str
    holds_outlines: bool = False

    @property
    def main_file(self) -> str:
        return str(_load(self.module).MAIN_FILE)

    def files(self, dataset: Dataset, *, outlines: bool = False) -> list[ExportFile]:
        """The files of an export, the one that names all others last."""
        made: list[ExportFile] = _load(self.module).files(dataset, **({"outlines": True} if outlines else {}))
        return made


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
        "coco": Exporter("COCO", "one JSON file for all images", "core.formats.exporters.coco", holds_outlines=True),
        "yolo": Exporter(
            "YOLO (Ultralytics)",
            "a text file for each image, and data.yaml; your pictures go into images/ beside",
            "core.formats.exporters.yolo",
        ),
        "voc": Exporter("Pascal VOC", "an XML file for each image", "core.formats.exporters.voc"),
    }
)


def export(dataset: Dataset, *, format: str, out: Path, outlines: bool = False) -> Job[ExportSummary]:
    """Write the accepted boxes of a dataset into the folder `out`; closing the job leaves `out` as it was.

    Boxes are cut at their image's border; every image of the dataset appears, also without boxes; pictures are not
    copied. With `outlines`, which some formats hold, the outlines of masks go with their boxes. Raises BadInputError
    for an unknown format or outlines in another one; StorageError where the disk is full or may not be written,
    with nothing half-written.
    """
    write_folder = _load("core.formats.safe_write").write_folder
    exporter = _exporter(format)
    if outlines and not exporter.holds_outlines:
        others = " or ".join(entry.title for entry in EXPORTERS.values() if entry.holds_outlines)
        raise BadInputError(f"{exporter.title} holds no outlines of masks: export {others}, or boxes alone.")
    files = exporter.files(dataset, outlines=outlines)
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


def _load(module: str) -> ModuleType:
    """A module that is not needed before an export. Raises StorageError where the system opens no more files."""
    try:
        return import_module(module)
    except OSError as error:
        message = f"BoxRefine cannot read its own files ({reason(error)}): close other programs and try again."
        raise StorageError(message) from error


def _exporter(format: str) -> Exporter:
    if format not in EXPORTERS:
        raise BadInputError(f"There is no export format {format}: choose one of {', '.join(EXPORTERS)}.")
    return EXPORTERS[format]
