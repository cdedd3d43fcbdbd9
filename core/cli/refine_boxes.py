"""Refine all boxes of a COCO file, picture by picture; unusable pictures are reported, and their boxes left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from core.encoders.image_features import ImageFeatures
from core.errors import BadFileError, KnownError
from core.features.feature_source import FeatureSource, OpenedPicture
from core.formats.exporters.coco import CocoFile, CocoImage
from core.formats.importers.coco_import import category_names
from core.formats.importers.found import SLACK_PX
from core.geometry import Box, Boxes, as_boxes
from core.inference.guess_drawing import guess_for_source
from core.inference.refine_many import refine_many
from core.inference.refine_pictures import (
    Ahead,
    DrawnPicture,
    Outcome,
    Work,
    pictures_together,
    reading_ahead,
    refine_pictures,
)
from core.object_pictures import NamedObjects
from core.object_store.address import Address
from core.object_store.remote_file import PictureFile
from core.picture_folders import NamedPictures
from core.progress import Job, Progress, told_as
from core.records import Drawing, HowDrawn, Refinement
from core.refiner.candidate_finder import CandidateFinder
from core.refiner.conservative import refiner_for
from core.refiner.protocol import Refiner
from core.translation import tr


@dataclass
class RefinedBoxes:
    """Refinements by `CocoAnnotation.index`, and the numbers of refined pictures and of boxes with a second look.

    how: how the boxes were drawn, as given or as guessed
    """

    how: HowDrawn = HowDrawn()
    refinements: dict[int, Refinement] = field(default_factory=dict)
    images: int = 0
    second_looks: int = 0


def refine_boxes(
    coco: CocoFile,
    folder: Path | Address,
    *,
    source: FeatureSource,
    refiner: Refiner,
    complain: Callable[[str], None],
    drawing: Drawing | None = None,
    second_look: bool = True,
    candidates: CandidateFinder | None = None,
) -> Job[RefinedBoxes]:
    """Refine the usable boxes of `coco` on the pictures in `folder`.

    `drawing` is how they were drawn; None guesses it from some of them, see `core.inference.guess_drawing`.
    `complain` gets a sentence for each picture that cannot be used. With `second_look`, boxes are refined again on
    crops of the picture, which show them larger. `candidates` adds up to three
    candidates to each refinement. A taught refiner depends on the names of the boxes' categories.
    """
    batch = Pictures(coco, folder, source, refiner)
    groups = batch.groups
    how = yield from batch.how_drawn(drawing)
    refined = RefinedBoxes(how)

    def take(image_id: int | str, outcome: Outcome) -> None:
        if outcome.error is not None:
            complain(str(outcome.error))
            return
        refined.images += 1
        refined.second_looks += outcome.second_looks
        answers = zip(groups[image_id], outcome.answers, strict=True)
        refined.refinements |= {note.index: answer for note, answer in answers}

    with reading_ahead(source, map(batch.path_of, groups)) as ahead:
        work: Work[int | str] = Work(
            lambda image_id: batch.drawn_picture(image_id, ahead),
            refiner_for(refiner, how),
            second_look,
            candidates,
            pictures_together(source.encoder.device),
        )
        yield from refine_pictures(list(groups), work, name=batch.name_of, take=take)
    yield Progress(len(groups), len(groups))
    return refined


class Pictures:
    """The pictures of one COCO file, by image id, and their boxes."""

    def __init__(self, coco: CocoFile, folder: Path | Address, source: FeatureSource, refiner: Refiner) -> None:
        self._coco, self._source, self._refiner = coco, source, refiner
        self._names = category_names(coco)
        self._pictures = NamedObjects(folder) if isinstance(folder, Address) else NamedPictures(folder)
        self._looked_at: dict[int | str, ImageFeatures] = {}
        # A box around a crowd has no object of its own, so its edges stay.
        groups = {id: [note for note in notes if not note.is_crowd] for id, notes in coco.by_image().items()}
        self.groups = {id: notes for id, notes in groups.items() if notes}

    def drawn_on(self, image_id: int | str) -> tuple[list[Box], list[str | None]]:
        """The boxes of a picture and the names of their categories."""
        drawn = self.groups[image_id]
        return [note.box for note in drawn], [self._names[note.index] for note in drawn]

    def drawn_picture(self, image_id: int | str, ahead: Ahead | None) -> DrawnPicture:
        """Open the next picture of those that are read ahead, as `opened` does."""
        cached = ahead.next() if ahead is not None else None
        return DrawnPicture(*self.opened(image_id, cached), *self.drawn_on(image_id))

    def opened(self, image_id: int | str, cached: ImageFeatures | None = None) -> tuple[OpenedPicture, ImageFeatures]:
        """Open a picture and encode it, unless `moves_on` did. Raises BadFileError if it is not the one of the file."""
        picture = self._source.opened(self.path_of(image_id), keep_crops=False)
        features = self._looked_at.pop(image_id, None) or cached or picture.of()
        self.check_size(image_id, (features.frame.image_width, features.frame.image_height))
        return picture, features

    def name_of(self, image_id: int | str) -> str:
        """The name of a picture in the COCO file."""
        return self._coco.images[image_id].file_name

    def path_of(self, image_id: int | str) -> PictureFile:
        """The file of a picture; it may be missing."""
        return self._pictures.path_of(self._coco.images[image_id].file_name)

    def check_size(self, image_id: int | str, size: tuple[int, int]) -> None:
        """Raise BadFileError where a picture has another size, in pixels, or lies on its side."""
        _check_size(self._coco.images[image_id], size, path=self.path_of(image_id), coco=self._coco.path)

    def how_drawn(self, drawing: Drawing | None) -> Job[HowDrawn]:
        """How the boxes were drawn: as stated, else guessed from some of them."""
        if drawing is not None:
            return HowDrawn.by(drawing)
        return (yield from guess_for_source(list(self.groups), self.moves_on))

    def moves_on(self, image_id: int | str) -> Job[tuple[Boxes, list[Refinement]]]:
        """See `guess_for_source`; a picture that cannot be used is reported when it is refined."""
        try:
            picture, features = self.opened(image_id)
            self._looked_at[image_id] = features
            drawn, names = self.drawn_on(image_id)
            job = refine_many(
                drawn, names, picture=picture, features=features, refiner=self._refiner, second_look=False
            )
            answers, _ = yield from told_as(
                job, lambda _: Progress(0, len(self.groups), tr("how the boxes were drawn"))
            )
            return as_boxes(drawn), answers
        except KnownError:
            return as_boxes([]), []


def _check_size(image: CocoImage, size: tuple[int, int], *, path: PictureFile, coco: Path) -> None:
    """Raise BadFileError where the picture has another size, or lies on its side: its boxes would be misplaced."""
    stated = image.width or size[0], image.height or size[1]
    if max(abs(size[0] - stated[0]), abs(size[1] - stated[1])) > SLACK_PX:
        raise BadFileError(
            tr(
                "The picture {path} is {width} x {height} pixels upright but {file} says {stated_width} x "
                "{stated_height}: give the picture that the boxes were drawn on, or correct its size.",
                path=path,
                width=size[0],
                height=size[1],
                file=coco,
                stated_width=stated[0],
                stated_height=stated[1],
            )
        )
