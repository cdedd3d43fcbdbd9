"""VIA 2 export: via_project.json, which VIA opens, and via_region_data.json, which training code reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from core.formats.choices import NO_SPLITS, Splits
from core.formats.exporters.layout import group_by_image, in_splits
from core.formats.exporters.table import picture_places as picture_places
from core.formats.safe_write import ExportFile
from core.formats.via_regions import attributes_of, file_attributes_of, regions_of, size_of
from core.records import Dataset, ImageRecord

MAIN_FILE = "via_project.json"
MAIN_FILE_OF_SPLITS = "."
DATA_FILE = "via_region_data.json"
_VERSION = "2.0.10"
_SETTINGS = {
    "ui": {
        "annotation_editor_height": 25,
        "annotation_editor_fontsize": 0.8,
        "leftsidebar_width": 18,
        "image_grid": {
            "img_height": 80,
            "rshape_fill": "none",
            "rshape_fill_opacity": 0.3,
            "rshape_stroke": "yellow",
            "rshape_stroke_width": 2,
            "show_region_shape": True,
            "show_image_policy": "all",
        },
        "image": {
            "region_label": "__via_region_id__",
            "region_color": "__via_default_region_color__",
            "region_label_font": "10px Sans",
            "on_image_annotation_editor_placement": "NEAR_REGION",
        },
    },
    "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
    "project": {"name": "BoxRefine"},
}
"""What VIA itself writes for a new project; it opens no project without them."""


def files(dataset: Dataset, *, splits: Splits = NO_SPLITS) -> list[ExportFile]:
    """Both files, or both in the folder of each split, with names of pictures relative to it; shapes are in pixels."""
    write = _Writer(dataset, splits)
    return [
        ExportFile(PurePosixPath(split, name), partial(make, split, images))
        for split, images in in_splits(dataset, splits)
        for name, make in ((DATA_FILE, write.data), (MAIN_FILE, write.project))
    ]


class _Writer:
    """Writes the files of all splits."""

    def __init__(self, dataset: Dataset, splits: Splits) -> None:
        self._places, self._groups = picture_places(dataset, splits), group_by_image(dataset)
        self._categories = {category.id: category.name for category in dataset.categories}
        self._attribute, self._attributes = attributes_of(dataset)
        self._of_files = file_attributes_of(dataset)

    def data(self, split: str, images: Sequence[ImageRecord]) -> Iterator[bytes]:
        """The images by VIA's keys: the name of the file and its size."""
        yield b"{"
        for number, image in enumerate(images):
            entry = self._entry(split, image)
            yield (b",\n" if number else b"\n") + _dumped(_key(entry)) + b":" + _dumped(entry)
        yield b"\n}\n"

    def project(self, split: str, images: Sequence[ImageRecord]) -> Iterator[bytes]:
        """The project: settings, images, attributes and the order of the images."""
        yield b'{"_via_settings":' + _dumped(_SETTINGS) + b',\n"_via_img_metadata":'
        keys = []
        yield b"{"
        for number, image in enumerate(images):
            entry = self._entry(split, image)
            keys.append(_key(entry))
            yield (b",\n" if number else b"\n") + _dumped(keys[-1]) + b":" + _dumped(entry)
        yield b'\n},\n"_via_attributes":' + _dumped(self._attributes)
        yield b',\n"_via_data_format_version":' + _dumped(_VERSION)
        yield b',\n"_via_image_id_list":' + _dumped(keys) + b"}\n"

    def _entry(self, split: str, image: ImageRecord) -> Mapping[str, Any]:
        place = self._places[image.id]
        return {
            "filename": (place.relative_to(split) if split else place).as_posix(),
            "size": size_of(image),
            "regions": regions_of(self._groups[image.id], image, self._categories, self._attribute),
            "file_attributes": {**self._of_files.get(image.id, {})},
        }


def _key(entry: Mapping[str, Any]) -> str:
    return f"{entry['filename']}{entry['size']}"


def _dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
