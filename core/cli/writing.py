"""The options of all verbs that write annotation files: splits, categories, pictures, the folder."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from core.cli.terminal import Figure, complain, watch
from core.errors import BadInputError
from core.formats.choices import NONE, PICTURES, Splits
from core.formats.parquet import MAIN_FILE, PARQUET
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.formats import ExportSummary
    from core.formats.choices import Splits
    from core.records import Dataset


def add_writing(parser: argparse.ArgumentParser) -> None:
    """Add --splits, --seed, --map, --pictures, --out and --overwrite; see `Writing.of`."""
    splits = tr("divide the images into train, val and test by these fractions, such as 0.8/0.1/0.1")
    renamed = tr("categories under other names, or left out: old=new,drop=NAME; may be given several times")
    pictures = tr("copy or link the pictures to where the format expects them")
    overwrite = tr("replace files of the same names that are in DIR")
    parser.add_argument("--splits", metavar="PARTS", help=splits)
    parser.add_argument("--seed", metavar="N", type=int, default=0, help=tr("another division for each number"))
    parser.add_argument("--map", metavar="PAIRS", action="append", default=[], help=renamed)
    parser.add_argument("--pictures", choices=PICTURES, default=NONE, help=pictures)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=tr("folder to write to"))
    parser.add_argument("--overwrite", action="store_true", help=overwrite)


@dataclass(frozen=True)
class Writing:
    """How to write a dataset: `fractions` of new splits, None to keep those that folders are, and where to.

    copies: a folder of copies of its pictures, which move into the export; see `core.formats.pictures.Placing`
    """

    out: Path
    fractions: Mapping[str, float] | None = None
    seed: int = 0
    pictures: str = NONE
    overwrite: bool = False
    copies: Path | None = None

    @classmethod
    def of(cls, options: argparse.Namespace) -> Writing:
        """Read the options of `add_writing` but for --map. Raises BadInputError for fractions that are none."""
        from core.formats.splitting import parse_fractions

        fractions = None if options.splits is None else parse_fractions(options.splits)
        return cls(options.out, fractions, options.seed, options.pictures, options.overwrite)

    def write(self, dataset: Dataset, *, format: str, outlines: bool = False) -> ExportSummary:
        """Write the files and report what the user should know on stderr.

        Raises BadInputError if a file would be replaced without --overwrite.
        """
        from core import formats

        splits = self._splits(dataset)
        if format == PARQUET:
            return self._write_table(dataset, splits)
        self.refuse_to_replace_files(dataset, format=format)
        job = formats.export(
            dataset,
            format=format,
            out=self.out,
            outlines=outlines,
            splits=splits,
            pictures=self.pictures,
            copies=self.copies,
        )
        written = watch(job, unit=tr("file"))
        for note in written.notes:
            complain(note)
        return written

    def refuse_to_replace_files(self, dataset: Dataset, *, format: str) -> None:
        """Raise BadInputError if a file would be replaced without --overwrite."""
        from core import formats

        if not self.overwrite:
            splits = self._splits(dataset)
            there = formats.files_there(dataset, format=format, out=self.out, splits=splits, pictures=self.pictures)
            refuse_to_replace(there, out=self.out)

    def _splits(self, dataset: Dataset) -> Splits:
        from core.formats.splitting import divide, splits_of_folders

        return divide(dataset, self.fractions, seed=self.seed) if self.fractions else splits_of_folders(dataset)

    def _write_table(self, dataset: Dataset, splits: Splits) -> ExportSummary:
        from core.formats.table_rows import export_table

        if self.pictures != NONE:
            raise BadInputError(tr("A Parquet table has no place for pictures: leave out --pictures."))
        if not self.overwrite and (self.out / MAIN_FILE).exists():
            refuse_to_replace([PurePosixPath(MAIN_FILE)], out=self.out)
        return watch(export_table(dataset, self.out, splits=splits), unit=tr("box"))


def figures_of(written: ExportSummary, *, format: str) -> dict[str, Figure]:
    """The figures of an export for the JSON summary."""
    return {
        "images": written.images,
        "empty": written.images - written.boxed,
        "boxes": written.boxes,
        "format": format,
        "splits": {**written.splits},
    }


def refuse_to_replace(there: Sequence[PurePosixPath], *, out: Path) -> None:
    """Raise BadInputError where `out` holds the files `there`, which an export would replace."""
    if not there:
        return
    first, more = out / there[0], len(there) - 1
    if not more:
        raise BadInputError(
            tr("{file} is there already: choose another folder, or add --overwrite to replace.", file=first)
        )
    raise BadInputError(
        tr_plural(
            "{file} is there already, and {count} more file of this export: choose another folder, or add "
            "--overwrite to replace.",
            "{file} is there already, and {count} more files of this export: choose another folder, or add "
            "--overwrite to replace.",
            more,
            file=first,
        )
    )
