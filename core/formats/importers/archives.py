"""Annotations in a ZIP archive, as Roboflow, CVAT and Label Studio send them.

Only the annotations are unpacked, into a temporary folder, and the pictures where they are asked for. What an archive
claims is not trusted: names that lead out of the folder, links and encrypted files are left out, and the bytes that
come out are counted.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from core.bounded import MEGA
from core.errors import BadFileError, reason
from core.formats.defects import Defects
from core.formats.importers.coco_reader import LARGEST_JSON
from core.formats.importers.yolo_classes import LIST_SUFFIXES, YAML_SUFFIXES
from core.pictures.kinds import is_picture
from core.progress import Job, Progress
from core.text import escaped
from core.translation import tr

_UNPACKED = (".json", ".xml", ".txt", ".csv", ".tsv", *YAML_SUFFIXES, *LIST_SUFFIXES)
LARGEST_CONTENT = 2 * LARGEST_JSON
"""Bytes of all annotations of an archive."""

MOST_FILES = 2_000_000
_PIECE = MEGA
_STEP = 200


def is_zip(path: Path) -> bool:
    """Whether a path is a regular file that begins as a ZIP archive does."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except OSError:
        return False


def unpack(path: Path, into: Path, *, pictures: bool = False) -> Job[Defects]:
    """Unpack the annotations of an archive into a folder; return what was left out.

    With `pictures`, the pictures are unpacked, too, as long as they leave half of the disk that is free now. Raises
    BadFileError.
    """
    defects = Defects()
    left = shutil.disk_usage(into).free // 2 if pictures else LARGEST_CONTENT
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [
                entry
                for entry in archive.infolist()
                if entry.filename.lower().endswith(_UNPACKED) or (pictures and is_picture(entry.filename))
            ]
            if len(entries) > MOST_FILES:
                raise BadFileError(tr("{file} has too many files: unpack it and give its folder.", file=path))
            for done, entry in enumerate(entries):
                if done % _STEP == 0:
                    yield Progress(done, len(entries), tr("Unpacking {name}", name=path.name))
                place = _place(entry)
                if place is None:
                    defects.add(
                        tr("In {file}, {name} leads out of the archive or is no plain file, so it is left out."),
                        file=path,
                        name=escaped(entry.filename[:100]),
                    )
                else:
                    left -= _unpack(archive, entry, into / place, most=left, path=path)
    except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError) as error:
        why = reason(error)
        raise BadFileError(
            tr("{file} cannot be unpacked ({why}): unpack it by hand and give its folder.", file=path, why=why)
        ) from error
    return defects


def _place(entry: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where an entry belongs below the folder; None if it leads out of it or is no plain file."""
    name = entry.filename.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    mode = entry.external_attr >> 16
    is_odd = bool(mode) and not stat.S_ISREG(mode) and stat.S_IFMT(mode) != 0
    is_outside = name.startswith("/") or ".." in parts or any(":" in part or "\0" in part for part in parts)
    return None if is_odd or is_outside or not parts or entry.flag_bits & 1 else PurePosixPath(*parts)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, file: Path, *, most: int, path: Path) -> int:
    """Unpack one file; return its bytes. Raises BadFileError where it has more than `most`, whatever it claims."""
    if os.path.lexists(file):  # two entries of one name: the first one counts, as for a reader of its names
        return 0
    file.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(entry) as source, file.open("xb") as target:
        while piece := source.read(_PIECE):
            size += len(piece)
            if size > most:
                raise BadFileError(
                    tr("{file} unpacks to more than can be right: unpack it by hand and look.", file=path)
                )
            target.write(piece)
    return size
