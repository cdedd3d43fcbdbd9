"""The sample project: true and coarse boxes, which ship with BoxRefine, for pictures that ship with scikit-image.

The pictures are read from the installed scikit-image, because BoxRefine has no right to ship them.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from core.errors import BadFileError, StorageError
from core.formats.exporters.coco import CocoFile, read_coco
from core.images import read_size
from core.records import NewImage
from core.resources import RESOURCES
from core.store.project_file import SAMPLE_PREFIX
from core.store.project_store import ProjectStore
from core.translation import tr

TRUE_BOXES = RESOURCES / "sample" / "sample_true.json"
DRAWN_BOXES = RESOURCES / "sample" / "sample_drawn.json"


def pictures_folder() -> Path:
    """Find scikit-image's pictures without importing it. Raises BadFileError if it is not installed."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise BadFileError(
            tr("scikit-image is not installed, and the sample project's pictures are in it: run uv sync.")
        )
    return Path(package.origin).parent / "data"


def true_boxes() -> CocoFile:
    """Read the true boxes, whose edges are within two pixels of the object's."""
    return read_coco(TRUE_BOXES)


def drawn_boxes() -> CocoFile:
    """Read the coarse boxes: the same ids as the true ones, drawn coarsely."""
    return read_coco(DRAWN_BOXES)


def sample_pictures() -> list[Path]:
    """The pictures of the sample project, in its order. Raises BadFileError if one is missing in scikit-image."""
    folder = pictures_folder()
    paths = [folder / image.file_name for image in drawn_boxes().images.values()]
    for path in paths:
        if not path.exists():
            raise BadFileError(
                tr("The sample project's picture {path} is missing: install scikit-image again (uv sync).", path=path)
            )
    return paths


def sample_categories() -> list[str]:
    """The names of the sample project's categories, in their order."""
    return [category["name"] for category in true_boxes().document["categories"]]


def sample_project(path: Path | None = None) -> Path:
    """Open the sample project, creating it at first use, and return its file; the user's boxes in it stay.

    Without `path` it is in the user's data folder, one for each installation of scikit-image: if that moves, a new
    project is created, because the pictures of the previous one may be missing.
    """
    path = path or _users_own()
    with closing(ProjectStore.open_or_create(path)) as store:
        if not store.images():
            store.add_images([NewImage(picture, *read_size(picture)) for picture in sample_pictures()])
        if not store.categories() and store.undo_steps() == (None, None):
            store.add_categories(sample_categories())
    return path


def _users_own() -> Path:
    digest = hashlib.blake2b(os.fsencode(pictures_folder().resolve()), digest_size=4).hexdigest()
    projects = Path(platformdirs.user_data_dir("boxrefine", appauthor=False)) / "projects"
    return projects / f"{SAMPLE_PREFIX}{digest}.sqlite"


def make_pictures(folder: Path, count: int) -> None:
    """Write `count` different 1920 x 1080 JPEGs of the sample pictures, for benchmarks. Raises StorageError."""
    import cv2

    from core.images import read_picture

    sources = [read_picture(path) for path in sample_pictures()]
    for number in range(count):
        source = sources[number % len(sources)]
        top, left = divmod((number // len(sources)) * 3, source.shape[1] // 4)
        part = source[top % (source.shape[0] // 4) :, left:]
        large = cv2.resize(part, (1920, 1080), interpolation=cv2.INTER_LINEAR)
        if not cv2.imwrite(str(folder / f"{number:04}.jpg"), cv2.cvtColor(large, cv2.COLOR_RGB2BGR)):
            raise StorageError(tr("{folder} cannot be written: make room there.", folder=folder))
