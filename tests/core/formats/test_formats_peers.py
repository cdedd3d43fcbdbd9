"""What other programs' own writers make, read back here. They are no dependencies, so the tests skip without them;
CONTRIBUTING.md has the command that installs all of them for one run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.formats.importers.run_lengths import box_of_rle
from core.formats.importing import find_boxes
from core.geometry import Box
from core.progress import run
from core.records import ImageRecord

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NAMES = ["saucer", "cup", "bird"]
EXPECTED = [
    ("p0.png", "cup", Box(76.25, 57.25, 106.5, 77.5)),
    ("p0.png", "bird", Box(3.25, 6.25, 13.5, 23.5)),
    ("p1.png", "bird", Box(65.25, 56.25, 96.5, 88.5)),
    ("p2.png", "cup", Box(48.25, 7.25, 69.5, 36.5)),
]
PICTURES = ["p0.png", "p1.png", "p2.png"]


def check(path: Path, *, names: list[str] | None = None, tolerance: float = 0.02) -> None:
    """The file or folder brings all boxes, and nothing else."""
    folder = Path("/pictures/train")
    images = [ImageRecord(number, folder / name, 200, 150) for number, name in enumerate(PICTURES)]
    found = run(find_boxes(path, images, folder=folder))
    assert (found.problems, found.missing) == ([], [])
    got = sorted(
        (PICTURES[entry.correction.image_id], entry.category, entry.correction.accepted) for entry in found.boxes
    )
    for (name, category, box), (picture, wanted, expected) in zip(got, sorted(EXPECTED), strict=True):
        assert (name, category) == (picture, wanted)
        assert max(abs(mine - theirs) for mine, theirs in zip(box, expected, strict=True)) <= tolerance
    assert found.categories == (names or [])


@pytest.mark.parametrize(
    ("format", "names"),
    [
        ("cvat", NAMES), ("open_images", NAMES), ("kitti_detection", None), ("datumaro", NAMES),
        ("coco_instances", NAMES), ("yolo", NAMES),
    ],
)  # fmt: skip
def test_what_datumaro_writes_comes_back(tmp_path: Path, format: str, names: list[str] | None) -> None:
    base = pytest.importorskip("datumaro.components.dataset_base")
    annotation = pytest.importorskip("datumaro.components.annotation")
    media = pytest.importorskip("datumaro.components.media")
    dataset = pytest.importorskip("datumaro.components.dataset")
    items = []
    for picture in PICTURES:
        boxes = [
            annotation.Bbox(box.x1, box.y1, box.width, box.height, label=NAMES.index(category), id=number, group=number)
            for number, (name, category, box) in enumerate(EXPECTED)
            if name == picture
        ]
        pixels = media.Image.from_numpy(np.zeros((150, 200, 3), np.uint8), ext=".png")
        items.append(base.DatasetItem(id=Path(picture).stem, subset="train", annotations=boxes, media=pixels))
    dataset.Dataset.from_iterable(items, categories=NAMES).export(str(tmp_path / "out"), format, save_media=False)
    check(tmp_path / "out", names=names)


GLOBOX = """
import json, pathlib, sys
from globox import Annotation, AnnotationSet, BoundingBox
kind, out, pictures, entries = json.loads(sys.argv[1])
held = [
    Annotation(picture, (200, 150), [BoundingBox.create(label=l, coords=box) for n, l, box in entries if n == picture])
    for picture in sorted({name for name, _, _ in entries})
]
more = {"image_folder": pathlib.Path(pictures)} if kind == "via_json" else {}
getattr(AnnotationSet(held), "save_" + kind)(pathlib.Path(out), **more)
"""
"""A process of its own, because globox leaves threads."""


@pytest.mark.parametrize("format", ["cvat", "via_json", "openimage", "labelme"])
def test_what_globox_writes_comes_back(tmp_path: Path, format: str) -> None:
    pytest.importorskip("globox")
    for picture in PICTURES:
        Image.new("RGB", (200, 150)).save(tmp_path / picture)
    out = tmp_path / "out"
    out.mkdir()
    suffix = {"cvat": "a.xml", "via_json": "a.json", "openimage": "a.csv"}.get(format, "")
    given = json.dumps([format, str(out / suffix), str(tmp_path), EXPECTED])
    subprocess.run([sys.executable, "-c", GLOBOX, given], check=True, timeout=60)
    check(out)


def test_what_labelformat_writes_as_kitti_comes_back(tmp_path: Path) -> None:
    formats = pytest.importorskip("labelformat.formats")
    images = [{"id": n, "file_name": name, "width": 200, "height": 150} for n, name in enumerate(PICTURES)]
    notes = [
        {
            "id": number,
            "image_id": PICTURES.index(name),
            "category_id": NAMES.index(category),
            "bbox": [box.x1, box.y1, box.width, box.height],
        }
        for number, (name, category, box) in enumerate(EXPECTED)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(NAMES)]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "annotations": notes, "categories": categories}))
    read = formats.COCOObjectDetectionInput(tmp_path / "a.json")
    formats.KittiObjectDetectionOutput(tmp_path / "labels").save(read)
    check(tmp_path / "labels")


def test_the_box_around_a_mask_is_the_one_of_pycocotools() -> None:
    mask = pytest.importorskip("pycocotools.mask")
    generator = np.random.default_rng(0)
    for _ in range(50):
        pixels = np.asfortranarray(generator.random((17, 23)) > generator.uniform(0.5, 0.999), np.uint8)
        encoded = mask.encode(pixels)
        text = {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode()}
        expected = [float(value) for value in mask.toBbox(encoded)] if pixels.any() else None
        assert box_of_rle(text) == expected
