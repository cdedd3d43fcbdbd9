"""Large pictures decoded into a temporary file: the canvas reads parts of it, so that memory never holds it whole.

JPEG, PNG and most TIFFs of 8 bits a channel are decoded row by row. Pictures of other kinds are decoded in memory, as
`core.images.read_picture` does, and copied. The file has no name where the system allows that: it is gone when it is
closed, or the program is killed.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from core.errors import BadFileError
from core.pictures.opened import Opened, open_picture
from core.pictures.orientation import SIDEWAYS, turn
from core.pictures.tiff import TiffLayout, UnreadTiffError, read_tiff_rows, rows_at_once
from core.progress import Job, Progress
from core.translation import tr

Pixels = NDArray[np.uint8]

LARGE = 64 * 1024**2
"""Pixels from which on a picture is spooled; a smaller one takes less than 400 MB with its smaller copies."""

COARSEST = 2048
"""The smallest level is at most as wide and as high."""

_BAND_BYTES = 48 * 1024**2
_ROOM = 1.05
_CHUNK = 64 * 1024
"""Bytes of the file that are decoded at once: of one color, a JPEG has a thousand pixels a byte."""
_MODES = {"RGB": "RGBX", "L": "L"}
"""Modes of Pillow that are decoded into the file, and how: three channels take four bytes."""


@dataclass
class Spool:
    """The levels of a picture, each half as large as the one before, in a temporary file.

    A level is an array (height, width, 4) or (height, width) of stored pixels, which `orientation` turns upright; the
    fourth channel has no meaning. `part` may be called in any thread.
    """

    levels: list[Pixels]
    orientation: int
    _file: IO[bytes]
    _maps: list[mmap.mmap] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        """Upright width and height in pixels."""
        return self.size_of(0)

    def size_of(self, level: int) -> tuple[int, int]:
        """Upright width and height of a level in pixels."""
        height, width = self.levels[level].shape[:2]
        return (height, width) if self.orientation in SIDEWAYS else (width, height)

    def part(self, level: int, left: int, top: int, width: int, height: int) -> Pixels:
        """Copy a part of an upright level: RGB (height, width, 3), smaller where the level ends."""
        whole_width, whole_height = self.size_of(level)
        right, bottom = min(left + width, whole_width), min(top + height, whole_height)
        rows, columns = _stored((left, top, right, bottom), (whole_width, whole_height), self.orientation)
        stored = np.ascontiguousarray(self.levels[level][rows, columns])
        rgb = cv2.cvtColor(stored, cv2.COLOR_GRAY2RGB if stored.ndim == 2 else cv2.COLOR_RGBA2RGB)
        return turn(np.asarray(rgb, np.uint8), self.orientation)

    def close(self) -> None:
        """Give the file back; arrays that still use a part of it keep that."""
        self.levels = []
        for mapped in self._maps:
            with contextlib.suppress(BufferError):  # an array elsewhere uses it, and frees it at its end
                mapped.close()
        self._maps = []
        self._file.close()

    def __del__(self) -> None:
        """Give back the file of a picture that came too late for the window, which drops it."""
        self.close()

    def new_level(self, height: int, width: int, channels: int) -> Pixels:
        """Add a level of zeros."""
        nbytes = height * width * channels
        start = -(-self._file.seek(0, 2) // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        self._file.truncate(start + nbytes)
        if hasattr(os, "posix_fallocate"):  # a full disk is an error now, and not a signal that ends the program later
            os.posix_fallocate(self._file.fileno(), start, nbytes)
        mapped = mmap.mmap(self._file.fileno(), nbytes, offset=start)
        self._maps.append(mapped)
        flat = np.frombuffer(mapped, np.uint8)
        self.levels.append(flat.reshape((height, width) if channels == 1 else (height, width, channels)))
        return self.levels[-1]

    def let_go(self) -> None:
        """Let the system take back the memory of what is written; it stays in the file."""
        for mapped in self._maps:
            if hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)


def spool(path: Path, folder: Path, *, whole: Callable[[Path], Pixels]) -> Job[Spool]:
    """Decode a picture into a temporary file in `folder`, with halved levels; closing the job removes the file.

    `whole` decodes pictures that cannot be decoded row by row. Raises BadFileError if the disk has too little room, and
    what decoders raise.
    """
    with open_picture(path) as opened:
        opened.check_scans()
        width, height = opened.width, opened.height
        needed = int(width * height * 4 * 4 / 3 * _ROOM)
        folder.mkdir(parents=True, exist_ok=True)
        free = free_bytes(folder)
        if free < needed:
            raise BadFileError(
                tr(
                    "The picture {path} needs {needed} GB of room in {folder} while it is open, and {free} GB are "
                    "free: free some, or choose another folder for the cache.",
                    path=path,
                    needed=f"{needed / 1e9:.1f}",
                    folder=folder,
                    free=f"{free / 1e9:.1f}",
                )
            )
        made = Spool([], opened.orientation, tempfile.TemporaryFile(dir=folder))  # noqa: SIM115  # closed with it
        try:
            yield from _decode(opened, path, made, whole)
            yield from _halve(made)
        except BaseException:
            made.close()
            raise
    return made


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk that has a folder."""
    return shutil.disk_usage(folder).free


def _decode(opened: Opened, path: Path, into: Spool, whole: Callable[[Path], Pixels]) -> Job[None]:
    image, layout = opened.image, _layout_of(opened)
    if layout is not None:
        yield from _decode_tiff(opened, layout, into)
    elif image is not None and _is_sequential(image) and not opened.is_deep:
        yield from _decode_rows(image, into)
    else:
        pixels = whole(path)
        into.orientation = 1
        height, width = pixels.shape[:2]
        target = into.new_level(height, width, 4)
        for top in range(0, len(pixels), _rows(target)):
            band = slice(top, top + _rows(target))
            target[band, :, :3] = pixels[band]
            yield Progress(top, len(pixels))


def _layout_of(opened: Opened) -> TiffLayout | None:
    """The layout of a TIFF that is decoded in bands of rows: values of 8 bits need no range of the whole picture."""
    if opened.tags is None:
        return None
    try:
        layout = TiffLayout.of(opened.tags)
    except UnreadTiffError:
        return None
    return layout if layout.dtype == np.uint8 and rows_at_once(layout) is not None else None


def _decode_tiff(opened: Opened, layout: TiffLayout, into: Spool) -> Job[None]:
    target = into.new_level(layout.height, layout.width, 4)
    unit = rows_at_once(layout) or layout.height
    step = max(1, _BAND_BYTES // max(1, layout.width * layout.bytes_a_pixel * unit)) * unit
    for top in range(0, layout.height, step):
        bottom = min(top + step, layout.height)
        target[top:bottom, :, :3] = read_tiff_rows(opened.file, layout, top, bottom)
        into.let_go()
        yield Progress(bottom, layout.height)


def _is_sequential(image: ImageFile.ImageFile) -> bool:
    """Whether Pillow decodes it from top to bottom, without a copy of all pixels, into memory that it is given."""
    info = image.info
    if image.mode not in _MODES or "transparency" in info or sys.byteorder != "little" or len(image.tile) != 1:
        return False
    if image.format == "JPEG":
        return not info.get("progressive")
    return image.format == "PNG" and not info.get("interlace")


def _decode_rows(image: ImageFile.ImageFile, into: Spool) -> Job[None]:
    """Let Pillow decode into the mapped file, chunk by chunk, as `ImageFile.load` does it at once.

    Raises OSError if the file is damaged or cut short.
    """
    picture: Any = image  # attributes that Pillow does not declare
    core: Any = vars(Image)["core"]
    width, height = image.size
    mode = _MODES[image.mode]
    into.new_level(height, width, len(mode))
    tile = image.tile[0]
    # A picture of this mode and memory, so that Pillow does not allocate its own.
    picture._mode, picture._im = mode, core.map_buffer(into._maps[0], image.size, "raw", 0, (mode, 0, 1))
    picture.load_prepare()
    decoder: Any = Image._getdecoder(mode, tile.codec_name, _arguments(tile.args), picture.decoderconfig)
    read: Callable[[int], bytes] = getattr(picture, "load_read", None) or picture.fp.read
    picture.fp.seek(tile.offset)
    waiting, count, code = b"", 0, 0
    try:
        decoder.setimage(picture._im, tile.extents)
        while True:
            chunk = read(_CHUNK)
            if not chunk:
                raise OSError(tr("it is cut short"))
            used, code = decoder.decode(waiting + chunk)
            if used < 0:
                break
            waiting = (waiting + chunk)[used:]
            count += 1
            into.let_go()
            if count % 32 == 0:
                yield Progress(count, 0)
    finally:
        decoder.cleanup()
        picture._im = None
    if code < 0:
        raise OSError(tr("it is damaged"))
    into.let_go()


def _arguments(args: object) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else () if args is None else (args,)


def _halve(into: Spool) -> Job[None]:
    """Add levels until one is small; each is made of the one before, in bands."""
    while max(into.levels[-1].shape[:2]) > COARSEST and min(into.levels[-1].shape[:2]) > 1:
        source = into.levels[-1]
        height, width = source.shape[0] // 2, source.shape[1] // 2
        target = into.new_level(height, width, 1 if source.ndim == 2 else source.shape[2])
        rows = max(1, _rows(source) // 2)
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            part = np.ascontiguousarray(source[2 * top : 2 * bottom, : 2 * width])
            target[top:bottom] = cv2.resize(part, (width, bottom - top), interpolation=cv2.INTER_AREA)
            into.let_go()
            yield Progress(bottom, height)


def _rows(level: Pixels) -> int:
    return max(2, _BAND_BYTES // max(1, int(level[0].nbytes)))


def _stored(upright: tuple[int, int, int, int], size: tuple[int, int], orientation: int) -> tuple[slice, slice]:
    """Rows and columns of the stored array that `turn` makes a part (left, top, right, bottom) of the upright one."""
    left, top, right, bottom = upright
    width, height = size
    # The inverse of `turn`, which exchanges the axes first and flips then.
    if orientation in (2, 3, 6, 7):
        left, right = width - right, width - left
    if orientation in (3, 4, 7, 8):
        top, bottom = height - bottom, height - top
    rows, columns = slice(top, bottom), slice(left, right)
    return (columns, rows) if orientation in SIDEWAYS else (rows, columns)
