"""Pictures that lie: small files, made here, whose headers or kinds are meant to hurt whoever decodes them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 60 40\n%%EndComments\n(x) run\nshowpage\n%%EOF\n"


def saved(kind: str, *, mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> bytes:
    """An honest picture of a kind."""
    pixels = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def png_of(width: int, height: int, *, depth: int = 8, color: int = 2, pixels: bytes = b"\0") -> bytes:
    """A PNG whose header says what it likes."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def png_chunk(kind: bytes, data: bytes, *, length: int | None = None) -> bytes:
    claimed = len(data) if length is None else length
    return struct.pack(">I", claimed) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bmp_of(width: int, height: int, *, compression: int = 0) -> bytes:
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, 24 if compression == 0 else 8, compression, 0, 0, 0, 0, 0
    )
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + header + b"\0" * 200


def webp_of(width: int, height: int) -> bytes:
    """Pillow takes the memory of the canvas when it opens one."""
    chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (width - 1).to_bytes(3, "little")
    chunk += (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def tiff_of(tags: dict[int, int]) -> bytes:
    """A TIFF with a directory of these whole numbers and nothing else."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + b"\0" * 64


def jpeg_of(width: int, height: int) -> bytes:
    """An honest JPEG whose frame header was changed."""
    content = bytearray(saved("JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def gif_of(width: int, height: int) -> bytes:
    """A GIF whose canvas is as large as its header likes."""
    content = bytearray(saved("GIF"))
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


def jpeg_2000_of(width: int, height: int) -> bytes:
    """An honest JPEG 2000 whose both headers were changed."""
    content, sides = bytearray(saved("JPEG2000")), struct.pack(">II", width, height)
    box, frame = content.index(b"ihdr") + 4, content.index(b"\xff\x51") + 6
    content[box : box + 8], content[frame : frame + 8] = struct.pack(">II", height, width), sides
    content[frame + 16 : frame + 24] = sides  # one tile
    return bytes(content)


def avif_of(width: int, height: int) -> bytes:
    """An honest AVIF whose spatial extents were changed."""
    content = bytearray(saved("AVIF"))
    at = content.index(b"ispe") + 8
    content[at : at + 8] = struct.pack(">II", width, height)
    return bytes(content)


def many_scans() -> bytes:
    """A progressive JPEG that goes over its pixels ten thousand times."""
    file = io.BytesIO()
    Image.new("RGB", (2000, 2000)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    start, end = content.rindex(b"\xff\xda"), content.rindex(b"\xff\xd9")
    return content[:end] + content[start:end] * 10_000 + content[end:]


def hostile_pictures() -> dict[str, bytes]:
    """Name -> bytes; none of them is a picture."""
    tiff = {256: 60, 257: 40, 258: 8, 259: 1, 262: 1, 273: 150, 277: 1, 278: 40, 279: 2400}
    honest = saved("PNG")
    deep_head = png_of(60, 40, depth=16)[:33]
    return {
        "size.png": png_of(30_000, 30_000),
        "size16.png": png_of(20_000, 20_000, depth=16),
        "wide.png": png_of(2**31 + 60, 40),
        "nothing.png": png_of(0, 40),
        "chunk.png": deep_head + png_chunk(b"IDAT", b"x", length=2**31 - 1),
        "text.png": honest[:33] + png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200_000_000))) + honest[33:],
        "size.bmp": bmp_of(30_000, 30_000),
        "tall.bmp": bmp_of(60, 2**27),
        "runs.bmp": bmp_of(30_000, 30_000, compression=1),
        "size.webp": webp_of(16_384, 16_384),
        "canvas.webp": webp_of(2**24, 255),
        "size.tif": tiff_of(tiff | {256: 30_000, 257: 30_000}),
        "tile.tif": tiff_of(tiff | {322: 2**20, 323: 2**11, 324: 150, 325: 100}),
        "deep.tif": tiff_of(tiff | {258: 16, 256: 2**15, 257: 2**15}),
        "size.jpg": jpeg_of(65_000, 65_000),
        "scans.jpg": many_scans(),
        "size.gif": gif_of(65_535, 65_535),
        "size.jp2": jpeg_2000_of(30_000, 30_000),
        "size.avif": avif_of(16_000, 16_000),
        "cut.avif": saved("AVIF")[:300],
        "cut.jp2": saved("JPEG2000")[:300],
        "bands.tif": tiff_of(tiff | {258: 64, 277: 60_000, 256: 3000, 257: 3000}),
        "postscript.jpg": POSTSCRIPT,
        "pcx.jpg": saved("PCX"),
        "dds.png": b"DDS |" + bytes(200),
        "cut.webp": saved("WEBP")[:24],
        "text.tif": b"II*\0",
        "empty.png": b"",
    }


def write_all(folder: Path) -> list[Path]:
    """Write all of them into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in hostile_pictures().items():
        (folder / name).write_bytes(content)
    return [folder / name for name in hostile_pictures()]
