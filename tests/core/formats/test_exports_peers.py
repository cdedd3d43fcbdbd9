"""Other programs load our exports as they lie. A program that is not installed is skipped; CONTRIBUTING.md has the
command that installs all of them for one run.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.formats import export
from core.formats.converting import read_files
from core.formats.splitting import divide, splits_of_folders
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


def answer_of(program: str, module: str, *arguments: object, folder: Path) -> Any:
    """What a program prints as JSON, in a process of its own: these leave threads, or bring another Qt."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"could not import {module!r}")
    environment = {**os.environ, "YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if "No module named" in done.stderr:
        pytest.skip(f"{module} lacks a module: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


ULTRALYTICS = """
import json, sys
from ultralytics.data.dataset import YOLODataset
from ultralytics.data.utils import check_det_dataset
task, file, split = sys.argv[1:]
data = check_det_dataset(file, autodownload=False)
loaded = YOLODataset(img_path=data[split], data=data, task=task, imgsz=128, augment=False, batch_size=1)
keep = lambda value: None if value is None else [entry.tolist() for entry in value]
print(json.dumps([data["names"], [
    {"file": each["im_file"], "shape": each["shape"], "cls": each["cls"].flatten().tolist(),
     "boxes": keep(each["bboxes"]), "segments": keep(each["segments"]), "points": keep(each["keypoints"])}
    for each in loaded.labels]]))
"""


def edges_of(label: dict[str, Any], row: int = 0) -> list[float]:
    """The edges of a box of Ultralytics, which has centers and sizes in fractions."""
    height, width = label["shape"]
    x, y, w, h = label["boxes"][row]
    return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]


def test_ultralytics_loads_yolo(dataset: Dataset, tmp_path: Path) -> None:
    out, boxes, seen = written(dataset, "yolo", tmp_path / "out"), wanted(dataset), 0
    for split, count in (("train", 9), ("val", 3)):
        given = "detect", out / "data.yaml", split
        names, labels = answer_of(ULTRALYTICS, "ultralytics", *given, folder=tmp_path)
        assert (names, len(labels)) == ({"0": "cat", "1": "dog"}, count)
        for label in labels:
            assert_near(edges_of(label), boxes[Path(label["file"]).name], 0.02)
            seen += 1
    assert seen == COUNT


YOLO_SEGMENT = ["1 0.1 0.2 0.5 0.2 0.5 0.6", "0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75"]
YOLO_POSE = ["0 0.5 0.5 0.2 0.4 0.45 0.4 2 0.55 0.6 1", "1 0.3 0.3 0.1 0.2 0 0 0 0.31 0.35 2"]


@pytest.mark.parametrize(("task", "lines"), [("segment", YOLO_SEGMENT), ("pose", YOLO_POSE)])
def test_ultralytics_loads_polygons_and_poses(task: str, lines: list[str], tmp_path: Path) -> None:
    """They come from YOLO, and one box is moved before the export."""
    came = tmp_path / "came"
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (came / kind / split).mkdir(parents=True)
        Image.new("RGB", SIDES).save(came / "images" / split / f"{split}1.jpg")
        (came / "labels" / split / f"{split}1.txt").write_text("\n".join(lines))
    shape = "kpt_shape: [2, 3]\n" if task == "pose" else ""
    (came / "data.yaml").write_text(f"train: images/train\nval: images/val\n{shape}names: [cat, dog]\n")
    read = run(read_files(came)).dataset
    first, *others = read.corrections
    changed = replace(read, corrections=(replace(first, accepted=Box(1.5, 2.5, 40.25, 50.125)), *others))
    out = tmp_path / "out"
    run(export(changed, format="yolo", out=out, splits=splits_of_folders(changed), pictures="copy"))
    boxes = {(item.image_id, item.id): item.accepted for item in changed.corrections}
    names, labels = [], []
    for split in ("train", "val"):
        names, found = answer_of(ULTRALYTICS, "ultralytics", task, out / "data.yaml", split, folder=tmp_path)
        labels += found
    assert names == {"0": "cat", "1": "dog"}
    assert [label["cls"] for label in labels] == [[float(line[0]) for line in lines]] * 2
    found_boxes = [edges_of(label, row) for label in labels for row in range(len(lines))]
    for edges, box in zip(found_boxes, boxes.values(), strict=True):
        assert_near(edges, box, 0.02)
    if task == "pose":
        for found_point, point in zip(labels[1]["points"][0], [[0.45, 0.4, 2], [0.55, 0.6, 1]], strict=True):
            assert found_point == pytest.approx(point)
    else:
        assert len(labels[0]["segments"]) == 2


X_ANYLABELING = """
import json, sys
from pathlib import Path
from anylabeling.views.labeling.label_converter import LabelConverter
out, pictures, to = map(Path, sys.argv[1:])
found = {}
for kind in ("yolo", "voc"):
    (to / kind).mkdir(parents=True)
    for picture in sorted(pictures.glob("*.jpg")):
        target = to / kind / f"{picture.stem}.json"
        if kind == "yolo":
            converter = LabelConverter(str(out / "yolo" / "classes.txt"))
            label = next((out / "yolo" / "labels").rglob(f"{picture.stem}.txt"))
            converter.yolo_to_custom(str(label), str(target), str(picture), "hbb")
        else:
            label = out / "voc" / "Annotations" / f"{picture.stem}.xml"
            LabelConverter().voc_to_custom(str(label), str(target), picture.name, "rectangle")
for split in ("train", "val"):
    (to / "coco").mkdir(exist_ok=True)
    file = out / "coco" / "annotations" / f"instances_{split}.json"
    LabelConverter().coco_to_custom(str(file), str(to / "coco"), "rectangle")
for kind in ("yolo", "voc", "coco"):
    for file in sorted((to / kind).glob("*.json")):
        content = json.loads(file.read_text("utf-8"))
        shapes = [[shape["label"], *shape["points"][0], *shape["points"][2]] for shape in content["shapes"]]
        found[kind + " " + content["imagePath"]] = shapes
print(json.dumps(found))
"""


def test_the_converter_of_x_anylabeling_loads_it(dataset: Dataset, tmp_path: Path) -> None:
    for format in ("yolo", "voc", "coco"):
        written(dataset, format, tmp_path / "out" / format)
    given = tmp_path / "out", dataset.folder, tmp_path / "to"
    found = answer_of(X_ANYLABELING, "anylabeling", *given, folder=tmp_path)
    assert len(found) == 3 * COUNT
    names = {image.path.name: "dog" if image.id % 2 else "cat" for image in dataset.images}
    for name, box in wanted(dataset).items():
        for kind, tolerance in (("yolo", 0.02), ("voc", 0.5), ("coco", 0.02)):
            ((label, *edges),) = found[f"{kind} {name}"]
            assert label == names[name]
            assert_near(edges, box, tolerance)


DATUMARO = """
import json, sys
from datumaro.components.dataset import Dataset
loaded = Dataset.import_from(sys.argv[1], sys.argv[2])
names = [entry.name for entry in list(loaded.categories().values())[0]]
rows = [[item.id, item.subset, item.media.size, [[names[note.label], *note.points] for note in item.annotations]]
        for item in loaded]
print(json.dumps([names, rows]))
"""
OF_DATUMARO = [
    ("coco", "coco", 0.02, "val"), ("yolo", "yolo", 0.02, "val"), ("voc", "voc_detection", 0.5, "val"),
    ("cvat", "cvat", 0.02, "val"), ("open_images", "open_images", 0.02, "validation"),
]  # fmt: skip
"""Our format, datumaro's, the tolerance, and what datumaro calls the split val."""


@pytest.mark.parametrize(("ours", "theirs", "tolerance", "val"), OF_DATUMARO)
def test_datumaro_loads_it(
    ours: str, theirs: str, tolerance: float, val: str, dataset: Dataset, tmp_path: Path
) -> None:
    """With categories that are none of VOC's."""
    renamed = replace(dataset, categories=(Category(1, "cup"), Category(2, "Möwe grau"), Category(3, "unused")))
    out, boxes = written(renamed, ours, tmp_path / "out"), wanted(dataset)
    names, rows = answer_of(DATUMARO, "datumaro", out, theirs, folder=tmp_path)
    assert names == ["cup", "Möwe grau", "unused"]
    rows = [row for row in rows if row[1] != "trainval"]
    assert [row[1] for row in rows].count(val) == 3
    assert len(rows) == COUNT
    for id, _, size, ((_, *edges),) in rows:
        assert size == [SIDES[1], SIDES[0]]
        assert_near(edges, boxes[f"{id}.jpg"], tolerance)


@pytest.mark.parametrize("split", ["train", "val"])
def test_datumaro_loads_kitti_of_a_split(split: str, dataset: Dataset, tmp_path: Path) -> None:
    out, boxes = written(dataset, "kitti", tmp_path / "out"), wanted(dataset)
    _, rows = answer_of(DATUMARO, "datumaro", out / split, "kitti_detection", folder=tmp_path)
    assert len(rows) == {"train": 9, "val": 3}[split]
    for id, _, _, ((_, *edges),) in rows:
        assert_near(edges, boxes[f"{id}.jpg"], 0.02)


GLOBOX = """
import json, sys
from globox import AnnotationSet
kind, file, pictures = sys.argv[1:]
more = {"via_json": {"image_folder": pictures, "label_key": "label"}, "yolo": {"image_folder": pictures + "/images"}}
loaded = getattr(AnnotationSet, "from_" + kind)(file, **more.get(kind, {}))
print(json.dumps([[each.image_id, [[str(box.label), *box.ltrb] for box in each.boxes]] for each in loaded]))
"""
OF_GLOBOX = [
    ("coco", "coco", "annotations.json"), ("yolo", "yolo", "labels"), ("voc", "pascal_voc", "Annotations"),
    ("labelme", "labelme", "."), ("cvat", "cvat", "annotations.xml"), ("via", "via_json", "via_project.json"),
    ("via", "via_json", "via_region_data.json"),
]  # fmt: skip
"""Our format, globox's, and the file or folder that it is given."""


@pytest.mark.parametrize(("format", "kind", "file"), OF_GLOBOX)
def test_globox_loads_it(format: str, kind: str, file: str, dataset: Dataset, tmp_path: Path) -> None:
    out, boxes = tmp_path / "out", wanted(dataset)
    run(export(dataset, format=format, out=out, pictures="copy"))
    rows = answer_of(GLOBOX, "globox", kind, out / file, out, folder=tmp_path)
    assert len(rows) == COUNT
    for name, ((label, *edges),) in rows:
        assert label in (("0", "1") if format == "yolo" else ("cat", "dog"))
        assert_near(edges, boxes[Path(name).name], 0.5 if format == "voc" else 0.02)


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
