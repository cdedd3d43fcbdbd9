"""Open a picture file of any kind, with what is known before its pixels are decoded."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from core.bounded import open_regular
from core.object_store.remote_file import PictureFile, RemoteFile
from core.picture_claims import (
    FORMATS,
    HEAD_BYTES,
    check_claims,
    check_head,
    check_memory,
    check_scans,
    check_tiff,
    strip_png,
)
from core.pictures.deep import to_deep, to_rgb
from core.pictures.orientation import SIDEWAYS, orientation_in_tags, orientation_of, turn
from core.pictures.tiff import TiffLayout, TiffTags, UnreadTiffError, read_tags, read_tiff, scale_tiff
from core.translation import tr

T = TypeVar("T")

_DEEP_MODES = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_WIDTH, _HEIGHT, _BITS, _ORIENTATION, _XMP = 256, 257, 258, 274, 700


@dataclass
class Opened:
    """An open picture file. `image` is Pillow's, None for a TIFF of a kind that Pillow does not open.

    `width` and `height` are of the stored pixels, which `orientation` (1..8) turns upright. `tags` are a TIFF's.
    """

    file: BinaryIO
    image: ImageFile.ImageFile | None
    width: int
    height: int
    orientation: int
    tags: TiffTags | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Upright width and height in pixels."""
        return (self.height, self.width) if self.orientation in SIDEWAYS else (self.width, self.height)

    @property
    def is_deep(self) -> bool:
        """Whether the pixels are scaled to 8 bits here: more than 8 bits a channel, or nothing that Pillow opens."""
        image = self.image
        return image is None or image.mode in _DEEP_MODES or (image.format in ("PNG", "TIFF") and _bits(image) > 8)

    def read_deep(self) -> NDArray[np.uint8]:
        """Decode a deep picture as upright 8-bit RGB (height, width, 3)."""
        layout = self._checked_layout()
        if self.image is not None and self.image.format not in ("PNG", "TIFF"):
            return turn(to_rgb(np.array(self.image)[..., None]), self.orientation)
        if layout is not None:
            return turn(read_tiff(self._content(), layout), self.orientation)
        return turn(_read_by_opencv(self._content_for_opencv(), to_rgb), self._turned_by_us)

    def read_values(self) -> NDArray[np.uint16] | None:
        """Decode a picture for other tones, upright, see `to_deep`; None if it has 8 bits or inks."""
        if not self.is_deep:
            return None
        layout = self._checked_layout()
        if self.image is not None and self.image.format not in ("PNG", "TIFF"):
            found, orientation = to_deep(np.array(self.image)[..., None]), self.orientation
        elif layout is not None:
            is_inks = len(layout.bands) == 4
            found = None if is_inks else scale_tiff(self._content(), layout, to_deep)
            orientation = self.orientation
        else:
            found, orientation = _read_by_opencv(self._content_for_opencv(), to_deep), self._turned_by_us
        return None if found is None else turn(found, orientation)

    def _checked_layout(self) -> TiffLayout | None:
        """The layout of a TIFF that `core.pictures.tiff` reads; the memory for a deep picture is checked."""
        layout = None
        if self.tags is not None:
            try:
                layout = TiffLayout.of(self.tags)
            except UnreadTiffError:
                if self.image is None:
                    raise
        check_memory(*self.size, is_wide=True, bytes_a_pixel=layout.bytes_a_pixel if layout else 0)
        return layout

    def _content(self) -> bytes:
        self.file.seek(0)
        return self.file.read()

    def _content_for_opencv(self) -> bytes:
        return strip_png(self._content()) if self.tags is None else self._content()

    @property
    def _turned_by_us(self) -> int:
        """The orientation that is left to do after OpenCV.

        OpenCV turns a TIFF by its tag, even with IMREAD_IGNORE_ORIENTATION, and knows no XMP.
        """
        by_tag = self.tags is not None and self.tags.get(_ORIENTATION) is not None
        return 1 if by_tag else self.orientation

    def check_scans(self) -> None:
        """Refuse a progressive JPEG of too many scans. Raises ValueError."""
        if self.image is not None and self.image.info.get("progressive"):
            before = self.file.tell()
            self.file.seek(0)
            check_scans(self.file.read())
            self.file.seek(before)


@contextmanager
def open_picture(path: PictureFile) -> Iterator[Opened]:
    """Open a picture and check what it claims.

    Raises what decoders raise, OSError, TooLargeError and ValueError; KnownError for one in an object store.
    """
    with _open_file(path) as file:
        nbytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(HEAD_BYTES)
        check_head(head, nbytes=nbytes)
        file.seek(0)
        try:
            # By a file object: given a path, Pillow maps some TIFFs and then decodes sideways ones wrong.
            image = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError:
            if not head.startswith(_TIFF_HEADS):
                raise
            yield _open_tiff(file, nbytes=nbytes)
            return
        with image:
            check_claims(image, head, nbytes=nbytes)
            width, height = image.size
            tags = getattr(image, "tag_v2", None) if image.format == "TIFF" else None
            if tags is not None:
                width, height = int(tags[_WIDTH]), int(tags[_HEIGHT])  # Pillow's size is the upright one
            yield Opened(file, image, width, height, orientation_of(image, file), tags)


def _open_file(path: PictureFile) -> BinaryIO:
    return io.BytesIO(path.read()) if isinstance(path, RemoteFile) else open_regular(path)


def _open_tiff(file: BinaryIO, *, nbytes: int) -> Opened:
    """Open a TIFF whose kind Pillow does not know."""
    tags = read_tags(file)
    check_tiff(tags, nbytes=nbytes)
    layout = TiffLayout.of(tags)
    orientation = orientation_in_tags(tags.get(_ORIENTATION), tags.get(_XMP))
    return Opened(file, None, layout.width, layout.height, orientation, tags)


def _bits(image: ImageFile.ImageFile) -> int:
    """Bits per channel of a TIFF or PNG; Pillow's mode does not always show them."""
    bits = getattr(image, "tag_v2", {}).get(_BITS, 8)
    if isinstance(bits, tuple):
        bits = max(bits)
    if image.format == "PNG" and "16" in str(image.tile[0].args if image.tile else ""):
        bits = 16
    return int(bits)


def _read_by_opencv(content: bytes, scale: Callable[..., T]) -> T:
    """Decode a PNG of 16 bits, or a TIFF of an odd number of bits, by `to_rgb` or `to_deep`."""
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    values = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    if values is None:
        raise ValueError(tr("it is of a kind that cannot be read"))
    if values.ndim == 2:
        return scale(values[..., None])
    if values.shape[2] < 3:
        return scale(values[..., :1])
    return scale(values[..., 2::-1], alpha=values[..., 3] if values.shape[2] == 4 else None)
