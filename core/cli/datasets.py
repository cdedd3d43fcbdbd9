"""A dataset for a verb: a project, or annotation files of any format that can be read."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.terminal import complain, watch
from core.translation import tr, tr_plural

if TYPE_CHECKING:
    from core.records import Dataset

DATASET_HELP = tr("a project or its folder, or an annotation file or folder of any format")


@dataclass(frozen=True)
class OpenedDataset:
    """A dataset, and sentences on what could not be read; `is_project`: it comes from a project file.

    `held` is what keeps the unpacked pictures of an archive.
    """

    dataset: Dataset
    problems: tuple[str, ...] = ()
    is_project: bool = False
    held: object = field(default=None, repr=False, compare=False)


def open_dataset(path: Path, images: Path | None) -> OpenedDataset:
    """Open a project, or read annotation files, whose pictures are in `images` if that is given.

    What cannot be read is reported on stderr. Raises BadFileError if `path` is neither.
    """
    from core.formats.converting import read_files
    from core.store.project_store import PROJECT_FILE_NAME, ProjectStore

    inside = path / PROJECT_FILE_NAME if path.is_dir() else path
    if inside.is_file() and inside.suffix == ".sqlite":
        with closing(ProjectStore.open(inside)) as store:
            return OpenedDataset(store.dataset(), is_project=True)
    read = watch(read_files(path, images=images, with_pictures=True), unit=tr("image"))
    problems = list(read.problems)
    if read.missing:
        problems.append(describe_missing(read.missing, path))
    for sentence in (*problems, *read.notes):
        complain(sentence)
    return OpenedDataset(read.dataset, tuple(problems), held=read.held)


def describe_missing(missing: tuple[str, ...], source: Path) -> str:
    """A sentence on pictures of annotation files that are not in the folder of the pictures."""
    return tr_plural(
        "The picture {first} of {file} is not there: give the folder of the pictures by --images.",
        "{count} pictures of {file} are not there, the first is {first}: give their folder by --images.",
        len(missing),
        first=missing[0],
        file=source,
    )
