"""Pictures as upright 8-bit RGB: decoding, sizes without decoding, content hashes, folder listings.

Pillow reads what it reads well (8-bit JPEG, PNG, BMP, TIFF, WebP, alpha, palettes, and it refuses truncated
files); OpenCV reads what Pillow cannot (16 bits a channel).
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import xxhash
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from core.errors import BadFileError, reason

Picture = NDArray[np.uint8]
"""(height, width, 3) RGB, 8 bits, upright."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
_DEEP_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_EXIF_ORIENTATION = 0x0112
_TURNED_SIDEWAYS = frozenset({5, 6, 7, 8})

Image.MAX_IMAGE_PIXELS = None  # aerial pictures are large on purpose; a bomb is no threat from one's own folder


def read_picture(path: Path) -> Picture:
    """The picture in `path`, upright (EXIF applied), as 8-bit RGB; 16-bit values are scaled to their range.

    Alpha is laid over white. Raises BadFileError where the file is missing, no picture, or cut short.
    """
    try:
        with _opened(path) as image:
            if image.mode in _DEEP_MODES or _bits(image) > 8:
                # OpenCV turns TIFFs whatever it is told.
                turned = image.format == "TIFF"
                return _read_deep(path, 1 if turned else int(image.getexif().get(_EXIF_ORIENTATION, 1)))
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # else it copies those that are upright, too
            return _to_rgb(image)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _unreadable(path, error) from error


def read_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of the upright picture, from its header alone.

    Raises BadFileError where the file is missing or no picture.
    """
    try:
        with _opened(path) as image:
            width, height = image.size
            sideways = _header_orientation(image) in _TURNED_SIDEWAYS
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _unreadable(path, error) from error
    return (height, width) if sideways else (width, height)


def read_thumbnail(path: Path, *, side: int) -> Picture:
    """A small upright picture whose long side is at most `side` pixels; JPEGs are decoded at reduced size."""
    try:
        with _opened(path) as image:
            deep = image.mode in _DEEP_MODES or _bits(image) > 8
            small: Image.Image = Image.fromarray(read_picture(path)) if deep else image
            small.draft("RGB", (side * 2, side * 2))
            small.thumbnail((side, side))
            return _to_rgb(ImageOps.exif_transpose(small))
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _unreadable(path, error) from error


def content_hash(picture: Picture) -> str:
    """32 hex digits that depend on the upright pixels alone, so the same picture under two names is one.

    XXH3: nobody forges pictures against a cache, and a cryptographic hash is much slower.
    """
    digest = xxhash.xxh3_128()
    digest.update(repr(picture.shape).encode())
    digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()


def list_pictures(folder: Path) -> list[Path]:
    """The picture files directly in `folder`, by name (numbers in names count as numbers).

    Raises BadFileError where the folder is missing or may not be read.
    """
    return [Path(folder) / name for name in in_natural_order(picture_names(folder))]


def in_natural_order(names: Iterable[str]) -> list[str]:
    """File names as people count: numbers in them are numbers. In every process the same: they share work by it."""
    return sorted(names, key=lambda name: (_natural(name), name))


def picture_names(folder: Path) -> set[str]:
    """The names of the picture files directly in `folder`; raises as `list_pictures`."""
    try:
        with os.scandir(folder) as entries:
            return {e.name for e in entries if _suffix(e.name) in SUFFIXES and not e.name.startswith(".")}
    except FileNotFoundError as error:
        raise BadFileError(f"The folder {folder} does not exist: check the path.") from error
    except OSError as error:
        raise BadFileError(f"The folder {folder} cannot be read ({reason(error)}): check its permissions.") from error


@contextmanager
def _opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """A picture whose file is opened here: Pillow would map some TIFFs, and then reads sideways ones wrong."""
    with path.open("rb") as file, Image.open(file) as image:
        yield image


def _suffix(name: str) -> str:
    """As Path.suffix, which takes ten times as long: a folder may hold 100,000 names."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def _natural(name: str) -> list[tuple[int, int, str]]:
    digits, parts = "", []
    for char in name.lower() + "\0":
        if char.isdecimal():
            digits += char
            continue
        if digits:
            parts.append((0, int(digits), digits))
            digits = ""
        parts.append((1, 0, char))
    return parts


def _unreadable(path: Path, error: Exception) -> BadFileError:
    if isinstance(error, BadFileError):
        return error
    if isinstance(error, FileNotFoundError):
        return BadFileError(f"The picture {path} does not exist: check the path.")
    if isinstance(error, PermissionError):
        return BadFileError(f"The picture {path} may not be read: check its permissions.")
    if isinstance(error, UnidentifiedImageError):
        return BadFileError(f"{path} is not a picture that can be read: replace it or take it out of the folder.")
    return BadFileError(f"The picture {path} is damaged ({reason(error)}): replace it with an intact copy.")


def _header_orientation(image: ImageFile.ImageFile) -> int:
    """EXIF orientation 1..8, without decoding the picture."""
    if image.format == "TIFF":
        return 1  # its size is told upright
    if image.format == "PNG":
        # getexif() would decode the whole picture in case its EXIF stands behind the pixels.
        exif = Image.Exif()
        exif.load(image.info.get("exif", b""))
        return int(exif.get(_EXIF_ORIENTATION, 1))
    return int(image.getexif().get(_EXIF_ORIENTATION, 1))


def _bits(image: ImageFile.ImageFile) -> int:
    """Bits a channel of a TIFF or PNG, which Pillow's mode does not always tell."""
    bits = getattr(image, "tag_v2", {}).get(258, 8)
    if isinstance(bits, tuple):
        bits = max(bits)
    if image.format == "PNG" and "16" in str(image.tile[0].args if image.tile else ""):
        bits = 16
    return int(bits)


def _to_rgb(image: Image.Image) -> Picture:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of palettes with transparency in bytes; we handle them
            image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _read_deep(path: Path, orientation: int) -> Picture:
    """A picture of more than 8 bits a channel, stretched from its own range to 8 bits."""
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    values = cv2.imdecode(np.fromfile(path, np.uint8), flags)
    if values is None:
        raise BadFileError(f"The picture {path} is damaged or of a kind that cannot be read: replace it.")
    upright = _turn(_stretch(values), orientation)
    if upright.ndim == 2:
        return np.ascontiguousarray(np.repeat(upright[..., None], 3, axis=2))
    return np.ascontiguousarray(upright[..., 2::-1] if upright.shape[2] >= 3 else np.repeat(upright[..., :1], 3, 2))


def _stretch(values: NDArray[np.generic]) -> Picture:
    if values.dtype == np.uint8:
        return values.astype(np.uint8)
    numbers = np.nan_to_num(values.astype(np.float64))
    # 12-bit cameras and float rasters use a part of their type's range, so the picture's own range is what counts.
    low, high = float(numbers.min()), float(numbers.max())
    if values.dtype == np.uint16 and high > 255 * 128:
        low, high = 0.0, 65535.0
    return ((numbers - low) * (255.0 / max(high - low, 1e-9))).round().clip(0, 255).astype(np.uint8)


def _turn(values: Picture, orientation: int) -> Picture:
    """EXIF orientation 1..8 applied to an array."""
    if orientation in _TURNED_SIDEWAYS:
        values = np.swapaxes(values, 0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values
