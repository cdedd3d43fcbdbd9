"""What the header of a picture claims, held against the bytes that are there, before anything is decoded.

A header of 85 bytes can claim four thousand million pixels, and a decoder takes the memory for all of them first.
"""

from __future__ import annotations

import os
import struct

from PIL import ImageFile

FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
"""All that is tried, by Pillow's names: its other plugins run programs, or were never asked for."""

MOST_PIXELS = 1 << 30
"""32,768 x 32,768; OpenCV has the same limit."""

HEAD_BYTES = 32
_HARMLESS_BYTES = 64 * 1024**2
"""Decoded, so much is taken on any header's word: damaged or blank, it does no harm."""

_JPEG_PIXELS_A_BYTE = (
    1024  # a block of 64 takes a bit at least, and a sixteenth of that where arithmetic coding is used
)
_WEBP_PIXELS_A_BYTE = 4096
_TIFF_TIMES = {"raw": 1.05, "packbits": 64.0, "tiff_lzw": 2800.0, "tiff_deflate": 1040.0, "tiff_adobe_deflate": 1040.0}
_DEFLATE_TIMES, _RUN_LENGTH_TIMES, _OTHER_TIMES = 1040.0, 256.0, 8192.0
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_BITS_PER_SAMPLE, _SAMPLES_PER_PIXEL, _TILE_WIDTH, _TILE_HEIGHT = 258, 277, 322, 323
_BYTES_A_PIXEL, _BYTES_A_WIDE_PIXEL = 10, 20
"""What the decoders and the copies that turn a picture and make it RGB hold at once, measured on 4,000 x 4,000."""

_LARGEST_TILE = 4096 * 4096
_MOST_SCANS = 200


class TooLargeError(ValueError):
    """A picture of more pixels than can be decoded."""


def check_head(head: bytes, *, nbytes: int) -> None:
    """Look at the first HEAD_BYTES of a file of `nbytes` that Pillow takes memory for while it opens it: WebP.

    Raises TooLargeError and ValueError.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        width, height = _webp_size(head)
        _compare(width, height, decoded=width * height * 4, most=nbytes * _WEBP_PIXELS_A_BYTE * 4, nbytes=nbytes)


def check_claims(image: ImageFile.ImageFile, head: bytes, *, nbytes: int) -> None:
    """Hold the pixels that an opened picture claims against its file's bytes. Raises TooLargeError and ValueError."""
    width, height = image.size
    pixels = width * height
    if image.format == "PNG":
        decoded, most = pixels * _png_bits(head) / 8, nbytes * _DEFLATE_TIMES
    elif image.format == "TIFF":
        _check_tiles(image)
        times = _TIFF_TIMES.get(str(image.info.get("compression")), _OTHER_TIMES)
        decoded, most = pixels * _tiff_bits(image) / 8, nbytes * times
    elif image.format == "BMP":
        is_raw = all(tile.codec_name == "raw" for tile in image.tile)
        decoded, most = pixels * _bmp_bits(head) / 8, nbytes * (1.05 if is_raw else _RUN_LENGTH_TIMES)
    else:
        by_byte = _WEBP_PIXELS_A_BYTE if image.format == "WEBP" else _JPEG_PIXELS_A_BYTE
        decoded, most = pixels * 3.0, nbytes * by_byte * 3.0
    _compare(width, height, decoded=decoded, most=most, nbytes=nbytes)


def check_memory(width: int, height: int, *, is_wide: bool) -> None:
    """Refuse a picture that takes more than half of the computer's memory to decode: the system would kill the program.

    `is_wide`: more than 8 bits a channel, or an alpha channel. Raises TooLargeError.
    """
    needed, memory = width * height * (_BYTES_A_WIDE_PIXEL if is_wide else _BYTES_A_PIXEL), _memory()
    if memory is not None and needed > max(memory // 2, _HARMLESS_BYTES):
        have = f"and this computer has {memory / 1e9:.1f} GB of memory"
        raise TooLargeError(f"{width} x {height} pixels take {needed / 1e9:.1f} GB to decode, {have}")


def _memory() -> int | None:
    """Bytes of memory of this computer, where the system tells."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return None


def plain_png(content: bytes) -> bytes:
    """The chunks of a PNG that make its pixels, for OpenCV: it takes the memory that any chunk claims, and animates.

    Raises ValueError where a chunk is longer than what is left.
    """
    view, at, kept = memoryview(content), len(_PNG_SIGNATURE), [memoryview(_PNG_SIGNATURE)]
    while at + 12 <= len(view):
        kind, end = bytes(view[at + 4 : at + 8]), at + 12 + int.from_bytes(view[at : at + 4], "big")
        if end > len(view):
            raise ValueError("it is cut short")
        if kind in _PNG_PIXELS:
            kept.append(view[at:end])
        if kind == b"IEND":
            return b"".join(kept)
        at = end
    raise ValueError("it is cut short")


def check_scans(content: bytes) -> None:
    """Count the scans of a progressive JPEG: ten bytes ask for one, which goes over all pixels. Raises ValueError."""
    scans = content.count(b"\xff\xda")
    if scans > _MOST_SCANS:
        raise ValueError(f"it has {scans} scans, where ten are usual")


def _compare(width: int, height: int, *, decoded: float, most: float, nbytes: int) -> None:
    if width <= 0 or height <= 0:
        raise ValueError(f"its header claims {width} x {height} pixels")
    if decoded > max(_HARMLESS_BYTES, most):
        raise ValueError(f"its header claims {width} x {height} pixels, but it has only {nbytes:,} bytes")
    if width * height > MOST_PIXELS:
        raise TooLargeError(f"{width} x {height} pixels, more than {MOST_PIXELS / 1e6:,.0f} million")


def _png_bits(head: bytes) -> int:
    """Bits a pixel, from the header chunk, which comes first."""
    depth, color = head[24], head[25]
    return depth * _PNG_CHANNELS.get(color, 4)


def _bmp_bits(head: bytes) -> int:
    """Bits a pixel; the oldest of the headers has them four bytes earlier."""
    place = 24 if head[14] == 12 else 28
    return max(1, int.from_bytes(head[place : place + 2], "little"))


def _check_tiles(image: ImageFile.ImageFile) -> None:
    """The decoder takes the memory of a whole tile, which is hardly larger than the picture."""
    tags = getattr(image, "tag_v2", {})
    area = int(tags.get(_TILE_WIDTH, 0)) * int(tags.get(_TILE_HEIGHT, 0))
    if area > max(_LARGEST_TILE, 4 * image.width * image.height):
        raise ValueError(f"its header claims tiles of {area / 1e6:,.0f} million pixels")


def _tiff_bits(image: ImageFile.ImageFile) -> int:
    tags = getattr(image, "tag_v2", {})
    bits, samples = tags.get(_BITS_PER_SAMPLE, 1), tags.get(_SAMPLES_PER_PIXEL, 1)
    if isinstance(bits, tuple):
        return max(1, sum(int(count) for count in bits))
    return max(1, int(bits) * int(samples))


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height of the canvas, as each of WebP's three kinds of first chunk has them. Raises ValueError."""
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
            raise ValueError("it is cut short") from error
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("it is no WebP picture")
