"""Pictures of unusual kinds, made here: TIFFs of any layout, and PNGs with chunks behind their pixels."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from tests.core.hostile_pictures import png_chunk

SIDEWAYS = 6
RIGHT_TOP_XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def exif_of(orientation: object, *, type: int = 3, order: str = "<") -> bytes:
    """EXIF with nothing but an orientation: a SHORT (3), LONG (4) or ASCII (2)."""
    value = {
        2: lambda: str(orientation).encode() + b"\0",
        3: lambda: struct.pack(f"{order}H", orientation),
        4: lambda: struct.pack(f"{order}I", orientation),
    }[type]()
    count = len(value) if type == 2 else 1
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}HHHI", 1, 0x0112, type, count) + value.ljust(4, b"\0") + bytes(4)


def png_with(pixels: np.ndarray, *behind: tuple[bytes, bytes], before: tuple[tuple[bytes, bytes], ...] = ()) -> bytes:
    """A PNG with these chunks before and behind its pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    content = file.getvalue()
    start, end = content.index(b"IDAT") - 4, len(content) - 12
    extra = [b"".join(png_chunk(*chunk) for chunk in chunks) for chunks in (before, behind)]
    return content[:start] + extra[0] + content[start:end] + extra[1] + content[end:]


def raw_profile(exif: bytes) -> bytes:
    """The data of a zTXt chunk in which ImageMagick keeps EXIF."""
    whole = b"Exif\0\0" + exif
    text = f"\nexif\n{len(whole):8}\n{whole.hex()}\n"
    return b"Raw profile type exif\0\0" + zlib.compress(text.encode())


def jpeg_with_late_exif(pixels: np.ndarray, exif: bytes) -> bytes:
    """A JPEG whose EXIF follows a comment, tables and the head of the frame."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", comment=b"first")
    content, data = file.getvalue(), b"Exif\0\0" + exif
    scan = content.index(b"\xff\xda")
    return content[:scan] + b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data + content[scan:]


def tiff_of_values(
    values: np.ndarray,
    *,
    order: str = "<",
    is_planar: bool = False,
    is_packed: bool = False,
    rows: int = 7,
    photometric: int = 1,
    tags: dict[int, Any] | None = None,
) -> bytes:
    """A TIFF of an array (height, width, samples), in strips of `rows`; `tags` are further ones, numbers or bytes."""
    height, width, samples = values.shape
    stored = values.astype(values.dtype.newbyteorder(order))
    planes = [stored[..., [band]] for band in range(samples)] if is_planar else [stored]
    strips = [plane[top : top + rows].tobytes() for plane in planes for top in range(0, height, rows)]
    strips = [zlib.compress(strip) for strip in strips] if is_packed else strips
    starts = [8, *itertools.accumulate((len(strip) for strip in strips), initial=8)][1:-1]
    entries: dict[int, Any] = {
        256: width, 257: height, 258: (8 * values.dtype.itemsize,) * samples, 259: 8 if is_packed else 1,
        262: photometric, 273: tuple(starts), 277: samples, 278: rows, 279: tuple(map(len, strips)),
        284: 2 if is_planar else 1, 339: ({"u": 1, "i": 2, "f": 3}[values.dtype.kind],) * samples, **(tags or {}),
    }  # fmt: skip
    body, arrays_at = b"".join(strips), 8 + sum(map(len, strips))
    arrays, directory = b"", struct.pack(f"{order}H", len(entries))
    for tag, value in sorted(entries.items()):
        numbers = value if isinstance(value, tuple) else (value,)
        packed = value if isinstance(value, bytes) else struct.pack(f"{order}{len(numbers)}I", *numbers)
        type, count = (7 if tag == 700 else 2, len(packed)) if isinstance(value, bytes) else (4, len(numbers))
        directory += struct.pack(f"{order}HHI", tag, type, count)
        if len(packed) > 4:
            directory += struct.pack(f"{order}I", arrays_at + len(arrays))
            arrays += packed
        else:
            directory += packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", arrays_at + len(arrays))
    return head + body + arrays + directory + bytes(4)
