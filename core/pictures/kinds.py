"""Kinds of picture files by the ends of their names: which are read, and which are left out and counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping

from PIL import features

from core.translation import tr_plural

_ALWAYS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"}
)  # of formats that each build of Pillow has
_JPEG_2000, _AVIF = frozenset({".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"}), frozenset({".avif", ".avifs"})

SUFFIXES = (
    _ALWAYS
    | (_JPEG_2000 if features.check("jpg_2000") else frozenset())
    | (_AVIF if features.check("avif") else frozenset())
)
"""Ends of the names of the pictures that this installation reads, in lower case."""

_LEFT_OUT: Mapping[str, str] = {
    **dict.fromkeys(_JPEG_2000, "JPEG 2000"),
    **dict.fromkeys(_AVIF, "AVIF"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIC"),
    ".jxl": "JXL",
    ".jxr": "JPEG XR",
    ".psd": "PSD",
    ".svg": "SVG",
    ".exr": "OpenEXR",
    ".hdr": "Radiance HDR",
    ".dcm": "DICOM",
    ".dng": "DNG",
    ".nef": "NEF",
    ".cr2": "CR2",
    ".cr3": "CR3",
    ".arw": "ARW",
    ".raf": "RAF",
    ".orf": "ORF",
    ".rw2": "RW2",
    ".tga": "TGA",
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), "PNM"),
}
"""Kinds of pictures that people have beside those above, by the ends of their names."""


def suffix_of(name: str) -> str:
    """The lower-case suffix. Path.suffix is ten times slower, and a folder may hold 100,000 names."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def is_picture(name: str) -> bool:
    """Whether a file of this name counts as a picture; hidden files do not."""
    return suffix_of(name) in SUFFIXES and not name.startswith(".")


def is_left_out(name: str) -> bool:
    """Whether a file of this name is a picture of a kind that is not read here."""
    suffix = suffix_of(name)
    return suffix in _LEFT_OUT and suffix not in SUFFIXES and not name.startswith(".")


def count_left_out(names: Iterable[str]) -> Counter[str]:
    """Count the pictures of a folder that are of kinds that BoxRefine does not read, by kind.

    Not those beside a picture of the same stem that it reads, as cameras write a raw file beside each JPEG.
    """
    kinds: dict[str, str] = {}
    read = set()
    for name in names:
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        kind = None if suffix.lower() in SUFFIXES else _LEFT_OUT.get(suffix.lower())
        if is_picture(name):
            read.add(stem)
        elif kind is not None and not name.startswith("."):
            kinds[name] = kind
    return Counter(kind for name, kind in kinds.items() if os.path.splitext(name)[0] not in read)  # noqa: PTH122


def words_on_left_out(counts: Mapping[str, int]) -> str:
    """Return one sentence on how many pictures are left out, of which kinds; empty where there are none."""
    count = sum(counts.values())
    if not count:
        return ""
    return tr_plural(
        "{count} picture of a kind that BoxRefine does not read ({kinds}) is left out: convert it to JPEG or PNG.",
        "{count} pictures of kinds that BoxRefine does not read ({kinds}) are left out: convert them to JPEG or PNG.",
        count,
        kinds=", ".join(sorted(counts)),
    )
