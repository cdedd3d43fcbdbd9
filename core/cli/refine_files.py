"""What `refine` reads and writes: a COCO file that keeps all that it has, or annotation files of any format."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from core.arrow import load_pyarrow
from core.cli.convert import report_unread
from core.cli.options import check_output
from core.cli.terminal import complain, watch
from core.cli.writing import refuse_to_replace
from core.errors import BadInputError
from core.formats.parquet import MAIN_FILE, PARQUET, is_parquet
from core.object_store.address import Address
from core.translation import tr

if TYPE_CHECKING:
    from core.formats.converting import ReadFiles
    from core.formats.importers.coco_reader import CocoFile
    from core.records import Dataset, Refinement


class BoxFiles(Protocol):
    """Boxes to refine. `coco` has them as a COCO file; `faults`: whether some entries cannot be used."""

    @property
    def coco(self) -> CocoFile: ...

    @property
    def faults(self) -> bool: ...

    def write(self, refinements: Mapping[int, Refinement], *, encoder: str, refiner: str) -> Path:
        """Write the refined boxes, by their index in `coco`; return what was written."""


@dataclass(frozen=True)
class OneCocoFile:
    """A COCO file; the refined one is a copy of it but for the boxes."""

    coco: CocoFile
    out: Path
    outlines: bool

    @property
    def faults(self) -> bool:
        return bool(self.coco.problems)

    def write(self, refinements: Mapping[int, Refinement], *, encoder: str, refiner: str) -> Path:
        from core.formats.exporters.coco import refined_document, write_json

        document = refined_document(self.coco, refinements, encoder=encoder, refiner=refiner, outlines=self.outlines)
        write_json(document, self.out)
        return self.out


@dataclass(frozen=True)
class AnyFiles:
    """Files of any format, and the format and folder to write."""

    read: ReadFiles
    coco: CocoFile
    out: Path
    to: str

    @property
    def faults(self) -> bool:
        return bool(self.read.problems or self.read.missing)

    def write(self, refinements: Mapping[int, Refinement], *, encoder: str, refiner: str) -> Path:
        from core import formats
        from core.formats.splitting import splits_of_folders
        from core.formats.table_rows import export_table

        dataset = refined_dataset(self.read.dataset, refinements, encoder=encoder, refiner=refiner)
        splits = splits_of_folders(dataset)
        if self.to == PARQUET:
            return watch(export_table(dataset, self.out, splits=splits), unit=tr("box")).path
        job = formats.export(dataset, format=self.to, out=self.out, splits=splits)
        written = watch(job, unit=tr("file"))
        for note in written.notes:
            complain(note)
        return written.path


def refined_dataset(dataset: Dataset, refinements: Mapping[int, Refinement], *, encoder: str, refiner: str) -> Dataset:
    """A copy whose boxes, by their place among the corrections, are the refined ones, as boxes to check."""
    corrections = list(dataset.corrections)
    for place, answer in refinements.items():
        item = corrections[place]
        answered = replace(item, drawn=item.accepted).with_answer(answer, encoder=encoder, refiner=refiner)
        corrections[place] = replace(answered, accepted=answer.box, confirmed=False)
    return replace(dataset, corrections=tuple(corrections))


def open_boxes(options: argparse.Namespace, *, is_sent: bool = False) -> BoxFiles:
    """Read --boxes and report on stderr what cannot be used; check that --out can be written before hours of work.

    `is_sent`: the output is to be one file.

    Raises KnownError for files that cannot be read, and BadInputError where an export would replace files.
    """
    from core.formats.importers.archives import is_zip
    from core.formats.importers.coco_columns import COCO
    from core.formats.importers.coco_reader import check_steps, read_json_steps
    from core.formats.importers.registry import json_format
    from core.progress import run

    may_be_coco = not options.boxes.is_dir() and options.boxes.suffix.lower() not in _LABELS
    if options.to is None and may_be_coco and not is_zip(options.boxes) and not is_parquet(options.boxes):
        document = run(read_json_steps(options.boxes))
        format = json_format(document)
        if format is None or format.title == COCO:
            coco = run(check_steps(options.boxes, document))
            check_output(options.out)
            for problem in coco.problems:
                complain(problem)
            return OneCocoFile(coco, options.out, options.outlines)
    if is_sent:
        raise BadInputError(tr("Only a COCO file can be written at an address: give a folder here as --out."))
    return _open_any(options)


_LABELS = (".txt", ".xml", ".yaml", ".yml", ".csv", ".tsv", ".names")


def _open_any(options: argparse.Namespace) -> AnyFiles:
    from core import formats
    from core.formats.converting import read_files
    from core.formats.exporters.coco import document_of
    from core.formats.importers.coco_reader import check_steps
    from core.formats.splitting import splits_of_folders
    from core.progress import run

    if isinstance(options.images, Address):
        raise BadInputError(tr("Boxes of pictures in an object store are read from COCO files: give one as --boxes."))
    read = watch(read_files(options.boxes, images=options.images), unit=tr("image"))
    report_unread(read.problems, read.missing, read.notes, options.boxes)
    to = options.to or read.format or "coco"
    if options.outlines and to != "coco":
        raise BadInputError(tr("{format} holds no outlines of masks: give --to coco.", format=to))
    check_output(options.out / "x")
    splits = splits_of_folders(read.dataset)
    if to == PARQUET:
        load_pyarrow()  # before hours of work
        if not options.overwrite and (options.out / MAIN_FILE).exists():
            refuse_to_replace([PurePosixPath(MAIN_FILE)], out=options.out)
    elif not options.overwrite:
        refuse_to_replace(formats.files_there(read.dataset, format=to, out=options.out, splits=splits), out=options.out)
    coco = run(check_steps(options.boxes, document_of(read.dataset)))
    return AnyFiles(read, coco, options.out, to)
