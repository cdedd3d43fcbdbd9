"""The one rule by which a picture is turned upright, for its size, its pixels and its thumbnail."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

TAG = 0x0112
SIDEWAYS = frozenset({5, 6, 7, 8})
"""Orientations that exchange width and height."""

Number = TypeVar("Number", np.uint8, np.uint16)

_FLIPS = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
"""OpenCV's codes of flips, after the exchange of axes: 1 left and right, 0 top and bottom, -1 both."""

_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')  # as Pillow finds it
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")
_MOST_CHUNKS, _LARGEST_CHUNK = 200_000, 4 * 1024**2


def orientation_of(image: ImageFile.ImageFile, file: BinaryIO) -> int:
    """The EXIF orientation, 1..8, by which an opened picture in `file` is turned upright; it decodes nothing.

    The rule, which is what Pillow's `exif_transpose` does, and what browsers and OpenCV do with all that cameras write:

    - The EXIF data counts, wherever the file has it: a JPEG's APP1 segment, a PNG's eXIf chunk before or behind the
      pixels, WebP's and AVIF's own place, a TIFF's tag. Without it, a PNG's text "Raw profile type exif" counts. The
      last one of a kind wins.
    - Where none of it has an orientation, `tiff:Orientation` of the XMP counts. Browsers and OpenCV ignore this one.
    - The value is a whole number from 1 to 8. Text ("6"), any other number, and EXIF that cannot be parsed mean 1.

    The position of `file` stays.
    """
    before = file.tell()
    try:
        value = _exif_of(image, file).get(TAG, 1)
    finally:
        file.seek(before)
    return checked(value)


def checked(value: object) -> int:
    """An orientation 1..8 out of whatever stands in its place."""
    return int(value) if isinstance(value, int | float | np.number) and value in range(1, 9) else _of_ratio(value)


def orientation_in_tags(value: object, xmp: object) -> int:
    """The same rule for a TIFF that Pillow does not open: its orientation tag (None without one), and its XMP tag."""
    if value is not None:
        return checked(value)
    found = _IN_XMP.search(xmp if isinstance(xmp, bytes) else bytes(str(xmp or ""), "utf-8", "replace"))
    return checked(int(found[1])) if found else 1


def turn(values: NDArray[Number], orientation: int) -> NDArray[Number]:
    """Turn an array (height, width, ...) upright; the result is contiguous."""
    # By OpenCV: NumPy takes several times as long to copy a picture whose axes are exchanged.
    turned = np.ascontiguousarray(values)
    if orientation in SIDEWAYS:
        turned = np.asarray(cv2.transpose(turned), values.dtype)
    if orientation in _FLIPS:
        turned = np.asarray(cv2.flip(turned, _FLIPS[orientation]), values.dtype)
    return turned


def _of_ratio(value: object) -> int:
    """Some programs write the orientation as a ratio, which Pillow takes."""
    return next((number for number in range(1, 9) if not isinstance(value, str | bytes) and value == number), 1)


def _exif_of(image: ImageFile.ImageFile, file: BinaryIO) -> Image.Exif:
    # A picture whose EXIF is broken is a picture still, so whatever parsing it raises means none.
    probe = Image.Image()
    probe.info = dict(image.info)
    if image.format == "PNG":
        with contextlib.suppress(OSError, SyntaxError, ValueError, EOFError, KeyError, struct.error):
            probe.info |= _info_behind_pixels(file, is_animated=bool(getattr(image, "is_animated", False)))
    try:
        # Not a PNG's own `getexif`, which decodes the picture to find out whether EXIF follows the pixels.
        return probe.getexif() if image.format == "PNG" else image.getexif()
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError, struct.error):
        return Image.Exif()


def _info_behind_pixels(file: BinaryIO, *, is_animated: bool) -> dict[str | tuple[int, int], object]:
    """The content of the chunks behind a PNG's pixels, by Pillow's names: read as chunks of a PNG without pixels."""
    raw: BinaryIO = getattr(file, "raw", file)  # a buffer would read most of the pixels along with the chunks' heads
    before = raw.tell()
    try:
        found = b"".join(_chunks_behind_pixels(raw, is_animated=is_animated))
    finally:
        raw.seek(before)
    if not found:
        return {}
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    with Image.open(io.BytesIO(_PNG_SIGNATURE + head + found + _chunk(b"IDAT", b"")), formats=("PNG",)) as parsed:
        return dict(parsed.info)


def _chunks_behind_pixels(raw: BinaryIO, *, is_animated: bool) -> Iterator[bytes]:
    """The chunks of interest behind the first IDAT, from header to header: the pixels are skipped, not read."""
    at, is_behind = len(_PNG_SIGNATURE), False
    for _ in range(_MOST_CHUNKS):
        raw.seek(at)
        head = raw.read(8)
        if len(head) < 8 or head[4:] == b"IEND" or (head[4:] == b"fcTL" and is_behind and is_animated):
            return  # what follows belongs to further frames
        kind, length = head[4:], int.from_bytes(head[:4], "big")
        is_behind = is_behind or kind == b"IDAT"
        if is_behind and length <= _LARGEST_CHUNK and kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"):
            data = raw.read(length)
            if len(data) == length and (kind == b"eXIf" or data.startswith(_PNG_TEXTS)):
                yield _chunk(kind, data)
        at += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
