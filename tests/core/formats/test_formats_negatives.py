"""Images without boxes: each format has those that are done as negatives, and none that nobody has looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.formats import EXPORTERS, export
from core.progress import run
from tests.core.datasets import difficult

OWN_FILE = {
    **dict.fromkeys(("coco", "csv", "createml", "cvat", "label_studio", "open_images"), ""),
    **dict.fromkeys(("via", "via_csv", "retinanet", "automl"), ""),
    "yolo": "labels/leer.txt",
    "voc": "Annotations/leer.xml",
    "labelme": "leer.json",
    "kitti": "label_2/leer.txt",
}
"""Format -> the file that it has for the image without boxes alone, if any."""


@pytest.mark.parametrize("format", EXPORTERS)
@pytest.mark.parametrize("is_done", [True, False])
def test_an_empty_image_is_exported_only_if_it_is_done(format: str, is_done: bool, tmp_path: Path) -> None:
    dataset = replace(difficult(), empty=frozenset({5} if is_done else ())).labelled()
    summary = run(export(dataset, format=format, out=tmp_path))
    assert (summary.images, summary.boxed, summary.boxes) == (4 + is_done, 4, 5)
    files = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    texts = "".join(path.read_text("utf-8") for path in files.values())
    named = "leer,default" if format == "open_images" else "leer.tif"
    assert (named in texts) == (is_done and format not in ("csv", "kitti"))  # a table of boxes has no place for it
    if own := OWN_FILE[format]:
        assert (own in files) == is_done
        assert not is_done or not any(sign in files[own].read_text("utf-8") for sign in ("<object>", '"label"', " 0."))


def test_an_image_whose_boxes_nobody_has_accepted_is_no_negative() -> None:
    dataset = difficult()
    imported = tuple(replace(entry, confirmed=entry.image_id != 3) for entry in dataset.corrections)
    left = replace(dataset, corrections=tuple(entry for entry in imported if entry.confirmed)).labelled()
    assert [image.id for image in left.images] == [1, 2, 4]
