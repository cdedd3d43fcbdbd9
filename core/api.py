"""The public functions of the package `core`; import them from `core`.

Boxes are x1, y1, x2, y2 in pixels of the upright picture, x2 and y2 exclusive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.correction_table import as_sequence
from core.errors import BadFileError, BadInputError
from core.geometry import Box, Boxes, as_boxes, iou
from core.images import Picture, read_picture, read_size
from core.picture_folders import list_pictures
from core.progress import run
from core.records import Category, Dataset, Drawing, ImageRecord, Refinement
from core.translation import tr

if TYPE_CHECKING:
    from core.encoders.image_features import Encoder
    from core.features.cache.feature_cache import FeatureCache
    from core.inference.guess_drawing import Moves
    from core.inference.look_again import Framed
    from core.refiner.candidate_finder import CandidateFinder
    from core.refiner.protocol import Refiner
    from core.store.project_reads import ProjectReads

Image = str | Path | NDArray[np.uint8]
"""A picture's file, or its pixels as (height, width, 3) RGB uint8, upright."""


class Models:
    """A loaded encoder and refiner, from `load_models`. Threads may share it."""

    def __init__(self, encoder: Encoder, refiner: Refiner) -> None:
        self._encoder = encoder
        self._refiner = refiner

    @property
    def identities(self) -> tuple[str, str]:
        """Identities of the encoder and of the refiner: models of the same identity give the same results."""
        return self._encoder.identity, self._refiner.identity

    def with_margins_of(self, project: ProjectReads) -> Models:
        """Return models that widen boxes by the margins which a project's accepted boxes show, by category.

        Args:
            project: from `open_project`; only boxes that this refiner has moved count.

        Raises:
            BadFileError: the project is damaged.
        """
        from core.refiner.learned_margins import LearnedMargins
        from core.refiner.margin_learner import project_margins

        margins = project_margins(project, encoder=self._encoder.identity, refiner=self._refiner.identity)
        return Models(self._encoder, LearnedMargins(self._refiner, margins))

    def refine(
        self,
        image: Image,
        boxes: ArrayLike,
        categories: Sequence[str | None] | None = None,
        *,
        second_look: bool = True,
        candidates: bool = False,
        drawn: str = "auto",
    ) -> list[Refinement]:
        """Refine coarse boxes of one picture.

        Args:
            image: the picture's file, or its pixels (height, width, 3), RGB, uint8.
            boxes: (N, 4) x1, y1, x2, y2 in image pixels; they are clipped to the picture.
            categories: N category names, for a refiner that was taught categories or has margins; None for an unknown
                name.
            second_look: refine unsure boxes again, on a crop of the picture: tighter, and up to a few times slower.
            candidates: add up to three answers to each box, with probabilities: an object, a part, a group.
            drawn: how the boxes were drawn: "drag" by mouse drags, "coarse" if all are off, "placed" for labels of
                which most are right. "auto": if all boxes together would hardly move, only those that are clearly off
                move.

        Returns:
            N refinements, in the order of the boxes: `box`, `edge_confidence`, `score` (the expected IoU), and
            `candidates` if you ask for them: each has a `box` and a `probability`, and the first is the refinement's.

        Raises:
            BadInputError: the pixels are no RGB bytes, a box is not finite, `categories` has another length, there is
                no such `drawn`, or the encoder has no candidates.
            BadFileError: the picture cannot be read.

        >>> import core, numpy as np
        >>> image = np.full((120, 160, 3), 255, np.uint8)
        >>> image[30:90, 40:120] = 0
        >>> models = core.load_models(device="cpu")
        >>> [answer] = models.refine(image, [(35, 27, 124, 95)])
        >>> all(abs(value - true) < 3 for value, true in zip(answer.box, (40, 30, 120, 90)))
        True
        """
        from core.features.pixels import Pixels
        from core.inference.guess_drawing import Moves

        how, picture = (_drawing(drawn), Moves()), Pixels(_read(image), self._encoder)
        return self._refine(picture, boxes, categories, second_look, candidates, *how)

    def refine_many(
        self,
        items: Iterable[tuple[str | Path, ArrayLike]],
        *,
        cache: str | Path | None = None,
        second_look: bool = True,
        candidates: bool = False,
        drawn: str = "auto",
    ) -> Iterator[list[Refinement]]:
        """Refine the boxes of many pictures, one picture after the other.

        Args:
            items: pairs of a picture's file and its boxes (N, 4); the iterable is read one pair at a time.
            cache: folder of a feature cache, so that no picture is encoded twice; None stores no features.
            second_look, candidates, drawn: see `refine`; "auto" goes by the boxes of the earlier pictures, too.

        Yields:
            The refinements of each item, in its order.

        Raises:
            As `refine`; the error ends the iteration, and earlier results stay valid.
        """
        from core.features.feature_source import FeatureSource
        from core.inference.guess_drawing import Moves

        drawing, moves = _drawing(drawn), Moves()
        with _open_cache(cache) as features:
            source = FeatureSource(self._encoder, features)
            for path, boxes in items:
                picture = source.opened(Path(path), keep_crops=False)
                yield self._refine(picture, boxes, None, second_look, candidates, drawing, moves)

    def _refine(
        self,
        picture: Framed,
        boxes: ArrayLike,
        categories: Sequence[str | None] | None,
        second_look: bool,
        candidates: bool,
        drawing: Drawing | None,
        moves: Moves,
    ) -> list[Refinement]:
        from core.inference.crop_refine import pays_for
        from core.inference.refine_many import refine_guessing

        drawn = [Box.of(row) for row in _checked_boxes(boxes)]
        names = [None] * len(drawn) if categories is None else list(categories)
        if len(names) != len(drawn):
            raise BadInputError(
                tr(
                    "There must be one category for each box: give {boxes}, not {categories}.",
                    boxes=len(drawn),
                    categories=len(names),
                )
            )
        job = refine_guessing(
            drawn,
            names,
            moves=moves,
            drawing=drawing,
            picture=picture,
            features=picture.of(),
            refiner=self._refiner,
            second_look=second_look and pays_for(self._encoder.name),
            candidates=self._candidates if candidates else None,
        )
        return run(job)[0]

    @cached_property
    def _candidates(self) -> CandidateFinder:
        from core.refiner.candidate_finder import load_candidate_finder

        return load_candidate_finder(self._encoder)


def load_models(
    encoder: str = "light", device: str = "auto", *, refiner: str | Path | None = None, careful: bool = False
) -> Models:
    """Load an encoder and a refiner for its features.

    Args:
        encoder: "light", which is shipped, or vit_tiny, vit_b, vit_l, vit_h, whose weights must be on this computer
            (`boxrefine models download`), or the .safetensors file of a light encoder of your own.
        device: "auto", "cpu" or "cuda".
        refiner: the folder of a refiner of your own, such as `boxrefine train` makes; None takes the shipped one.
        careful: move only boxes that are clearly off; use this when most boxes are right.

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
    """The contents of an annotation file for the pictures of a folder.

    `problems` has one sentence for each unusable entry, `missing` the names of pictures that are not in the folder.
    """

    dataset: Dataset
    problems: tuple[str, ...]
    missing: tuple[str, ...]


def read_annotations(path: str | Path, images: str | Path) -> Annotations:
    """Read a file or folder of one of the formats that the window imports, such as COCO, YOLO or CVAT.

    Args:
        path: the annotation file or folder.
        images: the folder with the pictures, or with folders of them, which are matched by name.

    Returns:
        Images, categories in the order of the file, one correction for each box, and problems.

    Raises:
        BadFileError: `path` is no annotation file or folder of these formats, or `images` has no pictures.
    """
    from core.formats.importing import find_boxes

    folder = Path(images).absolute()
    records = [ImageRecord(id, picture, *read_size(picture)) for id, picture in enumerate(list_pictures(folder), 1)]
    if not records:
        raise BadFileError(
            tr("The folder {folder} holds no pictures: give the one that the annotations belong to.", folder=folder)
        )
    found = run(find_boxes(Path(path), records, folder=folder))
    names = list(dict.fromkeys([*found.categories, *found.boxes.names]))
    categories = tuple(Category(id, name) for id, name in enumerate(names, start=1))
    table = found.boxes.with_categories({category.name: category.id for category in categories})
    dataset = Dataset(tuple(records), categories, as_sequence(table), folder=folder, sources=tuple(found.sources))
    return Annotations(dataset, tuple(found.problems), tuple(found.missing))


def write_annotations(dataset: Dataset, out: str | Path, *, format: str = "coco") -> Path:
    """Write the boxes of a dataset into a folder; return the main file.

    `format` is "coco", "yolo", "voc", "labelme", "csv", "createml", "cvat", "kitti", "label_studio", "open_images",
    "via", "via_csv", "retinanet" or "automl".

    All images of the dataset are listed, also those without boxes, which other programs read as empty:
    `dataset.labelled()` leaves out those that are not known to be empty.

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
    """Match two sets of boxes (N, 4) and (M, 4) one to one, with the largest sum of IoUs.

    Returns:
        (row in `first`, row in `second`, IoU) for each pair whose IoU is at least `least_iou`, sorted by row.

    Raises:
        BadInputError: a box is not finite or not four numbers.
    """
    from scipy.optimize import linear_sum_assignment

    one, other = _checked_boxes(first), _checked_boxes(second)
    ious = iou(np.repeat(one, len(other), axis=0), np.tile(other, (len(one), 1))).reshape(len(one), len(other))
    rows, columns = linear_sum_assignment(np.where(ious >= least_iou, ious, 0.0), maximize=True)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column, float(ious[row, column])) for row, column in pairs if ious[row, column] >= least_iou]


def _read(image: Image) -> Picture:
    if isinstance(image, str | Path):
        return read_picture(Path(image))
    pixels = np.asarray(image)
    if pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8 and pixels.size:
        return cast(Picture, np.ascontiguousarray(pixels))
    raise BadInputError(_describe_wrong(pixels))


def _drawing(drawn: str) -> Drawing | None:
    known = {"auto": None} | {each.value: each for each in (Drawing.DRAG, Drawing.COARSE, Drawing.PLACED)}
    if drawn not in known:
        raise BadInputError(
            tr("Boxes cannot be drawn as {name!r}: use one of {names}.", name=drawn, names=", ".join(known))
        )
    return known[drawn]


def _describe_wrong(pixels: NDArray[np.generic]) -> str:
    """Describe why an array is no picture, and which code makes it one."""
    shape, type = pixels.shape, pixels.dtype
    if pixels.ndim == 2:
        return tr(
            "The picture has shape {shape} and type {type}: repeat its grey values, "
            "np.repeat(image[..., None], 3, axis=2).",
            shape=shape,
            type=type,
        )
    if pixels.ndim == 3 and shape[0] == 3 and shape[2] != 3:
        return tr(
            "The picture has shape {shape} and type {type}: put its channels last, image.transpose(1, 2, 0).",
            shape=shape,
            type=type,
        )
    if pixels.ndim == 3 and shape[2] == 4:
        return tr(
            "The picture has shape {shape} and type {type}: leave its alpha channel out, image[..., :3].",
            shape=shape,
            type=type,
        )
    if pixels.ndim == 3 and shape[2] == 3 and np.issubdtype(type, np.floating):
        return tr(
            "The picture has shape {shape} and type {type}: scale it to bytes, (image * 255).astype(np.uint8).",
            shape=shape,
            type=type,
        )
    return tr(
        "The picture has shape {shape} and type {type}: give (height, width, 3) RGB of type uint8.",
        shape=shape,
        type=type,
    )


def _checked_boxes(boxes: ArrayLike) -> Boxes:
    try:
        rows = as_boxes(boxes)
    except (ValueError, TypeError) as error:
        raise BadInputError(tr("Each box must be four numbers x1, y1, x2, y2: give an array (N, 4).")) from error
    if not np.isfinite(rows).all():
        number = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise BadInputError(tr("Box {number} is not finite: leave it out.", number=number))
    return rows


@contextmanager
def _open_cache(folder: str | Path | None) -> Iterator[FeatureCache | None]:
    if folder is None:
        yield None
        return
    from core.features.cache.feature_cache import FeatureCache
    from core.settings import load_settings, settings_path

    settings = load_settings(settings_path())
    cache = FeatureCache(Path(folder), disk_budget=settings.cache_disk_budget, ram_budget=0, codec=settings.cache_codec)
    with closing(cache):
        yield cache
