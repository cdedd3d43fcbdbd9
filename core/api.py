"""The public functions of the package `core`; import them from there.

Boxes are x1, y1, x2, y2 in pixels of the upright picture, x2 and y2 exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.errors import BadFileError, BadInputError
from core.geometry import Box, Boxes, Frame, as_boxes, iou
from core.images import Picture, list_pictures, read_picture, read_size
from core.progress import run
from core.records import Category, Dataset, ImageRecord, Refinement

if TYPE_CHECKING:
    from core.encoders.image_features import Encoder, ImageFeatures
    from core.features.cache.feature_cache import FeatureCache
    from core.inference.look_again import Framed
    from core.refiner.protocol import Refiner
    from core.store.project_reads import ProjectReads

Image = str | Path | NDArray[np.uint8]
"""A picture's file, or its pixels as (height, width, 3) RGB uint8, upright."""


class Models:
    """An encoder and a refiner, loaded once; made by `load_models`. Threads may share it."""

    def __init__(self, encoder: Encoder, refiner: Refiner) -> None:
        self._encoder = encoder
        self._refiner = refiner

    @property
    def identities(self) -> tuple[str, str]:
        """Identities of the encoder and of the refiner: the same identity gives the same answers."""
        return self._encoder.identity, self._refiner.identity

    def refine(
        self,
        image: Image,
        boxes: ArrayLike,
        categories: Sequence[str | None] | None = None,
        *,
        second_look: bool = True,
    ) -> list[Refinement]:
        """Refine careless boxes of one picture.

        Args:
            image: the picture's file, or its pixels (height, width, 3), RGB, uint8.
            boxes: (N, 4) x1, y1, x2, y2 in image pixels; they are clipped to the picture.
            categories: N category names for a refiner that was taught some, None where a name is not known.
            second_look: refine each box again on a crop of the picture: tighter, and a few times slower.

        Returns:
            N refinements, in the order of the boxes: `box`, `edge_confidence`, `score` (the expected IoU).

        Raises:
            BadInputError: the pixels are no RGB bytes, a box is not finite, or `categories` has another length.
            BadFileError: the picture cannot be read.

        >>> import core, numpy as np
        >>> image = np.full((120, 160, 3), 255, np.uint8)
        >>> image[30:90, 40:120] = 0
        >>> models = core.load_models(device="cpu")
        >>> [answer] = models.refine(image, [(35, 27, 124, 95)])
        >>> all(abs(value - true) < 3 for value, true in zip(answer.box, (40, 30, 120, 90)))
        True
        """
        return self._refined(_Pixels(_read(image), self._encoder), boxes, categories, second_look)

    def refine_many(
        self,
        items: Iterable[tuple[str | Path, ArrayLike]],
        *,
        cache: str | Path | None = None,
        second_look: bool = True,
    ) -> Iterator[list[Refinement]]:
        """Refine the boxes of many pictures, one picture after the other.

        Args:
            items: pairs of a picture's file and its boxes (N, 4); they are asked for one at a time.
            cache: folder of a feature cache, so that no picture is encoded twice; None keeps no features.
            second_look: see `refine`.

        Yields:
            The refinements of each item, in its order.

        Raises:
            As `refine`; the iteration ends with the error, and what was yielded before stays valid.
        """
        from core.features.feature_source import FeatureSource

        with _opened_cache(cache) as features:
            source = FeatureSource(self._encoder, features)
            for path, boxes in items:
                yield self._refined(source.opened(Path(path), keep_crops=False), boxes, None, second_look)

    def _refined(
        self, picture: Framed, boxes: ArrayLike, categories: Sequence[str | None] | None, second_look: bool
    ) -> list[Refinement]:
        from core.inference.crop_refine import pays_for
        from core.inference.refine_many import refine_many

        drawn = [Box.of(row) for row in _checked_boxes(boxes)]
        names = [None] * len(drawn) if categories is None else list(categories)
        if len(names) != len(drawn):
            raise BadInputError(f"There are {len(drawn)} boxes but {len(names)} categories: give one for each box.")
        job = refine_many(
            drawn,
            names,
            picture=picture,
            features=picture.of(),
            refiner=self._refiner,
            second_look=second_look and pays_for(self._encoder.name),
        )
        return run(job)[0]


def load_models(
    encoder: str = "light", device: str = "auto", *, refiner: str | Path | None = None, careful: bool = False
) -> Models:
    """Load an encoder and a refiner of its features.

    Args:
        encoder: "light", which is shipped, or vit_tiny, vit_b, vit_l, vit_h, whose weights must be on this computer
            (`boxrefine models download`), or the .safetensors file of a light encoder of your own.
        device: "auto", "cpu" or "cuda".
        refiner: the folder of a refiner of your own, such as `boxrefine train` makes; None takes the shipped one.
        careful: move only boxes that are clearly off, for boxes that are right but for a few.

    Raises:
        BadInputError: there is no such encoder or device.
        BadWeightsError: weights are missing or damaged.
    """
    from core.encoders.catalogue import load_encoder
    from core.refiner.checkpoint import load_refiner

    loaded = load_encoder(encoder, device)
    return Models(loaded, load_refiner(None if refiner is None else Path(refiner), loaded, careful=careful))


@dataclass(frozen=True)
class Annotations:
    """What an annotation file holds of the pictures of a folder.

    `problems` has one sentence for each entry that cannot be used, `missing` the names of pictures that are not there.
    """

    dataset: Dataset
    problems: tuple[str, ...]
    missing: tuple[str, ...]


def read_annotations(path: str | Path, images: str | Path) -> Annotations:
    """Read a COCO file, or a file or folder of YOLO, Pascal VOC or LabelMe.

    Args:
        path: the annotation file or folder.
        images: the folder with the pictures, which are found by their names.

    Returns:
        Images, categories in the order of their first box, and one correction for each box.

    Raises:
        BadFileError: nothing of these kinds is at `path`, or the folder has no pictures.
    """
    from core.formats.importing import find_boxes

    folder = Path(images).absolute()
    records = [ImageRecord(id, picture, *read_size(picture)) for id, picture in enumerate(list_pictures(folder), 1)]
    if not records:
        raise BadFileError(f"The folder {folder} holds no pictures: give the one that the annotations belong to.")
    found = run(find_boxes(Path(path), records, folder=folder))
    names = list(dict.fromkeys(entry.category for entry in found.boxes))
    categories = tuple(Category(id, name) for id, name in enumerate(names, start=1))
    id_of = {category.name: category.id for category in categories}
    corrections = tuple(
        replace(entry.correction, id=id, category_id=id_of[entry.category])
        for id, entry in enumerate(found.boxes, start=1)
    )
    dataset = Dataset(tuple(records), categories, corrections, folder=folder)
    return Annotations(dataset, tuple(found.problems), tuple(found.missing))


def write_annotations(dataset: Dataset, out: str | Path, *, format: str = "coco") -> Path:
    """Write the accepted boxes of a dataset into a folder as "coco", "yolo" or "voc"; gives the main file.

    Raises:
        BadInputError: there is no such format.
        StorageError: the disk is full or may not be written; the folder is then as it was.
    """
    from core.formats import export

    return run(export(dataset, format=format, out=Path(out))).path


@contextmanager
def open_project(path: str | Path) -> Iterator[ProjectReads]:
    """Read a project: `with core.open_project("pictures") as project: project.dataset()`.

    Args:
        path: a project file, or the folder that holds one.

    Raises:
        BadFileError: there is no project, or it is damaged.
        StorageError: a newer version wrote it.
    """
    from core.store.project_store import ProjectStore, project_path_for

    place = Path(path)
    with closing(ProjectStore.open(project_path_for(place) if place.is_dir() else place)) as project:
        yield project


def match_boxes(first: ArrayLike, second: ArrayLike, *, least_iou: float = 0.5) -> list[tuple[int, int, float]]:
    """Match two sets of boxes (N, 4) and (M, 4) one to one, so that the sum of the IoUs is largest.

    Returns:
        (row of the first, row of the second, IoU) for each pair of at least `least_iou`, by the first row.

    Raises:
        BadInputError: a box is not finite or not four numbers.
    """
    from scipy.optimize import linear_sum_assignment

    one, other = _checked_boxes(first), _checked_boxes(second)
    ious = iou(np.repeat(one, len(other), axis=0), np.tile(other, (len(one), 1))).reshape(len(one), len(other))
    rows, columns = linear_sum_assignment(np.where(ious >= least_iou, ious, 0.0), maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column, float(ious[row, column])) for row, column in pairs if ious[row, column] >= least_iou]


class _Pixels:
    """A picture in memory as what can be encoded by frames; see `inference.look_again.Framed`."""

    def __init__(self, picture: Picture, encoder: Encoder) -> None:
        self._picture = picture
        self._encoder = encoder

    def of(self, frame: Frame | None = None) -> ImageFeatures:
        height, width = self._picture.shape[:2]
        return self._encoder.encode(self._picture, frame or Frame.whole(width=width, height=height))

    def once(self, crop: Frame) -> ImageFeatures:
        return self.of(crop)


def _read(image: Image) -> Picture:
    if isinstance(image, str | Path):
        return read_picture(Path(image))
    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8 and pixels.size:
        return cast(Picture, np.ascontiguousarray(pixels))
    raise BadInputError(f"The picture has shape {pixels.shape} and type {pixels.dtype}: {_cure(pixels)}.")


def _cure(pixels: NDArray[np.generic]) -> str:
    """What turns an array into a picture."""
    if pixels.ndim == 2:
        return "repeat its grey values, np.repeat(image[..., None], 3, axis=2)"
    if pixels.ndim == 3 and pixels.shape[0] == 3 and pixels.shape[2] != 3:
        return "put its channels last, image.transpose(1, 2, 0)"
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return "leave its alpha channel out, image[..., :3]"
    if pixels.ndim == 3 and pixels.shape[2] == 3 and np.issubdtype(pixels.dtype, np.floating):
        return "scale it to bytes, (image * 255).astype(np.uint8)"
    return "give (height, width, 3) RGB of type uint8"


def _checked_boxes(boxes: ArrayLike) -> Boxes:
    try:
        rows = as_boxes(boxes)
    except (ValueError, TypeError) as error:
        raise BadInputError("Each box must be four numbers x1, y1, x2, y2: give an array (N, 4).") from error
    if not np.isfinite(rows).all():
        raise BadInputError(f"Box {int(np.argmin(np.isfinite(rows).all(axis=1)))} is not finite: leave it out.")
    return rows


@contextmanager
def _opened_cache(folder: str | Path | None) -> Iterator[FeatureCache | None]:
    if folder is None:
        yield None
        return
    from core.features.cache.feature_cache import FeatureCache
    from core.settings import load_settings, settings_path

    settings = load_settings(settings_path())
    cache = FeatureCache(Path(folder), disk_budget=settings.cache_disk_budget, ram_budget=0, codec=settings.cache_codec)
    with closing(cache):
        yield cache
