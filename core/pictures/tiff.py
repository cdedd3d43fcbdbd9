"""TIFFs that neither Pillow nor OpenCV reads right: deep, planar, signed, of any number of bands, or with nodata.

libtiff, inside Pillow, decompresses: it is given the same strips or tiles as a gray picture of their bytes. So it never
writes more than the header's size, which `core.picture_claims` has compared with the file's.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from core.pictures.deep import Values, largest, to_rgb
from core.translation import tr

TiffTags = TiffImagePlugin.ImageFileDirectory_v2
T = TypeVar("T")

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _COUNTS, _PLANAR, _PREDICTOR = 273, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS, _EXTRA, _FORMAT = 322, 323, 324, 325, 338, 339
_NO_DATA = 42113  # GDAL's, a number as text
_MIN_IS_WHITE, _RGB, _CMYK, _LAB = 0, 2, 5, 8
_ASSOCIATED, _UNASSOCIATED = 1, 2
_WITH_PREDICTOR = frozenset({5, 8, 32946, 34925, 50000})  # LZW, Deflate twice, LZMA, Zstandard
_RAW = 1
_BY_ROWS = frozenset({_RAW, 5, 8, 32773, 32946})  # LZW, Deflate twice, PackBits
_LARGEST_PART = 256 * 1024**2
_LARGEST_STRIP = 2**32 - 1
_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
_READ_BITS = {"u": (8, 16, 32, 64), "i": (8, 16, 32, 64), "f": (16, 32, 64)}


class UnreadTiffError(ValueError):
    """A TIFF whose values are packed in a way that this module does not read."""


@dataclass(frozen=True)
class TiffLayout:
    """How a TIFF stores its values: stored width and height in pixels, `samples` a pixel of `dtype`."""

    width: int
    height: int
    samples: int
    dtype: np.dtype[Any]
    compression: int
    predictor: int
    is_planar: bool
    photometric: int
    extra: tuple[int, ...]
    tile: tuple[int, int] | None
    rows_per_strip: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    fill_order: int
    no_data: float | None

    @classmethod
    def of(cls, tags: TiffTags) -> TiffLayout:
        """Read the tags. Raises UnreadTiffError for what this module does not read, and ValueError for nonsense."""
        samples = _number(tags, _SAMPLES, 1)
        bits, formats = set(_numbers(tags, _BITS, (1,))), set(_numbers(tags, _FORMAT, (1,)))
        kind = _KINDS.get(formats.pop()) if len(formats) == 1 else None
        depth = bits.pop() if len(bits) == 1 else 0
        if kind is None or depth not in _READ_BITS[kind]:
            raise UnreadTiffError(tr("it is of a kind that cannot be read"))
        is_tiled = _TILE_WIDTH in tags
        height = _number(tags, _HEIGHT, 0)
        layout = cls(
            width=_number(tags, _WIDTH, 0),
            height=height,
            samples=samples,
            dtype=np.dtype(f"{'>' if tags.prefix == b'MM' else '<'}{kind}{depth // 8}"),
            compression=_number(tags, _COMPRESSION, 1),
            predictor=_number(tags, _PREDICTOR, 1),
            is_planar=_number(tags, _PLANAR, 1) == 2 and samples > 1,
            photometric=_number(tags, _PHOTOMETRIC, 1),
            extra=_numbers(tags, _EXTRA, ()),
            tile=(_number(tags, _TILE_WIDTH, 0), _number(tags, _TILE_HEIGHT, 0)) if is_tiled else None,
            rows_per_strip=min(_number(tags, _ROWS_PER_STRIP, _LARGEST_STRIP), max(height, 1)),
            offsets=_numbers(tags, _TILE_OFFSETS if is_tiled else _OFFSETS, ()),
            counts=_numbers(tags, _TILE_COUNTS if is_tiled else _COUNTS, ()),
            fill_order=_number(tags, _FILL_ORDER, 1),
            no_data=_no_data_in(tags.get(_NO_DATA)),
        )
        if min(layout.width, layout.height, samples, layout.rows_per_strip, *(layout.tile or (1,))) < 1:
            raise ValueError(tr("its header claims {width} x {height} pixels", width=layout.width, height=height))
        if layout.photometric not in (_MIN_IS_WHITE, 1, _RGB, _CMYK) or layout.predictor not in (1, 2, 3):
            raise UnreadTiffError(tr("it is of a kind that cannot be read"))
        return layout

    @property
    def bytes_a_pixel(self) -> int:
        """Bytes of all samples of a pixel."""
        return self.samples * self.dtype.itemsize

    @property
    def bands(self) -> tuple[int, ...]:
        """Which samples are shown: the first three (of CMYK four), or the first one of one or two."""
        if self.photometric == _CMYK and self.samples >= 4:
            return (0, 1, 2, 3)
        return (0, 1, 2) if self.samples - (self.alpha is not None) >= 3 else (0,)

    @property
    def alpha(self) -> int | None:
        """Which sample is the alpha channel."""
        of_alpha = [place for place, kind in enumerate(self.extra) if kind in (_ASSOCIATED, _UNASSOCIATED)]
        place = self.samples - len(self.extra) + of_alpha[0] if of_alpha else 0
        return place if 0 < place < self.samples else None


def read_tags(file: BinaryIO) -> TiffTags:
    """Read the first directory of a TIFF that Pillow may not open. Raises ValueError, SyntaxError and OSError."""
    file.seek(0)
    head = file.read(16)
    is_big = b"\x2b" in head[2:4]
    if len(head) < (16 if is_big else 8):
        raise ValueError(tr("it is cut short"))
    # Pillow takes a big-endian BigTIFF for a little one, unless the byte order is given apart.
    tags = TiffTags(b"II+\0" + head[4:] if is_big else head[:8], prefix=head[:2])
    file.seek(tags.next)
    tags.load(file)
    return tags


def read_tiff(content: bytes, layout: TiffLayout) -> NDArray[np.uint8]:
    """Decode a whole file as 8-bit RGB (height, width, 3), as it is stored. Raises ValueError and others."""
    if layout.photometric == _CMYK and len(layout.bands) == 4:
        return _of_cmyk(_read_values(content, layout, layout.bands))
    return scale_tiff(content, layout, to_rgb)


def scale_tiff(content: bytes, layout: TiffLayout, scale: Callable[..., T]) -> T:
    """Decode a whole file of no inks by `to_rgb` or `to_deep`. Raises ValueError and others."""
    alpha = layout.alpha
    wanted = layout.bands + (() if alpha is None else (alpha,))
    values = _read_values(content, layout, wanted)
    shown = values[..., : len(layout.bands)]
    return scale(
        shown,
        alpha=None if alpha is None else values[..., -1],
        is_associated=alpha is not None and _ASSOCIATED in layout.extra,
        no_data=layout.no_data,
        is_inverted=layout.photometric == _MIN_IS_WHITE,
    )


def rows_at_once(layout: TiffLayout) -> int | None:
    """How many rows `read_tiff_rows` reads at least; None if the file cannot be read in parts of reasonable size."""
    if layout.compression not in _BY_ROWS:
        return None
    in_strip = 1 if layout.compression == _RAW else layout.rows_per_strip
    unit = layout.tile[1] if layout.tile is not None else in_strip
    return unit if unit * layout.width * layout.bytes_a_pixel <= _LARGEST_PART else None


def read_tiff_rows(file: BinaryIO, layout: TiffLayout, top: int, bottom: int) -> NDArray[np.uint8]:
    """Decode some rows of a TIFF of 8 bits a sample as 8-bit RGB (rows, width, 3), reading only what they need.

    `top` and `bottom` are multiples of `rows_at_once`, or the last is the height. Raises ValueError and others.
    """
    parts, places = [], [0]
    for offset, nbytes in _segments(layout, top, bottom):
        file.seek(offset)
        part = file.read(nbytes)
        if len(part) < nbytes:
            raise ValueError(tr("it is cut short"))
        parts.append(part)
        places.append(places[-1] + nbytes)
    is_split = layout.tile is None and layout.compression == _RAW
    band = replace(
        layout,
        height=bottom - top,
        offsets=tuple(places[:-1]),
        counts=tuple(len(part) for part in parts),
        rows_per_strip=min(1 if is_split else layout.rows_per_strip, bottom - top),
    )
    return read_tiff(b"".join(parts), band)


def _segments(layout: TiffLayout, top: int, bottom: int) -> list[tuple[int, int]]:
    """Offset and bytes of the strips or tiles that hold some rows, plane by plane.

    Strips that are not compressed may be of any height: each of their rows counts as a strip of its own.
    """
    across, _, count = _grid(layout)
    planes = layout.samples if layout.is_planar else 1
    if min(len(layout.offsets), len(layout.counts)) < count * planes:
        raise ValueError(tr("it is cut short"))
    found, in_plane = [], len(layout.offsets) // planes
    for start in range(0, in_plane * planes, in_plane):
        if layout.tile is None and layout.compression == _RAW:
            row_bytes = layout.width * layout.dtype.itemsize * layout.samples // planes
            for row in range(top, bottom):
                strip, below = divmod(row, layout.rows_per_strip)
                found.append((layout.offsets[start + strip] + below * row_bytes, row_bytes))
            continue
        unit = layout.tile[1] if layout.tile is not None else layout.rows_per_strip
        wanted = range(start + top // unit * across, start + math.ceil(bottom / unit) * across)
        found += [(layout.offsets[place], layout.counts[place]) for place in wanted]
    return found


def _of_cmyk(values: Values) -> NDArray[np.uint8]:
    """Inks (height, width, 4) to RGB; 0 is no ink."""
    if values.dtype.kind != "u":
        raise UnreadTiffError(tr("it is of a kind that cannot be read"))
    paper = 1.0 - values[..., :4].astype(np.float32) / largest(values)
    return np.asarray((255.0 * paper[..., :3] * paper[..., 3:]).round(), np.uint8)


def _read_values(content: bytes, layout: TiffLayout, wanted: tuple[int, ...]) -> Values:
    """The wanted samples (height, width, count) in the type of the file, in the byte order of this computer."""
    across, rows, count = _grid(layout)
    segments = len(layout.offsets) if not layout.is_planar else len(layout.offsets) // layout.samples
    needed = count * (layout.samples if layout.is_planar else 1)
    if min(len(layout.offsets), len(layout.counts)) < needed:
        raise ValueError(tr("it is cut short"))
    native = layout.dtype.newbyteorder("=")
    if not layout.is_planar:
        values = _plane(content, layout, slice(0, count), samples=layout.samples, across=across, rows=rows)
        return np.ascontiguousarray(values[..., list(wanted)], native)
    found = np.empty((layout.height, layout.width, len(wanted)), native)
    for place, band in enumerate(wanted):
        part = slice(band * segments, band * segments + count)
        found[..., place] = _plane(content, layout, part, samples=1, across=across, rows=rows)[..., 0]
    return found


def _grid(layout: TiffLayout) -> tuple[int, int, int]:
    """How many segments lie side by side, how many rows they have together, and how many there are in a plane."""
    if layout.tile is None:
        return 1, layout.height, math.ceil(layout.height / layout.rows_per_strip)
    across, down = math.ceil(layout.width / layout.tile[0]), math.ceil(layout.height / layout.tile[1])
    return across, down * layout.tile[1], across * down


def _plane(content: bytes, layout: TiffLayout, part: slice, *, samples: int, across: int, rows: int) -> Values:
    """The values (height, width, samples) of the segments of one plane, or of all samples side by side."""
    width = layout.tile[0] if layout.tile is not None else layout.width
    row_bytes = width * samples * layout.dtype.itemsize
    as_bytes = _decompress(content, layout, part, row_bytes=row_bytes, across=across, rows=rows)
    parts = _undo_predictor(as_bytes.reshape(rows, across, row_bytes), layout, samples)
    return parts.reshape(rows, across * width, samples)[: layout.height, : layout.width]


def _decompress(
    content: bytes, layout: TiffLayout, part: slice, *, row_bytes: int, across: int, rows: int
) -> NDArray[np.uint8]:
    """The bytes (rows, across * row_bytes) of some segments, by a directory that calls each byte a gray pixel."""
    tags: dict[int, tuple[int, ...]] = {
        _WIDTH: (across * row_bytes,),
        _HEIGHT: (rows,),
        _BITS: (8,),
        _COMPRESSION: (layout.compression,),
        _PHOTOMETRIC: (1,),
        _FILL_ORDER: (layout.fill_order,),
        _SAMPLES: (1,),
    }
    if layout.tile is None:
        tags |= {
            _OFFSETS: layout.offsets[part],
            _COUNTS: layout.counts[part],
            _ROWS_PER_STRIP: (layout.rows_per_strip,),
        }
    else:
        tags |= {_TILE_OFFSETS: layout.offsets[part], _TILE_COUNTS: layout.counts[part]}
        tags |= {_TILE_WIDTH: (row_bytes,), _TILE_HEIGHT: (layout.tile[1],)}
    with Image.open(io.BytesIO(_with_directory(content, tags)), formats=("TIFF",)) as image:
        image.load()
        found = np.array(image)
    if found.shape != (rows, across * row_bytes) or found.dtype != np.uint8:
        raise UnreadTiffError(tr("it is of a kind that cannot be read"))
    return found


def _with_directory(content: bytes, tags: dict[int, tuple[int, ...]]) -> bytes:
    """Put a header and a directory before a file; offsets in `tags` are those in the file."""
    # As a BigTIFF, whose offsets have 64 bits.
    arrays_at = 16 + 8 + 20 * len(tags) + 8
    shift = arrays_at + sum(8 * len(numbers) for numbers in tags.values() if len(numbers) > 1)
    entries, arrays = b"", b""
    for tag, numbers in sorted(tags.items()):
        shifted = [number + shift for number in numbers] if tag in (_OFFSETS, _TILE_OFFSETS) else numbers
        packed = struct.pack(f"<{len(shifted)}Q", *shifted)
        entries += struct.pack("<HHQ", tag, 16, len(shifted))
        entries += packed if len(shifted) == 1 else struct.pack("<Q", arrays_at + len(arrays))
        arrays += packed if len(shifted) > 1 else b""
    directory = struct.pack("<Q", len(tags)) + entries + struct.pack("<Q", 0)
    return b"".join((b"II\x2b\0\x08\0\0\0", struct.pack("<Q", 16), directory, arrays, content))


def _undo_predictor(as_bytes: NDArray[np.uint8], layout: TiffLayout, samples: int) -> Values:
    """Bytes (rows, across, row bytes) to values; predictors store differences to the pixel on the left."""
    size = layout.dtype.itemsize
    predictor = layout.predictor if layout.compression in _WITH_PREDICTOR else 1
    if predictor == 2:
        numbers = as_bytes.view(f"{layout.dtype.byteorder if size > 1 else '|'}u{size}").astype(f"=u{size}")
        pixels = numbers.reshape(*as_bytes.shape[:2], -1, samples)
        np.add.accumulate(pixels, axis=2, out=pixels, dtype=pixels.dtype)
        return pixels.view(layout.dtype.newbyteorder("="))
    if predictor == 3:
        # Of each row, the first bytes of all values come first, then the second ones; all as differences.
        steps = as_bytes.reshape(*as_bytes.shape[:2], -1, samples)
        sums = np.add.accumulate(steps, axis=2, dtype=np.uint8).reshape(*as_bytes.shape[:2], size, -1)
        return np.ascontiguousarray(np.swapaxes(sums, 2, 3)).view(f">f{size}")
    return as_bytes.view(layout.dtype)


def _numbers(tags: TiffTags, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
    found = tags.get(tag)
    if found is None or isinstance(found, str | bytes):
        return default
    return tuple(int(number) for number in (found if isinstance(found, tuple) else (found,)))


def _number(tags: TiffTags, tag: int, default: int) -> int:
    return next(iter(_numbers(tags, tag, ())), default)


def _no_data_in(text: object) -> float | None:
    try:
        return float(str(text).strip().strip("\0")) if text is not None else None
    except ValueError:
        return None
