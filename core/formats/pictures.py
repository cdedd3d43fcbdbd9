"""The pictures of an export: copied, or linked to where they lie."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import BadFileError, reason
from core.formats.choices import COPY, HARDLINK
from core.formats.safe_write import ExportFile
from core.records import ImageRecord
from core.translation import tr


@dataclass
class Placing:
    """Puts pictures into an export by one of `PICTURES`. Where links cannot be made, it copies: see `sentence`.

    copies: a folder of the same file system with copies under their `copy_name`, which are moved; others are copied
    """

    how: str
    copies: Path | None = None
    copied: int = 0
    why: str = ""

    def file(self, image: ImageRecord, place: PurePosixPath) -> ExportFile:
        """The file of one picture."""
        return ExportFile(place, put=lambda path: self._put(image.path.absolute(), path), is_picture=True)

    @property
    def sentence(self) -> str:
        """What the user should know: that pictures were copied although links were wanted; else empty."""
        if not self.copied:
            return ""
        return tr("Links to pictures cannot be made there ({why}), so the pictures were copied.", why=self.why)

    def _put(self, picture: Path, path: Path) -> bool:
        """Put a picture at `path`; return whether it has to be flushed. Raises BadFileError if it cannot be read."""
        if not picture.is_file():
            raise _missing(picture, os.strerror(errno.ENOENT))
        if self._moved(picture, path):
            return True
        if self.how == COPY or self.copied or not self._linked(picture, path):
            try:
                shutil.copyfile(picture, path)
            except PermissionError as error:
                if error.filename == str(picture):
                    raise _missing(picture, reason(error)) from error
                raise
            return True
        return False

    def _moved(self, picture: Path, path: Path) -> bool:
        if self.copies is None:
            return False
        try:
            os.replace(self.copies / copy_name(picture), path)  # noqa: PTH105 - as for a link
        except OSError:
            return False
        return True

    def _linked(self, picture: Path, path: Path) -> bool:
        try:
            if self.how == HARDLINK:
                os.link(picture.resolve(), path)
            else:
                path.symlink_to(picture)
        except (OSError, NotImplementedError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise
            self.copied, self.why = 1, reason(error)
            return False
        return True


def copy_name(picture: Path) -> str:
    """The name of a copy of a picture as it is now. Raises OSError if it is not there."""
    found = picture.stat()
    text = f"{picture.absolute()}\0{found.st_size}\0{found.st_mtime_ns}"
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest() + picture.suffix


def _missing(picture: Path, why: str) -> BadFileError:
    return BadFileError(
        tr(
            "The picture {path} cannot be taken along ({why}): bring it back, or export without pictures.",
            path=picture,
            why=why,
        )
    )
