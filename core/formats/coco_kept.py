"""What an export to COCO gives back of the COCO files that a project's boxes came from: ids, order, unknown fields.

Without such a file, ids are the project's.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from core.correction_table import CorrectionTable, origins_in
from core.formats.importers.coco_columns import COCO
from core.formats.importers.coco_reader import id_of
from core.records import Category, Correction, Dataset, ImageRecord, Origin, Source
from core.text import name_of

_INFO = {"description": "Exported by BoxRefine"}  # untranslated: content of the file


class KeptCoco:
    """The ids and entries that an export of `dataset` gives back.

    Where two files use an id for different things, the first one keeps it, and the other gets a new one. Licences are
    those of the first file, so pictures of other files name theirs only if the licences are the same.
    """

    def __init__(self, dataset: Dataset) -> None:
        files = {file for file, format in origins_in(dataset.corrections) if format == COCO}
        sources = [source for source in dataset.sources if source.format == COCO and source.file in files]
        self.header: dict[str, Any] = {"info": _INFO, **(sources[0].header if sources else {})}
        self._images = _entries_of_images(sources)
        self._categories = _entries_of_categories(sources)
        self.image_ids = _ids(
            (image.id, self._images.get(image.id, {}).get("id") if sources else None) for image in dataset.images
        )
        self.category_ids = _ids(
            (category.id, self._categories.get(category.name, {}).get("id")) for category in dataset.categories
        )
        self.box_ids = _ids(_ids_of_boxes(dataset.corrections))

    def image(self, image: ImageRecord, *, name: str) -> dict[str, Any]:
        """The entry of an image; its name and size are the project's."""
        entry = self._images.get(image.id, {})
        ours = {"id": self.image_ids[image.id], "file_name": name, "width": image.width, "height": image.height}
        return {**entry, **ours}

    def category(self, category: Category) -> dict[str, Any]:
        """The entry of a category; a name that was changed only to be shown on one line is as it came."""
        entry = self._categories.get(category.name)
        if entry is None:
            return {"id": self.category_ids[category.id], "name": category.name, "supercategory": ""}
        name = entry["name"] if isinstance(entry.get("name"), str) else category.name
        return {**entry, "id": self.category_ids[category.id], "name": name}

    def box(self, correction: Correction) -> dict[str, Any]:
        """The entry of a box as it came, empty if it did not come from a COCO file."""
        return correction.origin.kept(COCO) if correction.origin else {}


def _ids_of_boxes(corrections: Sequence[Correction]) -> Iterator[tuple[int, object]]:
    """The id of each box in the project, and the one in the COCO file that it came from."""
    if not isinstance(corrections, CorrectionTable):
        for item in corrections:
            yield item.id, item.origin.kept(COCO).get("id") if item.origin else None
        return
    of_coco = [came.format == COCO for came in corrections.kinds]
    for row, id in enumerate(corrections.ids):
        whole = corrections.whole.get(row)
        if whole is not None:
            yield id, whole.origin.kept(COCO).get("id") if whole.origin else None
        elif not of_coco[corrections.came[row]]:
            yield id, None
        else:
            text = corrections.text(row)
            found = _ID.match(text)
            if found is not None and text.find('"id"', found.end()) < 0:
                yield id, int(found[1])
            else:
                yield id, Origin("", corrections[row].accepted, format=COCO, entry=text).kept(COCO).get("id")


_ID = re.compile(r'\{\s*"id"\s*:\s*(\d{1,18})\s*[,}]')
"""The id of a box where it comes first, as in most files; quicker than to parse all of the box."""


def _entries_of_images(sources: Iterable[Source]) -> dict[int, Mapping[str, Any]]:
    entries: dict[int, Mapping[str, Any]] = {}
    licenses: object = None
    for number, source in enumerate(sources):
        if number == 0:
            licenses = source.header.get("licenses")
        is_valid = source.header.get("licenses") == licenses
        for id, entry in source.images.items():
            kept = entry if is_valid else {key: value for key, value in entry.items() if key != "license"}
            entries.setdefault(id, kept)
    return entries


def _entries_of_categories(sources: Iterable[Source]) -> dict[str, dict[str, Any]]:
    """The name of a category in the project -> its entry in the first file that has it."""
    entries: dict[str, dict[str, Any]] = {}
    for source in sources:
        listed = source.header.get("categories")
        for entry in listed if isinstance(listed, list) else []:
            name = name_of(entry.get("name")) if isinstance(entry, dict) else None
            if name is not None:
                entries.setdefault(name, entry)
    return entries


def _ids(wanted: Iterable[tuple[int, object]]) -> dict[int, int]:
    """The project's id -> the one in the export: the wanted one, if it is a whole number and still free.

    If none is wanted, the ids are the project's; otherwise the others follow the largest one.
    """
    own, values = array("q"), []
    for id, value in wanted:
        own.append(id)
        values.append(id_of(value))
    if all(value is None for value in values):
        return {id: id for id in own}
    ids: dict[int, int] = {}
    taken: set[int] = set()
    for id, value in zip(own, values, strict=True):
        if isinstance(value, int) and value not in taken:
            taken.add(value)
            ids[id] = value
    free = max([0, *taken]) + 1
    for id in own:
        if id not in ids:
            ids[id], free = free, free + 1
    return ids
