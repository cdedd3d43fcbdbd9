"""Import: detect the format of a file or folder, and read the boxes in it that are on a project's pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.errors import BadFileError, KnownError
from core.formats.importers.archives import is_zip, unpack
from core.formats.importers.detecting import of_file, of_folder
from core.formats.importers.found import FoundBoxes, find_in
from core.formats.importers.loading import Request
from core.formats.importers.registry import Parsed
from core.progress import Job
from core.records import ImageRecord

__all__ = ["Parsed", "Request", "find_boxes", "match", "parse"]


def find_boxes(
    path: Path, images: Sequence[ImageRecord], *, folder: Path, voc_origin: int | None = None
) -> Job[FoundBoxes]:
    """Read the boxes on `images` from a file, folder or ZIP archive of one of the formats of `unknown.FORMATS`.

    Names of pictures are relative to `folder`; see `PictureMatcher`. `voc_origin` is the number of the first pixel in
    Pascal VOC, None to decide by the files. Raises BadFileError if `path` has no such format.
    """
    if is_zip(path):
        return (yield from _of_archive(path, images, folder=folder, voc_origin=voc_origin))
    request = Request(path, images, folder, voc_origin)
    return (yield from match((yield from parse(request)), request))


def parse(request: Request) -> Job[list[Parsed]]:
    """Read the file or folder without matching its pictures; `Request.images` may be empty."""
    return (yield from (of_folder(request) if request.path.is_dir() else of_file(request)))


def match(sets: Sequence[Parsed], request: Request) -> Job[FoundBoxes]:
    """The boxes of parsed files that are on the images of the request."""
    found = FoundBoxes()
    for parsed, restore in sets:
        job = find_in(parsed, request.images, folder=request.folder, title=request.title, restore=restore)
        found.add((yield from job))
    return found


def _of_archive(path: Path, images: Sequence[ImageRecord], *, folder: Path, voc_origin: int | None) -> Job[FoundBoxes]:
    """Unpack the annotations of an archive for as long as they are read."""
    with tempfile.TemporaryDirectory(prefix="boxrefine-") as name:
        inside = Path(name, path.stem or "archive")  # untranslated: a folder
        inside.mkdir()
        left_out = yield from unpack(path, inside)
        try:
            found = yield from find_boxes(inside, images, folder=folder, voc_origin=voc_origin)
        except KnownError as error:
            raise BadFileError(str(error).replace(str(inside), str(path))) from error
    found.defects.extend(left_out)
    found.defects.rename(str(inside), str(path))
    return found
