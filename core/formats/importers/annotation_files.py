"""The files below a folder that may hold annotations."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

_NO_ANNOTATIONS = (".aux.xml",)


@dataclass
class AnnotationFiles:
    """The files below a folder by their kind, each sorted by name."""

    xmls: list[Path] = field(default_factory=list)
    texts: list[Path] = field(default_factory=list)
    jsons: list[Path] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)


def collect(folder: Path) -> AnnotationFiles:
    """The files below a folder; hidden ones are left out, and links to folders are followed once each."""
    found = AnnotationFiles()
    kinds = {".xml": found.xmls, ".txt": found.texts, ".json": found.jsons, ".csv": found.tables, ".tsv": found.tables}
    seen: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and _is_new(Path(here, name), seen))
        for name in names:
            suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - of 100,000 names, quickly
            if suffix in kinds and not name.startswith(".") and not name.lower().endswith(_NO_ANNOTATIONS):
                kinds[suffix].append(Path(here, name))
    for files in (found.xmls, found.texts, found.jsons, found.tables):
        files.sort(key=_parts)  # as paths are sorted, but each is split once
    return found


def _parts(file: Path) -> list[str]:
    return os.path.normcase(file).split(os.sep)  # noqa: PTH206 - not as a path, which keeps its parts


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    try:
        status = folder.stat()
    except OSError:
        return False
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True
