"""Pictures as upright 8-bit RGB: decoding, sizes without decoding, content hashes.

Pillow reads 8-bit JPEG, PNG, BMP, TIFF and WebP, with alpha and palettes, and refuses truncated files. OpenCV reads
what Pillow cannot: PNG and TIFF of more than 8 bits a channel. Other formats are refused.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from core.bounded import open_regular
from core.errors import BadFileError, reason
from core.picture_claims import (
    FORMATS,
    HEAD_BYTES,
    TooLargeError,
    check_claims,
    check_head,
    check_memory,
    check_scans,
    strip_png,
)
from core.translation import tr

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB, 8 bits, upright."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
_DEEP_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_EXIF_ORIENTATION = 0x0112
_TURNED_SIDEWAYS = frozenset({5, 6, 7, 8})

_MOST_FOR_THUMBNAIL = 96 * 1024**2
"""Pixels to decode for a thumbnail at most; a larger picture would take a gigabyte of memory."""

_BAND_BYTES = 8 * 1024**2

Image.MAX_IMAGE_PIXELS = None  # aerial pictures are legitimately large; `check_claims` has the limits
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # Pillow prints warnings of damaged EXIF


def read_picture(path: Path) -> Picture:
    """Decode a picture, upright (EXIF applied), as (height, width, 3) 8-bit RGB.

    Values of more than 8 bits are scaled to 0..255, and alpha is composited over white. Raises BadFileError, and no
    other exception, if the file is missing, no picture, cut short, too large, or claims more pixels than its bytes can
    hold.
    """
    with _convert_errors(path), _open_picture(path) as (file, image):
        check_memory(*image.size, is_wide=_is_deep(image) or "A" in image.mode)
        if _is_deep(image):
            # OpenCV applies a TIFF's orientation even with IMREAD_IGNORE_ORIENTATION.
            is_upright = image.format == "TIFF"
            orientation = 1 if is_upright else int(image.getexif().get(_EXIF_ORIENTATION, 1))
            file.seek(0)
            content = file.read()
            return _read_deep(strip_png(content) if image.format == "PNG" else content, orientation)
        _count_scans(file, image)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)  # without `in_place` it also copies upright pictures
        return _to_rgb(image)


def read_size(path: Path) -> tuple[int, int]:
    """Read the width and height in pixels of the upright picture from its header, without decoding it.

    Raises BadFileError if the file is missing, no picture, or claims more pixels than its bytes can hold.
    """
    with _convert_errors(path), _open_picture(path) as (_, image):
        width, height = image.size
        sideways = _header_orientation(image) in _TURNED_SIDEWAYS
    return (height, width) if sideways else (width, height)


def read_thumbnail(path: Path, *, side: int) -> Picture:
    """Read a small upright picture whose long side is at most `side` pixels; JPEGs are decoded at reduced size.

    Raises BadFileError as `read_picture`, and if decoding would take a gigabyte.
    """
    with _convert_errors(path), _open_picture(path) as (file, image):
        _count_scans(file, image)
        if not _is_deep(image):
            image.draft("RGB", (side * 2, side * 2))
        if image.width * image.height > _MOST_FOR_THUMBNAIL // (4 if _is_deep(image) else 1):
            raise TooLargeError(
                tr("{width} x {height} pixels, too many for a thumbnail", width=image.width, height=image.height)
            )
        small: Image.Image = Image.fromarray(read_picture(path)) if _is_deep(image) else image
        small.thumbnail((side, side))
        return _to_rgb(ImageOps.exif_transpose(small))


def read_with_alpha(path: Path) -> NDArray[np.uint8]:
    """Read a picture with an alpha channel as (height, width, 4) RGBA, 8 bits. Raises BadFileError."""
    with _convert_errors(path), _open_picture(path) as (_, image):
        if image.mode not in ("RGBA", "LA", "PA"):
            raise BadFileError(tr("{path} is no picture with an alpha channel: replace it.", path=path))
        return np.array(image.convert("RGBA"))


def content_hash(picture: Picture) -> str:
    """Hash the upright pixels to 32 hex digits, so that copies of a picture under two names count as one.

    The hash is XXH3: a cache needs no protection from forged pictures, and a cryptographic hash is much slower.
    """
    digest = xxhash.xxh3_128()
    digest.update(repr(picture.shape).encode())
    digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()


@contextmanager
def _convert_errors(path: Path) -> Iterator[None]:
    """Convert any exception of a decoder to a BadFileError about `path`."""
    try:
        yield
    except Exception as error:
        raise _unreadable(path, error) from error


@contextmanager
def _open_picture(path: Path) -> Iterator[tuple[BinaryIO, ImageFile.ImageFile]]:
    """Open a picture by a file object: given a path, Pillow maps some TIFFs and then decodes sideways ones wrong."""
    with open_regular(path) as file:
        head, nbytes = file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size
        check_head(head, nbytes=nbytes)
        file.seek(0)
        with Image.open(file, formats=FORMATS) as image:
            check_claims(image, head, nbytes=nbytes)
            yield file, image


def _count_scans(file: BinaryIO, image: ImageFile.ImageFile) -> None:
    if image.info.get("progressive"):
        before = file.tell()
        file.seek(0)
        check_scans(file.read())
        file.seek(before)


def _is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether a picture has more than 8 bits a channel and is in one of the two formats that OpenCV reads here."""
    return image.format in ("PNG", "TIFF") and (image.mode in _DEEP_MODES or _bits(image) > 8)


def _unreadable(path: Path, error: Exception) -> BadFileError:
    if isinstance(error, BadFileError):
        return error
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


def _header_orientation(image: ImageFile.ImageFile) -> int:
    """EXIF orientation 1..8, without decoding the picture."""
    if image.format == "TIFF":
        return 1  # Pillow reports the size of the upright picture
    if image.format == "PNG":
        # getexif() would decode the whole picture, because EXIF may follow the pixels.
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        return int(exif.get(_EXIF_ORIENTATION, 1))
    return int(image.getexif().get(_EXIF_ORIENTATION, 1))


def _bits(image: ImageFile.ImageFile) -> int:
    """Bits per channel of a TIFF or PNG; Pillow's mode does not always show them."""
    bits = getattr(image, "tag_v2", {}).get(258, 8)
    if isinstance(bits, tuple):
        bits = max(bits)
    if image.format == "PNG" and "16" in str(image.tile[0].args if image.tile else ""):
        bits = 16
    return int(bits)


def _to_rgb(image: Image.Image) -> Picture:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of palettes with transparency, needlessly
            image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _read_deep(content: bytes, orientation: int) -> Picture:
    """Decode a picture of more than 8 bits a channel and scale its range of values to 8 bits."""
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    values = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if values is None:
        raise ValueError(tr("it is of a kind that cannot be read"))
    upright = _turn(_stretch(values), orientation)
    if upright.ndim == 2:
        return np.ascontiguousarray(np.repeat(upright[..., None], 3, axis=2))
    return np.ascontiguousarray(upright[..., 2::-1] if upright.shape[2] >= 3 else np.repeat(upright[..., :1], 3, 2))


def _stretch(values: NDArray[np.generic]) -> Picture:
    if values.dtype == np.uint8:
        return values.astype(np.uint8)
    # In bands, because float64 takes four to eight times the memory of the input.
    rows = max(1, _BAND_BYTES // max(1, 8 * values[0].size))
    bands = [slice(top, top + rows) for top in range(0, len(values), rows)]
    # 12-bit cameras and float rasters use only part of their type's range, so scale from the picture's own range.
    low = min(float(_finite(values[band]).min()) for band in bands)
    high = max(float(_finite(values[band]).max()) for band in bands)
    if values.dtype == np.uint16 and high > 255 * 128:
        low, high = 0.0, 65535.0
    scale = 255.0 / max(high - low, 1e-9)
    stretched = np.empty(values.shape, np.uint8)
    for band in bands:
        stretched[band] = ((_finite(values[band]) - low) * scale).round().clip(0, 255)
    return stretched


def _finite(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Convert to float64, with NaN and infinity as 0, clipped so that no difference of two values is infinite."""
    return np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0).clip(-1e150, 1e150)


def _turn(values: Picture, orientation: int) -> Picture:
    """Apply an EXIF orientation 1..8 to an array."""
    if orientation in _TURNED_SIDEWAYS:
        values = np.swapaxes(values, 0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values
