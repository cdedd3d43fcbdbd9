"""Check the size that a picture's header claims against the size of its file, before decoding.

A header of 85 bytes can claim four thousand million pixels, and a decoder allocates memory for all of them first.
All ValueErrors here hold a reason that is shown to the user.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from typing import Any

from PIL import ImageFile
from PIL.TiffImagePlugin import COMPRESSION_INFO

from core.translation import tr

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG2000", "AVIF")
"""The formats that are decoded, by Pillow's names. Other plugins of Pillow run programs or are not needed."""

MOST_PIXELS = 1 << 30
"""32,768 x 32,768; OpenCV has the same limit."""

HEAD_BYTES = 32
_HARMLESS_BYTES = 64 * 1024**2
"""Decoded size up to which any claim is accepted, because a false one does no harm."""

_JPEG_PIXELS_A_BYTE = 1024  # a block of 64 pixels takes at least one bit, with arithmetic coding a sixteenth of a bit
_PIXELS_A_BYTE = {
    "WEBP": 4096,
    "GIF": 2800,  # the longest code is 12 bits and means 4,096 pixels
    "JPEG2000": 32_768,  # Pillow 13 writes 30,888 of 8,000 x 8,000 pixels of one color
    "AVIF": 4096,  # less than the format can do, because its decoder enlarges a small picture to whatever is claimed
}
_TIFF_TIMES = {"raw": 1.05, "packbits": 64.0, "tiff_lzw": 2800.0, "tiff_deflate": 1040.0, "tiff_adobe_deflate": 1040.0}
_DEFLATE_TIMES, _RUN_LENGTH_TIMES, _OTHER_TIMES = 1040.0, 256.0, 8192.0
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_WIDTH, _HEIGHT, _COMPRESSION = 256, 257, 259
_BITS_PER_SAMPLE, _SAMPLES_PER_PIXEL, _TILE_WIDTH, _TILE_HEIGHT = 258, 277, 322, 323
_BYTES_A_PIXEL, _BYTES_A_WIDE_PIXEL = 10, 20
"""Peak memory of decoding, rotating and conversion to RGB, measured on 4,000 x 4,000 pixels."""

_LARGEST_TILE = 4096 * 4096
_MOST_SCANS = 200


class TooLargeError(ValueError):
    """A picture of more pixels than can be decoded."""


def check_head(head: bytes, *, nbytes: int) -> None:
    """Check a WebP file of `nbytes` by its first HEAD_BYTES, because Pillow allocates its pixels when opening it.

    Other formats pass. Raises TooLargeError and ValueError.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        width, height = _webp_size(head)
        _compare(width, height, decoded=width * height * 4, most=nbytes * _PIXELS_A_BYTE["WEBP"] * 4, nbytes=nbytes)


def check_claims(image: ImageFile.ImageFile, head: bytes, *, nbytes: int) -> None:
    """Check the size in pixels of an opened picture against its file's bytes. Raises TooLargeError and ValueError."""
    width, height = image.size
    pixels = width * height
    if image.format == "PNG":
        decoded, most = pixels * _png_bits(head) / 8, nbytes * _DEFLATE_TIMES
    elif image.format == "TIFF":
        check_tiff(getattr(image, "tag_v2", {}), nbytes=nbytes)
        return
    elif image.format == "BMP":
        is_raw = all(tile.codec_name == "raw" for tile in image.tile)
        decoded, most = pixels * _bmp_bits(head) / 8, nbytes * (1.05 if is_raw else _RUN_LENGTH_TIMES)
    else:
        by_byte = _PIXELS_A_BYTE.get(str(image.format), _JPEG_PIXELS_A_BYTE)
        decoded, most = pixels * 3.0, nbytes * by_byte * 3.0
    _compare(width, height, decoded=decoded, most=most, nbytes=nbytes)


def check_tiff(tags: Mapping[int, Any], *, nbytes: int) -> None:
    """Check the size that a TIFF's tags claim against its file's bytes. Raises TooLargeError and ValueError."""
    width, height = (_whole(tags, tag, 0) for tag in (_WIDTH, _HEIGHT))
    _check_tiles(tags, width, height)
    times = _TIFF_TIMES.get(COMPRESSION_INFO.get(_whole(tags, _COMPRESSION, 1), ""), _OTHER_TIMES)
    _compare(width, height, decoded=width * height * _tiff_bits(tags) / 8, most=nbytes * times, nbytes=nbytes)


def check_memory(width: int, height: int, *, is_wide: bool, bytes_a_pixel: int = 0) -> None:
    """Refuse a picture that takes more than half of the computer's memory to decode.

    The system might kill the program otherwise. `is_wide`: more than 8 bits a channel, or an alpha channel.
    `bytes_a_pixel`: of all its samples, where they may be many. Raises TooLargeError.
    """
    each = max(_BYTES_A_WIDE_PIXEL if is_wide else _BYTES_A_PIXEL, 3 * bytes_a_pixel)
    needed, memory = width * height * each, _memory()
    if memory is not None and needed > max(memory // 2, _HARMLESS_BYTES):
        raise TooLargeError(
            tr(
                "{width} x {height} pixels take {needed} GB to decode, and this computer has {memory} GB of memory",
                width=width,
                height=height,
                needed=f"{needed / 1e9:.1f}",
                memory=f"{memory / 1e9:.1f}",
            )
        )


def _memory() -> int | None:
    """Bytes of memory of this computer; None if the system does not report them."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def strip_png(content: bytes) -> bytes:
    """Strip a PNG of all chunks that its pixels do not need, because OpenCV allocates any size that a chunk claims.

    Without the other chunks OpenCV does not decode animations either. Raises ValueError if the file is cut short.
    """
    view, at, kept = memoryview(content), len(_PNG_SIGNATURE), [memoryview(_PNG_SIGNATURE)]
    while at + 12 <= len(view):
        kind, end = bytes(view[at + 4 : at + 8]), at + 12 + int.from_bytes(view[at : at + 4], "big")
        if end > len(view):
            raise ValueError(tr("it is cut short"))
        if kind in _PNG_PIXELS:
            kept.append(view[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end
    raise ValueError(tr("it is cut short"))


def check_scans(content: bytes) -> None:
    """Limit the scans of a progressive JPEG: each takes ten bytes but decodes all pixels again. Raises ValueError."""
    scans = content.count(b"\xff\xda")
    if scans > _MOST_SCANS:
        raise ValueError(tr("it has {scans} scans, where ten are usual", scans=scans))


def _compare(width: int, height: int, *, decoded: float, most: float, nbytes: int) -> None:
    if width <= 0 or height <= 0:
        raise ValueError(tr("its header claims {width} x {height} pixels", width=width, height=height))
    if decoded > max(_HARMLESS_BYTES, most):
        raise ValueError(
            tr(
                "its header claims {width} x {height} pixels, but it has only {nbytes} bytes",
                width=width,
                height=height,
                nbytes=f"{nbytes:,}",
            )
        )
    if width * height > MOST_PIXELS:
        most_millions = f"{MOST_PIXELS / 1e6:,.0f}"
        raise TooLargeError(
            tr("{width} x {height} pixels, more than {most} million", width=width, height=height, most=most_millions)
        )


def _png_bits(head: bytes) -> int:
    """Bits per pixel, from the header chunk, which is the first one."""
    depth, color = head[24], head[25]
    return depth * _PNG_CHANNELS.get(color, 4)


def _bmp_bits(head: bytes) -> int:
    """Bits per pixel; the oldest header version has them four bytes earlier."""
    place = 24 if head[14] == 12 else 28
    return max(1, int.from_bytes(head[place : place + 2], "little"))


def _check_tiles(tags: Mapping[int, Any], width: int, height: int) -> None:
    """Refuse implausibly large tiles, because the decoder allocates a whole tile."""
    area = _whole(tags, _TILE_WIDTH, 0) * _whole(tags, _TILE_HEIGHT, 0)
    if area > max(_LARGEST_TILE, 4 * width * height):
        raise ValueError(tr("its header claims tiles of {millions} million pixels", millions=f"{area / 1e6:,.0f}"))


def _tiff_bits(tags: Mapping[int, Any]) -> int:
    """Bits of all samples of a pixel, by the larger one of two claims."""
    bits, samples = tags.get(_BITS_PER_SAMPLE, 1), _whole(tags, _SAMPLES_PER_PIXEL, 1)
    if isinstance(bits, tuple):
        counts = [int(count) for count in bits] or [1]
        return max(1, sum(counts), max(counts) * samples)
    return max(1, int(bits) * samples)


def _whole(tags: Mapping[int, Any], tag: int, default: int) -> int:
    value = tags.get(tag, default)
    return int(value[0] if isinstance(value, tuple) and value else value)


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height of the canvas, from any of WebP's three kinds of first chunk. Raises ValueError."""
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        try:
            width, height = struct.unpack_from("<HH", head, 26)
        except struct.error as error:
            raise ValueError(tr("it is cut short")) from error
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError(tr("it is no WebP picture"))
