"""Pictures as upright 8-bit RGB: decoding, sizes without decoding, content hashes.

Pillow decodes JPEG, PNG, BMP, TIFF, WebP, GIF, and where it was built with them JPEG 2000 and AVIF, with alpha and
palettes, and refuses truncated files. PNGs of more than 8 bits a channel are read by OpenCV, TIFFs of unusual kinds by
`core.pictures.tiff`. Other formats are refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.errors import BadFileError, KnownError, reason
from core.object_store.remote_file import PictureFile
from core.picture_claims import TooLargeError, check_memory
from core.pictures.kinds import SUFFIXES
from core.pictures.opened import open_picture
from core.pictures.orientation import turn
from core.pictures.spool import Spool, spool
from core.progress import Job
from core.translation import tr

__all__ = [
    "SUFFIXES",
    "Picture",
    "content_hash",
    "read_orientation",
    "read_picture",
    "read_size",
    "read_thumbnail",
    "read_values",
    "read_with_alpha",
    "spool_picture",
]

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB, 8 bits, upright."""

_MOST_FOR_THUMBNAIL = 96 * 1024**2
"""Pixels to decode for a thumbnail at most; a larger picture would take a gigabyte of memory."""

Image.MAX_IMAGE_PIXELS = None  # aerial pictures are legitimately large; `check_claims` has the limits
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # Pillow prints warnings of damaged EXIF


def read_picture(path: PictureFile) -> Picture:
    """Decode a picture, upright, as (height, width, 3) 8-bit RGB; of several frames the first one.

    `core.pictures.orientation` has the rule of what is upright. Values of more than 8 bits are scaled to 0..255, see
    `core.pictures.deep`, and alpha is composited over white. Raises BadFileError, and no other exception, if the file
    is missing, no picture, cut short, too large, or claims more pixels than its bytes can hold. For a picture in an
    object store that does not answer, raises StorageError.
    """
    with _convert_errors(path), open_picture(path) as opened:
        image = opened.image
        if image is None or opened.is_deep:
            return opened.read_deep()
        check_memory(*opened.size, is_wide="A" in image.mode)
        opened.check_scans()
        image.load()
        # Pillow turns TIFFs when it loads them.
        return _to_rgb(image) if image.format == "TIFF" else turn(_to_rgb(image), opened.orientation)


def read_values(path: Path) -> NDArray[np.uint16] | None:
    """Read a picture of more than 8 bits a channel for showing it in other tones; None for any other.

    The result is upright, see `core.pictures.deep.to_deep`. Raises BadFileError as `read_picture`.
    """
    with _convert_errors(path), open_picture(path) as opened:
        return opened.read_values()


def read_size(path: PictureFile) -> tuple[int, int]:
    """Read the width and height in pixels of the upright picture, which `read_picture` has, without decoding it.

    Raises BadFileError if the file is missing, no picture, or claims more pixels than its bytes can hold.
    """
    with _convert_errors(path), open_picture(path) as opened:
        return opened.size


def read_orientation(path: Path) -> tuple[int, int, int]:
    """Read the width and height of the upright picture, and the EXIF orientation, 1..8, that turns it upright.

    Raises BadFileError as `read_size`.
    """
    with _convert_errors(path), open_picture(path) as opened:
        return *opened.size, opened.orientation


def read_thumbnail(path: Path, *, side: int) -> Picture:
    """Read a small upright picture whose long side is at most `side` pixels; JPEGs are decoded at reduced size.

    Raises BadFileError as `read_picture`, and if decoding would take a gigabyte.
    """
    with _convert_errors(path), open_picture(path) as opened:
        opened.check_scans()
        image, is_deep = opened.image, opened.is_deep
        if image is not None and not is_deep:
            image.draft("RGB", (side * 2, side * 2))
        width, height = opened.size if image is None or image.format != "JPEG" else image.size
        if width * height > _MOST_FOR_THUMBNAIL // (4 if is_deep else 1):
            raise TooLargeError(tr("{width} x {height} pixels, too many for a thumbnail", width=width, height=height))
        if image is not None and image.format == "TIFF" and not is_deep:
            image.load()  # turns it, and Pillow would go by the size before
        small: Image.Image = Image.fromarray(opened.read_deep()) if image is None or is_deep else image
        small.thumbnail((side, side))
        is_upright = image is None or is_deep or image.format == "TIFF"
        return _to_rgb(small) if is_upright else turn(_to_rgb(small), opened.orientation)


def spool_picture(path: Path, folder: Path) -> Job[Spool]:
    """Decode a large picture into a temporary file in `folder`, from which parts are read; see `core.pictures.spool`.

    Raises BadFileError as `read_picture`, and if the disk has too little room.
    """
    with _convert_errors(path):
        return (yield from spool(path, folder, whole=read_picture))


def read_with_alpha(path: Path) -> NDArray[np.uint8]:
    """Read a picture with an alpha channel as (height, width, 4) RGBA, 8 bits. Raises BadFileError."""
    with _convert_errors(path), open_picture(path) as opened:
        if opened.image is None or opened.image.mode not in ("RGBA", "LA", "PA"):
            raise BadFileError(tr("{path} is no picture with an alpha channel: replace it.", path=path))
        return np.array(opened.image.convert("RGBA"))


def content_hash(picture: Picture) -> str:
    """Hash the upright pixels to 32 hex digits, so that copies of a picture under two names count as one.

    The hash is XXH3: a cache needs no protection from forged pictures, and a cryptographic hash is much slower.
    """
    digest = xxhash.xxh3_128()
    digest.update(repr(picture.shape).encode())
    digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()


@contextmanager
def _convert_errors(path: PictureFile) -> Iterator[None]:
    """Convert any exception of a decoder to a BadFileError about `path`."""
    try:
        yield
    except KnownError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: PictureFile, error: Exception) -> BadFileError:
    if isinstance(error, FileNotFoundError):
        return BadFileError(tr("The picture {path} does not exist: check the path.", path=path))
    if isinstance(error, PermissionError):
        return BadFileError(tr("The picture {path} may not be read: check its permissions.", path=path))
    if isinstance(error, TooLargeError):
        return BadFileError(
            tr("The picture {path} cannot be read ({why}): cut it into smaller ones.", path=path, why=error)
        )
    if isinstance(error, MemoryError):
        return BadFileError(
            tr("The picture {path} cannot be read (there is not enough memory for it): make it smaller.", path=path)
        )
    if isinstance(error, UnidentifiedImageError):
        return BadFileError(
            tr("{path} is not a picture that can be read: replace it or take it out of the folder.", path=path)
        )
    return BadFileError(
        tr("The picture {path} is damaged ({why}): replace it with an intact copy.", path=path, why=reason(error))
    )


def _to_rgb(image: Image.Image) -> Picture:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of palettes with transparency, needlessly
            image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))
