"""Other programs load our exports as they lie. A program that is not installed is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.formats import export
from core.formats.splitting import divide
from core.geometry import Box
from core.progress import run
from core.records import Category, Dataset, ImageRecord
from tests.core.datasets import correction

pytestmark = pytest.mark.slow
COUNT = 12
SIDES = 128, 96


def box_of(id: int) -> Box:
    return Box(4.25 + id, 8.5 + id, 60.75 + 2 * id, 70.125)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Pictures with a bright box of one of two categories each."""
    folder = tmp_path_factory.mktemp("peers") / "pictures"
    folder.mkdir()
    images, boxes = [], []
    for id in range(1, COUNT + 1):
        pixels = np.full((SIDES[1], SIDES[0], 3), 30, np.uint8)
        x1, y1, x2, y2 = (round(edge) for edge in box_of(id))
        pixels[y1:y2, x1:x2] = 220
        Image.fromarray(pixels).save(folder / f"scene{'abcdefghijkl'[id - 1]}.jpg")
        images.append(ImageRecord(id, folder / f"scene{'abcdefghijkl'[id - 1]}.jpg", *SIDES))
        boxes.append(correction(id, image=id, category=1 + id % 2, accepted=box_of(id)))
    return Dataset(tuple(images), (Category(1, "cat"), Category(2, "dog")), tuple(boxes), folder=folder)


def written(dataset: Dataset, format: str, out: Path, **options: Any) -> Path:
    splits = divide(dataset, {"train": 0.75, "val": 0.25})
    run(export(dataset, format=format, out=out, splits=splits, pictures="copy", **options))
    return out


def wanted(dataset: Dataset) -> dict[str, Box]:
    """The name of each picture -> its box."""
    names = {image.id: image.path.name for image in dataset.images}
    return {names[item.image_id]: item.accepted for item in dataset.corrections}


def assert_near(found: Sequence[float], box: Box, tolerance: float) -> None:
    assert max(abs(a - b) for a, b in zip(found, box, strict=True)) <= tolerance


def test_pycocotools_and_torchvision_load_coco(dataset: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    detection = pytest.importorskip("torchvision.datasets").CocoDetection
    out, boxes, seen = written(dataset, "coco", tmp_path / "out"), wanted(dataset), 0
    for split in ("train", "val"):
        loaded = detection(out / "images", out / "annotations" / f"instances_{split}.json")
        assert [each["name"] for each in loaded.coco.loadCats(loaded.coco.getCatIds())] == ["cat", "dog"]
        for row, (picture, notes) in enumerate(loaded):
            assert picture.size == SIDES
            name = loaded.coco.loadImgs(loaded.ids[row])[0]["file_name"]
            x, y, width, height = notes[0]["bbox"]
            assert_near((x, y, x + width, y + height), boxes[name], 0.002)
            seen += 1
    assert seen == COUNT


def test_torchvision_loads_voc(dataset: Dataset, tmp_path: Path) -> None:
    detection = pytest.importorskip("torchvision.datasets").VOCDetection
    written(dataset, "voc", tmp_path / "VOCdevkit" / "VOC2012")
    boxes = wanted(dataset)
    for split, count in (("train", 9), ("val", 3), ("trainval", COUNT)):
        loaded = detection(str(tmp_path), year="2012", image_set=split)
        assert len(loaded) == count
        for picture, target in loaded:
            assert picture.size == SIDES
            corners = target["annotation"]["object"][0]["bndbox"]
            edges = [float(corners[edge]) for edge in ("xmin", "ymin", "xmax", "ymax")]
            assert_near(edges, boxes[target["annotation"]["filename"]], 0.5)


@pytest.mark.parametrize("format", ["coco", "voc", "labelme"])  # of YOLO it leaves threads running
def test_globox_loads_it(format: str, dataset: Dataset, tmp_path: Path) -> None:
    annotations = pytest.importorskip("globox").AnnotationSet
    out = tmp_path / "out"
    run(export(dataset, format=format, out=out, pictures="copy"))
    if format == "coco":
        loaded = annotations.from_coco(out / "annotations.json")
    elif format == "voc":
        loaded = annotations.from_pascal_voc(out / "Annotations")
    else:
        loaded = annotations.from_labelme(out)
    boxes = wanted(dataset)
    assert len(loaded) == COUNT
    for each in loaded:
        assert_near(each.boxes[0].ltrb, boxes[Path(each.image_id).name], 0.5 if format == "voc" else 0.02)


def test_supervision_loads_it(dataset: Dataset, tmp_path: Path) -> None:
    """Of Pascal VOC it takes 1 from the left and top edges, as the page Datasets states."""
    detection = pytest.importorskip("supervision").DetectionDataset
    boxes = wanted(dataset)
    coco, yolo, voc = (written(dataset, format, tmp_path / format) for format in ("coco", "yolo", "voc"))
    of_coco = detection.from_coco(str(coco / "images"), str(coco / "annotations" / "instances_train.json"))
    of_yolo = detection.from_yolo(
        str(yolo / "images" / "train"), str(yolo / "labels" / "train"), str(yolo / "data.yaml")
    )
    of_voc = detection.from_pascal_voc(str(voc / "JPEGImages"), str(voc / "Annotations"))
    assert (len(of_coco), len(of_yolo), len(of_voc)) == (9, 9, COUNT)
    assert of_yolo.classes == of_coco.classes == ["cat", "dog"]
    for loaded, tolerance in ((of_coco, 0.02), (of_yolo, 0.02), (of_voc, 1.5)):
        for path, _, found in loaded:
            assert_near(found.xyxy[0].tolist(), boxes[Path(path).name], tolerance)


def test_labelformat_loads_it(dataset: Dataset, tmp_path: Path) -> None:
    formats = pytest.importorskip("labelformat.formats")
    kinds = pytest.importorskip("labelformat.model.bounding_box").BoundingBoxFormat
    out, boxes = written(dataset, "voc", tmp_path / "out"), wanted(dataset)
    loaded = formats.PascalVOCObjectDetectionInput(input_folder=out / "Annotations", category_names="cat,dog")
    labels = list(loaded.get_labels())
    assert len(labels) == COUNT
    for label in labels:
        assert_near(label.objects[0].box.to_format(kinds.XYXY), boxes[Path(label.image.filename).name], 0.5)


@pytest.mark.long
def test_a_small_detector_of_torchvision_learns_from_it_as_it_lies(dataset: Dataset, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    detection = pytest.importorskip("torchvision.models.detection")
    datasets, transforms = pytest.importorskip("torchvision.datasets"), pytest.importorskip("torchvision.transforms.v2")
    out = written(dataset, "coco", tmp_path / "out")
    to_tensor = transforms.Compose([transforms.ToImage(), transforms.ToDtype(torch.float32, scale=True)])
    train = datasets.wrap_dataset_for_transforms_v2(
        datasets.CocoDetection(out / "images", out / "annotations" / "instances_train.json", transforms=to_tensor),
        target_keys=("boxes", "labels"),
    )
    torch.manual_seed(0)
    model = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []

    def collated(rows: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(zip(*rows, strict=True))

    for _ in range(3):
        batches = torch.utils.data.DataLoader(train, batch_size=3, collate_fn=collated)
        total = 0.0
        for pictures, targets in batches:
            loss = sum(model(list(pictures), list(targets)).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total)
    assert losses[-1] < losses[0], losses
