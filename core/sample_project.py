"""The sample project: true and coarse boxes, drawn by us, for pictures that ship inside scikit-image.

No picture is ours to ship, so they are read where scikit-image is installed.
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

TRUE_BOXES = RESOURCES / "sample" / "sample_true.json"
DRAWN_BOXES = RESOURCES / "sample" / "sample_drawn.json"


def pictures_folder() -> Path:
    """Where scikit-image keeps its pictures, found without importing it. Raises BadFileError where it is missing."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise BadFileError("scikit-image is not installed, and the sample project's pictures are in it: run uv sync.")
    return Path(package.origin).parent / "data"


def true_boxes() -> CocoFile:
    """Boxes whose edges lie within two pixels of the object's."""
    return read_coco(TRUE_BOXES)


def drawn_boxes() -> CocoFile:
    """The same boxes under the same ids, as a hasty hand would draw them."""
    return read_coco(DRAWN_BOXES)


def sample_pictures() -> list[Path]:
    """The pictures of the sample project, in its order. Raises BadFileError where scikit-image has lost one."""
    folder = pictures_folder()
    paths = [folder / image.file_name for image in drawn_boxes().images.values()]
    for path in paths:
        if not path.exists():
            raise BadFileError(f"The sample project's picture {path} is missing: install scikit-image again (uv sync).")
    return paths


def sample_categories() -> list[str]:
    """What there is to label in the pictures, in their order."""
    return [category["name"] for category in true_boxes().document["categories"]]


def sample_project(path: Path | None = None) -> Path:
    """The file of the sample project, made at first use; boxes that the user has accepted in it stay.

    Without `path` it is the user's own. One scikit-image, one project: a later installation elsewhere starts anew
    instead of showing pictures that are gone.
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
            raise StorageError(f"{folder} cannot be written: make room there.")
