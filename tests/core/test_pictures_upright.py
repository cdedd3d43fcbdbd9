"""One rule turns a picture upright: its size, its pixels and its thumbnail agree, wherever the orientation stands."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.images import content_hash, read_picture, read_size, read_thumbnail
from tests.core.hostile_pictures import png_chunk
from tests.core.picture_files import (
    RIGHT_TOP_XMP,
    SIDEWAYS,
    exif_of,
    jpeg_with_late_exif,
    png_with,
    raw_profile,
    tiff_of_values,
)

PIXELS = np.zeros((40, 60, 3), np.uint8)
PIXELS[:10, :10] = (250, 0, 0)
DEEP = PIXELS[..., 0].astype(np.uint16) * 257
_ITXT = b"XML:com.adobe.xmp\0\0\0\0\0" + RIGHT_TOP_XMP


def saved(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, **options)
    return file.getvalue()


TURNED = {
    "eXIf behind the pixels": png_with(PIXELS, (b"eXIf", exif_of(SIDEWAYS))),
    "eXIf behind 16-bit pixels": png_with(DEEP, (b"eXIf", exif_of(SIDEWAYS))),
    "the last eXIf of two": png_with(PIXELS, (b"eXIf", exif_of(SIDEWAYS)), before=((b"eXIf", exif_of(1)),)),
    "XMP in a PNG": png_with(PIXELS, before=((b"iTXt", _ITXT),)),
    "XMP behind the pixels": png_with(PIXELS, (b"iTXt", _ITXT)),
    "XMP, and EXIF without orientation": png_with(PIXELS, before=((b"iTXt", _ITXT),)),
    "raw profile": png_with(PIXELS, before=((b"zTXt", raw_profile(exif_of(SIDEWAYS))),)),
    "raw profile behind": png_with(PIXELS, (b"zTXt", raw_profile(exif_of(SIDEWAYS)))),
    "raw profile of 16 bits": png_with(DEEP, before=((b"zTXt", raw_profile(exif_of(SIDEWAYS))),)),
    "APP1 behind other segments": jpeg_with_late_exif(PIXELS, exif_of(SIDEWAYS)),
    "APP1, big-endian": jpeg_with_late_exif(PIXELS, exif_of(SIDEWAYS, order=">")),
    "XMP in a JPEG": saved("JPEG", xmp=RIGHT_TOP_XMP),
    "XMP in a WebP": saved("WEBP", xmp=RIGHT_TOP_XMP),
    "tag of a TIFF": tiff_of_values(PIXELS, photometric=2, tags={274: SIDEWAYS}),
    "XMP in a TIFF": tiff_of_values(PIXELS, photometric=2, tags={700: RIGHT_TOP_XMP}),
    "tag of a 16-bit TIFF": tiff_of_values(DEEP[..., None], tags={274: SIDEWAYS}),
    "XMP in a 16-bit TIFF": tiff_of_values(DEEP[..., None], tags={700: RIGHT_TOP_XMP}),
    "XMP in a TIFF that Pillow does not open": tiff_of_values(
        np.dstack([DEEP] * 5).astype(np.float64), tags={700: RIGHT_TOP_XMP}
    ),
}
UPRIGHT = {
    "ASCII behind": png_with(PIXELS, (b"eXIf", exif_of("6", type=2))),
    "ASCII in a PNG": png_with(PIXELS, before=((b"eXIf", exif_of("6", type=2)),)),
    "ASCII in a JPEG": jpeg_with_late_exif(PIXELS, exif_of("6", type=2)),
    "ASCII in a raw profile": png_with(PIXELS, before=((b"zTXt", raw_profile(exif_of("6", type=2))),)),
    "no such orientation": jpeg_with_late_exif(PIXELS, exif_of(9)),
    "EXIF that is none": jpeg_with_late_exif(PIXELS, b"nonsense"),
    "EXIF before XMP": saved("JPEG", exif=b"Exif\0\0" + exif_of(1), xmp=RIGHT_TOP_XMP),
    "eXIf of a further frame": png_with(
        PIXELS, (b"fcTL", bytes(26)), (b"eXIf", exif_of(SIDEWAYS)), before=((b"acTL", bytes([0, 0, 0, 2, 0, 0, 0, 0])),)
    ),
}


@pytest.mark.parametrize("where", [*TURNED, *UPRIGHT])
def test_size_picture_and_thumbnail_agree(tmp_path: Path, where: str) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes((TURNED | UPRIGHT)[where])
    expected = (40, 60) if where in TURNED else (60, 40)
    picture = read_picture(path)
    assert (read_size(path), picture.shape[1::-1]) == (expected, expected)
    assert read_thumbnail(path, side=30).shape[:2] == ((30, 20) if where in TURNED else (20, 30))
    corner = (5, -5) if where in TURNED else (5, 5)
    assert picture[corner][0] > 200 and picture[20, 20, 0] < 40


PLAIN = [where for where in TURNED | UPRIGHT if "16" not in where and "Pillow" not in where and "none" not in where]
"""Those of 8 bits that Pillow reads to the end."""


@pytest.mark.parametrize("where", PLAIN)
def test_pictures_of_eight_bits_are_what_pillow_makes_of_them(tmp_path: Path, where: str) -> None:
    content = (TURNED | UPRIGHT)[where]
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    assert content_hash(read_picture(path)) == content_hash(expected)


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="Linux alone counts what a process reads")
def test_reading_a_size_skips_the_pixels(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    chunks = [png_chunk(b"IDAT", bytes(1_000_000)) for _ in range(20)]
    content = png_with(PIXELS)
    start = content.index(b"IDAT") - 4
    path.write_bytes(content[:start] + b"".join(chunks) + png_chunk(b"eXIf", exif_of(SIDEWAYS)) + content[-12:])

    def bytes_read() -> int:
        return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])

    before = bytes_read()
    assert read_size(path) == (40, 60)
    assert bytes_read() - before < 200_000 < os.path.getsize(path)  # noqa: PTH202


def test_many_chunks_end_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.pictures.orientation._MOST_CHUNKS", 10)
    path = tmp_path / "chunks.png"
    path.write_bytes(png_with(PIXELS, *[(b"IDAT", b"")] * 20, (b"eXIf", exif_of(SIDEWAYS))))
    assert read_size(path) == read_picture(path).shape[1::-1] == (60, 40)
