"""Propose boxes for a folder or a project, and write them as a COCO document."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.encoders.image_features import ImageFeatures
from core.errors import BadInputError, KnownError
from core.features.feature_source import FeatureSource
from core.formats.importers.coco_import import category_names
from core.formats.importers.coco_reader import CocoFile
from core.head_records import PictureLabels
from core.object_pictures import NamedObjects
from core.object_store.address import Address
from core.object_store.remote_file import PictureFile
from core.picture_folders import NamedPictures
from core.progress import Job, Progress
from core.refiner.protocol import Refiner
from core.store.project_store import ProjectStore
from core.suggest.kit import SuggestKit
from core.suggest.suggester import Suggester, Suggestion
from core.translation import tr


@dataclass(frozen=True)
class Target:
    """A picture that gets proposals: its id and name in the output, its file, and what is known of it."""

    id: int | str
    name: str
    path: PictureFile
    labels: PictureLabels


@dataclass(frozen=True)
class Examples:
    """Labelled pictures, the pictures that get proposals, and the ids of the categories by name.

    paths: the file of each labelled picture, by `PictureLabels.id`
    """

    labels: list[PictureLabels]
    paths: dict[int, PictureFile]
    targets: list[Target]
    categories: dict[str, int | str]


@dataclass(frozen=True)
class Proposed:
    """The COCO document, and what the proposals come from."""

    document: dict[str, Any]
    examples: int
    images: int
    threshold: float
    expected_precision: float
    head: str


def examples_of_coco(
    coco: CocoFile, folder: Path | Address, *, partial: bool, complain: Callable[[str], None] | None = None
) -> Examples:
    """Read examples from a COCO file on the pictures in `folder` and those below, or at an address.

    `complain` gets a sentence on folders that are left out.

    Raises BadFileError if the folder cannot be read, BadInputError if the file has no box.
    """
    names = category_names(coco)
    entries = coco.document.get("categories")
    known = entries if isinstance(entries, list) else []
    ids = {name: entry["id"] for entry in known if isinstance(entry, dict) for name in [entry.get("name")] if name}
    labels, targets, paths = [], [], dict[int, PictureFile]()
    groups = coco.by_image()
    pictures = NamedObjects(folder, complain) if isinstance(folder, Address) else NamedPictures(folder, complain)
    for number, (id, image) in enumerate(coco.images.items()):
        boxes = tuple((note.box, name) for note in groups.get(id, ()) for name in [names[note.index]] if name)
        entry = PictureLabels(number, boxes, done=bool(boxes) and not partial)
        paths[number] = pictures.path_of(image.file_name)
        if boxes:
            labels.append(entry)
        if not entry.done:
            targets.append(Target(id, image.file_name, paths[number], entry))
    labelled = set(paths.values())
    fresh = ((path, name) for path, name in pictures.named() if path not in labelled)
    highest = max((id for id in coco.images if isinstance(id, int)), default=0)
    for number, (path, name) in enumerate(fresh, start=len(coco.images)):
        highest += 1
        targets.append(Target(highest, name, path, PictureLabels(number, ())))
    if not labels:
        raise BadInputError(
            tr("{file} has no box with a category: label some pictures first, five are a good start.", file=coco.path)
        )
    return Examples(labels, paths, targets, {name: ids[name] for entry in labels for _, name in entry.boxes})


def examples_of_project(project: ProjectStore) -> Examples:
    """Read the examples of a project. Raises BadInputError if it has no accepted box, and as its reads do."""
    images = project.images()
    labels = project.labels_of(image.id for image in images)
    with_boxes = [labels[id] for id in project.labelled_images(most=len(images))]
    if not any(entry.boxes for entry in with_boxes):
        raise BadInputError(
            tr("{file} has no accepted box: label some pictures first, five are a good start.", file=project.path)
        )
    targets = []
    for image in images:
        entry = labels[image.id]
        if not entry.done:
            targets.append(Target(image.id, _name_in(project.path.absolute().parent, image.path), image.path, entry))
    ids: dict[str, int | str] = {category.name: category.id for category in project.categories()}
    return Examples(with_boxes, {image.id: image.path for image in images}, targets, ids)


def _name_in(folder: Path, picture: Path) -> str:
    """The path of a picture from the project's folder, because other folders may hold one of the same name."""
    return picture.relative_to(folder).as_posix() if picture.is_relative_to(folder) else picture.name


def check_categories(wanted: Sequence[str] | None, examples: Examples) -> None:
    """Raise BadInputError, which names the nearest known one, for a category without an example."""
    known = {name for entry in examples.labels for _, name in entry.boxes}
    for name in wanted or ():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1) or sorted(known)[:1]
            raise BadInputError(
                tr("The category “{name}” has no labelled box: did you mean “{near}”?", name=name, near=near[0])
            )


Found = tuple[list[Suggestion], int, int]
"""Suggestions of a picture, and its width and height in pixels."""


def learn(
    examples: Examples, *, kit: SuggestKit, source: FeatureSource, complain: Callable[[str], None]
) -> Job[Suggester]:
    """Learn from the examples; `complain` gets a sentence for each bad picture.

    Raises BadInputError if no labelled picture can be read.
    """
    features = features_by(source, complain)
    suggester = yield from kit.learner().learn(examples.labels, lambda id: features(examples.paths[id]))
    if suggester is None:
        raise BadInputError(tr("None of the labelled pictures can be read: check the folder."))
    return suggester


def features_by(
    source: FeatureSource, complain: Callable[[str], None]
) -> Callable[[PictureFile], ImageFeatures | None]:
    """Make a function that gives the features of a picture, or a sentence to `complain` and None."""

    def features_of(path: PictureFile) -> ImageFeatures | None:
        try:
            return source.of_path(path)
        except KnownError as error:
            complain(str(error))
            return None

    return features_of


def find_here(
    examples: Examples,
    suggester: Suggester,
    *,
    source: FeatureSource,
    refiner: Refiner,
    complain: Callable[[str], None],
    threshold: float,
    categories: Sequence[str] | None = None,
) -> Job[dict[int, Found]]:
    """Suggest boxes for the targets in this process; `complain` gets a sentence for each picture left out."""
    features_of = features_by(source, complain)
    found: dict[int, Found] = {}
    for number, target in enumerate(examples.targets):
        yield Progress(number, len(examples.targets), target.name)
        features = features_of(target.path)
        if features is None:
            continue
        boxes = suggester.suggest(
            features,
            refiner,
            known=target.labels.boxes,
            rejected=target.labels.rejected,
            threshold=threshold,
            categories=categories,
        )
        found[number] = boxes, features.frame.image_width, features.frame.image_height
    yield Progress(len(examples.targets), len(examples.targets))
    return found


def proposed(
    examples: Examples, found: Mapping[int, Found], suggester: Suggester, *, threshold: float, models: Mapping[str, str]
) -> Proposed:
    """The document of what was found; `models` are the identities of encoder and refiner."""
    images: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for number, (boxes, width, height) in sorted(found.items()):
        target = examples.targets[number]
        images.append({"id": target.id, "file_name": target.name, "width": width, "height": height})
        for each in boxes:
            about = {"id": len(notes) + 1, "image_id": target.id, "category_id": examples.categories[each.category]}
            notes.append({**about, **_note(each, head=suggester.identity), **models})
    document = {
        "info": {"description": "Proposed by BoxRefine"},  # untranslated: content of the file
        "images": images,
        "annotations": notes,
        "categories": [{"id": id, "name": name} for name, id in examples.categories.items()],
    }
    precision = suggester.trust.expected_precision(threshold)
    return Proposed(document, len(examples.labels), len(images), threshold, precision, suggester.identity)


def _note(suggestion: Suggestion, *, head: str) -> dict[str, Any]:
    box, answer = suggestion.answer.box, suggestion.answer
    sides = [box.x1, box.y1, box.width, box.height]
    found = suggestion.found
    return {
        "bbox": [round(side, 3) for side in sides],
        "area": round(box.width * box.height, 3),
        "iscrowd": 0,
        "score": round(suggestion.probability, 4),
        "drawn_bbox": [round(side, 3) for side in (found.x1, found.y1, found.width, found.height)],
        "refined_bbox": [round(side, 3) for side in sides],
        "refine_score": round(float(answer.score), 6),
        "edge_confidence": [round(float(edge), 6) for edge in answer.edge_confidence],
        "suggested": {"head": head, "score": round(suggestion.probability, 4)},
        "confirmed": False,
    }


def results_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The annotations of a document as a COCO list of results."""
    keys = ("image_id", "category_id", "bbox", "score")
    return [{key: note[key] for key in keys} for note in document["annotations"]]
